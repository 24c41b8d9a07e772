"""Keeps every Home that somebody opened as it should be: drawn again soon after whatever changes
it, and left alone as long as it would look the same.

Knows when and for whom; what a Home tells is the use case's, how it looks the view's. One process
draws at a time, so that an older drawing never replaces a newer one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.block_kit import Block
from bot.home_view import home_view, sentence_home
from bot.messages import home_words
from bot.mlflow_ui import MlflowUi
from bot.outbox import TRANSIENT
from bot.turns import retry_after_seconds
from governance.domain.evidence import ModelName
from governance.domain.identity import Actor, SlackAccount
from governance.ports import OpenHome, Rules
from governance.use_cases.grouped import rules_shown
from governance.use_cases.home import Board, home_for, read_board
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.homes")

_DRAWER = ModelName(" homes")
"""The lock under which one replica draws; no model is named so, for a name has no space first."""
_LEASE = timedelta(seconds=60)
_KEPT_FOR = timedelta(days=7)
"""Whoever has not looked for so long sees it drawn when they open it again."""
_APART_SECONDS = 1.0
"""Between two drawings; what changes meanwhile is drawn together."""
_LONGEST_APART_SECONDS = 60.0
"""Some of what is shown is in no record, such as a monitor that is well as before."""
_GONE = frozenset({"user_not_found", "invalid_arguments", "not_enabled", "user_disabled"})
"""Nobody is there to see it, or the app shows no Home: it is drawn when it is opened again."""
_SLACKS_OWN_TROUBLE = 500
"""HTTP statuses from here on say nothing of what was sent."""


@dataclass
class Homes:
    """Draws what differs from what was drawn. Safe from several threads and processes."""

    world: World
    client: WebClient
    ui: MlflowUi = field(default_factory=MlflowUi)
    _drawing: threading.Lock = field(default_factory=threading.Lock)
    _seen: int = -1
    """How long the record was when every Home was drawn."""
    _drawn_at: float = float("-inf")
    _not_before: float = float("-inf")
    """Slack asked to be left alone until then."""

    def __post_init__(self) -> None:
        self._holder = f"{self.world.holder}:{uuid4().hex}"

    def refresh(self) -> int:
        """Draw each Home that would look otherwise now; how many were drawn.

        Raises:
            Unavailable: the store. What Slack does not take is tried again.
        """
        if not self._drawing.acquire(blocking=False):
            return 0
        try:
            if not self._is_due():
                return 0
            if not self.world.store.lock_model(_DRAWER, self._holder, _LEASE):
                return 0
            try:
                return self._draw_all()
            finally:
                self.world.store.unlock_model(_DRAWER, self._holder)
        finally:
            self._drawing.release()

    def _is_due(self) -> bool:
        now = self.world.elapsed()
        if now < self._not_before:
            return False
        with self.world.store.read() as tx:
            homes = tx.open_homes(tx.now - _KEPT_FOR)
            size = tx.head().size
        if not homes:
            return False
        if any(not home.drawn for home in homes):
            return True  # somebody looks at it now
        waited = now - self._drawn_at
        if waited < _APART_SECONDS:
            return False
        return size != self._seen or waited >= _LONGEST_APART_SECONDS

    def _draw_all(self) -> int:
        rules = rules_shown(self.world)
        drawn_at = self.world.elapsed()
        with self.world.store.read() as tx:
            homes = tx.open_homes(tx.now - _KEPT_FOR)
            board = read_board(tx, rules, [a.person for a in _actors(rules, homes) if a.person])
            size = tx.head().size
        drawn = 0
        # Whoever has just opened it waits for it.
        for home in sorted(homes, key=lambda h: (h.drawn != "", h.account)):
            view = _view(board, rules, home, self.ui)
            digest = hashlib.sha256(json.dumps(view).encode()).hexdigest()
            if home.drawn == digest:
                continue
            if not self._publish(home.account, view, digest):
                return drawn
            drawn += 1
        self._seen, self._drawn_at = size, drawn_at
        return drawn

    def _publish(self, account: str, view: Block, digest: str) -> bool:
        """Show it; False when Slack takes nothing at the moment."""
        try:
            self.client.views_publish(user_id=account, view=view)
        except SlackApiError as error:
            return self._refused(account, digest, error)
        except OSError:
            self._pause(_APART_SECONDS)
            return False
        with self.world.store.transaction() as tx:
            tx.home_drawn(account, digest)
        return True

    def _refused(self, account: str, digest: str, error: SlackApiError) -> bool:
        code = str(error.response.get("error"))
        seconds = retry_after_seconds(error)
        if seconds is not None:
            self._pause(seconds)
            return False
        if code in _GONE:
            _log.warning("the Home of %s is given up: %s", account, code)
            with self.world.store.transaction() as tx:
                tx.forget_home(account)
            return True
        if code in TRANSIENT or error.response.status_code >= _SLACKS_OWN_TROUBLE:
            _log.warning("Homes wait, Slack answers: %s", code)
            self._pause(_LONGEST_APART_SECONDS / 4)
            return False
        # This Home's own trouble holds up nobody else's: it is tried again once it looks otherwise.
        _log.error("the Home of %s could not be drawn: %s", account, code)
        with self.world.store.transaction() as tx:
            tx.home_drawn(account, digest)
        return True

    def _pause(self, seconds: float) -> None:
        self._not_before = self.world.elapsed() + seconds


def _view(board: Board, rules: Rules, home: OpenHome, ui: MlflowUi) -> Block:
    if home.barred:
        return sentence_home(home_words.barred(home.barred))
    (actor,) = _actors(rules, [home])
    told = home_for(board, actor)
    if told is None:
        return sentence_home(home_words.nobody(home.account))
    return home_view(told, rules.roster, ui)


def _actors(rules: Rules, homes: Sequence[OpenHome]) -> list[Actor]:
    owners = {a: p.id for p in rules.roster.people.values() for a in p.slack}
    return [
        Actor(person=owners.get(SlackAccount(h.account)), account=h.account, via="slack")
        for h in homes
    ]
