"""Builds a wheel of this tree, unpacks it, and becomes its demo in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def play(folder: Path) -> None:
    """Replaces this process."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    installed = folder / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    empty = folder / "empty"
    empty.mkdir()
    os.chdir(empty)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("FOUREYES_", "SLACK_"))}
    os.execve(
        sys.executable,
        [sys.executable, "-P", "-m", "bot.cli", "demo"],
        {**env, "PYTHONPATH": str(installed), "COLUMNS": "80"},
    )


if __name__ == "__main__":
    play(Path(sys.argv[1]))
