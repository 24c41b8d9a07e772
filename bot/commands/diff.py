"""`foureyes diff`: what changed between two versions, as the request message shows it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.command_tree import Commands
from bot.commands.rollback import version_number
from bot.mrkdwn import one_line
from bot.settings import FOR_REGISTRY, read_settings
from bot.terminal import literal

if TYPE_CHECKING:
    from governance.use_cases.inspect import Difference


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("diff", summary="what changed between two versions", run=_run)
    parser.add_argument("model", metavar="MODEL", help="the registered model")
    parser.add_argument("before", type=version_number, metavar="V1", help="the earlier version")
    parser.add_argument("after", type=version_number, metavar="V2", help="the later version")
    parser.epilog = "A version whose run was deleted is shown as it was when a request froze it."


def _run(options: argparse.Namespace) -> int:
    from bot.assembly import world_without_slack
    from governance.domain.evidence import ModelName, Version
    from governance.domain.policy import policy_for
    from governance.use_cases.inspect import difference

    settings = read_settings(os.environ, needed=FOR_REGISTRY)
    with world_without_slack(settings) as world:
        found = difference(
            world, ModelName(options.model), Version(options.before), Version(options.after)
        )
        policy = policy_for(world.rules.current().policies, ModelName(options.model))
    for line in describe(found, policy.decision_threshold if policy else None):
        print(literal(one_line(line)))
    return 0


def describe(found: Difference, threshold: str | None) -> Iterator[str]:
    """The comparison in the lines of the request message: which of code, data, threshold …
    changed, then each difference; what is equal is counted."""
    from bot.messages.comparison_words import comparison_lines

    old, new = f"v{found.before.version}", f"v{found.after.version}"
    yield f"{found.after.model} {old} → {new}"
    for name, taken_at in ((old, found.before_taken_at), (new, found.after_taken_at)):
        if taken_at is not None:
            yield f"{name} can no longer be read; shown as of {taken_at:%Y-%m-%d %H:%M} UTC."
    yield from comparison_lines(found.comparison, found.before, found.after, threshold)
