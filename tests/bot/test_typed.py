"""What people type is understood as they mean it, or refused; nothing of a reason is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.typed import (
    REASON_IN_BUTTON,
    Promotion,
    Rollback,
    needs_form,
    parse_model,
    parse_promotion,
    parse_rollback,
    prefilled,
)
from governance.domain.errors import Refused
from governance.domain.evidence import Stage
from tests.builders import some_rules

RULES = some_rules()


def a_promotion(
    model: str, version: int, target: Stage | None, reason: str, *, downgrade: bool = False
) -> Promotion:
    """As it is understood."""
    return Promotion(
        model=model, version=version, target=target, reason=reason, ticket="", downgrade=downgrade
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("m 4 better AUC", a_promotion("m", 4, None, "better AUC")),
        ("m v4 production  better   AUC ", a_promotion("m", 4, Stage.PRODUCTION, "better   AUC")),
        ("m 4 STAGING x", a_promotion("m", 4, Stage.STAGING, "x")),
        (
            "m 4 production downgrade v5 is slow",
            a_promotion("m", 4, Stage.PRODUCTION, "v5 is slow", downgrade=True),
        ),
        ("m 4 downgrade of risk", a_promotion("m", 4, None, "downgrade of risk")),
        ("m 4 production line\nline two", a_promotion("m", 4, Stage.PRODUCTION, "line\nline two")),
        ('"My model" 4 staging x', a_promotion("My model", 4, Stage.STAGING, "x")),
        ("“My model” 4 x", a_promotion("My model", 4, None, "x")),
    ],
)
def test_a_promotion_is_understood(text: str, meant: Promotion) -> None:
    """Stage and downgrade are optional, spacing of the reason stays."""
    assert not needs_form(text)
    assert parse_promotion(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "m 4 prodution better",
        "m 4 Prodcution",
        "m 4 prod better AUC",
        "m 4 stagging x",
        "m 4 stage it",
        "m 4 archived old",
        "m 4 none",
    ],
)
def test_a_mistyped_stage_does_not_become_a_reason_for_another_one(text: str) -> None:
    """The sentence says how to begin a reason with that word."""
    assert not needs_form(text)
    with pytest.raises(Refused, match="is no stage to ask for") as refusal:
        parse_promotion(text)
    told = refusal.value.sentence
    example = told[told.index("/promote ") + len("/promote ") : told.index(" …")]
    assert parse_promotion(example).reason == text.split()[2]


@pytest.mark.parametrize("text", ["m 4 products sell better", "m 4 stable for a week", "m 4 note"])
def test_other_words_begin_a_reason(text: str) -> None:
    """Only what is almost a stage is asked about."""
    assert parse_promotion(text).target is None


@pytest.mark.parametrize("text", ["", "m", "m 4", "m 4 production", "m 4 staging downgrade", " "])
def test_what_is_missing_is_asked_for_in_the_form(text: str) -> None:
    """And what was typed is filled in."""
    assert needs_form(text)
    model, version, stage = prefilled(text)
    assert model == (text.split()[0] if text.strip() else None)
    assert version == (4 if "4" in text else None)
    assert (stage is None) == (len(text.split()) < 3)


@pytest.mark.parametrize(
    "word", ["four", "0", "-1", "v", "4.0", "4,", "１", "9999999999", "latest"]
)
def test_what_is_no_version_number_is_said(word: str) -> None:
    """With what to write; the form is no answer to a slip."""
    text = f"m {word} production x"
    assert not needs_form(text)
    with pytest.raises(Refused, match="is no version number"):
        parse_promotion(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("m", Rollback(model="m", version=None, reason="")),
        ("m 3", Rollback(model="m", version=3, reason="")),
        ("m v3 too many", Rollback(model="m", version=3, reason="too many")),
        ("m approvals spiked", Rollback(model="m", version=None, reason="approvals spiked")),
        ('"My model" spiked', Rollback(model="My model", version=None, reason="spiked")),
        ("m 3rd time", Rollback(model="m", version=None, reason="3rd time")),
    ],
)
def test_a_rollback_is_understood(text: str, meant: Rollback) -> None:
    """At two in the morning."""
    assert parse_rollback(text) == meant


def test_a_rollback_without_a_model_or_with_too_long_a_reason_is_refused() -> None:
    """At its limit it still fits."""
    with pytest.raises(Refused, match="Say which model"):
        parse_rollback("  ")
    assert len(parse_rollback("m " + "x" * REASON_IN_BUTTON).reason) == REASON_IN_BUTTON
    with pytest.raises(Refused, match="1201 characters"):
        parse_rollback("m " + "x" * (REASON_IN_BUTTON + 1))


def test_a_question_about_a_model_is_understood_or_refused() -> None:
    """The refusal lists what is governed."""
    assert parse_model("m", RULES).versions is None
    assert parse_model("m v1 2", RULES).versions == (1, 2)
    assert parse_model('"My model"', RULES).model == "My model"
    with pytest.raises(Refused, match="Governed: credit_scoring"):
        parse_model("", RULES)
    for wrong in ("m 1", "m 1 2 3", "m one two"):
        with pytest.raises(Refused, match="/model NAME VERSION VERSION"):
            parse_model(wrong, RULES)


reasons = st.text(min_size=1).map(str.strip).filter(bool)


@given(reasons)
def test_no_character_of_a_reason_is_lost(reason: str) -> None:
    """Whatever it holds, save spaces around it."""
    assert parse_promotion(f"m 4 production because {reason}").reason == f"because {reason}"
    if len(reason) <= REASON_IN_BUTTON:
        assert parse_rollback(f"m 3 {reason}").reason == reason


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    """Never a defect."""
    needs_form(text)
    prefilled(text)
    for parse in (parse_promotion, parse_rollback, lambda t: parse_model(t, RULES)):
        with suppress(Refused):
            parse(text)


@pytest.mark.parametrize("parse", [parse_promotion, parse_rollback])
def test_what_no_model_can_be_named_is_refused_before_any_database_is_asked(
    parse: Callable[[str], object],
) -> None:
    """100 kB of one word, and a character that nobody sees."""
    with pytest.raises(Refused, match="100000 characters"):
        parse("m" * 100_000 + " 4 production reason")
    with pytest.raises(Refused, match="invisible"):
        parse("credit\u0000scoring 4 production reason")
