"""The shape of what watches a model: sources, monitors, alerts, serving, drill.

Knows nothing of lines or files. What needs a look at two keys at once is `watching`'s business.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

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

from governance.adapters.policy_files.words import (
    Duration,
    Expiry,
    Number,
    Part,
    SimpleName,
    Word,
    problem,
)
from governance.domain.monitoring.spec import Action, Bad, Metric

_NAME_PATTERN = "[A-Z][A-Z0-9_]{0,99}"


def _name_of_variable(text: str) -> str:
    # What stands there may be an address with a password in it: it is never repeated.
    if not text.isascii() or not text.replace("_", "").isalnum() or not text.isupper():
        raise problem(
            "this is not the name of an environment variable",
            "Write a name such as CREDIT_DATABASE_URL, and put the address into the environment",
        )
    return text


VariableName = Annotated[
    Word,
    AfterValidator(_name_of_variable),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME_PATTERN}$"}),
]


class PredictionsPart(Part):
    """The table of predictions, and what its columns are called."""

    table: Word = Field(examples=["predictions"])
    id: Word = Field(examples=["application_id"])
    at: Word = Field(description="when it was scored", examples=["scored_at"])
    version: Word = Field(description="the model's version", examples=["model_version"])
    score: Word = Field(description="the probability of bad, 0 to 1", examples=["score"])
    approved: Word | None = Field(default=None, description="whether the applicant was approved")
    model: Word | None = Field(default=None, description="the model's name, in a shared table")


class OutcomesPart(Part):
    """The table of outcomes; it may be the same one."""

    table: Word = Field(examples=["outcomes"])
    id: Word = Field(examples=["application_id"])
    bad: Word = Field(description="a flag, or 1 and 0", examples=["is_bad"])
    bad_is: Word | None = Field(default=None, description="the word that means bad")


class SourcePart(Part):
    """Where predictions and outcomes are."""

    name: SimpleName = Field(examples=["applications"])
    url: VariableName = Field(
        description="the environment variable that holds the address",
        examples=["CREDIT_DATABASE_URL"],
    )
    predictions: PredictionsPart = Field(examples=["{table: predictions, …}"])
    outcomes: OutcomesPart | None = None
    matured_after: Duration = Field(
        default=timedelta(0), description="how old a prediction has to be to count"
    )
    fresh_within: Expiry = Field(
        default=timedelta(days=7), description="how long without anything new is an error"
    )
    outcomes_within: Duration = Field(
        default=timedelta(days=7), description="how much longer a late outcome is waited for"
    )


# --- baselines --------------------------------------------------------------------------------


Count = Annotated[int, Field(ge=1, le=10**12)]


class MetricBaselinePart(Part):
    """A metric of the version, and the metrics that hold its counts."""

    metric: Word = Field(examples=["auc_validation"])
    goods: Word | None = Field(default=None, examples=["n_goods_validation"])
    bads: Word | None = Field(default=None, examples=["n_bads_validation"])


class ScoredBaselinePart(Part):
    """A CSV file among the artifacts of the run."""

    artifact: Word = Field(examples=["validation_scores.csv"])
    score: Word = Field(examples=["score"])
    bad: Word = Field(examples=["bad"])


class FixedBaselinePart(Part):
    """A number, with its counts where they are known."""

    value: Number = Field(examples=[0.78])
    goods: Count | None = None
    bads: Count | None = None


class BaselinePart(Part):
    """What the metric is held against: exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    validation: MetricBaselinePart | None = None
    training: MetricBaselinePart | None = None
    scored: ScoredBaselinePart | None = None
    first_outcomes: Annotated[int, Field(ge=100, le=1_000_000)] | None = None
    fixed: FixedBaselinePart | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        _one_key(self, "baseline", "validation: {metric: auc_validation}")
        return self


# --- rules ------------------------------------------------------------------------------------


Tolerance = Annotated[Number, Field(ge=0, lt=0.5)]
Alpha = Annotated[Number, Field(gt=0, le=0.5)]
Drop = Annotated[Number, Field(ge=0, le=1)]


class MinimumPart(Part):
    """How many outcomes a window needs. Decisions count as goods where no outcome is needed."""

    goods: Annotated[int, Field(ge=0, le=10**9)] = 1
    bads: Annotated[int, Field(ge=0, le=10**9)] = 0


class EProcessPart(Part):
    """Evidence by betting since release."""

    tolerance: Tolerance = 0.01
    alpha: Alpha = 0.01


class SteadyPart(Part):
    """Evidence by betting, for a change in mid-life."""

    tolerance: Tolerance = 0.01
    alpha: Alpha = 0.01
    horizon: Annotated[int, Field(ge=10, le=10**9)] = Field(
        description="what is expected in 30 days: bads for auc, decisions for approval_rate",
        examples=[5000],
    )


class ThresholdPart(Part):
    """Worse by more than this, in one window."""

    drop: Drop = Field(examples=[0.05])
    window: Expiry = Field(examples=["7d"])
    minimum: MinimumPart = Field(examples=["{goods: 200, bads: 50}"])


class DelongPart(Part):
    """Worse by more than this, and surely so, in two windows that do not overlap."""

    drop: Drop = Field(examples=[0.05])
    z: Annotated[Number, Field(gt=0, le=20)] = 2.33
    window: Expiry = Field(examples=["7d"])
    minimum: MinimumPart = Field(examples=["{goods: 200, bads: 50}"])


class PsiPart(Part):
    """The scores are distributed otherwise than in the baseline."""

    limit: Annotated[Number, Field(gt=0, le=100)] = 0.1
    window: Expiry = Field(examples=["1d"])
    minimum_rows: Annotated[int, Field(ge=10, le=10**9)] = 500


class RulePart(Part):
    """When it has regressed: exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    e_process: EProcessPart | None = None
    steady: SteadyPart | None = None
    threshold: ThresholdPart | None = None
    delong: DelongPart | None = None
    psi: PsiPart | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        _one_key(self, "rule", "e_process: {tolerance: 0.01}")
        return self


def _one_key(part: Part, what: str, example: str) -> None:
    given = sorted(part.model_fields_set)
    if not given:
        raise problem(f"this {what} is empty", f"Write {example}, for example")
    if len(given) > 1:
        raise problem(f"one {what} holds {len(given)}: {', '.join(given)}", "Keep one of them")


# --- monitors ---------------------------------------------------------------------------------


class LoggedMetric(Part):
    """A metric that somebody logs to the version's run."""

    mlflow: Word = Field(examples=["auc_live"])


def _word_or_keys(value: object) -> str:
    return "word" if isinstance(value, str) else "keys"


MetricWord = Literal["auc", "precision", "recall", "brier", "score_psi", "approval_rate"]


def _often_enough(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise problem("that is too often", "Write 1s or more")
    return value


class MonitorPart(Part):
    """One thing that is looked at again and again while a version is in Production."""

    name: SimpleName = Field(examples=["auc"])
    metric: Annotated[
        Annotated[MetricWord, Tag("word")] | Annotated[LoggedMetric, Tag("keys")],
        Discriminator(_word_or_keys),
    ] = Field(examples=["auc"])
    source: SimpleName | None = None
    baseline: BaselinePart = Field(examples=["{first_outcomes: 1000}"])
    rule: RulePart = Field(examples=["{e_process: {tolerance: 0.01}}"])
    bad: Literal["falls", "rises", "moves"] | None = None
    every: Annotated[Expiry, AfterValidator(_often_enough)] = Field(examples=["5m"])
    then: Literal["alert", "roll_back"] = "alert"

    @property
    def measured(self) -> Metric | None:
        """What is measured of a source; None for a metric of MLflow."""
        return Metric(self.metric) if isinstance(self.metric, str) else None

    @property
    def worse(self) -> Bad:
        """Which way is bad: as written, or what it is for this metric."""
        if self.bad is not None:
            return Bad(self.bad)
        if self.measured in (Metric.BRIER, Metric.SCORE_PSI):
            return Bad.RISES
        return Bad.MOVES if self.measured is Metric.APPROVAL_RATE else Bad.FALLS

    @property
    def action(self) -> Action:
        """What a regressed verdict does."""
        return Action(self.then)


# --- what follows -----------------------------------------------------------------------------


class AlertsPart(Part):
    """When an alert that nobody acknowledged is repeated."""

    repeat_to_on_call: Expiry = Field(examples=["15m"])
    repeat_to_owners: Expiry = Field(examples=["1h"])

    @model_validator(mode="after")
    def _on_call_first(self) -> Self:
        if self.repeat_to_owners < self.repeat_to_on_call:
            raise problem(
                "the owners would hear of it before who is on call",
                "Let repeat_to_owners be the longer time",
            )
        return self


def _web_address(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = urlsplit(value)
    if parts.password is not None:
        raise problem("this address holds a password", "Use an address that needs none")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise problem(
            "this is no web address", "Write https://serving.bank.example/{model}/version"
        )
    return value


class ServingPart(Part):
    """What tells which version is served."""

    probe_url: Annotated[Word, BeforeValidator(_web_address)] = Field(
        examples=["https://serving.bank.example/{model}/version"]
    )


class DrillPart(Part):
    """How often everything that a rollback needs is tried."""

    every: Expiry = Field(examples=["1d"])
