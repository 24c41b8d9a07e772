"""What people type after a slash command, understood or refused with what it should look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from governance.domain.errors import Refused
from governance.domain.evidence import Stage
from governance.domain.suggestion import nearest
from governance.ports import Rules

REASON_IN_BUTTON = 1200
"""A rollback's reason travels in a button, which holds 2,000 characters of JSON."""
LONGEST_NAME = 250
"""Characters of a model's name in MLflow."""
_STAGES = {"staging": Stage.STAGING, "production": Stage.PRODUCTION}
_NO_TARGETS = {"prod": "production", "stage": "staging", "none": "staging", "archived": "staging"}
"""What is typed for a stage and is none to ask for, with one that is."""


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """`/promote MODEL VERSION [STAGE [downgrade]] REASON`."""

    model: str
    version: int
    target: Stage | None
    reason: str
    ticket: str
    downgrade: bool


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """`/rollback MODEL [VERSION] [REASON]`."""

    model: str
    version: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class ModelQuestion:
    """`/model MODEL [VERSION VERSION]`."""

    model: str
    versions: tuple[int, int] | None


def needs_form(text: str) -> bool:
    """Whether a promotion lacks its model, version or reason, so that a form has to help."""
    _model, rest = _first(text)
    words = rest.split()
    if words and version_number(words[0]) is None:
        return False
    return len(words) < 2 or (_rest_after_stage(words[1:]) == [])


def parse_promotion(text: str) -> Promotion:
    """Raises Refused `wrong_words`."""
    model, rest = _first(text)
    _refuse_no_name(model)
    words = rest.split()
    version = version_number(words[0]) if words else None
    if version is None:
        raise Refused(
            "wrong_words",
            f"“{words[0] if words else text}” is no version number. Write "
            "/promote MODEL VERSION [staging or production] REASON, or /promote alone.",
        )
    target = _STAGES.get(words[1].lower()) if len(words) > 1 else None
    if target is None and len(words) > 1:
        _refuse_almost_a_stage(words[1], model, version)
    skipped = 1 + (target is not None)
    after = words[skipped:]
    downgrade = target is not None and bool(after) and after[0].lower() == "downgrade"
    skipped += downgrade
    return Promotion(
        model=model,
        version=version,
        target=target,
        reason=_from_word(rest, skipped),
        ticket="",
        downgrade=downgrade,
    )


def prefilled(text: str) -> tuple[str | None, int | None, Stage | None]:
    """Whatever of model, version and stage was typed already."""
    model, rest = _first(text)
    words = rest.split()
    version = version_number(words[0]) if words else None
    stage = _STAGES.get(words[1].lower()) if len(words) > 1 else None
    return model or None, version, stage


def parse_rollback(text: str) -> Rollback:
    """Raises Refused `wrong_words` or `text_too_long`."""
    model, rest = _first(text)
    if not model:
        raise Refused(
            "wrong_words", "Say which model: /rollback MODEL, for example /rollback credit_scoring."
        )
    _refuse_no_name(model)
    words = rest.split()
    version = version_number(words[0]) if words else None
    reason = _from_word(rest, 1 if version is not None else 0)
    if len(reason) > REASON_IN_BUTTON:
        raise Refused(
            "text_too_long",
            f"The reason has {len(reason)} characters; at most {REASON_IN_BUTTON} fit here.",
        )
    return Rollback(model=model, version=version, reason=reason)


def parse_model(text: str, rules: Rules) -> ModelQuestion:
    """Raises Refused `wrong_words`."""
    model, rest = _first(text)
    governed = sorted(rules.policies.policies)
    if not model:
        raise Refused("wrong_words", f"Say which model: /model NAME. Governed: {_list(governed)}.")
    _refuse_no_name(model)
    if not rest.split():
        return ModelQuestion(model=model, versions=None)
    numbers = [version_number(word) for word in rest.split()]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        raise Refused("wrong_words", "Write /model NAME, or /model NAME VERSION VERSION.")
    return ModelQuestion(model=model, versions=(numbers[0], numbers[1]))


def _first(text: str) -> tuple[str, str]:
    """The model's name and the rest. A name with spaces stands in quotes, straight or as a phone
    makes them."""
    quoted = re.match(r"""\s*["“”](?P<name>[^"“”]+)["“”](?:\s+(?P<rest>.*)|$)""", text, re.DOTALL)
    if quoted:
        return quoted.group("name").strip(), quoted.group("rest") or ""
    model, *rest = text.split(maxsplit=1) or [""]
    return model, rest[0] if rest else ""


def _refuse_no_name(model: str) -> None:
    """No model of MLflow is named so, and no database has to look for it."""
    if len(model) > LONGEST_NAME:
        raise Refused(
            "wrong_words",
            f"The first word has {len(model)} characters; a model's name has at most "
            f"{LONGEST_NAME}. Write the name first, then the version.",
        )
    if not model.isprintable():
        raise Refused(
            "wrong_words", "The name of the model holds an invisible character; type it again."
        )


def version_number(word: str) -> int | None:
    """The number of a version as people write it, `4` or `v4`; None for anything else."""
    found = re.fullmatch(r"v?([1-9][0-9]{0,8})", word)
    return int(found.group(1)) if found else None


def _refuse_almost_a_stage(word: str, model: str, version: int) -> None:
    """A stage that was mistyped must not become the first word of the reason, and the request one
    for another stage."""
    typed = word.lower()
    known = _NO_TARGETS.get(typed) or nearest(typed, list(_STAGES), cutoff=0.8)
    if known is None:
        return
    raise Refused(
        "wrong_words",
        f"“{word}” is no stage to ask for: write staging or production. If your reason begins with "
        f"it, name the stage first, for example /promote {model} {version} {known} {word} …",
    )


def _rest_after_stage(words: list[str]) -> list[str]:
    if words and words[0].lower() in _STAGES:
        words = words[1:]
        if words and words[0].lower() == "downgrade":
            words = words[1:]
    return words


def _from_word(text: str, count: int) -> str:
    """The text from its word number `count` on, spacing kept as typed."""
    found = re.match(rf"\s*(?:\S+\s+){{{count}}}(?P<rest>.*)", text + " ", re.DOTALL)
    return found.group("rest").strip() if found else ""


def _list(names: list[str]) -> str:
    return ", ".join(names) or "none"


def parse_away(text: str) -> tuple[date, str | None]:
    """The last day and the stand-in of `/foureyes away until 2026-12-24 [raj]`.

    Raises:
        Refused: `wrong_words`.
    """
    words = text.split()
    if words and words[0].casefold() == "until":
        words = words[1:]
    try:
        last_day = date.fromisoformat(words[0]) if len(words) in (1, 2) else None
    except ValueError:
        last_day = None
    if last_day is None:
        raise Refused(
            "wrong_words",
            "Write the last day, and who stands in if somebody does: /foureyes away until "
            "2026-12-24 raj.",
        )
    return last_day, words[1] if len(words) == 2 else None
