"""One notice to Slack: which message, where, and to whom.

Decides nothing: words come from `messages`, blocks from `views`, state from the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import views
from bot.alert_view import alert_message
from bot.block_kit import Block
from bot.drawings import Drawings
from bot.glass_desk import shown_review
from bot.glass_view import ShownReview, review_message
from bot.messages import away_words, channel_words, glass_words, request_words
from bot.messages.alert_words import alert_line, reminder
from bot.mlflow_ui import MlflowUi
from bot.news_view import news_message, shown_news
from bot.pictures import PICTURE_TROUBLE, NoPictures, Pictures
from bot.places import Undeliverable
from bot.posts import Posts, digest_of
from bot.shown import shown_request
from bot.turns import Busy
from bot.views import Drawn, Shown
from governance.domain.approval import RequestId
from governance.domain.break_glass import GlassId
from governance.domain.evidence import ModelName
from governance.domain.identity import PersonId, Roster
from governance.domain.monitoring.alert import Alert, AlertId
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.promotion import TAKES_VOTES, Request
from governance.ports import Notice, NoticeKind
from governance.use_cases import news
from governance.use_cases.grouped import roles_asked, rules_shown
from governance.use_cases.roll_back import options_for
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.announcer")

_ALERTS = frozenset(
    {
        "break_glass_failed",
        "changed_elsewhere",
        "drill_failed",
        "record_broken",
        "restored_differs",
        "rollback_failed",
        "rolled_back",
    }
)
_OF_OWNERS = frozenset({"changed_elsewhere", "restored_differs"})
"""What owners have to look at, beside whoever is on call."""


@dataclass
class Announcer:
    """Puts one notice at a time where it belongs."""

    world: World
    client: WebClient
    pictures: Pictures = field(default_factory=NoPictures)
    ui: MlflowUi = field(default_factory=MlflowUi)
    drawings: Drawings | None = None

    def __post_init__(self) -> None:
        self._posts = Posts(self.world, self.client)

    def announce(self, notice: Notice) -> None:
        """Deliver it. Safe to do again: a message that stands as it should is left alone.

        Raises:
            Undeliverable: it can never arrive.
            SlackApiError, OSError: Slack did not take it, or did not answer.
        """
        match notice.kind:
            case NoticeKind.REQUEST_CHANGED:
                self._redraw(_request_of(notice))
            case NoticeKind.TIMELINE:
                self._timeline(notice)
            case NoticeKind.ASK if notice.what == "reminder":
                self._remind(notice)
            case NoticeKind.ASK:
                self._ask(notice)
            case NoticeKind.TELL:
                self._tell(notice)
            case NoticeKind.CHANNEL:
                self._channel(notice)
            case NoticeKind.ALERT:
                self._alert(_alert_of(notice))
            case NoticeKind.ALERT_LINE:
                self._alert_line(notice)
            case NoticeKind.REVIEW:
                self._review(_review_of(notice))
            case NoticeKind.REVIEW_LINE:
                self._review_line(notice)
            case NoticeKind.REVIEW_ASK:
                self._review_ask(notice)

    def _redraw(self, request_id: RequestId) -> None:
        rules = self.world.rules.current()
        with self.world.store.read() as tx:
            shown = shown_request(tx, rules, request_id)
            standing = tx.messages_of(request_id)

        def put(drawn: Drawn) -> None:
            trouble: SlackApiError | Undeliverable | Busy | None = None
            try:
                self._posts.put(
                    _main_key(request_id), self._posts.channel_of(shown.request.model), drawn
                )
            except (SlackApiError, Undeliverable, Busy) as error:
                trouble = error  # whoever was asked directly sees the same state all the same
            for person in sorted(rules.roster.people):
                copy = standing.get(_direct_key(request_id, person))
                if copy is not None:
                    self._posts.put_copy(_direct_key(request_id, person), copy.channel, drawn)
                reminder = standing.get(_reminder_key(request_id, person))
                if reminder is not None:
                    drawing = standing.get(_reminded_key(shown.request, person))
                    same = drawing is not None and drawing.ts == reminder.ts
                    again = views.reminder_message(shown, is_what_was_shown=same)
                    self._posts.put_copy(_reminder_key(request_id, person), reminder.channel, again)
            if trouble is not None:
                raise trouble

        self._with_picture(shown, put)

    def _timeline(self, notice: Notice) -> None:
        request_id = _request_of(notice)
        key = _main_key(request_id)
        there = self._posts.sent(key)
        if there is None:
            raise Undeliverable("the request has no message")
        roster = self.world.rules.current().roster
        drawn = views.sentence(request_words.timeline(notice.what, notice.facts, roster))
        try:
            self._posts.post_in_thread(there, drawn)
        except SlackApiError as error:
            if error.response.get("error") != "thread_not_found":
                raise
            # Somebody deleted the message: it is posted again, and its thread goes on there.
            with self.world.store.transaction() as tx:
                tx.save_message(key, replace(there, drawn=""))
            self._redraw(request_id)
            self._posts.post_in_thread(self._posts.sent(key) or there, drawn)

    def _ask(self, notice: Notice) -> None:
        request_id = _request_of(notice)
        rules = self.world.rules.current()
        with self.world.store.read() as tx:
            shown = shown_request(tx, rules, request_id)
            key = _direct_key(request_id, _person_of(notice))
            there = tx.message(key)
        if not shown.request.is_open:
            return  # decided meanwhile: nobody is asked any more
        if there is None and self._is_outside(_person_of(notice), shown):
            return  # whose vote would not count is not asked
        where = self._posts.direct_channel(_person_of(notice))
        if there is None:
            asked = views.sentence(request_words.asked(shown.request, rules.roster))

            def post(drawn: Drawn) -> None:
                drawn = Drawn(text=asked.text, blocks=[*asked.blocks, *drawn.blocks])
                posted = self._posts.post(where, drawn)
                with self.world.store.transaction() as tx:
                    tx.save_message(key, replace(posted, drawn=digest_of(drawn)))

            self._with_picture(shown, post)
        else:
            self._with_picture(shown, lambda drawn: self._posts.put(key, where, drawn))

    def _with_picture(self, shown: Shown, put: Callable[[Drawn], None]) -> None:
        """Put a request somewhere with its picture, or without it where Slack has none."""
        picture = self.drawings.of_request(shown.request) if self.drawings else None
        try:
            put(self._request(shown, picture))
        except SlackApiError as error:
            if picture is None or error.response.get("error") not in PICTURE_TROUBLE:
                raise
            put(self._request(shown, None))
            if self.drawings:
                self.drawings.not_taken(shown.request)

    def _request(self, shown: Shown, picture: Block | None) -> Drawn:
        request = shown.request
        versions = (request.version, request.champion.version if request.champion else None)
        drawn = views.request_message(shown, picture)
        return self.ui.linked(drawn, request.model, versions)

    def _remind(self, notice: Notice) -> None:
        """A new message, so that it is noticed; the reminder before it loses its buttons."""
        request_id, person = _request_of(notice), _person_of(notice)
        key = _reminder_key(request_id, person)
        with self.world.store.read() as tx:
            shown = shown_request(tx, self.world.rules.current(), request_id)
            before = tx.message(key)
            sent = tx.message(f"{key} {notice.facts['number']}")
        if sent is not None or shown.request.state not in TAKES_VOTES:
            return  # sent before a crash, or over meanwhile
        if before is not None:
            older = views.sentence(request_words.reminded_before(shown.request))
            self._posts.put_copy(key, before.channel, older)
        drawn = views.reminder_message(shown)
        posted = self._posts.post(self._posts.direct_channel(person), drawn)
        with self.world.store.transaction() as tx:
            tx.save_message(key, replace(posted, drawn=digest_of(drawn)))
            tx.save_message(f"{key} {notice.facts['number']}", posted)
            tx.save_message(_reminded_key(shown.request, person), posted)

    def _is_outside(self, person: PersonId, shown: Shown) -> bool:
        """Whether every role that would count for this request is narrowed by a user group that
        this person is not in, as far as Slack says."""
        if shown.policy is None:
            return False
        asked = roles_asked(shown.policy, shown.request.target)
        known = rules_shown(self.world).roster.people.get(person)
        return known is not None and bool(known.outside.keys() & asked) and not known.roles & asked

    def _tell(self, notice: Notice) -> None:
        rules = self.world.rules.current()
        request = None
        if notice.request_id is not None:
            with self.world.store.read() as tx:
                request = tx.request(notice.request_id)
        if notice.what == "unreachable":
            text = channel_words.unreachable(str(notice.model), notice.facts)
        elif notice.what == "alert_reminder":
            with self.world.store.read() as tx:
                text = reminder(tx.alert(_alert_of(notice)))
        elif notice.what in ("review_overdue", "review_over"):
            with self.world.store.read() as tx:
                shown = shown_review(tx, rules, _review_of(notice), pinged=False)
            missing = tuple(str(role) for role in shown.quorum.missing)
            text = glass_words.told(notice.what, shown.review, missing, rules.roster)
        elif notice.what in ("stands_in_away", "stands_in_back", "stand_in_gone"):
            text = away_words.told_of_absence(notice.what, notice.facts, rules.roster)
        elif notice.request_id is None:
            text = channel_words.told_of_model(notice.what, str(notice.model), notice.facts)
        else:
            text = request_words.told(notice.what, notice.facts, request, rules.roster)
        if notice.what == "changes_asked" and request is not None:
            asked = views.changes_asked_message(request, text)
            self._posts.post(self._posts.direct_channel(_person_of(notice)), asked)
            return
        if notice.what in ("changes_answered", "changes_followed") and request is not None:
            with self.world.store.read() as tx:
                now = shown_request(tx, rules, request.id)
            answered = views.changes_answered_message(now, text)
            self._posts.post(self._posts.direct_channel(_person_of(notice)), answered)
            return
        self._posts.post(self._posts.direct_channel(_person_of(notice)), views.sentence(text))

    def _channel(self, notice: Notice) -> None:
        if notice.what == news.WHAT:
            self._news(notice)
            return
        rules = self.world.rules.current()
        model = ModelName(str(notice.model))
        policy = policy_for(rules.policies, model)
        mentions: dict[str, str] = {}
        if policy is not None and notice.what in _ALERTS:
            owners = sorted(policy.owners) if notice.what in _OF_OWNERS else []
            named_in_policy = dict.fromkeys([*policy.on_call, *owners])
            people = (rules.roster.people.get(p) for p in named_in_policy)
            mentions = {str(a): p.name for p in people if p for a in sorted(p.slack)[:1]}
        text = channel_words.channel(notice.what, model, notice.facts, rules.roster)
        named = notice.facts.get("channel")
        where = self._posts.channel_named(str(named)) if named else self._posts.channel_of(model)
        drawn = views.sentence(text, mentions)
        self._posts.post(where, self.ui.of_facts(drawn, model, notice.facts))

    def _news(self, notice: Notice) -> None:
        told = news.news_of(ModelName(str(notice.model)), notice.facts)
        with self.world.store.read() as tx:
            shown = shown_news(tx, self.world.rules.current(), told)
        drawn = self.ui.linked(news_message(shown), told.model, (told.newest, told.production))
        self._posts.put(_news_key(told), self._posts.channel_of(told.model), drawn)

    # --- alerts ---------------------------------------------------------------------------

    def _alert(self, alert_id: AlertId) -> None:
        rules = self.world.rules.current()
        with self.world.store.read() as tx:
            alert = tx.alert(alert_id)
        policy = policy_for(rules.policies, alert.model)
        picture = self.pictures.block_for(alert)
        where = self._posts.channel_of(alert.model)
        drawn = self._alert_drawn(alert, policy, rules.roster, picture)
        try:
            self._posts.put(_alert_key(alert_id), where, drawn)
        except SlackApiError as error:
            if picture is None or error.response.get("error") not in PICTURE_TROUBLE:
                raise
            # Slack does not know the picture (yet): the words come at once, without it.
            self.pictures.forget(alert)
            drawn = self._alert_drawn(alert, policy, rules.roster, None)
            self._posts.put(_alert_key(alert_id), where, drawn)

    def _alert_drawn(
        self, alert: Alert, policy: ModelPolicy | None, roster: Roster, picture: Block | None
    ) -> Drawn:
        with self.world.store.read() as tx:
            known = frozenset(t.version for t in tx.tenures(alert.model))
            target = options_for(tx, alert.model, alert.version, known).target
        drawn = alert_message(
            alert, policy, roster, picture=picture, may_go_back=target is not None
        )
        return self.ui.linked(drawn, alert.model, (alert.version, alert.to_version))

    def _alert_line(self, notice: Notice) -> None:
        there = self._posts.sent(_alert_key(_alert_of(notice)))
        if there is None:
            raise Undeliverable("the alert has no message")
        roster = self.world.rules.current().roster
        by = roster.name_of(PersonId(str(notice.facts.get("by"))))
        self._posts.post_in_thread(there, views.sentence(alert_line(notice.what, notice.facts, by)))

    # --- reviews --------------------------------------------------------------------------

    def _review(self, glass_id: GlassId) -> None:
        rules = self.world.rules.current()
        with self.world.store.read() as tx:
            loud = shown_review(tx, rules, glass_id, pinged=True)
            quiet = shown_review(tx, rules, glass_id, pinged=False)
            copies = {
                key: tx.message(key)
                for key in (_review_key(glass_id, p) for p in sorted(rules.roster.people))
            }
        model = loud.review.model
        self._posts.put(
            _review_key(glass_id), self._posts.channel_of(model), self._review_drawn(loud)
        )
        for key, copy in copies.items():
            if copy is not None:
                self._posts.put_copy(key, copy.channel, self._review_drawn(quiet))

    def _review_drawn(self, shown: ShownReview) -> Drawn:
        review = shown.review
        drawn = review_message(shown)
        return self.ui.linked(drawn, review.model, (review.version, review.from_version))

    def _review_line(self, notice: Notice) -> None:
        there = self._posts.sent(_review_key(_review_of(notice)))
        if there is None:
            raise Undeliverable("the review has no message")
        roster = self.world.rules.current().roster
        said = glass_words.thread_line(notice.what, notice.facts, roster)
        self._posts.post_in_thread(there, views.sentence(said))

    def _review_ask(self, notice: Notice) -> None:
        rules, glass_id = self.world.rules.current(), _review_of(notice)
        key = _review_key(glass_id, _person_of(notice))
        with self.world.store.read() as tx:
            shown = shown_review(tx, rules, glass_id, pinged=False)
            there = tx.message(key)
        if there is not None or not shown.review.is_open:
            return
        where = self._posts.direct_channel(_person_of(notice))
        asked = views.sentence(glass_words.asked(shown.review, rules.roster))
        drawn = self._review_drawn(shown)
        posted = self._posts.post(
            where, Drawn(text=asked.text, blocks=[*asked.blocks, *drawn.blocks])
        )
        with self.world.store.transaction() as tx:
            tx.save_message(key, posted)


def _main_key(request_id: RequestId) -> str:
    return f"request {request_id}"


def _news_key(told: news.News) -> str:
    """One message for each announcement, also when its notice is sent a second time."""
    last = told.newest or max(version for version, _why in told.unreadable)
    return f"news {told.model} {last}"


def _direct_key(request_id: RequestId, person: PersonId) -> str:
    return f"request {request_id} to {person}"


def _reminder_key(request_id: RequestId, person: PersonId) -> str:
    return f"request {request_id} reminds {person}"


def _reminded_key(request: Request, person: PersonId) -> str:
    """Of the reminder that was posted while the request was drawn so."""
    return f"{_reminder_key(request.id, person)} of {request.drawing}"


def _request_of(notice: Notice) -> RequestId:
    if notice.request_id is None:
        raise Undeliverable("a notice without its request")
    return notice.request_id


def _alert_key(alert_id: AlertId) -> str:
    return f"alert {alert_id}"


def _alert_of(notice: Notice) -> AlertId:
    return AlertId(int(str(notice.facts["alert"])))


def _review_key(glass_id: GlassId, person: PersonId | None = None) -> str:
    return f"review {glass_id}" + (f" to {person}" if person else "")


def _review_of(notice: Notice) -> GlassId:
    return GlassId(str(notice.facts["review"]))


def _person_of(notice: Notice) -> PersonId:
    if notice.person is None:
        raise Undeliverable("a notice without its person")
    return notice.person
