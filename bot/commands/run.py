"""`foureyes run`: the bot, until it is told to stop."""

from __future__ import annotations

import argparse
import os

from bot.command_tree import Commands
from bot.settings import FOR_RUN, read_settings


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("run", summary="start the bot and keep it running", run=_run)
    parser.epilog = (
        "Starts even while Slack or MLflow is down. SIGTERM and SIGINT finish what runs and end "
        "with 0; SIGHUP reads the policies again. Ends with 3 after "
        "FOUREYES_SLACK_GRACE_SECONDS without Slack, so that a supervisor starts it again."
    )


def _run(_options: argparse.Namespace) -> int:
    settings = read_settings(os.environ, needed=FOR_RUN)

    from bot.app import run

    return run(settings)
