"""`foureyes audit`: read the record, hold it against its kept heads, resume after a gap.

Needs the database and the file of heads; neither Slack, MLflow nor the policy files.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bot.command_tree import Commands
from bot.mrkdwn import one_line
from bot.settings import read_settings
from bot.terminal import literal

if TYPE_CHECKING:
    from governance.domain.evidence import ModelName
    from governance.use_cases.audit import TrailLine

_PROBLEMS_SHOWN = 5


def register(commands: Commands) -> None:
    """Add the group."""
    group = commands.group("audit", summary="the record: show it, verify it, resume after a gap")
    show = group.add("show", summary="print what happened to a model, or to all", run=_show)
    show.add_argument("model", nargs="?", metavar="MODEL", help="all models when left out")
    show.add_argument(
        "--all", action="store_true", help="every record, one line each, not the trail alone"
    )
    verify = group.add(
        "verify", summary="recompute the record and compare it with every kept head", run=_verify
    )
    verify.epilog = "Ends with 1 unless everything matches."
    resume = group.add(
        "resume", summary="record a gap that was looked into, and let promotions go on", run=_resume
    )
    resume.add_argument("--reason", required=True, metavar="TEXT", help="goes into the record")


def _show(options: argparse.Namespace) -> int:
    from bot.assembly import database
    from bot.record_words import record_line
    from governance.domain.errors import Refused
    from governance.domain.evidence import ModelName
    from governance.use_cases.audit import trail

    with database(read_settings(os.environ)) as store, store.read() as tx:
        known = sorted({str(e["model"]) for e in tx.events() if e["model"] is not None})
        wanted = [ModelName(name) for name in ([options.model] if options.model else known)]
        if options.model and options.model not in known:
            listed = ", ".join(known) or "none"
            raise Refused(
                "no_such_model",
                f"The record holds nothing of {options.model}. It knows: {listed}.",
            )
        if tx.head().size == 0:
            print("Nothing is recorded yet.")
        elif options.all:
            model = wanted[0] if options.model else None
            for event in tx.events(model=model):
                print(literal(one_line(record_line(event, names_model=model is None))))
        elif not wanted:
            print("Nothing is recorded of any model yet; --all prints the rest.")
        else:
            _print_trails({model: trail(tx, model) for model in wanted})
    return 0


def _print_trails(trails: Mapping[ModelName, Sequence[TrailLine]]) -> None:
    from governance.use_cases.audit import render_trail

    for place, (model, lines) in enumerate(trails.items()):
        if len(trails) > 1:
            print(f"{'' if place == 0 else chr(10)}{literal(model)}")
        print(literal(render_trail(lines)) or "No version has been in a stage yet.")


def _verify(_options: argparse.Namespace) -> int:
    from bot.assembly import database, open_heads
    from governance.use_cases.audit import verify

    settings = read_settings(os.environ)
    with database(settings) as store:
        found = verify(store, open_heads(settings))
    print(f"records   {found.head.size}")
    print(f"root      {found.head.root.hex()}")
    print(f"anchored  {found.anchored_size}")
    unanchored = found.head.size - found.anchored_size
    if found.head.size == 0:
        print("The record is empty.")
    elif not found.ok:
        print(
            f"The newest kept head that fits is that of the first {found.anchored_size} records."
            if found.anchored_size
            else "No kept head fits the record."
        )
    elif unanchored > 0:
        print(
            f"The newest {unanchored} of {found.head.size} records are vouched for by no kept "
            "head yet; a change to them would not show."
        )
    else:
        print("Every record is vouched for by a kept head: a change to any of them would show.")
    for gap in found.gaps:
        print(f"gap       {gap} (recorded by `audit resume`)")
    _print_problems(found.problems)
    if found.ok:
        print("The record matches every kept head.")
        return 0
    print(
        "The record does NOT match. Promotions stop until somebody has looked into it; then "
        "`foureyes audit resume --reason …` records the gap."
    )
    return 1


def _resume(options: argparse.Namespace) -> int:
    from bot.assembly import database, open_heads, recorded_rules
    from bot.os_login import actor_for_record, current_login
    from governance.domain.identity import Roster
    from governance.use_cases.audit import resume, verify

    settings = read_settings(os.environ)
    with database(settings) as store:
        rules = recorded_rules(store)
        roster = rules.roster if rules else Roster(people={})
        actor = actor_for_record(roster, current_login())
        heads = open_heads(settings)
        head = resume(store, heads, actor=actor, reason=options.reason)
        print(f"The gap is record {head.size}.")
        found = verify(store, heads)
    if found.ok:
        print("Promotions go on; `foureyes audit verify` lists the gap from now on.")
        return 0
    _print_problems(found.problems)
    print(
        "The record still does not match: something in it was changed in place. Restore the "
        "database from a copy, then resume again."
    )
    return 1


def _print_problems(problems: Sequence[str]) -> None:
    """The first few: one changed record contradicts every head after it."""
    for problem in problems[:_PROBLEMS_SHOWN]:
        print(f"WRONG     {problem}")
    if len(problems) > _PROBLEMS_SHOWN:
        print(f"          … and {len(problems) - _PROBLEMS_SHOWN} more that follow from it")
