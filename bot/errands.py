"""What people ask of the bot in Slack, one errand a kind. Calls the use cases and gives their
answer to the person; decides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
from governance.domain.errors import FoureyesError
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, SlackAccount
from governance.domain.monitoring.alert import AlertId
from governance.domain.policy import policy_for
from governance.domain.promotion import Request, State
from governance.ports import SentPicture
from governance.use_cases import alerts, inspect, reconcile, restore, roll_back
from governance.use_cases.answer import answer
from governance.use_cases.decide import Ballot, decide, withdraw_request, withdraw_vote
from governance.use_cases.draft import Wish
from governance.use_cases.promote import promote
from governance.use_cases.world import World

Payload = Mapping[str, str]
_SLOW_BYTES = 50_000_000


@dataclass
class Errands:
    """Safe from several threads and processes."""

    world: World
    client: WebClient
    rollback_click: timedelta
    """A click on a rollback button that is older is refused."""
    after_work: Callable[[], None]
    """Called when there may be something to send."""
    drawings: Drawings | None = None
    """Pictures that follow the words."""
    ui: MlflowUi = field(default_factory=MlflowUi)

    def do(self, kind: str, payload: Payload) -> Drawn | None:
        """What somebody sent, by its kind; what they are answered."""
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
        rules = self.world.rules.current()
        policy = policy_for(rules.policies, offered.model)
        owners = [rules.roster.name_of(p) for p in sorted(policy.owners)] if policy else []
        drawn = views.offer_message(offered, now.isoformat(), wanted.reason, owners)
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
        said = answer_words.restored_text(restored, is_compared=self._is_compared(restored))
        self.reply(payload, views.sentence(said))
        self.after_work()
        difference = restore.verify_restored(self.world, restored.model, restored.to_version)
        return views.sentence(difference or answer_words.RESTORED_AS_APPROVED)

    def _is_compared(self, restored: restore.Restored) -> bool:
        """Whether the record knows files to compare with. The answer waits for no store that is
        down."""
        try:
            with self.world.store.read() as tx:
                known = restore.approved_content(tx, restored.model, restored.to_version)
        except FoureyesError:
            return False
        return known is not None

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
