"""The modal of breaking glass: opened at once, and filled with what it would skip."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.block_kit import Block
from bot.glass_view import Wanted, glass_loading_modal, glass_modal, glass_sentence_modal
from bot.messages import answer_words
from governance.domain.break_glass import Bypass
from governance.domain.errors import FoureyesError
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import Actor
from governance.use_cases.break_glass import Plan
from governance.use_cases.break_glass_promotion import plan_promotion
from governance.use_cases.break_glass_rollback import plan_rollback
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.glass")


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
    except (KeyError, ValueError, TypeError):
        return None


@dataclass
class GlassForm:
    """Shows what breaking glass means before anybody confirms."""

    world: World
    client: WebClient
    workers: ThreadPoolExecutor
    actor: Callable[[Mapping[str, str]], Actor]

    def open(self, trigger_id: str, wanted: Wanted, user: str, channel: str) -> None:
        """Open the loading modal with the trigger, then fill it beside."""
        try:
            opened = self.client.views_open(trigger_id=trigger_id, view=glass_loading_modal())
        except (SlackApiError, OSError) as error:
            _log.warning("a form could not be opened: %s", type(error).__name__)
            return
        view_id = str(opened["view"]["id"])
        try:
            self.workers.submit(self.fill, view_id, wanted, user, channel)
        except RuntimeError:
            self._show(view_id, glass_sentence_modal(answer_words.RESTARTING))

    def fill(self, view_id: str, wanted: Wanted, user: str, channel: str) -> None:
        """Show what it would skip, or the sentence that says why nothing can be confirmed."""
        try:
            plan = self._plan(wanted, user)
            roster = self.world.rules.current().roster
            view = glass_modal(plan, roster, downgrade=wanted.downgrade, channel=channel)
        except FoureyesError as problem:
            view = glass_sentence_modal(problem.sentence)
        except Exception:  # a defect: the person is told, and the log says where
            reference = uuid4().hex[:8]
            _log.exception("defect %s while filling a form", reference)
            view = glass_sentence_modal(answer_words.broke(reference))
        self._show(view_id, view)

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

    def _show(self, view_id: str, view: Block) -> None:
        try:
            self.client.views_update(view_id=view_id, view=view)
        except SlackApiError as error:
            # `not_found`: closed meanwhile, so there is nobody left to show it to.
            _log.warning("a form could not be filled: %s", error.response.get("error"))
        except OSError as error:
            _log.warning("a form could not be filled: %s", type(error).__name__)
