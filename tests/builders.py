"""Small builders of domain values for tests; everything has a default that is harmless."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from governance.domain.approval import Binding, Decision, RequestId, Verdict, tally
from governance.domain.break_glass import (
    BrokenGlass,
    Bypass,
    GlassId,
    barred_from_review,
    skipped_of_promotion,
)
from governance.domain.canonical import digest_of
from governance.domain.evidence import (
    AuthorClaim,
    Column,
    Content,
    Dataset,
    FileDigest,
    Metric,
    MetricOrigin,
    ModelName,
    Snapshot,
    Stage,
    Version,
    evidence_digest,
)
from governance.domain.identity import Person, PersonId, Role, Roster, SlackAccount
from governance.domain.policy import (
    Check,
    ColumnsNotUsed,
    MetricAtLeast,
    ModelPolicy,
    PolicySet,
    Seats,
    StageRule,
    UnknownAuthor,
)
from governance.domain.promotion import Request, State
from governance.domain.review import Review, opened
from governance.domain.tenure import Ending, Origin, Tenure
from governance.ports import Rules

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MODEL = ModelName("credit_scoring")


def a_metric(
    name: str = "auc_validation",
    text: str = "0.78",
    *,
    origin: MetricOrigin = MetricOrigin.LOGGED_MODEL,
    run_id: str = "run4",
    run_user: str = "dana",
    run_started_at: datetime | None = NOON - timedelta(hours=2),
) -> Metric:
    """A metric that the version's own run left on its LoggedModel."""
    return Metric(
        name=name,
        text=text,
        origin=origin,
        run_id=run_id,
        run_user=run_user,
        run_started_at=run_started_at,
        logged_at=run_started_at,
    )


def a_snapshot(
    version: int = 4,
    *,
    stage: Stage = Stage.STAGING,
    metrics: tuple[Metric, ...] | None = None,
    columns: tuple[str, ...] = ("credit_amount", "duration_in_month"),
    author: str = "dana",
    tags: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
) -> Snapshot:
    """A complete version made by dana."""
    run_id = f"run{version}"
    return Snapshot(
        model=MODEL,
        version=Version(version),
        stage=stage,
        aliases=(),
        run_id=run_id,
        model_id=f"m-{version}",
        source=f"models:/m-{version}",
        registered_at=NOON - timedelta(hours=1),
        description="",
        metrics=(a_metric(run_id=run_id),) if metrics is None else metrics,
        parameters={"C": "1.0", "decision_threshold": "0.5"} if parameters is None else parameters,
        tags=tags or {},
        datasets=(Dataset(name="german_credit", digest="abcd1234"),),
        inputs=tuple(Column(name=c, type="double") for c in columns),
        outputs=(Column(name="p_bad", type="double"),),
        git_commit="",
        author_claims=(AuthorClaim(name=author, where="mlflow.user"),) if author else (),
    )


def a_content(version: int = 4, *, body: str = "weights") -> Content:
    """The files of a version; `body` stands for their bytes."""
    return Content(
        run_id=f"run{version}",
        model_id=f"m-{version}",
        source=f"models:/m-{version}",
        files=(FileDigest(path="model.bin", sha256=digest_of(body), size_bytes=len(body)),),
    )


def a_person(
    name: str, *roles: str, account: str | None = None, os_login: str | None = None
) -> Person:
    """A person whose Slack account is U0 and the name in capitals."""
    return Person(
        id=PersonId(name),
        name=name.capitalize(),
        roles=frozenset(Role(r) for r in roles),
        slack=frozenset({SlackAccount(account or f"U0{name.upper()}")}),
        mlflow_users=frozenset({name}),
        git_emails=frozenset({f"{name}@example.com"}),
        os_logins=frozenset({os_login}) if os_login else frozenset(),
    )


PEOPLE = (
    a_person("dana", "data_scientist"),
    a_person("ana", "validator"),
    a_person("vera", "validator"),
    a_person("raj", "risk"),
    a_person("rosa", "risk", "validator"),
    a_person("otto", "on_call"),
)


def a_roster(*people: Person) -> Roster:
    """Everyone, or just these."""
    everyone = people or PEOPLE
    return Roster(
        people={p.id: p for p in everyone},
        service_accounts=frozenset({"ci-pipeline"}),
        roles=frozenset(r for p in everyone for r in p.roles),
    )


def a_rule(
    target: Stage = Stage.PRODUCTION,
    *,
    from_stages: frozenset[Stage] | None = None,
    soak: timedelta = timedelta(),
    checks: tuple[Check, ...] | None = None,
    seats: tuple[Seats, ...] | None = None,
    rejections_to_end: int = 1,
) -> StageRule:
    """Production from Staging with a validator and a risk officer, or Staging without a vote."""
    if target is Stage.STAGING:
        return StageRule(
            target=target,
            from_stages=from_stages or frozenset({Stage.NONE, Stage.ARCHIVED}),
            soak=timedelta(),
            checks=checks if checks is not None else (ColumnsNotUsed(columns=("foreign_worker",)),),
            seats=seats or (),
            expires_after=timedelta(days=2),
            rejections_to_end=rejections_to_end,
        )
    return StageRule(
        target=target,
        from_stages=from_stages or frozenset({Stage.STAGING}),
        soak=soak,
        checks=checks
        if checks is not None
        else (MetricAtLeast(metric="auc_validation", limit=0.7),),
        seats=seats
        if seats is not None
        else (Seats(role=Role("validator"), count=1), Seats(role=Role("risk"), count=1)),
        expires_after=timedelta(days=2),
        rejections_to_end=rejections_to_end,
    )


def a_policy(
    *rules: StageRule, unknown_author: UnknownAuthor = UnknownAuthor.REFUSE
) -> ModelPolicy:
    """The policy of credit_scoring."""
    chosen = rules or (a_rule(Stage.STAGING), a_rule())
    return ModelPolicy(
        model=MODEL,
        pattern="credit_scoring",
        stages={r.target: r for r in chosen},
        rollback_roles=frozenset({Role("on_call")}),
        author_tags=("git_email",),
        unknown_author=unknown_author,
        owners_may_approve=True,
        headline=("auc_validation",),
        decision_threshold="decision_threshold",
        channel="#credit-models",
        owners=frozenset({PersonId("dana")}),
        on_call=(PersonId("otto"),),
    )


def some_rules(policy: ModelPolicy | None = None, roster: Roster | None = None) -> Rules:
    """One policy and its people."""
    chosen = policy or a_policy()
    return Rules(
        policies=PolicySet(policies={chosen.pattern: chosen}, digest=digest_of("rules")),
        roster=roster or a_roster(),
    )


def a_request(
    *,
    state: State = State.PENDING,
    snapshot: Snapshot | None = None,
    policy: ModelPolicy | None = None,
    target: Stage = Stage.PRODUCTION,
    opened_at: datetime = NOON,
) -> Request:
    """Dana asks for v4 in Production, where v3 is."""
    shown = snapshot or a_snapshot()
    rules = policy or a_policy()
    content = a_content(shown.version)
    roster = a_roster()
    return Request(
        id=RequestId("r1"),
        model=MODEL,
        version=shown.version,
        target=target,
        requester=PersonId("dana"),
        requester_account="U0DANA",
        reason="better",
        ticket="",
        state=state,
        opened_at=opened_at,
        expires_at=opened_at + timedelta(days=2),
        binding=Binding(
            content=content.digest,
            evidence=evidence_digest(shown, rules.named(target)),
            policy=rules.digest,
            expected_production=Version(3),
        ),
        snapshot=shown,
        content=content,
        champion=replace(a_snapshot(3), stage=Stage.PRODUCTION),
        checks=(),
        makers=frozenset({PersonId("dana")}),
        unmapped_authors=(),
        author_unknown=False,
        roles_at_opening={p.id: p.roles for p in roster.people.values()},
        accounts_at_opening={
            p.id: frozenset(str(a) for a in p.slack) for p in roster.people.values()
        },
    )


def a_decision(person: str, verdict: Verdict = Verdict.APPROVE, *, comment: str = "") -> Decision:
    """Somebody's word on the request of `a_request`."""
    return Decision(
        request_id=RequestId("r1"),
        person=PersonId(person),
        account=f"U0{person.upper()}",
        verdict=verdict,
        comment=comment,
        binding=a_request().binding,
        roles=next(p.roles for p in PEOPLE if p.id == person),
        at=NOON,
    )


def a_tenure(
    version: int,
    started: int,
    ended: int | None = None,
    ending: Ending | None = None,
    *,
    origin: Origin = Origin.PROMOTION,
    stage: Stage = Stage.PRODUCTION,
) -> Tenure:
    """A stay from hour `started` to hour `ended` after noon."""
    return Tenure(
        model=MODEL,
        version=Version(version),
        stage=stage,
        started_at=NOON + timedelta(hours=started),
        origin=origin,
        request_id=None,
        ended_at=None if ended is None else NOON + timedelta(hours=ended),
        ending=ending,
    )


def a_broken_glass(*, approvals: dict[PersonId, frozenset[Role]] | None = None) -> BrokenGlass:
    """Otto puts dana's v4 into Production without the approvals that are missing."""
    policy, roster = a_policy(), a_roster()
    seats = policy.stages[Stage.PRODUCTION].seats
    quorum = tally(seats, approvals or {}, {})
    return BrokenGlass(
        id=GlassId("g1"),
        bypass=Bypass.PROMOTION,
        person=PersonId("otto"),
        account="U0OTTO",
        reason="v3 declines everybody",
        incident="INC-12",
        at=NOON,
        skipped=skipped_of_promotion(seats, quorum, ()),
        review_within=timedelta(hours=24),
        barred=barred_from_review(
            policy,
            makers=[PersonId("dana")],
            requester=PersonId("dana"),
            breaker=PersonId("otto"),
            sitting=[s.person for s in quorum.seats if s.person is not None],
        ),
        roles_then={p.id: p.roles for p in roster.people.values()},
        accounts_then={p.id: frozenset(str(a) for a in p.slack) for p in roster.people.values()},
    )


def a_review() -> Review:
    """Of that, carried out at noon: a validator and a risk officer review it."""
    return opened(
        a_broken_glass(),
        model=MODEL,
        from_version=Version(3),
        version=Version(4),
        request_id=RequestId("r1"),
        now=NOON,
    )
