"""The words, numbers and times of policy files: each refuses what it is not, and says why.

Knows nothing of lines or files; where an error stands is `refusals`' business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from governance.domain.suggestion import nearest
from governance.domain.working_hours import WorkingHours, working_hours

LONGEST_WORD = 250
LONGEST_DURATION = timedelta(days=3660)
LONGEST_REVIEW = timedelta(weeks=4)
MOST_SEATS = 20

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")
_DURATION_SCHEMA = {"type": "string", "pattern": "^[0-9]{1,9}[smhdw]$", "examples": ["2d", "12h"]}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the people file declares, to look references up in while validating."""

    roles: frozenset[str] | None
    """None: there is no people file that could be read, so nothing is looked up."""
    people: frozenset[str] | None


def problem(what: str, instead: str) -> PydanticCustomError:
    """An error that says both halves itself."""
    return PydanticCustomError("said", "{what}. {instead}", {"what": what, "instead": instead})


# --- words --------------------------------------------------------------------------------------


def _shown_literally(text: str) -> str:
    if text != text.strip():
        raise problem("a space stands before or after this word", "Delete it")
    # Invisible characters could make two names look alike in a review (Cc, Cf, Cs, Zl, Zp).
    if not all(c.isprintable() for c in text):
        raise problem("an invisible character stands in this word", "Type the word again")
    return text


def _look_up(kind: str, known: frozenset[str] | None, name: str, where: str) -> str:
    if known is None or name in known:
        return name
    close = nearest(name, known)
    if close:
        raise problem(f"unknown {kind} `{name}`", f"Did you mean `{close}`?")
    listed = ", ".join(sorted(known)) or "nobody yet"
    raise problem(f"unknown {kind} `{name}`", f"people.yaml knows {listed}; add it under `{where}`")


def _known_role(name: str, info: ValidationInfo) -> str:
    known = info.context
    return _look_up("role", known.roles if isinstance(known, Known) else None, name, "roles")


def _known_person(name: str, info: ValidationInfo) -> str:
    known = info.context
    return _look_up("person", known.people if isinstance(known, Known) else None, name, "people")


Word = Annotated[
    str, Field(min_length=1, max_length=LONGEST_WORD), AfterValidator(_shown_literally)
]
RoleRef = Annotated[Word, AfterValidator(_known_role)]
PersonRef = Annotated[Word, AfterValidator(_known_person)]


def _matching(pattern: str, what: str, instead: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise problem(f"`{text}` is not {what}", instead)
        return text

    return check


_CHANNEL_PATTERN = r"#[^\sA-Z#@&<>,]{1,80}|[CG][A-Z0-9]{4,}"
Channel = Annotated[
    Word,
    AfterValidator(
        _matching(
            _CHANNEL_PATTERN,
            "a channel",
            'Write its name with the #, in quotes: "#credit-models"; or its id, such as C024BE7LH',
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^({_CHANNEL_PATTERN})$"}),
]
_REPOSITORY_PATTERN = r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~/-]+(\{commit\})?"
Repository = Annotated[
    Word,
    AfterValidator(
        _matching(
            _REPOSITORY_PATTERN,
            "the address of a git repository",
            "Write it as https://git.bank.example/risk/credit, or with the place of the commit: "
            "https://git.bank.example/risk/credit/-/commit/{commit}",
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_REPOSITORY_PATTERN}$"}),
]
_SLACK_PATTERN = r"[UW][A-Z0-9]{3,}"
SlackId = Annotated[
    Word,
    AfterValidator(
        _matching(
            _SLACK_PATTERN,
            "a Slack member id",
            "In Slack open the profile, choose Copy member ID, and write that: U024BE7LH",
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_SLACK_PATTERN}$"}),
]
_GROUP_PATTERN = r"S[A-Z0-9]{3,}|@[^\s@<>,]{1,80}"
UserGroupRef = Annotated[
    Word,
    AfterValidator(
        _matching(
            _GROUP_PATTERN,
            "a user group of Slack",
            'Write its id, such as S0614TZR7; or its handle with the @, in quotes: "@risk-team"',
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^({_GROUP_PATTERN})$"}),
]
_SIMPLE_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
SimpleName = Annotated[
    Word,
    AfterValidator(
        _matching(
            _SIMPLE_PATTERN,
            "a short name",
            "Use letters, digits, dot, hyphen and underscore, 64 at most",
        )
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_SIMPLE_PATTERN}$"}),
]
Email = Annotated[
    Word,
    AfterValidator(
        _matching(r"[^\s@]+@[^\s@]+", "an e-mail address", "Write it as dana@bank.example")
    ),
]


def _not_root(login: str) -> str:
    if login.casefold() == "root":
        raise problem(
            "`root` identifies nobody", "Write the login with which this person alone signs in"
        )
    return login


OsLogin = Annotated[Word, AfterValidator(_not_root)]


def _pattern(text: str) -> str:
    if re.search("[/:]", text):
        raise problem(f"`{text}` cannot be a model's name", "MLflow's names have no / and no :")
    if re.search(r"[\[\]]", re.sub(r"\[!?[^\[\]!]+\]", "", text)):
        raise problem(
            f"the brackets of `{text}` cannot be read", "Write [abc], [a-z] or [!abc], or use *"
        )
    return text


ModelPattern = Annotated[Word, AfterValidator(_pattern)]


Item = TypeVar("Item")


def _all_different(words: tuple[Item, ...]) -> tuple[Item, ...]:
    seen: set[Item] = set()
    for word in words:
        if word in seen:
            raise problem(f"`{word}` stands in this list twice", "Write it once")
        seen.add(word)
    return words


Several = Annotated[tuple[Item, ...], Field(min_length=1), AfterValidator(_all_different)]


# --- numbers and times ----------------------------------------------------------------------------


def _duration(value: object) -> timedelta:
    advice = "Write a number and a unit: 30s, 15m, 12h, 2d or 1w"
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise problem("a time needs a unit", advice)
    match = _DURATION.fullmatch(value)
    if match is None:
        raise problem(f"`{value}` is not a time", advice)
    seconds = int(match[1]) * _UNIT_SECONDS[match[2]]
    if seconds > LONGEST_DURATION.total_seconds():
        raise problem(f"`{value}` is longer than ten years", advice)
    return timedelta(seconds=seconds)


def _more_than_nothing(value: timedelta) -> timedelta:
    if not value:
        raise problem(
            "with no time at all every request would expire at once", "Write 2d, for example"
        )
    return value


def _time_to_review(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= LONGEST_REVIEW:
        raise problem(
            "a review has more than no time, and at most four weeks", "Write 24h, for example"
        )
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
Expiry = Annotated[
    timedelta,
    BeforeValidator(_duration),
    AfterValidator(_more_than_nothing),
    WithJsonSchema(_DURATION_SCHEMA),
]
ReviewTime = Annotated[
    timedelta,
    BeforeValidator(_duration),
    AfterValidator(_time_to_review),
    WithJsonSchema(_DURATION_SCHEMA),
]


def _hours(value: object) -> WorkingHours:
    if isinstance(value, WorkingHours):
        return value
    try:
        return working_hours(str(value))
    except ValueError as wrong:
        what, _semicolon, instead = str(wrong).partition("; ")
        raise problem(f"`{value}` {what}", instead[:1].upper() + instead[1:]) from None


HoursPart = Annotated[
    WorkingHours,
    BeforeValidator(_hours),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))? "
            "[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$",
            "examples": ["Mon-Fri 09:00-17:00"],
        }
    ),
]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    """Closed, frozen and strict: what is not written here does not exist."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
