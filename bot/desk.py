"""Works off what people clicked and typed: one committed inbox row each, also after a crash, and
again where something did not answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from uuid import uuid4

from bot import glass_desk, views
from bot.errands import Errands, Payload
from bot.messages import answer_words
from bot.views import Drawn
from governance.domain.approval import RequestId
from governance.domain.break_glass import Bypass
from governance.domain.errors import Conflict, FoureyesError, Unavailable
from governance.domain.evidence import ModelName
from governance.ports import InboxId, InboxItem, IntentKind
from governance.use_cases.settle import redraw
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.desk")

_LEASE = timedelta(seconds=90)
MODAL_KINDS = frozenset(
    {
        "choose_model",
        "open_answer",
        "open_break_glass",
        "open_comment",
        "open_demand",
        "open_details",
        "open_promote",
        "open_record",
    }
)
"""What only opens or fills a modal: after a restart the trigger is gone, and the person is told."""
_TRIED_AGAIN = frozenset(
    {
        "acknowledge",
        "answer",
        "decision",
        "review",
        "roll_back",
        "vote",
        "withdraw_request",
        "withdraw_vote",
    }
)
"""What somebody decided: kept until it could be counted. A rollback button has its own time."""
_WRITTEN = {
    "answer": "answer",
    "break_glass": "reason",
    "decision": "comment",
    "promote_form": "reason",
    "review": "comment",
}
"""Which field of a form holds words that somebody wrote; they come back when nothing was done."""
_SILENTLY = frozenset({"open_home"})
"""What is tried again without a word: the page itself is the answer."""
_GIVEN_UP_AFTER = timedelta(minutes=30)
_LONGEST_WAIT_SECONDS = 60.0
_SILENT_SECONDS = 4.0
"""Somebody who waits longer hears that their click or command is worked on."""


@dataclass
class _Work:
    """One item that is being worked off."""

    payload: Payload
    began: float
    is_told: bool = False
    """That it takes longer; also said of kinds that speak for themselves."""


@dataclass
class Desk:
    """Takes one item at a time; safe from several threads and processes."""

    errands: Errands
    _at_work: dict[InboxId, _Work] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def _world(self) -> World:
        return self.errands.world

    def work_off(self, limit: int = 50) -> int:
        """Work off what nobody works on: left by a crash, or not begun yet."""
        self._look_after_long_work()
        with self._world.store.read() as tx:
            now = tx.now
            waiting = [
                item
                for item in tx.waiting_items(limit)
                if now - item.received_at >= _grace(item.kind)
            ]
        for item in waiting:
            self.work(item.id, left_over=True)
        return len(waiting)

    def work(self, inbox_id: InboxId, *, left_over: bool = False) -> None:
        """Work off one item, unless somebody else has it."""
        with self._world.store.transaction() as tx:
            item = tx.claim(inbox_id, _LEASE)
        if item is None:
            return
        payload: Payload = json.loads(item.payload)
        with self._working(item, payload):
            outcome = self._outcome(item, payload, left_over=left_over)
        if outcome is None:
            return
        with self._world.store.transaction() as tx:
            tx.item_done(item.id, outcome)
        self.errands.after_work()

    @contextmanager
    def _working(self, item: InboxItem, payload: Payload) -> Iterator[None]:
        work = _Work(payload=payload, began=self._world.elapsed(), is_told=item.kind in MODAL_KINDS)
        with self._lock:
            self._at_work[item.id] = work
        try:
            yield
        finally:
            with self._lock:
                del self._at_work[item.id]

    def _look_after_long_work(self) -> None:
        """Whoever waits is told once; nobody else takes up what is still worked on."""
        with self._lock:
            now = self._world.elapsed()
            long = {i: w for i, w in self._at_work.items() if now - w.began >= _SILENT_SECONDS}
            untold = [w for w in long.values() if not w.is_told]
            for work in untold:
                work.is_told = True
        if long:
            with self._world.store.transaction() as tx:
                for inbox_id in long:
                    tx.item_held(inbox_id, _LEASE)
        for work in untold:
            self._say(work.payload, answer_words.STILL_WORKING)

    def _outcome(self, item: InboxItem, payload: Payload, *, left_over: bool) -> str | None:
        """What became of it; None when it has to be tried again."""
        try:
            if item.kind in MODAL_KINDS:
                if left_over:
                    self._say(payload, answer_words.CLICK_AGAIN)
                return "a modal"
            answer = self.errands.do(item.kind, payload)
        except Unavailable as problem:
            if problem.code == "store_unavailable":
                return None  # nothing could be stored, so nothing was done: the lease runs out
            return self._not_now(item, payload, problem)
        except FoureyesError as problem:
            self._maybe_redraw(problem, payload)
            said = glass_desk.refusal(
                self._world, item.kind, payload, problem, self.errands.actor(payload)
            )
            self._undone(item, payload, said)
            return problem.code
        except Exception:  # a defect: the person is told, and the log says where
            reference = uuid4().hex[:8]
            _log.exception("defect %s while working off %s", reference, item.kind)
            self._undone(item, payload, views.sentence(answer_words.broke(reference)))
            return f"defect {reference}"
        if answer is not None:
            self.errands.reply(payload, answer)
        return "done"

    def _not_now(self, item: InboxItem, payload: Payload, problem: Unavailable) -> str | None:
        """Something did not answer: what somebody decided is tried again, a question is not."""
        rolls_back = item.kind == "roll_back" or payload.get("what") == Bypass.ROLLBACK.value
        if rolls_back and self._is_being_rolled_back(payload):
            self._say(payload, answer_words.rollback_stands(problem.sentence))
            return problem.code
        if item.kind not in (*_TRIED_AGAIN, *_SILENTLY):
            said = views.sentence(answer_words.not_done(problem.sentence))
            self._undone(item, payload, said)
            return problem.code
        with self._world.store.read() as tx:
            now = tx.now
        is_silent = item.kind in _SILENTLY
        if now - item.received_at >= _GIVEN_UP_AFTER:
            if is_silent:
                return problem.code
            said = views.sentence(answer_words.given_up(problem.sentence))
            self._undone(item, payload, said)
            return problem.code
        wait = min(float(2**item.attempts), _LONGEST_WAIT_SECONDS)
        wait = max(wait, problem.retry_after_seconds or 0.0)
        with self._world.store.transaction() as tx:
            tx.item_delayed(item.id, tx.now + timedelta(seconds=wait))
        if item.attempts == 1 and not is_silent:
            self._say(payload, answer_words.trying_again(problem.sentence))
        return None

    def _is_being_rolled_back(self, payload: Payload) -> bool:
        named = payload.get("model") or json.loads(payload["value"])["model"]
        model = ModelName(str(named))
        with self._world.store.read() as tx:
            return any(i.kind is IntentKind.ROLLBACK for i in tx.open_intents(model))

    def _undone(self, item: InboxItem, payload: Payload, said: Drawn) -> None:
        """Tell this person alone; a form that they filled in is closed, so its words come along."""
        words = payload.get(_WRITTEN.get(item.kind, ""), "").strip()
        self.errands.reply(payload, views.with_what_was_written(said, words) if words else said)

    def _say(self, payload: Payload, sentence: str) -> None:
        self.errands.reply(payload, views.sentence(sentence))

    def _maybe_redraw(self, problem: FoureyesError, payload: Payload) -> None:
        """A click on an older drawing: the person gets the current message."""
        if not isinstance(problem, Conflict) or "request" not in payload:
            return
        try:
            with self._world.store.transaction() as tx:
                redraw(tx, tx.request(RequestId(payload["request"])))
        except FoureyesError as other:  # the person is answered all the same
            _log.warning("a request was not drawn again: %s", other.sentence)


def _grace(kind: str) -> timedelta:
    """How long an item is left to the thread that stored it: while a modal is being opened, it is
    no left-over yet."""
    return timedelta(seconds=5) if kind in MODAL_KINDS else timedelta(seconds=1)
