"""Which commit a folder of policies is at, as git says. Knows git and nothing of policies."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_commit(folder: Path) -> str:
    """The commit that a folder is at, with `+changes` when it differs from it; empty outside of
    git, and where git is not installed."""
    head = _git(folder, "rev-parse", "--verify", "HEAD")
    if not head:
        return ""
    return f"{head}+changes" if _git(folder, "status", "--porcelain", "--", ".") else head


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        # No git, no repository, or one of somebody else: the commit is a convenience of the
        # record, and the texts themselves are stored.
        return ""
    return done.stdout.strip()
