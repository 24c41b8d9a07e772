"""`foureyes demo`: the whole story on this machine. Needs the extra that brings MLflow's server."""

from __future__ import annotations

import argparse

from bot.command_tree import Commands
from governance.domain.errors import Refused


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add(
        "demo",
        summary="play the whole story on this machine, with real parts and made-up people",
        run=_play,
    )


def _play(_options: argparse.Namespace) -> int:
    try:
        from bot.demo.story import main
    except ModuleNotFoundError as missing:
        raise Refused(
            "demo_not_installed",
            f"The demo needs {missing.name}, which is not installed: pip install 'foureyes[demo]'.",
        ) from missing
    return main()
