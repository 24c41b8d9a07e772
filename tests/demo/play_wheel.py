"""Builds a wheel of this tree, installs it in a folder of its own, and becomes its demo in an empty
one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def play(folder: Path) -> None:
    """Replaces this process."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    installed = folder / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # What the wheel requires is there already, in this environment; the checkout is not looked at.
    options = ["--no-deps", "--no-index", "--target", str(installed)]
    subprocess.run([*pip, *options, str(wheel)], cwd=folder, check=True, capture_output=True)
    empty = folder / "empty"
    empty.mkdir()
    os.chdir(empty)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("FOUREYES_", "SLACK_"))}
    command = installed / "bin" / "foureyes"
    os.execve(
        sys.executable,
        [sys.executable, "-P", str(command), "demo"],
        {**env, "PYTHONPATH": str(installed), "COLUMNS": "80"},
    )


if __name__ == "__main__":
    play(Path(sys.argv[1]))
