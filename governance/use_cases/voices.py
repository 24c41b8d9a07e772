"""With whose voice somebody decides beside their own, whose conflicts they have with it, and how a
voice goes back for good to the person whose it is. Decides nothing of seats."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from governance.domain.absence import Absence, standing_in
from governance.domain.approval import Decision, StoodIn
from governance.domain.errors import Refused
from governance.domain.escalation import may_fill
from governance.domain.identity import Actor, Person, PersonId, Role
from governance.domain.ledger import EventKind
from governance.domain.policy import ModelPolicy
from governance.domain.promotion import Request
from governance.ports import Notice, NoticeKind, Rules, Transaction
from governance.use_cases.recording import record_of
from governance.use_cases.settle import barred_for, end_vote, free_voice
from governance.use_cases.world import World


def stood_for(world: World, actor: Actor) -> tuple[Absence, ...]:
    """For whom somebody stands in now; whoever left Slack lends nothing any more."""
    with world.store.read() as tx:
        running = standing_in(tx.absences(), tx.now)
    mine = running.get(actor.person, ()) if actor.person is not None else ()
    return tuple(a for a in mine if world.accounts.standing(a.account).why_barred() is None)


def lent_by(
    tx: Transaction,
    rules: Rules,
    request: Request,
    person: Person,
    *,
    named: Sequence[Absence],
    lending: Collection[Absence],
) -> tuple[StoodIn, ...]:
    """What a decision made now rests on: everybody who named this person as stand-in, with the
    roles of those alone who lend them."""
    decisions = tx.decisions(request.id)
    return tuple(
        StoodIn(
            absent=a.person,
            account=a.account,
            roles=free_voice(decisions, rules, request, a, person.id)
            if a in lending
            else frozenset[Role](),
            last_day=a.last_day,
        )
        for a in named
    )


def refuse_conflict(
    rules: Rules,
    policy: ModelPolicy,
    request: Request,
    person: Person,
    named: Sequence[Absence],
) -> None:
    """A stand-in has the conflicts of whoever named them, for any seat, whether or not they can use
    that person's voice.

    Raises:
        Refused: `separation_of_duties`.
    """
    barred = barred_for(policy, request.makers, request.requester)
    for absence in named:
        if absence.person in barred and person.id not in barred:
            name = rules.roster.name_of(absence.person)
            raise Refused(
                "separation_of_duties",
                f"Not counted: {person.name} stands in for {name}, who {barred[absence.person]}. "
                "Somebody else has to decide.",
            )


def take_back(
    tx: Transaction, policy: ModelPolicy, request: Request, person: Person, actor: Actor
) -> None:
    """Whoever decides themselves ends what stand-ins decided with their voice, for good: the whole
    decision where nothing else counted in it, else that voice alone. Recorded, and told."""
    for decision in tx.decisions(request.id):
        if not any(s.absent == person.id and s.roles for s in decision.standing_in):
            continue
        rest = _without(decision, person.id)
        wanted = may_fill(policy.stages[request.target].seats, request.escalated)
        if wanted.isdisjoint(rest.roles.union(*(s.roles for s in rest.standing_in))):
            end_vote(tx, request, decision.person, f"{person.name} decided themselves", actor)
        else:
            _end_voice(tx, request, rest, person, actor)


def _without(decision: Decision, absent: PersonId) -> Decision:
    """The same without one voice; that person's conflicts stay."""
    stood = tuple(
        replace(s, roles=frozenset[Role]()) if s.absent == absent else s
        for s in decision.standing_in
    )
    return replace(decision, standing_in=stood)


def _end_voice(
    tx: Transaction, request: Request, rest: Decision, person: Person, actor: Actor
) -> None:
    tx.end_decision(request.id, rest.person, f"{person.name} decided themselves")
    tx.add_decision(rest)
    record_of(
        tx,
        request,
        EventKind.VOICE_ENDED,
        actor,
        facts={"voter": rest.person, "absent": person.id},
    )
    tx.notify(
        Notice(
            kind=NoticeKind.TELL,
            what="voice_ended",
            model=request.model,
            request_id=request.id,
            person=rest.person,
            facts={"absent": person.id},
        )
    )
