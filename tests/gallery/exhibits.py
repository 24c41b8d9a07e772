"""What hangs in the gallery: each message and modal by the function that draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from bot import alert_view, home_view, modals, news_view, views
from bot.block_kit import Block
from bot.messages import (
    alert_words,
    answer_words,
    away_words,
    channel_words,
    comparison_words,
    form_words,
    help_words,
    home_words,
    request_words,
)
from bot.views import Drawn
from governance.domain.approval import Verdict
from governance.domain.canonical import Json
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, PersonId
from governance.domain.monitoring.alert import Outcome
from governance.domain.promotion import State
from governance.domain.tenure import RollbackOptions
from governance.ports import ProductionState, Rules, SentPicture
from governance.use_cases.restore import Restored
from governance.use_cases.roll_back import Offer
from tests.builders import NOON, some_rules
from tests.gallery import glass
from tests.gallery.extremes import LONG, LONG_NAME, NASTY, Size, alert, request, roster, shown
from tests.gallery.homes import EMPTY, the_largest
from tests.gallery.news import announcements

Surface = Drawn | Block
"""A message, or a view: a modal or the Home."""
Exhibits = Iterator[tuple[str, Surface]]


def _is_large(size: Size) -> bool:
    return size is Size.LARGEST


def _requests(size: Size) -> Exhibits:
    for state in State:
        yield state.value, views.request_message(shown(size, replace(request(size), state=state)))


def _reminders(size: Size) -> Exhibits:
    for state in State:
        yield state.value, views.reminder_message(shown(size, replace(request(size), state=state)))
    yield "changed", views.reminder_message(shown(size), is_what_was_shown=False)
    again = request_words.reminded_before(request(size))
    yield "in place of an older one", views.sentence(again)


def _offers(size: Size) -> Exhibits:
    model = LONG_NAME if _is_large(size) else ModelName("m")
    reasons = tuple((Version(n), NASTY) for n in range(1, 30 if _is_large(size) else 2))
    found = RollbackOptions(target=Version(3), eligible=(Version(3),), reasons=reasons)
    nothing = replace(found, target=None, eligible=())
    for caption, options, target in (
        ("with a target", found, Version(3)),
        ("a certain version", found, Version(2)),
        ("with none", nothing, None),
    ):
        offer = Offer(model=model, current=Version(4), target=target, options=options)
        reason = "" if target is None else "x"
        owners = [p.name for p in roster(size).people.values()]
        yield caption, views.offer_message(offer, NOON.isoformat(), reason, owners)


def _sentences(size: Size) -> Exhibits:
    text = LONG * 30 if _is_large(size) else "x"
    yield "alone", views.sentence(text)
    yield "with a mention", views.sentence(text, {"U0OTTO": "Otto"})
    for said in (
        answer_words.CLICK_AGAIN,
        answer_words.NOT_STORED,
        answer_words.RESTARTING,
        answer_words.NAMES_TOO_LONG,
        answer_words.STILL_WORKING,
        answer_words.ANSWERED,
        answer_words.FROM_ELSEWHERE,
    ):
        yield said[:40], views.sentence(said)
    why = LONG if _is_large(size) else "MLflow did not answer."
    for wrapped in (
        answer_words.not_done,
        answer_words.trying_again,
        answer_words.given_up,
        answer_words.rollback_stands,
        answer_words.broke,
    ):
        yield wrapped.__name__, views.sentence(wrapped(why))
    yield "reading", views.sentence(answer_words.reading(10**9, 10**10))
    state = ProductionState(staged=(Version(1),), alias=Version(1))
    restored = Restored(
        model=LONG_NAME,
        from_version=Version(4) if _is_large(size) else None,
        to_version=Version(1),
        production=state,
        seconds=0.42,
        record_in_doubt=_is_large(size),
    )
    for is_compared in (True, False):
        said = answer_words.restored_text(restored, is_compared=is_compared)
        yield f"restored, compared: {is_compared}", views.sentence(said)


CHANNEL: Mapping[str, Mapping[str, Json]] = {
    "rolled_back": {"from": 4, "to": 1, "by": "otto", "seconds": "0.42", "why": "approvals spiked"},
    "rollback_failed": {"to": 1, "why": "MLflow has no version 1."},
    "break_glass_failed": {"by": "otto", "version": 4, "why": "MLflow has no version 4."},
    "away": {"person": "ana", "stand_in": "raj", "last_day": "2026-12-24"},
    "back": {"person": "ana", "stand_in": "raj", "last_day": "2026-12-24"},
    "served": {"served": "serving v2 since 02:15:04"},
    "drill_failed": {"why": "the files of v1 cannot be read."},
    "drill_holds_again": {},
    "restored_differs": {"difference": "model.bin of v1 is not what was approved."},
    "changed_elsewhere": {"difference": "v3 came into Production", "several": True},
    "record_broken": {"why": "The log is shorter than its newest kept head."},
    "policy_loaded": {"by": "dana", "lines": ["Production needs 1 instead of 2"], "more": 3},
}
TOLD: Mapping[str, Mapping[str, Json]] = {
    "vote_voided": {"why": "the role was taken away"},
    "voice_ended": {"absent": "ana"},
    "changes_asked": {"by": "raj", "comment": "Show me the bads first."},
    "changes_answered": {"by": "dana", "answer": "2,000.", "asked": "How many?", "before": 4},
    "changes_followed": {"by": "dana", "answer": "More.", "asked": "How many?", "before": 4},
    "outcome": {"state": "completed", "why": "MLflow shows v4 in Production."},
}
OF_ABSENCE = ("stands_in_away", "stands_in_back", "stand_in_gone")
OF_MODEL: Mapping[str, Mapping[str, Json]] = {
    "monitor_blind": {"monitor": "auc", "why": "The table predictions is gone."},
    "monitor_comes_and_goes": {"monitor": "auc", "why": "The table predictions is gone."},
    "monitor_sees_again": {"monitor": "auc"},
}
TIMELINE: Mapping[str, Mapping[str, Json]] = {
    "vote": {"person": "ana", "verdict": "approve", "comment": "looks good"},
    "vote_withdrawn": {"person": "ana"},
    "answered": {"person": "dana", "answer": "2,000 bads, see the ticket."},
    "escalated": {"role": "risk", "to": "head_of_risk", "after_ms": 14_400_000},
    "state": {"state": "held", "why": "Waits for 5 s in Staging."},
}
ALERT_LINES: Mapping[str, Mapping[str, object]] = {
    "acknowledged": {},
    "served": {"served": "still serving v3"},
    "recovered": {"why": "v1 is healthy again."},
    "over": {"why": "Somebody replaced it."},
}


def _larger(facts: Mapping[str, Json], size: Size) -> Mapping[str, Json]:
    """The same facts, each text as long as it can be."""
    if not _is_large(size):
        return facts
    kept = {"last_day", "stand_in", "verdict", "by", "person", "state", "served", "seconds"}
    return {
        key: LONG if isinstance(value, str) and key not in kept else value
        for key, value in facts.items()
    }


def _notices(size: Size) -> Exhibits:
    people, model = roster(size), str(LONG_NAME if _is_large(size) else "m")
    for what, facts in CHANNEL.items():
        text = channel_words.channel(what, model, _larger(facts, size), people)
        yield f"channel: {what}", views.sentence(text, {"U0OTTO": "Otto"})
    for what, facts in TOLD.items():
        text = request_words.told(what, _larger(facts, size), request(size), people)
        yield f"told: {what}", views.sentence(text)
    for what, facts in OF_MODEL.items():
        yield (
            f"owner: {what}",
            views.sentence(channel_words.told_of_model(what, model, _larger(facts, size))),
        )
    for what, facts in TIMELINE.items():
        text = request_words.timeline(what, _larger(facts, size), people)
        yield f"thread: {what}", views.sentence(text)
    for what, told in ALERT_LINES.items():
        yield f"alert's thread: {what}", views.sentence(alert_words.alert_line(what, told, "Otto"))
    yield (
        "unreachable",
        views.sentence(
            channel_words.unreachable(model, {"channel": "#credit-models", "why": "is_archived"})
        ),
    )
    for what in OF_ABSENCE:
        told_of = away_words.told_of_absence(what, CHANNEL["away"], people)
        yield f"told: {what}", views.sentence(told_of)
    for stand_in in (PersonId("raj"), None):
        absence = replace(shown(Size.LARGEST).away[0], stand_in=stand_in)
        yield f"back, without {stand_in}", views.sentence(away_words.back(absence, people))
    yield "asked", views.sentence(request_words.asked(request(size), people))


def _long_answers(size: Size) -> Exhibits:
    side = shown(size)
    yield "a comparison", views.text_blocks("\n".join(["m: v3 → v4", *views.change_lines(side)]))
    yield (
        "claims",
        views.text_blocks(
            "\n".join(["claims", *comparison_words.claim_lines(side.request.snapshot)])
        ),
    )
    rules: Rules = some_rules(roster=roster(size))
    for name in ("dana", "ana", None):
        actor = Actor(person=PersonId(name) if name else None, account="U0X", via="slack")
        lines = help_words.help_lines(rules, actor, prefix="", words=(("help", "this"),))
        yield f"help of {name or 'nobody'}", views.text_blocks("\n".join(lines))


def _alerts(size: Size) -> Exhibits:
    picture: Block = {"type": "image", "slack_file": {"id": "F0000001"}, "alt_text": "a chart"}
    for outcome in Outcome:
        made = alert(size, outcome)
        yield (
            outcome.value,
            alert_view.alert_message(
                made,
                shown(size).policy,
                roster(size),
                picture=picture if _is_large(size) else None,
            ),
        )
        yield f"{outcome.value}, repeated", views.sentence(alert_words.reminder(made))


def _comments(size: Size) -> Exhibits:
    for verdict in (Verdict.REJECT, Verdict.ASK_FOR_CHANGES):
        yield (
            verdict.value,
            modals.comment_modal(verdict, views.button_value(request(size)), "C00000001"),
        )


def _written(size: Size) -> Exhibits:
    refused = views.sentence(LONG if _is_large(size) else "This request is over.")
    words = LONG if _is_large(size) else "The last quarter."
    yield "after a form that was in vain", views.with_what_was_written(refused, words)


def _changes_asked(size: Size) -> Exhibits:
    facts = _larger(TOLD["changes_asked"], size)
    text = request_words.told("changes_asked", facts, request(size), roster(size))
    yield "to the requester", views.changes_asked_message(request(size), text)


def _changes_answered(size: Size) -> Exhibits:
    for what in ("changes_answered", "changes_followed"):
        for state in State:
            made = shown(size, replace(request(size), state=state))
            text = request_words.told(what, _larger(TOLD[what], size), made.request, made.roster)
            yield f"{what}, {state.value}", views.changes_answered_message(made, text)


def _answers(size: Size) -> Exhibits:
    side = shown(size)
    lines = request_words.round_lines(side.request, side.asked, side.answered, side.roster)
    newer = [(n, f"v{n} · None") for n in range(5, 255 if _is_large(size) else 5)]
    yield (
        "an answer",
        modals.answer_modal(side.request, lines or ["x"], "0" * 16, "C00000001", newer),
    )
    elsewhere = [
        form_words.newer_elsewhere(side.request, Version(5), Stage.NONE, first)
        for first in (Stage.STAGING, None)
    ]
    yield (
        "an answer, with versions elsewhere",
        modals.answer_modal(side.request, ["x"], "0" * 16, "C00000001", [], elsewhere),
    )


def _details(size: Size) -> Exhibits:
    yield "details", modals.details_modal(shown(size))


def _record(size: Size) -> Exhibits:
    event: Mapping[str, Json] = {
        "at": NOON.isoformat(),
        "seq": 1,
        "person": "dana",
        "via": "slack",
        "version": 4,
        "kind": "request_opened",
        "why": LONG if _is_large(size) else "",
    }
    yield "the record", modals.record_modal(LONG_NAME, [event] * (200 if _is_large(size) else 1))


def _forms(size: Size) -> Exhibits:
    many = 100 if _is_large(size) else 1
    choices = modals.Choices(
        models=tuple(f"model_{n}_{'z' * 40}" for n in range(many)),
        model=f"model_0_{'z' * 40}",
        versions=tuple((n + 1, f"v{n + 1} · Staging · {NASTY}") for n in range(many)),
        version=1,
        stages=("Staging", "Production"),
        stage="Production",
        channel="C00000001",
    )
    yield "filled", modals.promote_modal(choices)
    yield "without a version", modals.promote_modal(replace(choices, versions=()))
    yield "without a model", modals.promote_modal(replace(choices, versions=(), model=None))


def _loading(size: Size) -> Exhibits:
    yield "loading", modals.loading_modal()


def _words_alone(size: Size) -> Exhibits:
    said = Refused("x", LONG if _is_large(size) else "No.")
    yield "a refusal", modals.sentence_modal(said.sentence)


def _homes(size: Size) -> Exhibits:
    home = the_largest() if _is_large(size) else EMPTY
    yield "Home", home_view.home_view(home, roster(size))


def _sentence_homes(size: Size) -> Exhibits:
    yield "nobody", home_view.sentence_home(home_words.nobody("U0MALLORY"))
    why = LONG if _is_large(size) else "guests of the workspace cannot act"
    yield "barred", home_view.sentence_home(home_words.barred(why))


def _pictures(size: Size) -> Exhibits:
    picture = SentPicture(file_id="F0000001", alt_text=LONG[:1000] if _is_large(size) else "x")
    yield "alone", views.picture_message(picture)
    yield "in a request", views.request_message(shown(size), views.image_block(picture))


def _pictured_details(size: Size) -> Exhibits:
    picture = SentPicture(file_id="F0000001", alt_text=LONG[:1000] if _is_large(size) else "x")
    yield "with its picture", modals.details_modal(shown(size), views.image_block(picture))


def _news(size: Size) -> Exhibits:
    for caption, made in announcements(size):
        yield caption, news_view.news_message(made)


@dataclass(frozen=True)
class Hall:
    """Everything that one function draws."""

    draws: str
    """`module.function` in `bot`."""
    exhibits: Callable[[Size], Exhibits]


HALLS = (
    Hall("views.request_message", _requests),
    Hall("views.reminder_message", _reminders),
    Hall("views.offer_message", _offers),
    Hall("views.sentence", _sentences),
    Hall("views.sentence", _notices),
    Hall("views.text_blocks", _long_answers),
    Hall("alert_view.alert_message", _alerts),
    Hall("views.request_message", glass.requests),
    Hall("glass_view.refusal_with_glass", glass.refusals),
    Hall("glass_view.review_message", glass.reviews),
    Hall("glass_view.glass_modal", glass.plans),
    Hall("glass_view.glass_loading_modal", glass.waiting),
    Hall("glass_view.glass_sentence_modal", glass.sentences),
    Hall("glass_view.demand_modal", glass.demands),
    Hall("views.sentence", glass.told),
    Hall("modals.comment_modal", _comments),
    Hall("views.with_what_was_written", _written),
    Hall("views.changes_asked_message", _changes_asked),
    Hall("views.changes_answered_message", _changes_answered),
    Hall("modals.answer_modal", _answers),
    Hall("modals.details_modal", _details),
    Hall("modals.record_modal", _record),
    Hall("modals.promote_modal", _forms),
    Hall("modals.loading_modal", _loading),
    Hall("modals.sentence_modal", _words_alone),
    Hall("views.picture_message", _pictures),
    Hall("modals.details_modal", _pictured_details),
    Hall("news_view.news_message", _news),
    Hall("home_view.home_view", _homes),
    Hall("home_view.sentence_home", _sentence_homes),
)
