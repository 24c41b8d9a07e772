"""Every message and modal, smallest and largest, within Slack's limits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from slack_sdk.models.blocks import Block

from bot import block_kit, modals, views
from bot.sandbox import pings
from bot.sandbox.block_kit import modal_problems
from bot.sandbox.block_kit.surface import message_problems
from bot.sandbox.json_values import Json, JsonObject
from bot.typed import REASON_IN_BUTTON
from governance.domain.approval import FilledSeat, Quorum, Seat, Verdict
from governance.domain.checks import CheckResult, Outcome
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import PersonId, Role
from governance.domain.promotion import Request, State
from governance.domain.tenure import RollbackOptions
from governance.use_cases.roll_back import Offer
from tests.builders import MODEL, NOON, a_metric, a_policy, a_request, a_roster, a_snapshot

NASTY = "<!channel> <@U0RAJ> <https://evil|Approve> `x` \u202edesrever\u202c *b* & "
LONG = (NASTY * 80)[:3000]
LONGEST_MESSAGE = 13_200


def _smallest() -> Request:
    return replace(a_request(), champion=None, reason="x")


def _largest() -> Request:
    name = ModelName((NASTY * 6)[:250])
    metrics = tuple(a_metric(f"metric_{n}_{'y' * 60}", f"0.{n + 1}") for n in range(40))
    columns = tuple(f"column_{n}_{NASTY}" for n in range(60))
    parameters = {f"p{n}{NASTY}": LONG for n in range(30)}
    base = a_request()
    return replace(
        base,
        model=name,
        reason=LONG,
        ticket=(NASTY * 3)[:150],
        note=LONG,
        snapshot=replace(
            a_snapshot(metrics=metrics, columns=columns, parameters=parameters), model=name
        ),
        champion=replace(a_snapshot(3), model=name),
        checks=tuple(
            CheckResult(check=f"check {n} {NASTY}", outcome=Outcome.WAITING, finding=LONG)
            for n in range(20)
        ),
        unmapped_authors=tuple(f"{NASTY}{n}" for n in range(9)),
        author_unknown=True,
    )


def _shown(request: Request, seats: int) -> views.Shown:
    filled = tuple(
        FilledSeat(
            seat=Seat(role=Role(f"role_{n}_{NASTY}"), number=1),
            person=PersonId("ana") if n % 2 else None,
        )
        for n in range(seats)
    )
    return views.Shown(
        request=request,
        quorum=Quorum(seats=filled, excluded={}),
        policy=a_policy(),
        roster=a_roster(),
    )


def _wire(blocks: list[block_kit.Block]) -> list[Json]:
    """As they go over the wire, for the judge's own types."""
    made: list[Json] = json.loads(json.dumps(blocks))
    return made


def _wire_object(modal: block_kit.Block) -> JsonObject:
    made: JsonObject = json.loads(json.dumps(modal))
    return made


def _texts(value: object) -> int:
    if isinstance(value, dict):
        return sum(
            len(v) if k == "text" and isinstance(v, str) else _texts(v) for k, v in value.items()
        )
    if isinstance(value, list):
        return sum(_texts(v) for v in value)
    return 0


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("size", ["smallest", "largest"])
def test_a_request_fits_in_every_state(state: State, size: str) -> None:
    """Slack's limits by two judges; a text for screen readers; nobody is pinged."""
    request = _smallest() if size == "smallest" else _largest()
    drawn = views.request_message(
        _shown(replace(request, state=state), 1 if size == "smallest" else 10)
    )
    assert message_problems(_wire(drawn.blocks)) == ()
    for block in Block.parse_all(drawn.blocks):
        block.to_dict()
    assert _texts(drawn.blocks) <= LONGEST_MESSAGE
    assert drawn.text.strip()
    assert not pings(drawn.text)


@pytest.mark.parametrize("size", ["smallest", "largest"])
def test_modals_fit(size: str) -> None:
    """Details, the comment, the form, the sentence."""
    request = _smallest() if size == "smallest" else _largest()
    shown = _shown(request, 1 if size == "smallest" else 10)
    many = 1 if size == "smallest" else 100
    choices = modals.Choices(
        models=tuple(f"model_{n}_{'z' * 40}" for n in range(many)),
        model=f"model_0_{'z' * 40}",
        versions=tuple((n + 1, f"v{n + 1} · Staging · {NASTY}") for n in range(many)),
        version=1,
        stages=("Staging", "Production"),
        stage="Production",
        channel="C00000001",
    )
    for modal in (
        modals.details_modal(shown),
        modals.comment_modal(Verdict.REJECT, views.button_value(request), "C00000001"),
        modals.comment_modal(Verdict.ASK_FOR_CHANGES, views.button_value(request), "C00000001"),
        modals.promote_modal(choices),
        modals.promote_modal(replace(choices, versions=(), model=None)),
        modals.loading_modal(),
        modals.sentence_modal(LONG if size == "largest" else "x"),
    ):
        assert modal_problems(_wire_object(modal)) == ()


@pytest.mark.parametrize("text", ["x", LONG, LONG * 30])
def test_sentences_fit_and_ping_only_whom_they_mean(text: str) -> None:
    """On-call people of people.yaml, and nobody whom a text names."""
    for drawn in (views.sentence(text), views.text_blocks(text + "\n" + text)):
        assert message_problems(_wire(drawn.blocks)) == ()
        assert not pings(drawn.text)
    assert pings(views.sentence(text, {"U0OTTO": "Otto"}).text).users == {"U0OTTO"}


def _offer() -> Offer:
    nothing = RollbackOptions(target=Version(3), eligible=(Version(3),), reasons=())
    return Offer(model=MODEL, current=Version(4), target=Version(3), options=nothing)


@pytest.mark.parametrize("letter", ["a", "я", "漢"])
def test_the_longest_rollback_reason_fits_its_button_in_any_script(letter: str) -> None:
    """At 2 a.m. the offer has to arrive."""
    drawn = views.offer_message(_offer(), NOON.isoformat(), letter * REASON_IN_BUTTON)
    assert message_problems(_wire(drawn.blocks)) == ()


def test_a_rollback_reason_that_does_not_fit_its_button_is_refused_with_words() -> None:
    """Quotes double in length; the person is told, not left without an answer."""
    with pytest.raises(Refused, match="Shorten it"):
        views.offer_message(_offer(), NOON.isoformat(), '"' * REASON_IN_BUTTON)


def test_one_model_with_a_very_long_name_does_not_break_the_form() -> None:
    """It is left out of the menu; the others stay."""
    choices = modals.Choices(
        models=("m" * 250, "short"),
        model=None,
        versions=(),
        version=None,
        stages=(),
        stage=None,
        channel="C00000001",
    )
    assert modal_problems(_wire_object(modals.promote_modal(choices))) == ()
