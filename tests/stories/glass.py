"""The verbs of breaking glass, at the desk of the stories."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from governance.domain.approval import RequestId
from governance.domain.evidence import Stage, Version
from governance.domain.identity import Role
from governance.domain.policy import BreakGlassRule, MetricAtLeast, ModelPolicy
from governance.domain.promotion import Request
from governance.domain.review import Answer, Review
from governance.ports import Notice
from governance.use_cases.break_glass import Plan, Plea
from governance.use_cases.break_glass_promotion import (
    Order,
    break_glass_to_promote,
    plan_promotion,
)
from governance.use_cases.break_glass_rollback import break_glass_to_roll_back, plan_rollback
from governance.use_cases.restore import Restored
from governance.use_cases.reviews import give_review, look_after_reviews
from tests.builders import MODEL, a_policy, a_rule, some_rules
from tests.stories.desk import Desk

RULE = BreakGlassRule(
    roles=frozenset({Role("on_call"), Role("data_scientist")}), review_within=timedelta(hours=24)
)
WHY = "v3 declines everybody"


def glass_policy(auc: float = 0.7) -> ModelPolicy:
    """Who is on call may break glass, and so may whoever trains: makers too."""
    check = MetricAtLeast(metric="auc_validation", limit=auc)
    rules = (a_rule(Stage.STAGING), a_rule(checks=(check,)))
    return replace(a_policy(*rules), break_glass=RULE)


def with_glass(desk: Desk, auc: float = 0.7) -> Desk:
    """The desk under that policy."""
    desk.rules.rules = some_rules(glass_policy(auc))
    return desk


def plan(desk: Desk, version: int = 4, *, by: str = "otto") -> Plan:
    """Look at what it would skip."""
    actor = desk.actor(by)
    return plan_promotion(
        desk.world,
        MODEL,
        Version(version),
        downgrade=False,
        actor=actor,
        standing=desk.accounts.standing(actor.account),
    )


def break_glass(
    desk: Desk,
    version: int = 4,
    *,
    by: str = "otto",
    reason: str = WHY,
    incident: str = "INC-12",
    shown: frozenset[str] | None = None,
    from_version: int | None = None,
    request: RequestId | None = None,
    downgrade: bool = False,
) -> Request:
    """Confirm what was shown."""
    actor = desk.actor(by)
    was = Version(from_version or 3)
    if shown is None:
        planned = plan(desk, version, by=by)
        shown, was = planned.skipped.marks, planned.from_version or was
    order = Order(
        model=MODEL,
        version=Version(version),
        from_version=was,
        request_id=request,
        downgrade=downgrade,
    )
    return break_glass_to_promote(
        desk.world,
        order,
        Plea(reason=reason, incident=incident, shown=shown),
        actor=actor,
        standing=desk.accounts.standing(actor.account),
        progress=lambda _done, _total: None,
    )


def plan_back(desk: Desk, version: int | None = None, *, by: str = "dana") -> Plan:
    """Look at what a rollback would skip."""
    actor = desk.actor(by)
    return plan_rollback(
        desk.world,
        MODEL,
        version=None if version is None else Version(version),
        actor=actor,
        standing=desk.accounts.standing(actor.account),
    )


def break_glass_back(
    desk: Desk, version: int | None = None, *, by: str = "dana", from_version: int = 4
) -> Restored:
    """Confirm it."""
    planned = plan_back(desk, version, by=by)
    actor = desk.actor(by)
    return break_glass_to_roll_back(
        desk.world,
        MODEL,
        Version(from_version),
        planned.version,
        Plea(reason=WHY, incident="INC-12", shown=planned.skipped.marks),
        actor=actor,
        standing=desk.accounts.standing(actor.account),
    )


def review(desk: Desk) -> Review:
    """The newest review."""
    with desk.store.read() as tx:
        return tx.reviews(MODEL)[-1]


def says(desk: Desk, by: str, answer: Answer = Answer.ACCEPT, comment: str = "") -> Review:
    """Somebody reviews the newest."""
    actor = desk.actor(by)
    return give_review(
        desk.world,
        review(desk).id,
        answer,
        comment=comment,
        actor=actor,
        standing=desk.accounts.standing(actor.account),
    )


def demands(desk: Desk, by: str) -> Review:
    """Somebody wants it back."""
    return says(desk, by, Answer.DEMAND_ROLLBACK, "it approves everybody")


def a_day_later(desk: Desk) -> int:
    """Time passes, and the ticker looks."""
    desk.clock.advance(hours=24)
    return look_after_reviews(desk.world)


def told(desk: Desk, what: str) -> list[Notice]:
    """What is in the outbox about it."""
    return [n for n in desk.notices() if n.what == what]
