"""`foureyes demo` and `foureyes play`: the story on this machine, told or tried. Both need the
extra that brings MLflow's server."""

from __future__ import annotations

import argparse

from bot.command_tree import Commands
from governance.domain.errors import Refused


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add(
        "demo",
        summary="play the whole story on this machine, with real parts and made-up people",
        run=_tell,
    )
    play = commands.add(
        "play",
        summary="try it: a workspace in the browser with a real bot and MLflow, until Ctrl-C",
        run=_play,
    )
    play.add_argument(
        "--port", type=int, default=0, metavar="PORT", help="where on 127.0.0.1; a free one if 0"
    )
    play.add_argument("--no-browser", action="store_true", help="only print the address")


def _tell(_options: argparse.Namespace) -> int:
    try:
        from bot.demo import story
    except ModuleNotFoundError as missing:
        raise _not_installed(missing) from missing
    return story.main()


def _play(options: argparse.Namespace) -> int:
    try:
        from bot.demo import play
    except ModuleNotFoundError as missing:
        raise _not_installed(missing) from missing
    return play.main(port=options.port, opens_browser=not options.no_browser)


def _not_installed(missing: ModuleNotFoundError) -> Refused:
    return Refused(
        "demo_not_installed",
        f"The demo needs {missing.name}, which is not installed. In a checkout: "
        "pip install '.[demo]'.",
    )
