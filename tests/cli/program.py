"""Starts the real `foureyes` in a process of its own, in an empty folder and with only the
environment that a test names."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from bot.cli import main

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
TIMEOUT_SECONDS = 60
COMMAND = (sys.executable, "-W", "error", "-m", "bot.cli")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings, what Python needs, and nothing of the machine's own."""
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "TMPDIR") if k in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **settings}


def foureyes(*arguments: str, folder: Path, settings: Mapping[str, str] | None = None) -> Ended:
    """Run one command to its end."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(settings or {}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr)


def foureyes_in_process(*arguments: str, settings: Mapping[str, str]) -> Ended:
    """The same command without a process of its own, which takes a second to start: for tests
    that look at what a command does rather than at how it is started."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment(settings), clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = main(arguments)
    return Ended(code=code, out=out.getvalue(), err=err.getvalue())
