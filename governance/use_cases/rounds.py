"""A round of changes: who asked for them on a request, and how the asking ends. Decides nothing of
votes; whoever answers is `answer`'s and `promote`'s business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from governance.domain.approval import Decision, RequestId, Verdict
from governance.domain.canonical import digest_of
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import EventKind
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import Request
from governance.ports import Notice, NoticeKind, Rules, Transaction
from governance.use_cases.recording import record_of
from governance.use_cases.settle import move, refuse_over

_ANSWERED = "answered by the requester"


def round_of(asked: Sequence[Decision]) -> str:
    """What the requester was shown, as 16 hex digits: an answer ends these asks and no others."""
    return digest_of([[d.person, d.at.isoformat(), d.comment] for d in asked])[:16]


def refuse_stale_round(asked: Sequence[Decision], shown: str) -> None:
    """An answer is to what its writer has read.

    Raises:
        Conflict: `stale_round`.
    """
    if round_of(asked) != shown:
        raise Conflict(
            "stale_round",
            "What is asked for changed while you wrote, so your answer is not counted: nobody is "
            "answered who was not read. Click Answer again; it shows what is asked now.",
        )


def what_is_asked(
    tx: Transaction, rules: Rules, request_id: RequestId, person: PersonId
) -> tuple[Request, tuple[Decision, ...]]:
    """The request and what its requester has to answer.

    Raises:
        Refused: `not_yours`, `nothing_asked`, `request_over`.
    """
    request = tx.request(request_id)
    refuse_over(tx, request)
    if person != request.requester:
        name = rules.roster.name_of(request.requester)
        raise Refused("not_yours", f"Only {name}, who opened this request, answers.")
    asked = tuple(d for d in tx.decisions(request_id) if d.verdict is Verdict.ASK_FOR_CHANGES)
    if not asked:
        raise Refused("nothing_asked", "Nobody asks for changes on this request any more.")
    return request, asked


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What was asked and is answered."""

    asked: tuple[Decision, ...]
    """Oldest first; empty where the store does not know any more."""
    text: str
    by_version: Version | None = None
    """Of the request that answered in place of words."""


def answered_rounds(tx: Transaction, request: Request) -> tuple[Answered, ...]:
    """Every round that is over, oldest first: beside a request that answers another one, what was
    asked there stands first."""
    first: tuple[Answered, ...] = ()
    if request.follows is not None:
        old = tx.request(request.follows)
        first = tuple(a for a in _own_rounds(tx, old, request) if a.by_version is not None)
    follower = tx.request(request.followed_by) if request.followed_by is not None else None
    return (*first, *_own_rounds(tx, request, follower))


def _own_rounds(
    tx: Transaction, request: Request, follower: Request | None
) -> tuple[Answered, ...]:
    asks = [
        p.decision
        for p in tx.past_decisions(request.id)
        if p.decision.verdict is Verdict.ASK_FOR_CHANGES and p.ended_why == _ANSWERED
    ]
    found = []
    for said in request.answers:
        asked = tuple(d for d in asks if d.person in said.to and d.at <= said.at)
        asks = [d for d in asks if d not in asked]
        found.append(Answered(asked=asked, text=said.text))
    if asks and follower is not None:
        found.append(Answered(asked=tuple(asks), text=follower.reason, by_version=follower.version))
    return tuple(found)


def what_is_followed(
    tx: Transaction,
    rules: Rules,
    request_id: RequestId,
    *,
    person: PersonId,
    shown: str,
    successor: tuple[ModelName, Version, Stage],
) -> tuple[Request, tuple[Decision, ...]]:
    """The same of a request that a newer version is to follow.

    Raises:
        Refused: as `what_is_asked` does, and `other_request` or `not_newer`. Conflict:
        `stale_round`.
    """
    old, asked = what_is_asked(tx, rules, request_id, person)
    model, version, target = successor
    if (model, target) != (old.model, old.target):
        raise Refused(
            "other_request",
            f"An answer is a newer version of {old.model} for {old.target.value}; anything else "
            "is a request of its own: /promote.",
        )
    if version <= old.version:
        raise Refused(
            "not_newer",
            f"v{version} is no newer version than v{old.version}. Name a newer one, or answer "
            "with words alone.",
        )
    refuse_stale_round(asked, shown)
    return old, asked


def end_followed(
    tx: Transaction, rules: Rules, follower: Request, actor: Actor, shown: str
) -> None:
    """The request that a newer version follows ends with a link to it, in the transaction that
    opens the follower; whoever asked for changes is told.

    Raises:
        Refused, Conflict: as `what_is_followed` does.
    """
    if follower.follows is None:
        return
    old, asked = what_is_followed(
        tx,
        rules,
        follower.follows,
        person=follower.requester,
        shown=shown,
        successor=(follower.model, follower.version, follower.target),
    )
    end_asks(tx, old, asked, actor, follower.reason, follower=follower)
    old = tx.save_request(replace(old, followed_by=follower.id))
    why = f"v{follower.version} follows in request {follower.id}, in answer to what was asked."
    move(tx, old, Happening.SUPERSEDED, actor, why)


def end_asks(
    tx: Transaction,
    request: Request,
    asked: Sequence[Decision],
    actor: Actor,
    text: str,
    *,
    follower: Request | None,
) -> None:
    """What was asked is answered: recorded, and told to whoever asked."""
    for decision in asked:
        tx.end_decision(request.id, decision.person, _ANSWERED)
    record_of(
        tx,
        request,
        EventKind.CHANGES_ANSWERED,
        actor,
        why=text,
        facts={
            "asked_by": [d.person for d in asked],
            "followed_by": follower.id if follower else None,
        },
    )
    shown = follower or request
    for decision in asked:
        tx.notify(
            Notice(
                kind=NoticeKind.TELL,
                what="changes_followed" if follower else "changes_answered",
                model=shown.model,
                request_id=shown.id,
                person=decision.person,
                facts={
                    "by": request.requester,
                    "asked": decision.comment,
                    "answer": text,
                    "before": request.version,
                },
            )
        )
