"""Somebody is away until a day, perhaps with a stand-in, and back again. Only they themselves say
so; everybody can see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from governance.domain.absence import Absence, end_of, refuse_bad_day
from governance.domain.errors import Conflict, Refused
from governance.domain.identity import Actor, Person, PersonId, Standing
from governance.domain.ledger import Event, EventKind
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.promotion import TAKES_VOTES
from governance.ports import Notice, NoticeKind, Rules, Transaction
from governance.use_cases.attention import ATTENTION, ask_those_who_could_fill, zone_named
from governance.use_cases.settle import redraw
from governance.use_cases.world import World, require_person, require_standing


@dataclass(frozen=True, kw_only=True)
class Leave:
    """What somebody says who goes away."""

    last_day: date
    stand_in: PersonId | None


def go_away(world: World, leave: Leave, *, actor: Actor, standing: Standing) -> Absence:
    """Begin an absence, in place of the one before.

    Raises:
        Refused: the day, or the stand-in, whom people.yaml has to name and who is not away.
        Conflict: `already_so`, it was told before; nothing is recorded or posted again.
        Unavailable: Slack does not say the time zone.
    """
    rules = world.rules.current()
    with world.refusals_recorded(EventKind.ABSENCE_REFUSED, actor):
        require_standing(standing)
        person = require_person(rules, actor)
        zone = zone_named(world.accounts.time_zone(actor.account))
        with world.store.transaction() as tx:
            refuse_bad_day(leave.last_day, tx.now.astimezone(zone).date())
            _refuse_stand_in(tx, rules, person, leave.stand_in)
            absence = Absence(
                person=person.id,
                stand_in=leave.stand_in,
                account=actor.account,
                began_at=tx.now,
                last_day=leave.last_day,
                ends_at=end_of(leave.last_day, zone),
            )
            _refuse_the_same(tx, absence)
            _end(tx, rules, person.id, actor, "told anew")
            tx.begin_absence(absence)
            tx.record(
                Event(
                    kind=EventKind.ABSENCE_BEGAN,
                    at=tx.now,
                    actor=actor,
                    facts={
                        "stand_in": absence.stand_in,
                        "last_day": absence.last_day.isoformat(),
                        "ends_at": absence.ends_at.astimezone(tx.now.tzinfo).isoformat(),
                    },
                )
            )
            _tell(tx, rules, absence, "away")
            _tell_those_left_alone(tx, person)
            _look_again(tx, rules)
            return absence


def come_back(world: World, *, actor: Actor) -> Absence:
    """End one's own absence. Raises Refused `not_away`."""
    rules = world.rules.current()
    with world.refusals_recorded(EventKind.ABSENCE_REFUSED, actor):
        person = require_person(rules, actor)
        with world.store.transaction() as tx:
            ended = _end(tx, rules, person.id, actor, "back")
            if ended is None:
                raise Refused("not_away", "You are not away: everything counts as usual.")
            _look_again(tx, rules)
            return ended


def end_what_is_over(world: World) -> int:
    """End each absence whose last day is over; how many there were."""
    rules = world.rules.current()
    with world.store.read() as tx:
        over = [a.person for a in tx.absences() if a.is_over(tx.now)]
    for person in over:
        with world.store.transaction() as tx:
            still = [a for a in tx.absences() if a.person == person and a.is_over(tx.now)]
            if still:
                _end(tx, rules, person, ATTENTION, "the last day is over")
                _look_again(tx, rules)
    return len(over)


def away_now(world: World) -> tuple[tuple[Absence, ...], datetime]:
    """Everybody who is away, by person, and the moment of looking."""
    with world.store.read() as tx:
        return tuple(a for a in tx.absences() if not a.is_over(tx.now)), tx.now


def _refuse_stand_in(
    tx: Transaction, rules: Rules, person: Person, stand_in: PersonId | None
) -> None:
    if stand_in is None:
        return
    allowed = ", ".join(sorted(person.stand_ins)) or "nobody yet"
    if stand_in not in person.stand_ins:
        raise Refused(
            "not_your_stand_in",
            f"people.yaml does not name {stand_in} under your stand_ins; it names {allowed}. "
            "Leave the name out, or let people.yaml be changed first.",
        )
    if any(a.person == stand_in and not a.is_over(tx.now) for a in tx.absences()):
        name = rules.roster.name_of(stand_in)
        raise Refused(
            "stand_in_away",
            f"{name} is away too, and whoever is away stands in for nobody. Name somebody else.",
        )


def _refuse_the_same(tx: Transaction, absence: Absence) -> None:
    if any(replace(a, began_at=absence.began_at) == absence for a in tx.absences()):
        raise Conflict("already_so", "That is already so, and nobody is told again.")


def _end(tx: Transaction, rules: Rules, person: PersonId, actor: Actor, why: str) -> Absence | None:
    ended = tx.end_absence(person, why)
    if ended is None:
        return None
    tx.record(
        Event(
            kind=EventKind.ABSENCE_ENDED, at=tx.now, actor=actor, why=why, facts={"person": person}
        )
    )
    if why != "told anew":
        _tell(tx, rules, ended, "back")
    return ended


_TOLD = {"away": "stands_in_away", "back": "stands_in_back"}
"""What the channel hears, and what the stand-in hears then."""


def _tell(tx: Transaction, rules: Rules, absence: Absence, what: str) -> None:
    """The stand-in in person, and the channel of each policy that has a seat for either."""
    if absence.stand_in is None:
        return
    facts = {
        "person": absence.person,
        "stand_in": absence.stand_in,
        "last_day": absence.last_day.isoformat(),
    }
    tx.notify(Notice(kind=NoticeKind.TELL, what=_TOLD[what], person=absence.stand_in, facts=facts))
    absent = rules.roster.people.get(absence.person)
    channels = set()
    for pattern, policy in sorted(rules.policies.policies.items()):
        if absent is None or policy.channel in channels or not _has_a_seat(policy, absent):
            continue
        channels.add(policy.channel)
        tx.notify(
            Notice(
                kind=NoticeKind.CHANNEL,
                what=what,
                model=policy.model,
                facts={**facts, "channel": policy.channel, "pattern": pattern},
            )
        )


def _has_a_seat(policy: ModelPolicy, person: Person) -> bool:
    roles = {s.role for rule in policy.stages.values() for s in rule.seats}
    return person.has_any_role(roles)


def _tell_those_left_alone(tx: Transaction, person: Person) -> None:
    """Whoever is away with this person as stand-in has none meanwhile."""
    for other in tx.absences():
        if other.stand_in == person.id and not other.is_over(tx.now):
            tx.notify(
                Notice(
                    kind=NoticeKind.TELL,
                    what="stand_in_gone",
                    person=other.person,
                    facts={"stand_in": person.id},
                )
            )


def _look_again(tx: Transaction, rules: Rules) -> None:
    """Whoever may decide by now is asked, and open requests say who is away."""
    for request in tx.open_requests():
        policy = policy_for(rules.policies, request.model)
        if policy is None or policy.digest != request.binding.policy:
            continue
        if request.state in TAKES_VOTES:
            ask_those_who_could_fill(tx, rules, policy, request)
            redraw(tx, request)
