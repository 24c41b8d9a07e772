"""What a model's policy demands, as values. Pure: no clock, no IO, no vendor.

A policy is resolved for one model: patterns, defaults and files are the loader's business. The
digest covers these rules and no people; people are looked at again at every vote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from governance.domain.canonical import Digest, Json, digest_of
from governance.domain.evidence import ModelName, Named, Stage
from governance.domain.identity import PersonId, Role
from governance.domain.monitoring.spec import Watching


@dataclass(frozen=True, kw_only=True)
class MetricAtLeast:
    """A metric is at least `limit`."""

    metric: str
    limit: float


@dataclass(frozen=True, kw_only=True)
class MetricAtMost:
    """A metric is at most `limit`."""

    metric: str
    limit: float


@dataclass(frozen=True, kw_only=True)
class NotWorseThanProduction:
    """A metric is not more than `tolerance` worse than that of the version in production."""

    metric: str
    tolerance: float
    higher_is_better: bool = True


@dataclass(frozen=True, kw_only=True)
class TagRecorded:
    """A tag is there and not empty; with `equals`, it says exactly that."""

    tag: str
    equals: str | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetRecorded:
    """The run recorded at least one data set."""


@dataclass(frozen=True, kw_only=True)
class SignatureRecorded:
    """The model's signature names its input columns."""


@dataclass(frozen=True, kw_only=True)
class ColumnsNotUsed:
    """None of these input columns is used; a model without a signature fails."""

    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ValidatedAfterStaging:
    """A metric on the LoggedModel, at least `limit`, from a run that started after the version
    entered Staging by our record, whose user holds `role` and is no maker. A claim, shown as
    such; waiting until it is there."""

    metric: str
    limit: float
    role: Role


Check = (
    MetricAtLeast
    | MetricAtMost
    | NotWorseThanProduction
    | TagRecorded
    | DatasetRecorded
    | SignatureRecorded
    | ColumnsNotUsed
    | ValidatedAfterStaging
)


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """Who may fill a seat as well, when it is still empty so long after the request opened."""

    after: timedelta
    to: Role


@dataclass(frozen=True, kw_only=True)
class Seats:
    """How many different people who hold `role` must approve."""

    role: Role
    count: int
    escalation: Escalation | None = None


@dataclass(frozen=True, kw_only=True)
class StageRule:
    """What one target stage demands."""

    target: Stage
    from_stages: frozenset[Stage]
    soak: timedelta
    """How long a version has to be in Staging, by our record, before it executes."""
    checks: tuple[Check, ...]
    seats: tuple[Seats, ...]
    """Empty only for a target that the policy says needs no approval (`approvals: none`)."""
    expires_after: timedelta
    rejections_to_end: int


@dataclass(frozen=True, kw_only=True)
class BreakGlassRule:
    """Who may act past this policy in an emergency, and how soon that is reviewed."""

    roles: frozenset[Role]
    review_within: timedelta
    """From the moment when it was carried out."""


class UnknownAuthor(StrEnum):
    """What to do with a version whose author nobody knows."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, kw_only=True)
class ModelPolicy:
    """Everything that applies to one model."""

    model: ModelName
    pattern: str
    """The name or glob in the file that this policy came from."""
    stages: Mapping[Stage, StageRule]
    rollback_roles: frozenset[Role]
    author_tags: tuple[str, ...]
    unknown_author: UnknownAuthor
    owners_may_approve: bool
    headline: tuple[str, ...]
    """The metrics that the trail prints."""
    decision_threshold: str | None
    """The parameter or tag that holds it; None is shown as *not recorded*."""
    channel: str
    """A Slack channel id, or a name with its #."""
    owners: frozenset[PersonId]
    on_call: tuple[PersonId, ...]
    break_glass: BreakGlassRule | None = None
    """None: nobody may act past this policy."""
    input_profile: str | None = None
    """The file of the run that describes the values of the input columns; shown only."""
    repository: str | None = None
    """The web address of the git repository, or of a commit in it with `{commit}`; shown only."""
    watching: Watching = field(default_factory=Watching)
    """What happens once a version is in Production. No approval binds it: it only ever makes
    Production safer, and each change of it is recorded and posted."""

    def rule(self, target: Stage) -> StageRule | None:
        """The rule for a target stage, or None when the policy does not allow it at all."""
        return self.stages.get(target)

    def next_stage(self, current: Stage) -> Stage | None:
        """Where a version goes from `current` when nobody says: Staging before Production."""
        for target in (Stage.STAGING, Stage.PRODUCTION):
            rule = self.stages.get(target)
            if rule is not None and current in rule.from_stages and current is not target:
                return target
        return None

    def stage_before(self, target: Stage, current: Stage) -> Stage | None:
        """Where a version has to go first that `target` does not take from `current`; None when no
        rule leads there."""
        rule, first = self.stages.get(target), self.next_stage(current)
        if rule is None or current in rule.from_stages or first not in rule.from_stages:
            return None
        return first

    def named(self, target: Stage) -> Named:
        """The metrics and tags that an approval for `target` binds. The result that a waiting
        check asks for is not among them: it arrives later and voids nothing."""
        metrics: set[str] = set()
        tags = set(self.author_tags)
        rule = self.stages.get(target)
        for check in rule.checks if rule else ():
            if isinstance(check, MetricAtLeast | MetricAtMost | NotWorseThanProduction):
                metrics.add(check.metric)
            elif isinstance(check, TagRecorded):
                tags.add(check.tag)
        if self.decision_threshold is not None:
            tags.add(self.decision_threshold)
        return Named(metrics=frozenset(metrics), tags=frozenset(tags))

    @property
    def directions(self) -> Mapping[str, bool]:
        """Of the metrics that checks name: whether higher is better. What two checks see in
        opposite ways (a metric that has to stay between two limits) is left out."""
        found: dict[str, set[bool]] = {}
        for rule in self.stages.values():
            for check in rule.checks:
                match check:
                    case MetricAtLeast() | ValidatedAfterStaging():
                        found.setdefault(check.metric, set()).add(True)
                    case MetricAtMost():
                        found.setdefault(check.metric, set()).add(False)
                    case NotWorseThanProduction():
                        found.setdefault(check.metric, set()).add(check.higher_is_better)
                    case _:
                        pass
        return {name: ways.pop() for name, ways in found.items() if len(ways) == 1}

    def commit_address(self, commit: str) -> str | None:
        """Where a commit can be looked at; None without a repository, or for a text that is no
        commit's name."""
        if self.repository is None or not re.fullmatch(r"[0-9a-fA-F]{7,64}", commit):
            return None
        if "{commit}" in self.repository:
            return self.repository.replace("{commit}", commit)
        return f"{self.repository.rstrip('/')}/commit/{commit}"

    @property
    def digest(self) -> Digest:
        """The policy digest that an approval binds: the resolved rules, without people and
        without where messages go. A policy that lets nobody break glass has the digest that it
        had before there was break-glass."""
        glass: dict[str, Json] = {}
        if self.break_glass is not None:
            glass = {"break_glass": _break_glass_json(self.break_glass)}
        return digest_of(
            {
                **glass,
                "model": self.model,
                "stages": [_rule_json(self.stages[s]) for s in sorted(self.stages)],
                "author_tags": sorted(self.author_tags),
                "unknown_author": self.unknown_author.value,
                "owners_may_approve": self.owners_may_approve,
                "decision_threshold": self.decision_threshold,
            }
        )


def _break_glass_json(rule: BreakGlassRule) -> Json:
    return {
        "roles": sorted(rule.roles),
        "review_ms": rule.review_within // timedelta(milliseconds=1),
    }


def _rule_json(rule: StageRule) -> Json:
    return {
        "target": rule.target.value,
        "from": sorted(s.value for s in rule.from_stages),
        "soak_ms": rule.soak // timedelta(milliseconds=1),
        "checks": [describe_check(c) for c in rule.checks],
        "seats": [_seats_json(s) for s in sorted(rule.seats, key=lambda s: s.role)],
        "expires_ms": rule.expires_after // timedelta(milliseconds=1),
        "rejections_to_end": rule.rejections_to_end,
    }


def _seats_json(seats: Seats) -> Json:
    """Without an escalation as it was before there were any: open requests keep their digest."""
    if seats.escalation is None:
        return [seats.role, seats.count]
    after_ms = seats.escalation.after // timedelta(milliseconds=1)
    return [seats.role, seats.count, {"after_ms": after_ms, "to": seats.escalation.to}]


def describe_check(check: Check) -> str:
    """A check in words; the same words are hashed, shown and compared, so that two rules that
    read the same are the same."""
    match check:
        case MetricAtLeast():
            return f"{check.metric} at least {check.limit!r}"
        case MetricAtMost():
            return f"{check.metric} at most {check.limit!r}"
        case NotWorseThanProduction():
            way = "below" if check.higher_is_better else "above"
            return f"{check.metric} not more than {check.tolerance!r} {way} production"
        case TagRecorded():
            wanted = "" if check.equals is None else f" as {check.equals}"
            return f"tag {check.tag} recorded{wanted}"
        case DatasetRecorded():
            return "training data set recorded"
        case SignatureRecorded():
            return "signature recorded"
        case ColumnsNotUsed():
            return f"does not use {', '.join(sorted(check.columns))}"
        case ValidatedAfterStaging():
            return f"{check.metric} at least {check.limit!r}, validated in Staging by {check.role}"


@dataclass(frozen=True, kw_only=True)
class PolicySet:
    """All policies and people of one load."""

    policies: Mapping[str, ModelPolicy]
    """By pattern. A pattern without `*`, `?` or `[` is one model's exact name."""
    digest: Digest
    """Of the files, people included."""


def policy_for(policies: PolicySet, model: ModelName) -> ModelPolicy | None:
    """The policy of one model: its exact name wins, then the glob with the most literal
    characters. A tie is refused at load, so there is none here. None: a model that nobody
    governs is left alone."""
    exact = policies.policies.get(model)
    if exact is not None:
        return replace(exact, model=model)
    matching = [p for p in policies.policies.values() if fnmatchcase(model, p.pattern)]
    best = max(matching, key=lambda p: literal_characters(p.pattern), default=None)
    return replace(best, model=model) if best else None


def literal_characters(pattern: str) -> int:
    """How specific a glob is: its characters that match only themselves."""
    return len(re.sub(r"\[[^\]]*\]|[*?]", "", pattern))
