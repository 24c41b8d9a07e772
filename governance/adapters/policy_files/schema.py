"""The shape of the two kinds of files, closed: an unknown key, role or person is an error.

Knows nothing of lines or files; where an error stands is `refusals`' business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from governance.adapters.policy_files.suggestion import nearest

LONGEST_WORD = 250
LONGEST_DURATION = timedelta(days=3660)
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


Duration = Annotated[timedelta, BeforeValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
Expiry = Annotated[
    timedelta,
    BeforeValidator(_duration),
    AfterValidator(_more_than_nothing),
    WithJsonSchema(_DURATION_SCHEMA),
]
Number = Annotated[float, Field(allow_inf_nan=False)]


# --- checks ---------------------------------------------------------------------------------------


class Part(BaseModel):
    """Closed, frozen and strict: what is not written here does not exist."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Limit(Part):
    """A metric and the number that it is compared with."""

    metric: Word = Field(examples=["auc_validation"])
    value: Number = Field(examples=[0.7])


class AgainstProduction(Part):
    """A metric compared with the version that is in Production."""

    metric: Word = Field(examples=["auc_validation"])
    by: Annotated[Number, Field(ge=0)] = Field(
        description="how much worse it may be", examples=[0.05]
    )
    higher_is_better: bool = True


class RecordedTag(Part):
    """A tag that has to be there, and what it has to say."""

    tag: Word = Field(examples=["ticket"])
    equals: Word | None = None


class Validation(Part):
    """A metric that somebody else measured once the version was in Staging."""

    metric: Word = Field(examples=["auc_holdout"])
    at_least: Number = Field(examples=[0.7])
    role: RoleRef = Field(examples=["validator"])


def _no_settings(value: object) -> bool:
    if value is True or value == {}:
        return True
    if value is False:
        raise problem("a check cannot be switched off here", "Delete the line")
    raise problem("this check takes no settings", "Write true")


Bare = Annotated[
    bool,
    BeforeValidator(_no_settings),
    WithJsonSchema({"anyOf": [{"const": True}, {"type": "object", "maxProperties": 0}]}),
]


class StagingCheck(Part):
    """One check: exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    metric_at_least: Limit | None = None
    metric_at_most: Limit | None = None
    not_worse_than_production: AgainstProduction | None = None
    tag_recorded: RecordedTag | None = None
    dataset_recorded: Bare | None = None
    signature_recorded: Bare | None = None
    columns_not_used: Several[Word] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = sorted(self.model_fields_set)
        if len(given) == 1:
            return self
        if not given:
            raise problem("this check is empty", "Write signature_recorded: true, for example")
        raise problem(
            f"one item holds {len(given)} checks: {', '.join(given)}",
            "Start each check with its own hyphen",
        )


class ProductionCheck(StagingCheck):
    """One check: exactly one of these keys."""

    validated_after_staging: Validation | None = None


# --- stages ---------------------------------------------------------------------------------------


class SeatsPart(Part):
    """How many different people of one role have to approve."""

    role: RoleRef = Field(examples=["validator"])
    count: Annotated[int, Field(ge=1, le=MOST_SEATS)] = 1


def _roles_once(seats: tuple[SeatsPart, ...]) -> tuple[SeatsPart, ...]:
    seen: set[str] = set()
    for seat in seats:
        if seat.role in seen:
            raise problem(
                f"the role `{seat.role}` stands here twice", "Write it once, with a larger count"
            )
        seen.add(seat.role)
    return seats


SeatList = Annotated[tuple[SeatsPart, ...], Field(min_length=1), AfterValidator(_roles_once)]


def _word_or_list(value: object) -> str:
    return "word" if isinstance(value, str) else "list"


def _only_none(word: str) -> str:
    if word != "none":
        raise problem(
            f"`{word}` says nothing about approvals",
            "Write a list such as [{role: validator, count: 1}], or the word none",
        )
    return word


NoApprovals = Annotated[
    str, AfterValidator(_only_none), WithJsonSchema({"const": "none", "type": "string"})
]


class StagingRule(Part):
    """What a version needs to enter Staging."""

    from_stages: Several[Literal["None", "Archived"]] = Field(alias="from", examples=[["None"]])
    checks: Annotated[tuple[StagingCheck, ...], Field(min_length=1)] | None = None
    approvals: Annotated[
        Annotated[NoApprovals, Tag("word")] | Annotated[SeatList, Tag("list")],
        Discriminator(_word_or_list),
    ] = Field(examples=["none"])
    expires_after: Expiry = Field(examples=["2d"])
    rejections_to_end: Annotated[int, Field(ge=1, le=MOST_SEATS)] = 1


class ProductionRule(Part):
    """What a version needs to enter Production."""

    from_stages: Several[Literal["None", "Staging", "Archived"]] = Field(
        alias="from", examples=[["Staging"]]
    )
    soak: Duration = Field(
        default=timedelta(0), description="how long a version has to be in Staging before"
    )
    checks: Annotated[tuple[ProductionCheck, ...], Field(min_length=1)] | None = None
    approvals: SeatList = Field(examples=["[{role: validator, count: 1}]"])
    expires_after: Expiry = Field(examples=["2d"])
    rejections_to_end: Annotated[int, Field(ge=1, le=MOST_SEATS)] = 1


class Stages(Part):
    """The stages that this policy lets a version enter."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    staging: StagingRule | None = Field(default=None, alias="Staging")
    production: ProductionRule | None = Field(default=None, alias="Production")

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if self.staging is None and self.production is None:
            raise problem("no stage is described", "Write Staging:, Production: or both")
        return self


# --- the two files --------------------------------------------------------------------------------


class PolicyFile(Part):
    """One policy: the rules of one model, or of all models that a pattern matches."""

    model: ModelPattern = Field(examples=["credit_scoring"])
    channel: Channel = Field(examples=['"#credit-models"'])
    owners: Several[PersonRef] = Field(examples=["[dana]"])
    on_call: Several[PersonRef] = Field(examples=["[otto]"])
    stages: Stages = Field(examples=["{Production: …}"])
    rollback: Several[RoleRef] = Field(examples=["[on_call]"])
    author_tags: Several[Word] | None = None
    unknown_author: Literal["refuse", "allow"] = "refuse"
    owners_may_approve: bool = True
    headline: Several[Word] | None = None
    decision_threshold: Word | None = None


class PersonPart(Part):
    """One human being and all their accounts."""

    name: Word = Field(examples=["Dana Feld"])
    slack: Several[SlackId] | None = None
    mlflow_users: Several[Word] | None = None
    git_emails: Several[Email] | None = None
    os_logins: Several[OsLogin] | None = None
    roles: Several[RoleRef] | None = None


class PeopleFile(Part):
    """Everyone who may ask, approve or roll back, each once."""

    roles: Several[SimpleName] = Field(examples=["[validator, risk]"])
    people: Annotated[dict[SimpleName, PersonPart], Field(min_length=1)] = Field(
        examples=["{dana: {name: Dana Feld}}"]
    )
    service_accounts: Several[Word] | None = None


Kind = Literal["policy", "people"]


def json_schema(kind: Kind) -> str:
    """The JSON Schema of one kind of file, for editors."""
    model: type[Part] = PolicyFile if kind == "policy" else PeopleFile
    schema = model.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(_without_null(schema), indent=2, ensure_ascii=False) + "\n"


def _without_null(part: object) -> object:
    """An optional key may be left out, but `null` is refused, so the schema does not offer it."""
    if isinstance(part, list):
        return [_without_null(item) for item in part]
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("anyOf"), list):
        kept = [item for item in part["anyOf"] if item != {"type": "null"}]
        rest = {k: v for k, v in part.items() if k != "anyOf"}
        part = {**rest, **kept[0]} if len(kept) == 1 else {**rest, "anyOf": kept}
    return {
        key: _without_null(item)
        for key, item in part.items()
        if not (key == "default" and item is None)
    }
