"""The shape of the two kinds of files, closed: an unknown key, role or person is an error.

Knows nothing of lines or files; where an error stands is `refusals`' business.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from governance.adapters.policy_files.watching_schema import (
    AlertsPart,
    DrillPart,
    MonitorPart,
    ServingPart,
    SourcePart,
)
from governance.adapters.policy_files.words import (
    MOST_SEATS,
    Channel,
    Duration,
    Email,
    Expiry,
    HoursPart,
    ModelPattern,
    Number,
    OsLogin,
    Part,
    PersonRef,
    Repository,
    ReviewTime,
    RoleRef,
    Several,
    SimpleName,
    SlackId,
    UserGroupRef,
    Word,
    problem,
)

# --- checks ---------------------------------------------------------------------------------------


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


class EscalatePart(Part):
    """Who may fill a seat as well, when it is still empty so long after the request opened."""

    after: Expiry = Field(examples=["4h"])
    to: RoleRef = Field(examples=["lead"])


class SeatsPart(Part):
    """How many different people of one role have to approve."""

    role: RoleRef = Field(examples=["validator"])
    count: Annotated[int, Field(ge=1, le=MOST_SEATS)] = 1
    escalate: EscalatePart | None = None

    @model_validator(mode="after")
    def _to_another(self) -> Self:
        if self.escalate is not None and self.escalate.to == self.role:
            raise problem(
                f"the seat of `{self.role}` escalates to the same role", "Name another role"
            )
        return self


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


class BreakGlassPart(Part):
    """Who may act past this policy in an emergency, and how soon that has to be reviewed."""

    roles: Several[RoleRef] = Field(examples=["[on_call]"])
    review_within: ReviewTime = Field(
        description="how long those who were skipped have for their review", examples=["24h"]
    )


class PolicyFile(Part):
    """One policy: the rules of one model, or of all models that a pattern matches."""

    model: ModelPattern = Field(examples=["credit_scoring"])
    channel: Channel = Field(examples=['"#credit-models"'])
    owners: Several[PersonRef] = Field(examples=["[dana]"])
    on_call: Several[PersonRef] = Field(examples=["[otto]"])
    stages: Stages = Field(examples=["{Production: …}"])
    rollback: Several[RoleRef] = Field(examples=["[on_call]"])
    break_glass: BreakGlassPart | None = None
    author_tags: Several[Word] | None = None
    unknown_author: Literal["refuse", "allow"] = "refuse"
    owners_may_approve: bool = True
    headline: Several[Word] | None = None
    decision_threshold: Word | None = None
    input_profile: Word | None = Field(
        default=None, description="the file of the run that describes the input columns"
    )
    repository: Repository | None = Field(
        default=None, description="where the commits are, to link to them"
    )
    sources: Annotated[tuple[SourcePart, ...], Field(min_length=1)] | None = None
    monitors: Annotated[tuple[MonitorPart, ...], Field(min_length=1)] | None = None
    alerts: AlertsPart | None = None
    serving: ServingPart | None = None
    drill: DrillPart | None = None


class PersonPart(Part):
    """One human being and all their accounts."""

    name: Word = Field(examples=["Dana Feld"])
    slack: Several[SlackId] | None = None
    mlflow_users: Several[Word] | None = None
    git_emails: Several[Email] | None = None
    os_logins: Several[OsLogin] | None = None
    roles: Several[RoleRef] | None = None
    stand_ins: Several[PersonRef] | None = None
    working_hours: HoursPart | None = None


class NarrowedRole(Part):
    """A role that counts only for people who are in a user group of Slack too."""

    name: SimpleName = Field(examples=["risk"])
    user_group: UserGroupRef = Field(
        description="takes the role from whoever is not in it; gives it to nobody",
        examples=["S0614TZR7"],
    )


def _name_or_narrowed(value: object) -> str:
    return "name" if isinstance(value, str) else "role"


DeclaredRole = Annotated[
    Annotated[SimpleName, Tag("name")] | Annotated[NarrowedRole, Tag("role")],
    Discriminator(_name_or_narrowed),
]


def _declared_once(roles: tuple[str | NarrowedRole, ...]) -> tuple[str | NarrowedRole, ...]:
    names = [role if isinstance(role, str) else role.name for role in roles]
    for name in names:
        if names.count(name) > 1:
            raise problem(f"`{name}` stands in this list twice", "Write it once")
    return roles


class PeopleFile(Part):
    """Everyone who may ask, approve or roll back, each once."""

    roles: Annotated[
        tuple[DeclaredRole, ...], Field(min_length=1), AfterValidator(_declared_once)
    ] = Field(examples=["[validator, risk]"])
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
