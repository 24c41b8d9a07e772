"""The `foureyes` command: arguments in, an exit code out; each group of commands is a module.

Imports nothing heavy: a command loads what it uses when it runs. Exit codes: 0 done, 1 not done
(one sentence says why), 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, cast

from bot.command_tree import Commands, HelpText, Run
from bot.terminal import literal
from governance.domain.errors import FoureyesError, IntegrityViolation

GROUPS = (
    "run",
    "doctor",
    "rollback",
    "drill",
    "monitor",
    "diff",
    "audit",
    "policy",
    "db",
    "manifest",
    "demo",
)
"""One module in `bot.commands` for each, in the order in which help lists them."""

DESCRIPTION = """\
Four eyes for machine learning models: promotion requests in Slack, approvals by
people who did not make the model, the transition in MLflow, and a record that
verifies."""
EPILOG = """\
Settings come from environment variables; `foureyes doctor` checks them."""


class Group(Protocol):
    """What a module in `bot.commands` offers."""

    def register(self, commands: Commands) -> None:
        """Add its command, with arguments and what runs it."""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="foureyes", description=DESCRIPTION, epilog=EPILOG, formatter_class=HelpText
    )
    parser.add_argument("--version", action="version", version=f"foureyes {_version()}")
    commands = Commands(parser.add_subparsers(metavar="COMMAND", required=True))
    for name in GROUPS:
        cast(Group, importlib.import_module(f"bot.commands.{name}")).register(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = build_parser()
    words = sys.argv[1:] if arguments is None else arguments
    if any("\ud800" <= c <= "\udfff" for word in words for c in word):
        # Bytes of another encoding: no record could spell them, not even the refusal's.
        parser.error("an argument is not UTF-8; set the terminal to UTF-8 and type it again")
    options = parser.parse_args(words)
    # MLflow's client would tell its makers of each process, and change the environment in a thread.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    run = cast(Run, options.run)
    try:
        code = run(options)
        sys.stdout.flush()
        return code
    except FoureyesError as problem:
        print(literal(f"foureyes: {problem.sentence}"), file=sys.stderr)
        if isinstance(problem, IntegrityViolation):
            print("foureyes: look at `foureyes audit verify` first.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (`head`, a pager) has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _version() -> str:
    try:
        return version("foureyes")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
