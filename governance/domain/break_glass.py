"""Break-glass: one person acts past policy in an emergency, and those who were skipped review it.

Says who may, what is skipped, and who reviews it. Pure: no clock, no IO, no vendor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from governance.domain.approval import Quorum, bar_makers
from governance.domain.canonical import Digest, Json, digest_of
from governance.domain.checks import CheckResult, Outcome
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName
from governance.domain.identity import Person, PersonId, Role, people_digest
from governance.domain.policy import BreakGlassRule, ModelPolicy, Seats

GlassId = NewType("GlassId", str)


class Bypass(StrEnum):
    """What is done past policy."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"


PASSES: Mapping[Bypass, frozenset[str]] = {
    Bypass.PROMOTION: frozenset(
        {"already_open", "checks_failed", "nowhere_to_go", "staged_elsewhere", "wrong_stage"}
    ),
    Bypass.ROLLBACK: frozenset({"may_not_roll_back", "not_eligible"}),
}
"""The refusals that break-glass can pass, by their codes. Every other one stands for everybody: a
version that cannot be read, an author whom nobody knows, a record that contradicts its heads."""


def may_break_glass(rule: BreakGlassRule | None, person: Person) -> bool:
    """Whether a person's role lets them; without a rule nobody's does."""
    return rule is not None and person.has_any_role(rule.roles)


def require_may_break_glass(
    rule: BreakGlassRule | None, person: Person, model: ModelName
) -> BreakGlassRule:
    """The rule by which a person may.

    Raises:
        Refused: `may_not_break_glass`.
    """
    if rule is None:
        raise Refused(
            "may_not_break_glass", f"The policy of {model} lets nobody break glass. Ask its owners."
        )
    if not may_break_glass(rule, person):
        raise Refused(
            "may_not_break_glass",
            f"Breaking glass for {model} needs the role {' or '.join(sorted(rule.roles))}, which "
            f"{person.name} does not have.{person.why_outside(rule.roles)}",
        )
    return rule


@dataclass(frozen=True, kw_only=True)
class ReviewSeats:
    """So many places in a review, each for a different person who holds one of the roles."""

    any_of: frozenset[Role]
    count: int

    @property
    def label(self) -> Role:
        """One word for all of them, so that seats are matched as in an approval; no role is named
        so, for a role's name holds no space."""
        return Role(" or ".join(sorted(self.any_of)))


@dataclass(frozen=True, kw_only=True)
class SkippedRule:
    """Something that policy asks for and that was not so."""

    what: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """What a break-glass passes over, and who reviews it."""

    approvals: tuple[Role, ...]
    """The role of each seat that nobody had filled."""
    rules: tuple[SkippedRule, ...]
    review: tuple[ReviewSeats, ...]

    @property
    def is_nothing(self) -> bool:
        """Policy would allow it by itself."""
        return not self.approvals and not self.rules

    @property
    def lines(self) -> tuple[str, ...]:
        """Each in words."""
        missing = Counter(self.approvals)
        asked = tuple(
            f"{count} approval{'' if count == 1 else 's'} from {role}"
            for role, count in sorted(missing.items())
        )
        return (*asked, *(f"{r.what}: {r.found}" for r in self.rules))

    @property
    def marks(self) -> frozenset[str]:
        """Eight hex digits for each thing: what somebody was shown is held against what it has
        become. What a check found may change; what is skipped may not grow."""
        missing = Counter(self.approvals)
        things = [f"{count} {role}" for role, n in missing.items() for count in range(1, n + 1)]
        return frozenset(digest_of(t)[:8] for t in (*things, *(r.what for r in self.rules)))


def skipped_of_promotion(
    seats: Sequence[Seats],
    quorum: Quorum,
    checks: Iterable[CheckResult],
    other: Iterable[SkippedRule] = (),
    *,
    escalated: frozenset[Role] = frozenset(),
) -> Skipped:
    """The empty seats, the checks that have not passed, and what else stands against it. The
    empty seats review it, by the second role too where one was opened to it; where every seat was
    filled, all of them look at it once more."""
    missing = Counter(quorum.missing) or Counter({s.role: s.count for s in seats})
    second = {s.role: s.escalation.to for s in seats if s.escalation and s.role in escalated}
    return Skipped(
        approvals=quorum.missing,
        rules=(*other, *_unpassed(checks)),
        review=_seats(
            (frozenset({role, second.get(role, role)}), count) for role, count in missing.items()
        ),
    )


def _unpassed(checks: Iterable[CheckResult]) -> tuple[SkippedRule, ...]:
    return tuple(
        SkippedRule(what=f"check {c.check} {_SAID[c.outcome]}", found=c.finding)
        for c in checks
        if c.outcome is not Outcome.PASSED
    )


_SAID = {Outcome.FAILED: "failed", Outcome.WAITING: "waits", Outcome.PASSED: "passed"}


def skipped_of_rollback(
    policy: ModelPolicy,
    person: Person,
    why_not_eligible: str | None,
    promotion: Sequence[Seats],
    checks: Iterable[CheckResult] = (),
) -> Skipped:
    """The role that the person lacks, and the approvals and checks of the promotion that any other
    target is. Each is reviewed by whoever holds the role."""
    roles = policy.rollback_roles
    rules: list[SkippedRule] = []
    wanted: list[tuple[frozenset[Role], int]] = []
    approvals: list[Role] = []
    if not person.has_any_role(roles):
        needs = " or ".join(sorted(roles))
        rules.append(
            SkippedRule(what=f"a rollback needs the role {needs}", found="which is not held")
        )
        wanted.append((roles, 1))
    if why_not_eligible is not None:
        rules.append(SkippedRule(what="the target is not eligible", found=why_not_eligible))
        rules.extend(_unpassed(checks))
        for seat in promotion:
            approvals.extend([seat.role] * seat.count)
            wanted.append((frozenset({seat.role}), seat.count))
        if not promotion:
            wanted.append((roles, 1))
    return Skipped(approvals=tuple(approvals), rules=tuple(rules), review=_seats(wanted))


def _seats(wanted: Iterable[tuple[frozenset[Role], int]]) -> tuple[ReviewSeats, ...]:
    """Each group of roles once, with all its places."""
    counts: Counter[frozenset[Role]] = Counter()
    for any_of, count in wanted:
        counts[any_of] += count
    found = (ReviewSeats(any_of=any_of, count=n) for any_of, n in counts.items())
    return tuple(sorted(found, key=lambda s: s.label))


@dataclass(frozen=True, kw_only=True)
class BrokenGlass:
    """One break-glass as it was ordered: frozen, and carried until its review is over."""

    id: GlassId
    bypass: Bypass
    person: PersonId
    account: str
    reason: str
    incident: str
    """The reference under which others find why: a ticket, an incident."""
    at: datetime
    skipped: Skipped
    review_within: timedelta
    barred: Mapping[PersonId, str]
    """Who may not review it, and why."""
    roles_then: Mapping[PersonId, frozenset[Role]]
    accounts_then: Mapping[PersonId, frozenset[str]]

    @property
    def people_then(self) -> Digest:
        """Of who counts in its review, and with what."""
        return people_digest(self.roles_then, self.accounts_then)

    @property
    def facts(self) -> Mapping[str, Json]:
        """As it goes into the record, beside who did it and why."""
        return {
            "break_glass": self.id,
            "what": self.bypass.value,
            "incident": self.incident,
            "skipped": list(self.skipped.lines),
            "review_by": [[s.label, s.count] for s in self.skipped.review],
            "review_within_ms": round(self.review_within.total_seconds() * 1000),
            "barred": [[person, why] for person, why in sorted(self.barred.items())],
            "people": self.people_then,
        }


def barred_from_review(
    policy: ModelPolicy,
    *,
    makers: Iterable[PersonId],
    requester: PersonId,
    breaker: PersonId,
    sitting: Iterable[PersonId] = (),
) -> Mapping[PersonId, str]:
    """As for an approval: whoever made it, asked for it or broke the glass does not review it.
    Nor does whoever already fills one of the other seats: every seat is another person."""
    owners = frozenset[PersonId]() if policy.owners_may_approve else policy.owners
    barred = dict.fromkeys(sitting, "filled another seat of this request")
    barred.update(bar_makers(makers, requester, owners))
    barred[breaker] = "broke the glass"
    return barred
