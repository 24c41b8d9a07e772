"""What a policy says about watching a model, as values. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Metric(StrEnum):
    """What is measured of predictions and outcomes. A score is the probability of *bad*."""

    AUC = "auc"
    PRECISION = "precision"
    """Of those whose score is at or above the decision threshold, the part that went bad."""
    RECALL = "recall"
    """Of those that went bad, the part whose score is at or above the decision threshold."""
    BRIER = "brier"
    SCORE_PSI = "score_psi"
    """Population stability index of the scores; needs no outcomes."""
    APPROVAL_RATE = "approval_rate"
    """Needs no outcomes."""

    @property
    def needs_outcomes(self) -> bool:
        """Whether labels are needed, which come late."""
        return self not in (Metric.SCORE_PSI, Metric.APPROVAL_RATE)

    @property
    def needs_threshold(self) -> bool:
        """Whether the decision threshold of the version is needed."""
        return self in (Metric.PRECISION, Metric.RECALL)


class Bad(StrEnum):
    """Which way a number goes when things get worse."""

    FALLS = "falls"
    RISES = "rises"
    MOVES = "moves"
    """Either way."""


class Action(StrEnum):
    """What a regressed verdict does."""

    ALERT = "alert"
    ROLL_BACK = "roll_back"


# --- where numbers come from ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """The table of predictions and its columns, by the user's names."""

    table: str
    id: str
    at: str
    """When it was scored; a moment without zone is UTC."""
    version: str
    """The model's version, as a number or as text such as 3 or v3."""
    score: str
    approved: str | None = None
    """Whether the applicant was approved; without it, scores below the decision threshold are."""
    model: str | None = None
    """The column that holds the model's name, where several models share the table."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The table of outcomes, joined by `id`."""

    table: str
    id: str
    bad: str
    """True, 1 or a word for bad; see `bad_is`."""
    bad_is: str | None = None
    """The word that means bad; None: the column is a boolean, or 1 for bad and 0 for good."""


@dataclass(frozen=True, kw_only=True)
class TableSource:
    """Predictions and outcomes in tables that Ibis reads."""

    name: str
    url: str
    """The name of the environment variable that holds the address; never the address itself."""
    predictions: Predictions
    outcomes: Outcomes | None
    matured_after: timedelta
    """How old a prediction has to be before its outcome counts: equal maturity for all."""
    fresh_within: timedelta = timedelta(days=7)
    """Without a new prediction for so long, or a newly mature outcome, nobody knows how the version
    does: an error, never healthy."""
    outcomes_within: timedelta = timedelta(days=7)
    """How much longer than `matured_after` an outcome may take. So long it is waited for, in order;
    what comes later still is counted, and not bet on."""


@dataclass(frozen=True, kw_only=True)
class MlflowSource:
    """A metric that somebody logs to the version's run, one point a step."""

    metric: str


# --- what it is compared with ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ValidationBaseline:
    """A metric of the version measured on held-out data, with the metrics that hold its counts of
    goods and bads. Without counts, or in-sample, it is good for alerts only."""

    metric: str
    goods: str | None = None
    bads: str | None = None
    in_sample: bool = False


@dataclass(frozen=True, kw_only=True)
class ScoredBaseline:
    """A CSV file among the run's artifacts with the scores and labels of the validation."""

    artifact: str
    score: str
    bad: str


@dataclass(frozen=True, kw_only=True)
class FirstOutcomes:
    """The version's own first outcomes in Production."""

    count: int


@dataclass(frozen=True, kw_only=True)
class FixedBaseline:
    """A number, with its counts where they are known."""

    value: float
    goods: int | None = None
    bads: int | None = None


BaselineSpec = ValidationBaseline | ScoredBaseline | FirstOutcomes | FixedBaseline


# --- by which rule --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ThresholdSpec:
    """More than `drop` worse than the baseline, over the last `window`."""

    drop: float
    window: timedelta
    minimum_goods: int
    minimum_bads: int


@dataclass(frozen=True, kw_only=True)
class DelongSpec:
    """More than `drop` worse, and surely so (z), in two windows that do not overlap."""

    drop: float
    z: float
    window: timedelta
    minimum_goods: int
    minimum_bads: int


@dataclass(frozen=True, kw_only=True)
class EProcessSpec:
    """The betting e-process since release: wrong in at most `alpha` of all deployments. Half of it
    pays for the doubt about the baseline, so it fires at evidence 2/alpha."""

    tolerance: float
    alpha: float


@dataclass(frozen=True, kw_only=True)
class SteadySpec:
    """Its steady-state form, for a change in mid-life: at most `alpha` false alarms are expected in
    30 days, in which `horizon` is what comes (bads for AUC, decisions for a rate). Half of alpha
    pays for the doubt about the baseline, so it fires at evidence 2·horizon/alpha, and a rate that
    may move either way at twice that."""

    tolerance: float
    alpha: float
    horizon: int


@dataclass(frozen=True, kw_only=True)
class PsiSpec:
    """PSI above max(limit, what chance alone brings with so many rows)."""

    limit: float
    window: timedelta
    minimum_rows: int


RuleSpec = ThresholdSpec | DelongSpec | EProcessSpec | SteadySpec | PsiSpec


@dataclass(frozen=True, kw_only=True)
class MonitorSpec:
    """One monitor of a model."""

    name: str
    metric: Metric | MlflowSource
    source: str | None
    """The name of a `TableSource`; None for a metric of MLflow."""
    baseline: BaselineSpec
    rule: RuleSpec
    bad: Bad
    every: timedelta
    then: Action


@dataclass(frozen=True, kw_only=True)
class Reminders:
    """When an alert that nobody acknowledged is repeated."""

    on_call_after: timedelta
    owners_after: timedelta


@dataclass(frozen=True, kw_only=True)
class Watching:
    """Everything that a policy says about watching one model."""

    sources: tuple[TableSource, ...] = ()
    monitors: tuple[MonitorSpec, ...] = ()
    reminders: Reminders | None = None
    probe_url: str | None = None
    """What the serving platform answers with the version that it serves."""
    drill_every: timedelta | None = None

    def source(self, name: str) -> TableSource:
        """A source by its name; the loader refuses names that do not exist."""
        return next(s for s in self.sources if s.name == name)
