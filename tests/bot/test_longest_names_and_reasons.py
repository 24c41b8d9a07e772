"""What people type at the edge of what Slack takes: reasons in buttons, names in menus."""

from __future__ import annotations

import json

import pytest

from bot import block_kit, modals, views
from bot.sandbox.block_kit import modal_problems
from bot.sandbox.block_kit.surface import message_problems
from bot.sandbox.json_values import Json, JsonObject
from bot.typed import REASON_IN_BUTTON
from governance.domain.errors import Refused
from governance.domain.evidence import Version
from governance.domain.tenure import RollbackOptions
from governance.use_cases.roll_back import Offer
from tests.builders import MODEL, NOON


def _wire(blocks: list[block_kit.Block]) -> list[Json]:
    """As they go over the wire, for the judge's own types."""
    made: list[Json] = json.loads(json.dumps(blocks))
    return made


def _wire_object(modal: block_kit.Block) -> JsonObject:
    made: JsonObject = json.loads(json.dumps(modal))
    return made


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
