"""`foureyes rollback`: put the last good version back while Slack is down. The login is the
person; nothing is done for root or for a service."""

from __future__ import annotations

import argparse
import os

from bot.command_tree import Commands
from bot.settings import FOR_REGISTRY, read_settings


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "rollback", summary="put the last good version of a model back, without Slack", run=_run
    )
    parser.add_argument("model", metavar="MODEL", help="the registered model")
    parser.add_argument(
        "--to",
        type=version_number,
        metavar="N",
        help="the version to restore; the last known good by our record when left out",
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="goes into the record")
    parser.epilog = (
        "Your OS login must be one person's in people.yaml (os_logins), and that person must hold "
        "a role that may roll this model back. The channel is told when the bot is back."
    )


def version_number(text: str) -> int:
    """A version as people write it: 3 or v3."""
    digits = text.removeprefix("v")
    if not digits.isascii() or not digits.isdigit() or int(digits) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no version; write a number such as 3")
    return int(digits)


def _run(options: argparse.Namespace) -> int:
    from bot.assembly import world_without_slack
    from bot.os_login import VIA, current_login, person_at_command_line
    from governance.domain.errors import Refused
    from governance.domain.evidence import ModelName, Version
    from governance.domain.identity import Actor
    from governance.domain.ledger import EventKind
    from governance.use_cases import restore, roll_back

    settings = read_settings(os.environ, needed=FOR_REGISTRY)
    model = ModelName(options.model)
    if not options.reason.strip():
        raise Refused("reason_missing", "Say why: --reason goes into the record.")
    with world_without_slack(settings) as world:
        roster = world.rules.current().roster
        login = current_login()
        nobody = Actor(person=None, account=login.name, via=VIA)
        with world.refusals_recorded(EventKind.ROLLBACK_REFUSED, nobody, model=model):
            actor = person_at_command_line(roster, login)
        wanted = None if options.to is None else Version(options.to)
        offer = roll_back.offer(world, model, actor=actor, standing=None, version=wanted)
        if offer.target is None:
            reasons = "".join(f"\n  v{v}: {why}" for v, why in offer.options.reasons)
            raise Refused(
                "no_target",
                f"{model} v{offer.current} is in Production, and no other version can be put "
                f"back.{reasons}\nAny version can be promoted: /promote {model} VERSION.",
            )
        name = roster.name_of(actor.person) if actor.person else actor.account
        print(f"Rolling back {model} v{offer.current} → v{offer.target} as {name} …", flush=True)
        done = roll_back.roll_back(
            world,
            roll_back.Order(
                model=model,
                from_version=offer.current,
                to_version=offer.target,
                why=options.reason,
            ),
            actor=actor,
            standing=None,
        )
        print(
            f"Rolled back. MLflow Production is v{done.to_version} (was v{done.from_version}), "
            f"read back after {done.seconds:.2f} s. What is served was not checked."
        )
        if done.record_in_doubt:
            print(
                "The record contradicts its kept heads: the rollback is marked as such. Look at "
                "`foureyes audit verify`."
            )
        print("Comparing the restored files with those that were approved …", flush=True)
        difference = restore.verify_restored(world, model, done.to_version)
        print(difference or f"The files of v{done.to_version} are those that were approved.")
    return 0
