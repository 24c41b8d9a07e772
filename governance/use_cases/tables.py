"""The tables that Foureyes works with, held against what the record says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from governance.domain.approval import Decision
from governance.domain.break_glass import BrokenGlass
from governance.domain.canonical import Json
from governance.domain.evidence import ModelName
from governance.domain.history import (
    Asked,
    Away,
    ModelHistory,
    Reviewed,
    Said,
    bound_in,
    replay,
    replay_absences,
)
from governance.domain.ledger import decode
from governance.domain.promotion import OPEN, Request, State
from governance.domain.review import WAITS, Review
from governance.domain.tenure import Tenure
from governance.ports import IntentKind, Transaction


def table_problems(tx: Transaction) -> tuple[str, ...]:
    """Where a table says otherwise than the record; nothing is replayed from records of another
    shape than ours."""
    problems = [
        f"record {number} is filed under another model, request or kind than it says"
        for number in tx.misfiled()
    ]
    try:
        histories = replay(events_of(tx))
        away = replay_absences(events_of(tx))
    except (ValueError, KeyError, TypeError):
        return (*problems, "the record cannot be replayed, so the tables were not compared with it")
    noticed = tx.noticed()
    said = {
        a.person: Away(
            stand_in=a.stand_in or "",
            account=a.account,
            last_day=a.last_day.isoformat(),
            ends_at=a.ends_at.isoformat(),
        )
        for a in tx.absences()
    }
    if said != away:
        problems.append("the table of absences says otherwise than the record")
    for model in sorted({*histories, *tx.known_models(), *noticed}):
        history = histories.get(model, ModelHistory())
        problems.extend(_model_problems(tx, model, history))
        if noticed.get(model) != history.noticed_up_to:
            problems.append(
                f"the table of announced versions says otherwise of {model} than the record"
            )
    return tuple(problems)


def _model_problems(tx: Transaction, model: ModelName, history: ModelHistory) -> Iterator[str]:
    if _plain(tx.tenures(model)) != _plain(history.tenures):
        yield f"the table of stays says otherwise of {model} than the record"
    if frozenset(tx.quarantined(model)) != history.quarantined:
        yield f"the table of quarantined versions says otherwise of {model} than the record"
    requests = {r.id: r for r in tx.requests(model, limit=_ALL)}
    said = {i: asked.state for i, asked in history.requests.items()}
    is_open = {r.id for r in tx.open_requests(model)}
    known = {i: r.state for i, r in requests.items()}
    if known != said or is_open != {i for i, state in said.items() if state in OPEN}:
        yield f"the table of requests says otherwise of {model} than the record"
    for request_id, asked in history.requests.items():
        if request_id not in requests:
            continue
        in_force = {
            d.person: _said(d, asked.in_force.get(d.person)) for d in tx.decisions(request_id)
        }
        if in_force != asked.in_force:
            yield f"the table of decisions says otherwise of request {request_id} than the record"
        if _beside_its_state(requests[request_id], asked) != (
            asked.opened,
            asked.broken,
            asked.bound,
            asked.people,
            asked.makers,
            asked.escalated,
            asked.follows,
            asked.followed_by,
            asked.answers,
        ):
            yield f"the table of requests says otherwise of request {request_id} than the record"

    under_way = [i.glass for i in tx.open_intents(model) if i.kind is IntentKind.ROLLBACK]
    told = history.broken_back
    if [_broken(g, told) for g in under_way if g] != ([] if told is None else [told]):
        yield f"the table of what is under way says otherwise of {model} than the record"
    reviews = {r.id: _as_told(r, history.reviews.get(r.id)) for r in tx.reviews(model)}
    recorded = history.reviews
    open_reviews = {r.id for r in tx.open_reviews() if r.model == model}
    unreviewed = any(
        a.broken is not None
        and a.state is State.COMPLETED
        and a.broken["break_glass"] not in recorded
        for a in history.requests.values()
    )
    waiting = {i for i, r in recorded.items() if r.state in WAITS}
    if unreviewed or reviews != recorded or open_reviews != waiting:
        yield f"the table of reviews says otherwise of {model} than the record"


def _said(decision: Decision, told: Said | None) -> Said:
    """What a row says, in the shape of the record; as far as the record told it then."""
    return Said(
        verdict=decision.verdict,
        stood_in={s.absent: (s.roles, s.last_day.isoformat()) for s in decision.standing_in},
        account=decision.account,
        bound=bound_in(decision.binding.facts) if told and told.bound else None,
    )


def _as_told(review: Review, told: Reviewed | None) -> Reviewed:
    """What a row says, in the shape of the record; records from before barred people were recorded
    say nothing of them."""
    is_whole = told is not None and told.barred is not None
    tells_people = told is not None and told.people is not None
    return Reviewed(
        breaker=review.glass.person,
        incident=review.glass.incident,
        version=review.version,
        request=review.request_id,
        due_at=review.due_at,
        seats=tuple((str(s.label), str(s.count)) for s in review.seats),
        from_version=review.from_version if is_whole else None,
        barred=dict(review.glass.barred) if is_whole else None,
        people=review.glass.people_then if tells_people else None,
        state=review.state,
        answers={o.person: o.answer for o in review.opinions},
    )


def _beside_its_state(request: Request, told: Asked) -> tuple[object, ...]:
    """What a request's own row says beside its state; as far as the record told it then."""
    return (
        (
            request.requester,
            request.requester_account,
            str(request.version),
            request.reason,
            request.target.value,
            request.ticket,
            request.expires_at.isoformat(),
        ),
        None if request.glass is None else _broken(request.glass, told.broken),
        None if told.bound is None else bound_in(request.binding.facts),
        None if told.people is None else request.people_at_opening,
        request.makers,
        request.escalated,
        request.follows,
        request.followed_by,
        [a.text for a in request.answers],
    )


def _broken(glass: BrokenGlass, told: Mapping[str, Json] | None) -> Mapping[str, Json]:
    """What a row says of a break-glass, as far as the record told it then."""
    said = {"person": glass.person, "account": glass.account, "why": glass.reason, **glass.facts}
    return {name: fact for name, fact in said.items() if told is None or name in told}


def _plain(tenures: Sequence[Tenure]) -> list[Tenure]:
    return sorted(tenures, key=lambda t: (t.started_at, t.version, t.stage.value))


_ALL = 10**9


def events_of(tx: Transaction) -> Iterator[Mapping[str, Json]]:
    """One at a time; bytes that cannot be read were told of before."""
    return (event for record in tx.records() if (event := decode(record)) is not None)
