"""`foureyes drill`: try now everything that a rollback needs, short of moving the stage."""

from __future__ import annotations

import argparse
import os

from bot.command_tree import Commands
from bot.settings import FOR_REGISTRY, read_settings


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("drill", summary="try everything that a rollback needs", run=_run)
    parser.add_argument("model", metavar="MODEL", help="the registered model")
    parser.epilog = (
        "Moves no stage. Recorded; the channel is told of what does not hold. Without "
        "SLACK_BOT_TOKEN the channel and the people on call are not checked; a rollback needs "
        "neither."
    )


def _run(options: argparse.Namespace) -> int:
    from bot.assembly import world_without_slack
    from bot.os_login import actor_for_record, current_login
    from governance.domain.evidence import ModelName
    from governance.use_cases.drill import drill

    settings = read_settings(os.environ, needed=FOR_REGISTRY)
    with world_without_slack(settings) as world:
        actor = actor_for_record(world.rules.current().roster, current_login())
        found = drill(world, ModelName(options.model), actor=actor)
    for what, held, seen in found.findings:
        print(f"{'ok    ' if held else 'WRONG '} {what}: {seen}")
    for what, why in found.unchecked:
        print(f"--     {what}: not checked here. {why}")
    print("A rollback would work." if found.passed else "A rollback would NOT work now.")
    return 0 if found.passed else 1
