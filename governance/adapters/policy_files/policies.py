"""One policy file as a domain value, and whether anybody could get a request through it.

Knows nothing of YAML beyond the place of a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from governance.adapters.policy_files.document import Document
from governance.adapters.policy_files.patterns import can_overlap, is_glob
from governance.adapters.policy_files.problems import Finding
from governance.adapters.policy_files.schema import (
    PolicyFile,
    ProductionCheck,
    ProductionRule,
    SeatsPart,
    StagingCheck,
    StagingRule,
)
from governance.adapters.policy_files.watching import watching_of
from governance.domain.approval import bar_makers, who_is_missing
from governance.domain.break_glass import may_break_glass
from governance.domain.evidence import ModelName, Stage
from governance.domain.identity import Person, PersonId, Role, Roster
from governance.domain.policy import (
    BreakGlassRule,
    Check,
    ColumnsNotUsed,
    DatasetRecorded,
    Escalation,
    MetricAtLeast,
    MetricAtMost,
    ModelPolicy,
    NotWorseThanProduction,
    Seats,
    SignatureRecorded,
    StageRule,
    TagRecorded,
    UnknownAuthor,
    ValidatedAfterStaging,
    describe_check,
    literal_characters,
)


def policy_of(file: PolicyFile) -> ModelPolicy:
    """The policy that a valid file describes; for a glob, `model` is the glob itself."""
    stages: dict[Stage, StageRule] = {}
    if file.stages.staging is not None:
        stages[Stage.STAGING] = _rule(Stage.STAGING, file.stages.staging, timedelta(0))
    if file.stages.production is not None:
        production = file.stages.production
        stages[Stage.PRODUCTION] = _rule(Stage.PRODUCTION, production, production.soak)
    return ModelPolicy(
        model=ModelName(file.model),
        pattern=file.model,
        stages=stages,
        rollback_roles=frozenset(Role(r) for r in file.rollback),
        author_tags=file.author_tags or (),
        unknown_author=UnknownAuthor(file.unknown_author),
        owners_may_approve=file.owners_may_approve,
        headline=file.headline or (),
        decision_threshold=file.decision_threshold,
        input_profile=file.input_profile,
        repository=file.repository,
        channel=file.channel,
        owners=frozenset(PersonId(p) for p in file.owners),
        on_call=tuple(PersonId(p) for p in file.on_call),
        break_glass=None
        if file.break_glass is None
        else BreakGlassRule(
            roles=frozenset(Role(r) for r in file.break_glass.roles),
            review_within=file.break_glass.review_within,
        ),
        watching=watching_of(file),
    )


def _rule(target: Stage, part: StagingRule | ProductionRule, soak: timedelta) -> StageRule:
    approvals = () if isinstance(part.approvals, str) else part.approvals
    return StageRule(
        target=target,
        from_stages=frozenset(Stage(s) for s in part.from_stages),
        soak=soak,
        checks=tuple(_check(c) for c in part.checks or ()),
        seats=tuple(_seats(s) for s in approvals),
        expires_after=part.expires_after,
        rejections_to_end=part.rejections_to_end,
    )


def _seats(part: SeatsPart) -> Seats:
    escalate = part.escalate
    return Seats(
        role=Role(part.role),
        count=part.count,
        escalation=Escalation(after=escalate.after, to=Role(escalate.to)) if escalate else None,
    )


def _check(part: StagingCheck) -> Check:
    if (limit := part.metric_at_least) is not None:
        return MetricAtLeast(metric=limit.metric, limit=limit.value)
    if (limit := part.metric_at_most) is not None:
        return MetricAtMost(metric=limit.metric, limit=limit.value)
    if (against := part.not_worse_than_production) is not None:
        return NotWorseThanProduction(
            metric=against.metric,
            tolerance=against.by,
            higher_is_better=against.higher_is_better,
        )
    if (tag := part.tag_recorded) is not None:
        return TagRecorded(tag=tag.tag, equals=tag.equals)
    if part.dataset_recorded is not None:
        return DatasetRecorded()
    if part.signature_recorded is not None:
        return SignatureRecorded()
    if part.columns_not_used is not None:
        return ColumnsNotUsed(columns=part.columns_not_used)
    if isinstance(part, ProductionCheck) and (found := part.validated_after_staging) is not None:
        return ValidatedAfterStaging(
            metric=found.metric, limit=found.at_least, role=Role(found.role)
        )
    raise AssertionError("the schema admits a check with exactly one key")


def repeated_checks(document: Document, policy: ModelPolicy) -> Iterator[Finding]:
    """A check that stands in one list twice is a slip: one of them was meant to differ."""
    for stage, rule in policy.stages.items():
        seen: set[str] = set()
        for number, check in enumerate(rule.checks):
            words = describe_check(check)
            if words in seen:
                yield document.finding(
                    ("stages", stage.value, "checks", number),
                    f"the check `{words}` stands here twice",
                    "Write it once",
                )
            seen.add(words)


def late_escalations(document: Document, policy: ModelPolicy) -> Iterator[Finding]:
    """A seat that opens to a second role only when its request has expired opens to nobody."""
    for stage, rule in policy.stages.items():
        for number, seats in enumerate(rule.seats):
            if seats.escalation is not None and seats.escalation.after >= rule.expires_after:
                yield document.finding(
                    ("stages", stage.value, "approvals", number, "escalate", "after"),
                    f"the seat of `{seats.role}` escalates when the request has expired",
                    "Write a time shorter than expires_after",
                )


def ties(
    documents: Mapping[str, Document], policies: Mapping[str, ModelPolicy]
) -> Iterator[Finding]:
    """Two files that could govern one model, neither more exactly than the other.

    Both mappings are by file; the later file of a pair gets the finding.
    """
    earlier: list[tuple[str, str]] = []
    for file, policy in policies.items():
        for other_file, other in earlier:
            if policy.pattern == other:
                what = f"`{other}` is governed by {other_file} already"
                yield documents[file].finding(("model",), what, "Keep one policy for each model")
            elif _tie(policy.pattern, other):
                yield documents[file].finding(
                    ("model",),
                    f"`{policy.pattern}` and `{other}` of {other_file} can match one model, and "
                    "neither is more exact",
                    "Lengthen one of them, so that it has more literal characters",
                )
        earlier.append((file, policy.pattern))


def _tie(left: str, right: str) -> bool:
    return (
        is_glob(left)
        and is_glob(right)
        and literal_characters(left) == literal_characters(right)
        and can_overlap(left, right)
    )


class Passable:
    """Whether people exist who could carry a request through a policy.

    A requester needs a Slack account, and so does everybody who fills a seat. The makers are
    taken to be the requester alone; more authors can only make it harder.
    """

    def __init__(self, document: Document, policy: ModelPolicy, roster: Roster) -> None:
        self._document = document
        self._policy = policy
        self._roster = roster
        self._voters = {p.id: p.roles for p in roster.people.values() if p.slack}

    def problems(self) -> Iterator[Finding]:
        """What nobody at all could get past."""
        if not self._voters:
            yield self._document.finding(
                ("stages",),
                "nobody of people.yaml has a Slack account, so nobody can ask or approve",
                "Add slack: [U…] to the people",
            )
        for stage, rule in self._policy.stages.items():
            missing = {r: self._missing(rule, r) for r in self._voters}
            if missing and all(missing.values()):
                roles = min(missing.values(), key=len)
                yield self._document.finding(
                    ("stages", stage.value, "approvals"),
                    f"nobody could get a request for {self._policy.pattern} → {stage.value} "
                    f"through: missing {_listed(roles)} whoever asks",
                    "Give the role to more people with Slack accounts, or ask for fewer",
                )
        holders = [p for p in self._roster.people.values() if self._may_roll_back(p)]
        if not holders:
            yield self._document.finding(
                ("rollback",),
                "nobody who has a Slack account or an OS login holds any of these roles, so "
                "nobody could roll back",
                "Name a role that somebody holds",
            )
        yield from self._break_glass_problems()

    def _break_glass_problems(self) -> Iterator[Finding]:
        """Glass that nobody could break, or whose break nobody could review."""
        if self._policy.break_glass is None or not self._voters:
            return
        unreviewed = self._unreviewed_breakers()
        if not unreviewed:
            yield self._document.finding(
                ("break_glass", "roles"),
                "nobody who has a Slack account holds any of these roles, so nobody could break "
                "glass",
                "Name a role that somebody holds, or delete break_glass",
            )
        elif all(unreviewed.values()):
            roles = min(unreviewed.values(), key=len)
            yield self._document.finding(
                ("break_glass", "roles"),
                "whoever breaks glass, nobody could review it afterwards: missing "
                f"{_listed(roles)}",
                "Let another role break glass, or give the role to more people",
            )

    def _unreviewed_breakers(self) -> dict[PersonId, tuple[Role, ...]]:
        """Everybody who may break glass, with the seats that nobody else could review."""
        glass, rule = self._policy.break_glass, self._policy.rule(Stage.PRODUCTION)
        breakers = [i for i in self._voters if may_break_glass(glass, self._roster.people[i])]
        seats = rule.seats if rule else ()
        owners = () if self._policy.owners_may_approve else self._policy.owners
        return {
            i: who_is_missing(seats, self._voters, bar_makers((), i, owners))
            for i in sorted(breakers)
        }

    def warnings(self) -> Iterator[Finding]:
        """What some requester could not get past, and people whom no message reaches."""
        for stage, rule in self._policy.stages.items():
            missing = {r: self._missing(rule, r) for r in sorted(self._voters)}
            if all(missing.values()):
                continue
            for requester, roles in missing.items():
                if roles:
                    yield self._document.finding(
                        ("stages", stage.value, "approvals"),
                        f"{requester} could not get a request for {self._policy.pattern} → "
                        f"{stage.value} through: whoever asks does not approve, and nobody else is "
                        f"left as {_listed(roles)}",
                        "Somebody else has to ask, or one more person has to hold the role",
                    )
        unreviewed = self._unreviewed_breakers()
        for breaker, roles in unreviewed.items():
            if roles and not all(unreviewed.values()):
                yield self._document.finding(
                    ("break_glass", "roles"),
                    f"{breaker} could not break glass: nobody else could review it as "
                    f"{_listed(roles)}",
                    "One more person has to hold the role",
                )
        yield from self._escalations_to_nobody()
        grouped = sorted(self._policy.rollback_roles & self._roster.user_groups.keys())
        if grouped:
            yield self._document.finding(
                ("rollback",),
                f"{_listed(tuple(grouped))} counts only in a user group of Slack, so nobody rolls "
                "back by it while Slack does not answer",
                "Name a role without a user_group too, for the night on which Slack is down",
            )
        for number, person in enumerate(self._policy.on_call):
            if person in self._roster.people and person not in self._voters:
                yield self._document.finding(
                    ("on_call", number),
                    f"{person} is on call and has no Slack account, so no alert reaches them",
                    "Add slack: [U…] in people.yaml",
                )

    def _escalations_to_nobody(self) -> Iterator[Finding]:
        for stage, rule in self._policy.stages.items():
            for number, seats in enumerate(rule.seats):
                to = seats.escalation.to if seats.escalation else None
                if to is not None and not any(to in roles for roles in self._voters.values()):
                    yield self._document.finding(
                        ("stages", stage.value, "approvals", number, "escalate", "to"),
                        f"nobody who has a Slack account holds {to}, so escalating to them opens "
                        "the seat to nobody",
                        "Give the role to somebody, or name another",
                    )

    def _missing(self, rule: StageRule, requester: PersonId) -> tuple[Role, ...]:
        owners = () if self._policy.owners_may_approve else self._policy.owners
        barred = bar_makers((), requester, owners)
        missing = who_is_missing(rule.seats, self._voters, barred)
        validators = tuple(
            check.role
            for check in rule.checks
            if isinstance(check, ValidatedAfterStaging)
            and not any(
                p.id != requester and (p.mlflow_users or p.git_emails)
                for p in self._roster.holding(check.role)
            )
        )
        return missing + validators

    def _may_roll_back(self, person: Person) -> bool:
        return person.has_any_role(self._policy.rollback_roles) and bool(
            person.slack or person.os_logins
        )


def _listed(roles: tuple[Role, ...]) -> str:
    return ", ".join(sorted(set(roles)))
