"""Writes `help.txt` again: `python -m tests.cli.write_help`."""

from __future__ import annotations

import contextlib
import io
import os

from bot.cli import build_parser
from tests.cli.test_command_line import COMMANDS, HELP


def main() -> None:
    """Print the help of every command, at 80 columns, into the file."""
    os.environ["COLUMNS"] = "80"
    parts: list[str] = []
    for words in COMMANDS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            build_parser().parse_args([*words, "--help"])
        parts.append(f"$ {' '.join(('foureyes', *words, '--help'))}\n{printed.getvalue()}")
    HELP.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
