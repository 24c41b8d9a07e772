"""Reads what a request's message shows, in one transaction."""

from __future__ import annotations

from bot.views import Shown
from governance.domain.approval import Quorum, RequestId, Verdict
from governance.domain.escalation import may_fill
from governance.domain.policy import policy_for
from governance.domain.promotion import TAKES_VOTES
from governance.ports import Rules, Transaction
from governance.use_cases.rounds import answered_rounds
from governance.use_cases.settle import quorum_of


def shown_request(tx: Transaction, rules: Rules, request_id: RequestId) -> Shown:
    """The request with its seats as they stand. Raises Refused `no_such_request`."""
    request = tx.request(request_id)
    policy = policy_for(rules.policies, request.model)
    if policy is None or policy.rule(request.target) is None:
        quorum = Quorum(seats=(), excluded={})
    else:
        quorum = quorum_of(tx, rules, policy, request)
    asked = tuple(d for d in tx.decisions(request_id) if d.verdict is Verdict.ASK_FOR_CHANGES)
    needed = (
        may_fill(policy.stages[request.target].seats, request.escalated)
        if quorum.seats and policy
        else frozenset()
    )
    away = tuple(
        a
        for a in tx.absences()
        if not a.is_over(tx.now) and needed & request.roles_at_opening.get(a.person, frozenset())
    )
    return Shown(
        request=request,
        quorum=quorum,
        policy=policy,
        roster=rules.roster,
        asked=asked,
        answered=answered_rounds(tx, request),
        away=away if request.state in TAKES_VOTES else (),
    )
