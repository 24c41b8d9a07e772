"""Works off what people clicked and typed: one committed inbox row each, also after a crash.

Calls the use cases and gives their answer to the person; decides nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import uuid4

from slack_sdk import WebClient

from bot import foureyes_words, glass_desk, views
from bot.answers import Answers
from bot.drawing import timeline_drawing
from bot.drawings import Drawings
from bot.messages import answer_words, glass_words, request_words
from bot.messages.model_words import card_text, difference_text
from bot.mlflow_ui import MlflowUi
from bot.typed import Promotion, parse_model, parse_promotion, parse_rollback
from bot.views import Drawn
from governance.domain.approval import RequestId, Verdict
from governance.domain.break_glass import Bypass
from governance.domain.errors import Conflict, FoureyesError, Unavailable
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, SlackAccount
from governance.domain.monitoring.alert import AlertId
from governance.domain.policy import policy_for
from governance.domain.promotion import Request, State
from governance.ports import InboxId, InboxItem, IntentKind, SentPicture
from governance.use_cases import alerts, inspect, reconcile, restore, roll_back
from governance.use_cases.answer import answer
from governance.use_cases.decide import Ballot, decide, withdraw_request, withdraw_vote
from governance.use_cases.draft import Wish
from governance.use_cases.promote import promote
from governance.use_cases.settle import redraw
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.desk")

Payload = Mapping[str, str]
_LEASE = timedelta(seconds=90)
_SLOW_BYTES = 50_000_000
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

    world: World
    client: WebClient
    rollback_click: timedelta
    after_work: Callable[[], None]
    """Called when there may be something to send."""
    drawings: Drawings | None = None
    """Pictures that follow the words."""
    ui: MlflowUi = field(default_factory=MlflowUi)
    _at_work: dict[InboxId, _Work] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def work_off(self, limit: int = 50) -> int:
        """Work off what nobody works on: left by a crash, or not begun yet."""
        self._look_after_long_work()
        with self.world.store.read() as tx:
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
        with self.world.store.transaction() as tx:
            item = tx.claim(inbox_id, _LEASE)
        if item is None:
            return
        payload: Payload = json.loads(item.payload)
        with self._working(item, payload):
            outcome = self._outcome(item, payload, left_over=left_over)
        if outcome is None:
            return
        with self.world.store.transaction() as tx:
            tx.item_done(item.id, outcome)
        self.after_work()

    @contextmanager
    def _working(self, item: InboxItem, payload: Payload) -> Iterator[None]:
        work = _Work(payload=payload, began=self.world.elapsed(), is_told=item.kind in MODAL_KINDS)
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
            now = self.world.elapsed()
            long = {i: w for i, w in self._at_work.items() if now - w.began >= _SILENT_SECONDS}
            untold = [w for w in long.values() if not w.is_told]
            for work in untold:
                work.is_told = True
        if long:
            with self.world.store.transaction() as tx:
                for inbox_id in long:
                    tx.item_held(inbox_id, _LEASE)
        for work in untold:
            self.reply(work.payload, views.sentence(answer_words.STILL_WORKING))

    def _outcome(self, item: InboxItem, payload: Payload, *, left_over: bool) -> str | None:
        """What became of it; None when it has to be tried again."""
        try:
            if item.kind in MODAL_KINDS:
                if left_over:
                    self.reply(payload, views.sentence(answer_words.CLICK_AGAIN))
                return "a modal"
            answer = self._handle(item.kind, payload)
        except Unavailable as problem:
            if problem.code == "store_unavailable":
                return None  # nothing could be stored, so nothing was done: the lease runs out
            return self._not_now(item, payload, problem)
        except FoureyesError as problem:
            self._maybe_redraw(problem, payload)
            said = glass_desk.refusal(self.world, item.kind, payload, problem, self.actor(payload))
            self.reply(payload, said)
            return problem.code
        except Exception:  # a defect: the person is told, and the log says where
            reference = uuid4().hex[:8]
            _log.exception("defect %s while working off %s", reference, item.kind)
            self.reply(payload, views.sentence(answer_words.broke(reference)))
            return f"defect {reference}"
        if answer is not None:
            self.reply(payload, answer)
        return "done"

    def _not_now(self, item: InboxItem, payload: Payload, problem: Unavailable) -> str | None:
        """Something did not answer: what somebody decided is tried again, a question is not."""
        rolls_back = item.kind == "roll_back" or payload.get("what") == Bypass.ROLLBACK.value
        if rolls_back and self._is_being_rolled_back(payload):
            self.reply(payload, views.sentence(answer_words.rollback_stands(problem.sentence)))
            return problem.code
        if item.kind not in (*_TRIED_AGAIN, *_SILENTLY):
            self.reply(payload, views.sentence(answer_words.not_done(problem.sentence)))
            return problem.code
        with self.world.store.read() as tx:
            now = tx.now
        is_silent = item.kind in _SILENTLY
        if now - item.received_at >= _GIVEN_UP_AFTER:
            if is_silent:
                return problem.code
            self.reply(payload, views.sentence(answer_words.given_up(problem.sentence)))
            return problem.code
        wait = min(float(2**item.attempts), _LONGEST_WAIT_SECONDS)
        wait = max(wait, problem.retry_after_seconds or 0.0)
        with self.world.store.transaction() as tx:
            tx.item_delayed(item.id, tx.now + timedelta(seconds=wait))
        if item.attempts == 1 and not is_silent:
            self.reply(payload, views.sentence(answer_words.trying_again(problem.sentence)))
        return None

    def _is_being_rolled_back(self, payload: Payload) -> bool:
        named = payload.get("model") or json.loads(payload["value"])["model"]
        model = ModelName(str(named))
        with self.world.store.read() as tx:
            return any(i.kind is IntentKind.ROLLBACK for i in tx.open_intents(model))

    def _handle(self, kind: str, payload: Payload) -> Drawn | None:
        match kind:
            case "promote":
                return self._promote(payload, parse_promotion(payload["text"]))
            case "promote_form":
                return self._promote(payload, _form(payload))
            case "vote" | "decision":
                return self._decide(payload)
            case "answer":
                return self._answer(payload)
            case "withdraw_vote":
                withdraw_vote(self.world, _request(payload), actor=self.actor(payload))
                return views.sentence(answer_words.VOTE_WITHDRAWN)
            case "withdraw_request":
                withdraw_request(self.world, _request(payload), actor=self.actor(payload), why="")
                return views.sentence(answer_words.REQUEST_WITHDRAWN)
            case "rollback":
                return self._offer(payload)
            case "roll_back":
                return self._roll_back(payload)
            case "break_glass":
                return self._break_glass(payload)
            case "review":
                return glass_desk.review(self.world, payload, self.actor(payload))
            case "model":
                self._model(payload)
                return None
            case "open_home":
                self._open_home(payload)
                return None
            case "acknowledge":
                alerts.acknowledge(
                    self.world,
                    AlertId(int(payload["alert"])),
                    actor=self.actor(payload),
                    standing=self.world.accounts.standing(payload["user"]),
                )
                return None
            case _:
                return foureyes_words.answer(
                    self.world,
                    payload.get("text", ""),
                    actor=self.actor(payload),
                    command=payload.get("command", "/foureyes"),
                )

    # --- what people do -------------------------------------------------------------------

    def reply(self, payload: Payload, drawn: Drawn) -> None:
        """Tell this person alone."""
        Answers(client=self.client).give(payload, drawn)

    def actor(self, payload: Payload) -> Actor:
        """The person behind a Slack account; None for an account of nobody."""
        account = payload["user"]
        person = self.world.rules.current().roster.by_slack(SlackAccount(account))
        return Actor(person=person.id if person else None, account=account, via="slack")

    def _progress(self, payload: Payload) -> Callable[[int, int], None]:
        told = 0

        def progress(done: int, total: int) -> None:
            nonlocal told
            # Three times at most: Slack takes five answers to one command.
            if total > _SLOW_BYTES and told < 3 and done * 3 >= told * total:
                told += 1
                self.reply(payload, views.sentence(answer_words.reading(done, total)))

        return progress

    def _promote(
        self,
        payload: Payload,
        wanted: Promotion,
        follows: RequestId | None = None,
        shown: str = "",
    ) -> Drawn | None:
        request = promote(
            self.world,
            Wish(
                model=ModelName(wanted.model),
                version=Version(wanted.version),
                target=wanted.target,
                reason=wanted.reason,
                ticket=wanted.ticket,
                downgrade=wanted.downgrade,
                follows=follows,
                shown=shown,
            ),
            actor=self.actor(payload),
            standing=self.world.accounts.standing(payload["user"]),
            progress=self._progress(payload),
        )
        self._carry_out(request)
        return views.sentence(f"Asked: {request_words.request_title(request)}.")

    def _decide(self, payload: Payload) -> Drawn | None:
        request = decide(
            self.world,
            Ballot(
                request_id=_request(payload),
                verdict=Verdict(payload["verdict"]),
                comment=payload.get("comment", ""),
                drawing=payload["drawing"],
            ),
            actor=self.actor(payload),
            standing=self.world.accounts.standing(payload["user"]),
        )
        self.after_work()
        self._carry_out(request)
        return None

    def _answer(self, payload: Payload) -> Drawn | None:
        """With words; or with a newer version, whose request follows."""
        request_id = _request(payload)
        if not payload["version"]:
            request = answer(
                self.world,
                request_id,
                payload["answer"],
                shown=payload.get("shown", ""),
                actor=self.actor(payload),
                standing=self.world.accounts.standing(payload["user"]),
            )
            self._carry_out(request)
            return views.sentence(answer_words.ANSWERED)
        with self.world.store.read() as tx:
            old = tx.request(request_id)
        newer = Promotion(
            model=old.model,
            version=int(payload["version"]),
            target=old.target,
            reason=payload["answer"],
            ticket=old.ticket,
            downgrade=old.is_downgrade,
        )
        return self._promote(payload, newer, follows=request_id, shown=payload.get("shown", ""))

    def _carry_out(self, request: Request) -> None:
        if request.state in (State.APPROVED, State.HELD):
            reconcile.attempt(self.world, request.id, reconcile.Tick())

    def _open_home(self, payload: Payload) -> None:
        """Asked of Slack at each opening, so that an account that may not act is shown nothing."""
        account = payload["user"]
        barred = self.world.accounts.standing(account).why_barred() or ""
        with self.world.store.transaction() as tx:
            tx.home_opened(account, barred)

    def _offer(self, payload: Payload) -> Drawn:
        wanted = parse_rollback(payload["text"])
        offered = roll_back.offer(
            self.world,
            ModelName(wanted.model),
            actor=self.actor(payload),
            standing=self.world.accounts.standing(payload["user"]),
            version=Version(wanted.version) if wanted.version is not None else None,
        )
        with self.world.store.read() as tx:
            now = tx.now
        drawn = views.offer_message(offered, now.isoformat(), wanted.reason)
        return self.ui.linked(drawn, offered.model, (offered.current, offered.target))

    def _roll_back(self, payload: Payload) -> Drawn:
        value = json.loads(payload["value"])
        order = roll_back.Order(
            model=ModelName(str(value["model"])),
            from_version=Version(int(value["from"])),
            to_version=Version(int(value["to"])),
            why=str(value["why"]),
            offered_at=datetime.fromisoformat(str(value["at"])),
            valid_for=self.rollback_click,
        )
        restored = roll_back.roll_back(
            self.world,
            order,
            actor=self.actor(payload),
            standing=self.world.accounts.standing(payload["user"]),
        )
        return self._restored(payload, restored)

    def _break_glass(self, payload: Payload) -> Drawn:
        done = glass_desk.break_glass(
            self.world,
            payload,
            self.actor(payload),
            valid_for=self.rollback_click,
            progress=self._progress(payload),
        )
        if isinstance(done, restore.Restored):
            return self._restored(payload, done)
        return views.sentence(glass_words.carried_out(done))

    def _restored(self, payload: Payload, restored: restore.Restored) -> Drawn:
        self.reply(payload, views.sentence(answer_words.restored_text(restored)))
        self.after_work()
        difference = restore.verify_restored(self.world, restored.model, restored.to_version)
        return views.sentence(difference or answer_words.RESTORED_AS_APPROVED)

    def _show(self, payload: Payload, picture: SentPicture) -> bool:
        """A picture after the words that were given; False while Slack does not take it."""
        return Answers(client=self.client).follow(payload, views.picture_message(picture))

    def _model(self, payload: Payload) -> None:
        wanted = parse_model(payload["text"], self.world.rules.current())
        model = ModelName(wanted.model)
        if wanted.versions is None:
            card = inspect.model_card(self.world, model)
            drawn = views.text_blocks(card_text(card, self.world))
            staged = [v.version for v in card.versions if v.stage is Stage.STAGING]
            drawn = self.ui.linked(drawn, model, (*card.production.versions, *staged))
            self.reply(payload, drawn)
            if self.drawings:
                self.drawings.follow(
                    lambda: timeline_drawing(card), lambda picture: self._show(payload, picture)
                )
            return
        before, after = wanted.versions
        found = inspect.difference(self.world, model, Version(before), Version(after))
        drawn = views.text_blocks(difference_text(found, self.world, model))
        policy = policy_for(self.world.rules.current().policies, model)
        links = views.commit_links(policy, found.before, found.after)
        drawn = Drawn(text=drawn.text, blocks=[*drawn.blocks, *links])
        drawn = self.ui.linked(drawn, model, (found.before.version, found.after.version))
        self.reply(payload, drawn)
        if self.drawings:
            self.drawings.follow_comparison(
                found.before, found.after, lambda picture: self._show(payload, picture)
            )
        return

    def _maybe_redraw(self, problem: FoureyesError, payload: Payload) -> None:
        """A click on an older drawing: the person gets the current message."""
        if not isinstance(problem, Conflict) or "request" not in payload:
            return
        try:
            with self.world.store.transaction() as tx:
                redraw(tx, tx.request(_request(payload)))
        except FoureyesError as other:  # the person is answered all the same
            _log.warning("a request was not drawn again: %s", other.sentence)


def _grace(kind: str) -> timedelta:
    """How long an item is left to the thread that stored it: while a modal is being opened, it is
    no left-over yet."""
    return timedelta(seconds=5) if kind in MODAL_KINDS else timedelta(seconds=1)


def _request(payload: Payload) -> RequestId:
    return RequestId(payload["request"])


def _form(payload: Payload) -> Promotion:
    stage = payload["stage"]
    return Promotion(
        model=payload["model"],
        version=int(payload["version"]),
        target=None if stage == "next" else Stage(stage),
        reason=payload["reason"],
        ticket=payload.get("ticket", ""),
        downgrade=False,
    )
