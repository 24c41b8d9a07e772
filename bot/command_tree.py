"""How commands are added to the command line, and how their help is laid out. Knows no command."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable

_WIDTH = 80

Run = Callable[[argparse.Namespace], int]


class Commands:
    """Where a group adds its commands."""

    def __init__(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        self._subparsers = subparsers

    def add(self, name: str, *, summary: str, run: Run | None = None) -> argparse.ArgumentParser:
        """A command with one line for the list; `run` is left out when it only has parts."""
        parser = self._subparsers.add_parser(
            name, help=summary, description=_sentence(summary), formatter_class=HelpText
        )
        parser.set_defaults(run=run)
        return parser

    def group(self, name: str, *, summary: str) -> Commands:
        """A command that consists of further commands."""
        parser = self.add(name, summary=summary)
        return Commands(parser.add_subparsers(metavar="COMMAND", required=True))


class HelpText(argparse.HelpFormatter):
    """80 columns or what a narrower terminal has; never wider, so that help reads the same in a
    file."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size().columns
        super().__init__(prog, width=min(columns, _WIDTH), max_help_position=24)


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."
