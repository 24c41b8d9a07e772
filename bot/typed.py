"""What people type after a slash command, understood or refused with what it should look like."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from governance.domain.errors import Refused
from governance.domain.evidence import Stage
from governance.ports import Rules

REASON_IN_BUTTON = 1200
"""A rollback's reason travels in a button, which holds 2,000 characters of JSON."""
_STAGES = {"staging": Stage.STAGING, "production": Stage.PRODUCTION}


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
    words = text.split()
    if len(words) >= 2 and _version(words[1]) is None:
        return False
    return len(words) < 3 or (_rest_after_stage(words[2:]) == [])


def parse_promotion(text: str) -> Promotion:
    """Raises Refused `wrong_words`."""
    words = text.split()
    version = _version(words[1]) if len(words) > 1 else None
    if version is None:
        raise Refused(
            "wrong_words",
            f"“{words[1] if len(words) > 1 else text}” is no version number. Write "
            "/promote MODEL VERSION [staging or production] REASON, or /promote alone.",
        )
    rest = words[2:]
    target = _STAGES.get(rest[0].lower()) if rest else None
    skipped = 2 + (target is not None)
    after = words[skipped:]
    downgrade = target is not None and bool(after) and after[0].lower() == "downgrade"
    skipped += downgrade
    return Promotion(
        model=words[0],
        version=version,
        target=target,
        reason=_from_word(text, skipped),
        ticket="",
        downgrade=downgrade,
    )


def prefilled(text: str) -> tuple[str | None, int | None, Stage | None]:
    """Whatever of model, version and stage was typed already."""
    words = text.split()
    model = words[0] if words else None
    version = _version(words[1]) if len(words) > 1 else None
    stage = _STAGES.get(words[2].lower()) if len(words) > 2 else None
    return model, version, stage


def parse_rollback(text: str) -> Rollback:
    """Raises Refused `wrong_words` or `text_too_long`."""
    words = text.split()
    if not words:
        raise Refused(
            "wrong_words", "Say which model: /rollback MODEL, for example /rollback credit_scoring."
        )
    version = _version(words[1]) if len(words) > 1 else None
    reason = _from_word(text, 2 if version is not None else 1)
    if len(reason) > REASON_IN_BUTTON:
        raise Refused(
            "text_too_long",
            f"The reason has {len(reason)} characters; at most {REASON_IN_BUTTON} fit here.",
        )
    return Rollback(model=words[0], version=version, reason=reason)


def parse_model(text: str, rules: Rules) -> ModelQuestion:
    """Raises Refused `wrong_words`."""
    words = text.split()
    governed = sorted(rules.policies.policies)
    if not words:
        raise Refused("wrong_words", f"Say which model: /model NAME. Governed: {_list(governed)}.")
    if len(words) == 1:
        return ModelQuestion(model=words[0], versions=None)
    numbers = [_version(word) for word in words[1:]]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        raise Refused("wrong_words", "Write /model NAME, or /model NAME VERSION VERSION.")
    return ModelQuestion(model=words[0], versions=(numbers[0], numbers[1]))


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that was probably meant."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), None)


def _version(word: str) -> int | None:
    found = re.fullmatch(r"v?([1-9][0-9]{0,8})", word)
    return int(found.group(1)) if found else None


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
