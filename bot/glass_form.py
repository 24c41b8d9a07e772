"""The modal of breaking glass: opened at once, and filled with what it would skip."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from slack_sdk import WebClient

from bot.block_kit import Block
from bot.glass_view import Wanted, glass_loading_modal, glass_modal, glass_sentence_modal
from bot.late_modal import LateModal
from governance.domain.break_glass import Bypass
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import Actor
from governance.use_cases.break_glass import Plan
from governance.use_cases.break_glass_promotion import plan_promotion
from governance.use_cases.break_glass_rollback import plan_rollback
from governance.use_cases.world import World


def wanted_of(value: str) -> Wanted | None:
    """What a button says; None for one that is none of ours."""
    try:
        said = json.loads(value)
        version = said["version"]
        return Wanted(
            bypass=Bypass(said["what"]),
            model=str(said["model"]),
            version=None if version is None else int(version),
            downgrade=said.get("downgrade") is True,
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


@dataclass
class GlassForm:
    """Shows what breaking glass means before anybody confirms."""

    world: World
    client: WebClient
    workers: ThreadPoolExecutor
    actor: Callable[[Mapping[str, str]], Actor]

    def open(self, trigger_id: str, wanted: Wanted, user: str, channel: str) -> None:
        """Open the loading modal with the trigger, then show what would be skipped, or the
        sentence that says why nothing can be confirmed."""
        modal = LateModal(
            self.client,
            self.workers,
            loading=glass_loading_modal,
            sentence=glass_sentence_modal,
        )
        modal.open(trigger_id, lambda: self._drawn(wanted, user, channel))

    def _drawn(self, wanted: Wanted, user: str, channel: str) -> Block:
        plan = self._plan(wanted, user)
        roster = self.world.rules.current().roster
        return glass_modal(plan, roster, downgrade=wanted.downgrade, channel=channel)

    def _plan(self, wanted: Wanted, user: str) -> Plan:
        actor, standing = self.actor({"user": user}), self.world.accounts.standing(user)
        model = ModelName(wanted.model)
        if wanted.bypass is Bypass.ROLLBACK or wanted.version is None:
            version = None if wanted.version is None else Version(wanted.version)
            return plan_rollback(self.world, model, version=version, actor=actor, standing=standing)
        return plan_promotion(
            self.world,
            model,
            Version(wanted.version),
            downgrade=wanted.downgrade,
            actor=actor,
            standing=standing,
        )
