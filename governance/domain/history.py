"""What the record itself says: replayed from its events, without the tables beside it.

Pure: no clock, no IO, no vendor. The trail is told from this, and `audit verify` holds the tables
against it: whoever edits a table leaves the record as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from governance.domain.approval import RequestId, Verdict
from governance.domain.break_glass import GlassId
from governance.domain.canonical import Json
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import PersonId, Role
from governance.domain.ledger import EventKind
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import State
from governance.domain.review import Answer, ReviewState, lifts_quarantine
from governance.domain.tenure import (
    Moves,
    Observed,
    Tenure,
    moves_of_adoption,
    moves_of_change_elsewhere,
    moves_of_promotion,
    moves_of_rollback,
)

Event = Mapping[str, Json]
"""A decoded record."""


Bound = tuple[str, str, str, str]
"""What was bound, as spelled: the digests of content, evidence and policy, and the version that was
expected in Production."""


Opened = tuple[str, ...]
"""What was asked for, as spelled: by whom and with which account, the version, the stage, the
reason, the ticket, and when it expires."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A decision in force, and with whose voice it was made."""

    verdict: Verdict
    stood_in: Mapping[PersonId, tuple[frozenset[Role], str]] = field(default_factory=dict)
    """Whom they stood in for → the roles lent, and the last day."""
    account: str = ""
    bound: Bound | None = None


@dataclass(kw_only=True)
class Asked:
    """One request, as its events tell it."""

    requester: PersonId | None
    state: State = State.PENDING
    opened: Opened = ()
    bound: Bound | None = None
    broken: Mapping[str, Json] | None = None
    """What was done past policy to carry it out, as the record spells it."""
    people: str | None = None
    """The digest of who counted for it; None in records from before that was recorded."""
    headline: tuple[tuple[str, str], ...] = ()
    """Metrics for the trail, as they were when it was opened."""
    seats: tuple[tuple[Role, PersonId | None], ...] = ()
    """Who filled which seat when it was carried out."""
    in_force: dict[PersonId, Said] = field(default_factory=dict)
    """Decisions that were neither withdrawn nor voided."""
    stood_in: dict[PersonId, PersonId] = field(default_factory=dict)
    """Who sat for whom when it was carried out."""
    escalated: set[Role] = field(default_factory=set)
    """Seats that were opened to a second role."""
    makers: set[PersonId] = field(default_factory=set)
    """Who made the version, as named when it was opened or since."""
    follows: RequestId | None = None
    followed_by: RequestId | None = None
    answers: list[str] = field(default_factory=list)
    """What the requester answered in words to those who asked for changes."""


@dataclass(frozen=True, kw_only=True)
class RolledBack:
    """A rollback that was done."""

    at: datetime
    by: str
    why: str
    to_last_known_good: bool
    glass: GlassId | None = None
    """Past policy, and reviewed afterwards."""


@dataclass(kw_only=True)
class Reviewed:
    """One break-glass that was carried out, and its review, as its events tell it."""

    breaker: PersonId
    incident: str
    version: Version
    request: RequestId | None
    due_at: datetime
    seats: tuple[tuple[str, str], ...]
    """Each label with its number of places, as spelled."""
    from_version: Version | None = None
    barred: Mapping[PersonId, str] | None = None
    """Who may not review it, and why; None in records from before that was recorded."""
    people: str | None = None
    """The digest of who counts in it; None in records from before that was recorded."""
    state: ReviewState = ReviewState.DUE
    answers: dict[PersonId, Answer] = field(default_factory=dict)


@dataclass(kw_only=True)
class ModelHistory:
    """Everything that the record says of one model."""

    tenures: tuple[Tenure, ...] = ()
    requests: dict[RequestId, Asked] = field(default_factory=dict)
    quarantined: set[Version] = field(default_factory=set)
    rollbacks: list[RolledBack] = field(default_factory=list)
    broken_back: Mapping[str, Json] | None = None
    """A rollback past policy of which no outcome is recorded."""
    reviews: dict[GlassId, Reviewed] = field(default_factory=dict)
    noticed_up_to: Version | None = None
    """The newest version that its channel was told of, or that was there at the first look."""


def replay(events: Iterable[Event]) -> dict[ModelName, ModelHistory]:
    """Read events in order; those that concern no model or change nothing here are passed over."""
    found: dict[ModelName, ModelHistory] = {}
    for event in events:
        model = event.get("model")
        if isinstance(model, str):
            _take(found.setdefault(ModelName(model), ModelHistory()), ModelName(model), event)
    return found


@dataclass(frozen=True, kw_only=True)
class Away:
    """An absence that nobody ended; moments and days as spelled."""

    stand_in: str
    """Or nothing."""
    account: str
    last_day: str
    ends_at: str


def replay_absences(events: Iterable[Event]) -> dict[PersonId, Away]:
    """Who is away by the record."""
    away: dict[PersonId, Away] = {}
    for event in events:
        facts = _object(event.get("facts"))
        if event["kind"] == EventKind.ABSENCE_BEGAN.value:
            away[PersonId(str(event["person"]))] = Away(
                stand_in=str(facts["stand_in"] or ""),
                account=str(event["account"]),
                last_day=str(facts["last_day"]),
                ends_at=datetime.fromisoformat(str(facts["ends_at"])).isoformat(),
            )
        elif event["kind"] == EventKind.ABSENCE_ENDED.value:
            away.pop(PersonId(str(facts["person"])), None)
    return away


def _take(history: ModelHistory, model: ModelName, event: Event) -> None:
    at = datetime.fromisoformat(str(event["at"]))
    facts = _object(event.get("facts"))
    match event["kind"]:
        case EventKind.VERSION_ADOPTED.value:
            _move(history, moves_of_adoption(model, _observed(facts), at), at)
        case EventKind.CHANGED_ELSEWHERE.value:
            before, after = _observed(facts["before"]), _observed(facts["after"])
            moves = moves_of_change_elsewhere(history.tenures, model, before, after, at)
            _move(history, moves, at)
        case EventKind.TRANSITION_DONE.value:
            version, target = Version(_whole(event["version"])), Stage(str(facts["target"]))
            request = None if event["request"] is None else RequestId(str(event["request"]))
            moves = moves_of_promotion(history.tenures, model, version, target, request, at)
            _move(history, moves, at)
            if target is Stage.PRODUCTION and facts.get("break_glass") is not None:
                history.quarantined.add(version)
            elif target is Stage.PRODUCTION:
                history.quarantined.discard(version)
        case EventKind.ROLLBACK_DONE.value:
            version = Version(_whole(event["version"]))
            _move(history, moves_of_rollback(history.tenures, model, version, at), at)
            if facts.get("from") is not None:
                history.quarantined.add(Version(_whole(facts["from"])))
            if history.broken_back is not None and history.broken_back["break_glass"] == facts.get(
                "break_glass"
            ):
                history.broken_back = None
            history.rollbacks.append(
                RolledBack(
                    at=at,
                    by=str(event["person"] or event["via"]),
                    why=str(event["why"]),
                    to_last_known_good=facts.get("last_known_good") is not False,
                    glass=_glass(facts.get("break_glass")),
                )
            )
        case EventKind.GLASS_BROKEN.value if event["request"] is None:
            history.broken_back = _broken(event, facts)
        case EventKind.ROLLBACK_FAILED.value:
            history.broken_back = None
        case kind if kind in _OF_REVIEWS:
            _take_review(history, event, facts)
        case EventKind.VERSIONS_NOTICED.value:
            history.noticed_up_to = Version(_whole(facts["up_to"]))
        case _ if event.get("request") is not None:
            _take_request(history, RequestId(str(event["request"])), event, facts)


def _take_request(
    history: ModelHistory, request_id: RequestId, event: Event, facts: Mapping[str, Json]
) -> None:
    person = None if event["person"] is None else PersonId(str(event["person"]))
    if event["kind"] == EventKind.REQUEST_OPENED.value:
        history.requests[request_id] = Asked(
            requester=person,
            opened=_opened(event, facts),
            headline=_pairs(facts.get("headline")),
            bound=bound_in(facts),
            people=None if facts.get("people") is None else str(facts["people"]),
            makers={PersonId(m) for m in _words(facts.get("makers"))},
            follows=RequestId(str(facts["follows"])) if facts.get("follows") else None,
        )
        return
    asked = history.requests.get(request_id)
    if asked is None:
        return  # refused before it was opened
    match event["kind"]:
        case EventKind.DECISION_MADE.value if person is not None:
            asked.in_force[person] = Said(
                verdict=Verdict(str(facts["verdict"])),
                stood_in=_stood_in(facts),
                account=str(event["account"]),
                bound=bound_in(facts),
            )
        case EventKind.DECISION_WITHDRAWN.value if person is not None:
            asked.in_force.pop(person, None)
        case EventKind.VOTES_VOIDED.value:
            asked.in_force.pop(PersonId(str(facts["voter"])), None)
        case EventKind.VOICE_ENDED.value:
            voter, absent = PersonId(str(facts["voter"])), PersonId(str(facts["absent"]))
            said = asked.in_force[voter]
            _roles, last_day = said.stood_in[absent]
            stood_in = {**said.stood_in, absent: (frozenset[Role](), last_day)}
            asked.in_force[voter] = replace(said, stood_in=stood_in)
        case EventKind.GLASS_BROKEN.value:
            asked.broken = _broken(event, facts)
        case EventKind.MAKERS_GREW.value:
            asked.makers |= {PersonId(m) for m in _words(facts.get("added"))}
        case EventKind.CHANGES_ANSWERED.value:
            for who in _words(facts.get("asked_by")):
                asked.in_force.pop(PersonId(who), None)
            if facts.get("followed_by") is None:
                asked.answers.append(str(event["why"]))
            else:
                asked.followed_by = RequestId(str(facts["followed_by"]))
        case EventKind.SEAT_ESCALATED.value:
            asked.escalated.add(Role(str(facts["role"])))
        case EventKind.TRANSITION_INTENDED.value:
            asked.seats = tuple(
                (Role(role), PersonId(who) if who else None)
                for role, who in _pairs(facts.get("seats"))
            )
            asked.stood_in = {
                PersonId(who): PersonId(absent) for who, absent in _pairs(facts.get("standing_in"))
            }
        case EventKind.REQUEST_STATE_CHANGED.value:
            asked.state = State(str(facts["to"]))
            if facts["event"] == Happening.EVIDENCE_CHANGED.value:
                asked.bound = bound_in(facts)


_OF_REVIEWS = frozenset(
    k.value
    for k in (EventKind.REVIEW_OPENED, EventKind.REVIEW_GIVEN, EventKind.REVIEW_STATE_CHANGED)
)


def _take_review(history: ModelHistory, event: Event, facts: Mapping[str, Json]) -> None:
    glass = GlassId(str(facts["review"]))
    if event["kind"] == EventKind.REVIEW_OPENED.value:
        history.reviews[glass] = Reviewed(
            breaker=PersonId(str(facts["breaker"])),
            incident=str(facts["incident"]),
            version=Version(_whole(event["version"])),
            request=None if event["request"] is None else RequestId(str(event["request"])),
            due_at=datetime.fromisoformat(str(facts["due_at"])),
            seats=_pairs(facts.get("review_by")),
            from_version=None if facts.get("from") is None else Version(_whole(facts["from"])),
            barred={PersonId(p): why for p, why in _pairs(facts["barred"])}
            if "barred" in facts
            else None,
            people=None if facts.get("people") is None else str(facts["people"]),
        )
        return
    found = history.reviews[glass]
    if event["kind"] == EventKind.REVIEW_GIVEN.value:
        found.answers[PersonId(str(event["person"]))] = Answer(str(facts["answer"]))
        return
    found.state = ReviewState(str(facts["to"]))
    if found.state is ReviewState.ACCEPTED and lifts_quarantine(
        history.tenures, found.version, found.request
    ):
        history.quarantined.discard(found.version)


def _opened(event: Event, facts: Mapping[str, Json]) -> Opened:
    """What a request's opening asks for."""
    of_event = ("person", "account", "version", "why")
    of_facts = ("target", "ticket", "expires_at")
    return (*(str(event[n]) for n in of_event), *(str(facts[n]) for n in of_facts))


def _broken(event: Event, facts: Mapping[str, Json]) -> Mapping[str, Json]:
    return {**{name: event[name] for name in ("person", "account", "why")}, **facts}


def bound_in(facts: Mapping[str, Json]) -> Bound | None:
    """What an event says was bound; None where it says nothing of that."""
    if "content" not in facts:
        return None
    content, evidence, policy, expected = (
        str(facts[name]) for name in ("content", "evidence", "policy", "expected_production")
    )
    return content, evidence, policy, expected


def _glass(value: Json) -> GlassId | None:
    return None if value is None else GlassId(str(value))


def _move(history: ModelHistory, moves: Moves, at: datetime) -> None:
    history.tenures = moves.applied(history.tenures, at)


def _observed(value: Json) -> Observed:
    facts = _object(value)
    alias = facts.get("alias")
    return Observed(
        stages={Version(int(v)): Stage(s) for v, s in _pairs(facts.get("stages"))},
        alias=None if alias is None else Version(_whole(alias)),
    )


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _pairs(value: Json) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    found = []
    for pair in value:
        if isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2:
            found.append((str(pair[0]), "" if pair[1] is None else str(pair[1])))
    return tuple(found)


def _stood_in(facts: Mapping[str, Json]) -> Mapping[PersonId, tuple[frozenset[Role], str]]:
    rows = facts.get("standing_in")
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return {}
    found = {}
    for row in rows:
        if isinstance(row, Sequence) and not isinstance(row, str):
            absent, roles, last_day = row
            found[PersonId(str(absent))] = (frozenset(map(Role, _words(roles))), str(last_day))
    return found


def _words(value: Json) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(map(str, value))


def _whole(value: Json) -> int:
    return int(str(value))
