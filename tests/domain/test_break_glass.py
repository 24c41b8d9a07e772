"""Who may break glass, what is skipped by it, and who reviews that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.approval import tally
from governance.domain.break_glass import (
    barred_from_review,
    may_break_glass,
    require_may_break_glass,
    skipped_of_promotion,
    skipped_of_rollback,
)
from governance.domain.checks import CheckResult, Outcome
from governance.domain.errors import Refused
from governance.domain.identity import PersonId, Role
from governance.domain.policy import BreakGlassRule, Escalation, Seats
from tests.builders import MODEL, a_person, a_policy

ROLES = [Role("validator"), Role("risk"), Role("legal")]
NAMES = [PersonId(n) for n in ("ana", "bo", "cy", "di")]
RULE = BreakGlassRule(roles=frozenset({Role("on_call")}), review_within=timedelta(hours=24))

_seats = st.lists(
    st.builds(lambda r, n: Seats(role=r, count=n), st.sampled_from(ROLES), st.integers(1, 3)),
    min_size=1,
    max_size=3,
    unique_by=lambda s: s.role,
)
_approvals = st.dictionaries(st.sampled_from(NAMES), st.frozensets(st.sampled_from(ROLES)))
_checks = st.lists(
    st.builds(
        lambda n, o: CheckResult(check=f"check {n}", outcome=o, finding="it is so"),
        st.integers(0, 9),
        st.sampled_from(Outcome),
    ),
    max_size=4,
    unique_by=lambda c: c.check,
)


def test_without_a_rule_nobody_may() -> None:
    """It fails closed: whoever wants it has to write it."""
    assert not may_break_glass(None, a_person("otto", "on_call", "risk", "validator"))
    with pytest.raises(Refused, match="lets nobody break glass"):
        require_may_break_glass(None, a_person("otto", "on_call"), MODEL)


def test_a_role_lets_people_and_no_role_lets_nobody() -> None:
    """A maker may too, if their role does: that is the point."""
    assert require_may_break_glass(RULE, a_person("otto", "on_call"), MODEL) is RULE
    with pytest.raises(Refused, match="needs the role on_call, which Dana does not have"):
        require_may_break_glass(RULE, a_person("dana", "data_scientist"), MODEL)


@given(_seats, _approvals, _checks)
def test_every_seat_is_either_filled_or_skipped(
    seats: list[Seats], approvals: dict[PersonId, frozenset[Role]], checks: list[CheckResult]
) -> None:
    """Nothing that policy asks for is lost, and what was given is asked of nobody again."""
    quorum = tally(seats, approvals, {})
    skipped = skipped_of_promotion(seats, quorum, checks)
    assert len(skipped.approvals) + quorum.filled == sum(s.count for s in seats)
    unpassed = [c for c in checks if c.outcome is not Outcome.PASSED]
    assert len(skipped.rules) == len(unpassed)
    assert skipped.is_nothing == (quorum.met and not unpassed)
    reviewing = sum(s.count for s in skipped.review)
    assert reviewing == (len(skipped.approvals) or sum(s.count for s in seats))


@given(_seats, _approvals, _approvals, _checks)
def test_what_is_skipped_never_grows_unseen(
    seats: list[Seats],
    before: dict[PersonId, frozenset[Role]],
    after: dict[PersonId, frozenset[Role]],
    checks: list[CheckResult],
) -> None:
    """The marks of what somebody was shown cover what it is now only if it became no more."""
    was = skipped_of_promotion(seats, tally(seats, before, {}), checks)
    now = skipped_of_promotion(seats, tally(seats, after, {}), checks)
    grew = any(now.approvals.count(r) > was.approvals.count(r) for r in ROLES)
    assert (now.marks <= was.marks) == (not grew)


def test_a_check_that_failed_since_is_a_new_mark_and_another_number_is_none() -> None:
    """Waiting for the soak is what was shown; a failed metric is not."""
    seats = [Seats(role=Role("risk"), count=1)]

    def marks(outcome: Outcome, finding: str) -> frozenset[str]:
        check = CheckResult(check="auc at least 0.7", outcome=outcome, finding=finding)
        return skipped_of_promotion(seats, tally(seats, {}, {}), [check]).marks

    assert marks(Outcome.FAILED, "auc is 0.6") == marks(Outcome.FAILED, "auc is 0.5")
    assert not marks(Outcome.FAILED, "auc is 0.6") <= marks(Outcome.WAITING, "no auc yet")


def test_a_rollback_without_the_role_is_reviewed_by_one_who_has_it() -> None:
    """Any of the roles that may roll back."""
    skipped = skipped_of_rollback(a_policy(), a_person("dana", "data_scientist"), None, ())
    assert [(s.label, s.count) for s in skipped.review] == [("on_call", 1)]
    assert len(skipped.lines) == 1


def test_a_rollback_to_another_target_is_reviewed_by_all_whom_a_promotion_needs() -> None:
    """And by whoever may roll back, when the person may not."""
    seats = [Seats(role=Role("risk"), count=2), Seats(role=Role("on_call"), count=1)]
    may = a_person("otto", "on_call")
    skipped = skipped_of_rollback(a_policy(), may, "it is quarantined", seats)
    assert [(s.label, s.count) for s in skipped.review] == [("on_call", 1), ("risk", 2)]
    may_not = a_person("dana", "data_scientist")
    skipped = skipped_of_rollback(a_policy(), may_not, "it is quarantined", seats)
    assert [(s.label, s.count) for s in skipped.review] == [("on_call", 2), ("risk", 2)]
    assert skipped_of_rollback(a_policy(), may, None, seats).is_nothing


def test_makers_requester_breaker_and_those_who_sit_do_not_review() -> None:
    """Each with the reason that they are told."""
    barred = barred_from_review(
        a_policy(),
        makers=[PersonId("dana")],
        requester=PersonId("cy"),
        breaker=PersonId("otto"),
        sitting=[PersonId("ana"), PersonId("dana")],
    )
    assert dict(barred) == {
        "dana": "made this version",
        "cy": "opened this request",
        "otto": "broke the glass",
        "ana": "filled another seat of this request",
    }


def test_a_seat_that_was_opened_to_a_second_role_is_reviewed_by_either() -> None:
    """Whoever could have filled it when it was skipped."""
    escalation = Escalation(after=timedelta(hours=4), to=Role("legal"))
    seats = [Seats(role=Role("risk"), count=1, escalation=escalation)]
    quorum = tally(seats, {}, {})
    before = skipped_of_promotion(seats, quorum, ())
    opened = skipped_of_promotion(seats, quorum, (), escalated=frozenset({Role("risk")}))
    assert [s.label for s in (*before.review, *opened.review)] == ["risk", "legal or risk"]
    assert opened.approvals == ("risk",)
