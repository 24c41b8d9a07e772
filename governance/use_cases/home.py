"""What one person's Home tells: what waits for them, what they asked for, their models, open alerts
and recent decisions. Read-only; everything is read once, for however many people.

Shows only what concerns a person, and asks of them only what would count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.domain.absence import Absence, naming, standing_in
from governance.domain.approval import Decision, Quorum, RequestId, Verdict
from governance.domain.canonical import Digest, Json
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, Person, PersonId
from governance.domain.ledger import EventKind
from governance.domain.monitoring.alert import Alert
from governance.domain.monitoring.spec import Action
from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.domain.monitoring.verdict import Verdict as Health
from governance.domain.policy import ModelPolicy, literal_characters, policy_for
from governance.domain.promotion import TAKES_VOTES, Request, State, is_expired
from governance.domain.review import Review, knows_account, standing_of
from governance.domain.tenure import Tenure
from governance.ports import Drill, Rules, Transaction
from governance.use_cases.alerts import is_concerned
from governance.use_cases.reviews import reviews_among
from governance.use_cases.settle import quorum_among, who_could_fill

_RECENT = frozenset(
    {
        EventKind.DECISION_MADE,
        EventKind.DECISION_WITHDRAWN,
        EventKind.TRANSITION_DONE,
        EventKind.TRANSITION_FAILED,
        EventKind.ROLLBACK_DONE,
        EventKind.GLASS_BROKEN,
        EventKind.REVIEW_GIVEN,
    }
)
_LOOKED_THROUGH = 300
"""So many of the newest records are looked through for what concerns somebody."""
_OVER_SHOWN = 5
_DECISIONS_SHOWN = 10
_OVER_FOR = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A request that this person's approval would bring further."""

    request: Request
    quorum: Quorum
    said: Verdict | None
    """What they said to it before: they asked for changes, say."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request of this person's own."""

    request: Request
    quorum: Quorum
    changes: tuple[tuple[PersonId, str], ...]
    """Who asks for changes, and for which."""
    replaced: Tenure | None = None
    """What is in Production by now instead of the version that this request brought there."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One monitor of the version in Production; `verdict` None before its first look."""

    name: str
    acts: Action
    verdict: Health | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class OwnedModel:
    """A model of which this person is an owner. `production` is by our record."""

    model: ModelName
    production: Version | None
    since: datetime | None
    monitors: tuple[Watched, ...]
    drill: Drill | None
    open_alerts: int


@dataclass(frozen=True, kw_only=True)
class OpenAlert:
    """An alert that is not over, and whether this person may roll back because of it."""

    alert: Alert
    may_roll_back: bool


@dataclass(frozen=True, kw_only=True)
class DueReview:
    """The review of a break-glass that is not over."""

    review: Review
    quorum: Quorum
    is_own: bool
    """Of what this person did; else they could make it."""


@dataclass(frozen=True, kw_only=True)
class Lately:
    """One decision or transition, as the record tells it."""

    kind: EventKind
    at: datetime
    person: PersonId | None
    model: ModelName
    version: Version | None
    facts: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class Home:
    """Everything that one person's Home shows."""

    person: Person
    waiting: tuple[Waiting, ...]
    """Soonest to expire first."""
    asked: tuple[Asked, ...]
    """Open ones first, soonest to expire first; then what ended lately, newest first."""
    models: tuple[OwnedModel, ...]
    alerts: tuple[OpenAlert, ...]
    """Oldest first."""
    lately: tuple[Lately, ...]
    """Newest first."""
    reviews: tuple[DueReview, ...] = ()
    """Those to make first, then those of what this person did; soonest due first."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """What Homes are told from, read at one moment for all of them."""

    now: datetime
    rules: Rules
    policies: Mapping[ModelName, ModelPolicy]
    """Of every model that is open, in Production or named by a policy."""
    digests: Mapping[ModelName, Digest]
    """Of the policies of models with open requests."""
    requests: tuple[Request, ...]
    """Soonest to expire first."""
    decisions: Mapping[RequestId, tuple[Decision, ...]]
    ended: tuple[Request, ...]
    """Newest first."""
    production: Mapping[ModelName, Tenure]
    monitors: Mapping[MonitorKey, MonitorState]
    drills: Mapping[ModelName, Drill]
    alerts: tuple[Alert, ...]
    lately: tuple[Lately, ...]
    reviews: tuple[Review, ...]
    standing: Mapping[PersonId, tuple[Absence, ...]]
    """Who stands in for whom."""
    named: Mapping[PersonId, tuple[Absence, ...]]
    """Whose conflicts somebody has as well."""


def read_board(tx: Transaction, rules: Rules, people: Collection[PersonId]) -> Board:
    """Read what concerns any of these people, in a fixed number of statements."""
    requests = tx.open_requests()
    absences = tx.absences()
    production = tx.in_production()
    alerts = tx.open_alerts()
    open_now = [*(r.model for r in requests), *(a.model for a in alerts)]
    policies = _policies(rules, [*open_now, *production])
    owned = [m for m, p in policies.items() if not p.owners.isdisjoint(people)]
    return Board(
        now=tx.now,
        rules=rules,
        policies=policies,
        digests={m: policies[m].digest for m in {r.model for r in requests} if m in policies},
        requests=tuple(sorted(requests, key=lambda r: (r.expires_at, r.id))),
        decisions=tx.decisions_of_open_requests(),
        ended=_ended(tx, people, {r.id for r in requests}),
        production=production,
        monitors={s.key: s for s in tx.monitor_states_of(owned)},
        drills=tx.drills(),
        alerts=alerts,
        lately=tuple(map(_lately, tx.newest_events(_RECENT, limit=_LOOKED_THROUGH))),
        reviews=tx.open_reviews(),
        standing=standing_in(absences, tx.now),
        named=naming(absences, tx.now),
    )


def home_for(board: Board, actor: Actor) -> Home | None:
    """One person's Home, at one of their accounts; None for an account of nobody."""
    person = board.rules.roster.people.get(actor.person) if actor.person is not None else None
    if person is None:
        return None
    asked = tuple(_asked(board, person))
    return Home(
        person=person,
        waiting=tuple(_waiting(board, person, actor.account)),
        asked=asked,
        models=tuple(_owned(board, person)),
        alerts=tuple(_alerts(board, person)),
        lately=tuple(_concerning(board, person, {a.request.id for a in asked}))[:_DECISIONS_SHOWN],
        reviews=tuple(_reviews(board, person, actor.account)),
    )


def _reviews(board: Board, person: Person, account: str) -> Iterator[DueReview]:
    people = board.rules.roster.people
    found = reviews_among(board.reviews, person.id, people, board.now, board.named)
    for reviews, is_own in ((found.to_make, False), (found.own, True)):
        for review in sorted(reviews, key=lambda r: (r.due_at, r.id)):
            if is_own or knows_account(review, person.id, account, board.now):
                quorum = standing_of(review, people, board.now)
                yield DueReview(review=review, quorum=quorum, is_own=is_own)


def _policies(rules: Rules, models: Iterable[ModelName]) -> dict[ModelName, ModelPolicy]:
    names = rules.policies.policies
    exact = [ModelName(n) for n in names if literal_characters(n) == len(n)]
    found = {m: policy_for(rules.policies, m) for m in dict.fromkeys([*exact, *models])}
    return {m: p for m, p in found.items() if p is not None}


def _ended(
    tx: Transaction, people: Collection[PersonId], still_open: Collection[RequestId]
) -> tuple[Request, ...]:
    """What these people asked for lately and is over."""
    counted: dict[str, int] = {}
    ids: list[RequestId] = []
    for event in tx.newest_events({EventKind.REQUEST_OPENED}, limit=_LOOKED_THROUGH):
        person, request = str(event["person"]), RequestId(str(event["request"]))
        if person not in people or request in still_open:
            continue
        if tx.now - datetime.fromisoformat(str(event["at"])) > _OVER_FOR:
            break
        counted[person] = counted.get(person, 0) + 1
        if counted[person] <= _OVER_SHOWN:
            ids.append(request)
    return tx.requests_named(ids)


def _lately(event: Mapping[str, Json]) -> Lately:
    person, version, facts = event["person"], event["version"], event["facts"]
    return Lately(
        kind=EventKind(str(event["kind"])),
        at=datetime.fromisoformat(str(event["at"])),
        person=PersonId(str(person)) if person else None,
        model=ModelName(str(event["model"])),
        version=Version(version) if isinstance(version, int) else None,
        facts={
            **(facts if isinstance(facts, Mapping) else {}),
            "request": event["request"],
            "why": event["why"],
        },
    )


def _waiting(board: Board, person: Person, account: str) -> Iterator[Waiting]:
    for request in board.requests:
        policy = board.policies.get(request.model)
        if policy is None or policy.rule(request.target) is None:
            continue
        if request.state not in TAKES_VOTES or is_expired(request.expires_at, board.now):
            continue
        if board.digests[request.model] != request.binding.policy:
            continue  # a vote would only void it
        if account not in request.accounts_at_opening.get(person.id, frozenset()):
            continue
        decisions = board.decisions.get(request.id, ())
        if not who_could_fill(decisions, board.rules, policy, request, [person], board.standing):
            continue
        said = next((d.verdict for d in decisions if d.person == person.id), None)
        quorum = quorum_among(decisions, board.rules, policy, request)
        yield Waiting(request=request, quorum=quorum, said=said)


def _asked(board: Board, person: Person) -> Iterator[Asked]:
    for request in (*board.requests, *board.ended):
        if request.requester != person.id:
            continue
        policy = board.policies.get(request.model)
        decisions = board.decisions.get(request.id, ())
        quorum = Quorum(seats=(), excluded={})
        if policy is not None and policy.rule(request.target) is not None:
            quorum = quorum_among(decisions, board.rules, policy, request)
        changes = tuple(
            (d.person, d.comment) for d in decisions if d.verdict is Verdict.ASK_FOR_CHANGES
        )
        yield Asked(
            request=request, quorum=quorum, changes=changes, replaced=_replaced(board, request)
        )


def _replaced(board: Board, request: Request) -> Tenure | None:
    stay = board.production.get(request.model)
    went = request.state is State.COMPLETED and request.target is Stage.PRODUCTION
    return stay if went and stay is not None and stay.version != request.version else None


def _owned(board: Board, person: Person) -> Iterator[OwnedModel]:
    for model, policy in sorted(board.policies.items()):
        if person.id not in policy.owners:
            continue
        stay = board.production.get(model)
        yield OwnedModel(
            model=model,
            production=stay.version if stay else None,
            since=stay.started_at if stay else None,
            monitors=tuple(_watched(board, policy, model, stay)) if stay else (),
            drill=board.drills.get(model),
            open_alerts=sum(a.model == model for a in board.alerts),
        )


def _alerts(board: Board, person: Person) -> Iterator[OpenAlert]:
    for alert in board.alerts:
        policy = board.policies.get(alert.model)
        if policy is not None and is_concerned(person, policy):
            yield OpenAlert(alert=alert, may_roll_back=person.has_any_role(policy.rollback_roles))


def _watched(
    board: Board, policy: ModelPolicy, model: ModelName, stay: Tenure
) -> Iterator[Watched]:
    for spec in policy.watching.monitors:
        state = board.monitors.get(MonitorKey(model, stay.version, spec.name))
        looked = state is not None and state.looked_at is not None
        yield Watched(
            name=spec.name,
            acts=spec.then,
            verdict=state.verdict if state is not None and looked else None,
            sentence=state.sentence if state is not None and looked else "Not looked at yet.",
        )


def _concerning(board: Board, person: Person, asked: Collection[RequestId]) -> Iterator[Lately]:
    """What this person did, what was said to their requests, and what happened to their models."""
    for happened in board.lately:
        policy = board.policies.get(happened.model)
        is_theirs = policy is not None and (
            person.id in policy.owners or person.id in policy.on_call
        )
        if happened.person == person.id or happened.facts["request"] in asked or is_theirs:
            yield happened
