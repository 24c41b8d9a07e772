"""Each monitor's last verdict, counts and next look, as plain lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.messages.endings import ended
from governance.domain.evidence import ModelName
from governance.domain.monitoring.spec import Action
from governance.domain.monitoring.verdict import Verdict
from governance.domain.policy import policy_for
from governance.ports import Rules, Transaction

_MARKS = {
    Verdict.HEALTHY: "✅",
    Verdict.REGRESSED: "❌",
    Verdict.INCONCLUSIVE: "⏳",
    Verdict.ERROR: "⚠️",
}


def monitor_lines(tx: Transaction, rules: Rules, model: ModelName) -> Iterator[str]:
    """What watches the version of a model that is in Production; nothing when nothing is."""
    policy = policy_for(rules.policies, model)
    stay = tx.in_production().get(model)
    if policy is None or stay is None or not policy.watching.monitors:
        return
    version = stay.version
    states = {
        state.key.monitor: state
        for state, _lease in tx.monitor_states(model)
        if state.key.version == version
    }
    yield f"{model} v{version} is watched by"
    for spec in policy.watching.monitors:
        acts = "rolls back" if spec.then is Action.ROLL_BACK else "alerts"
        known = states.get(spec.name)
        if known is None:
            yield f"  ⏳ {spec.name} ({acts}): not looked at yet"
            continue
        yield (
            f"  {_MARKS[known.verdict]} {spec.name} ({acts}): {known.verdict.value}. "
            f"{ended(known.sentence)}{_looks(known.looked_at, spec.every, tx.now)}"
        )
    drill = tx.drills().get(model)
    if drill is not None:
        holds = "holds" if drill.passed else "does NOT hold"
        yield f"  Rollback drill of {drill.drilled_at:%Y-%m-%d %H:%M} UTC: {holds}"


def _looks(looked_at: datetime | None, every: timedelta, now: datetime) -> str:
    """By the last look and the policy's rhythm: what the store keeps as the next one is the lease
    of whoever is looking."""
    if looked_at is None:
        return ""
    due = looked_at + every
    coming = "is due" if due <= now else _moment(due, now)
    return f" Looked at {_moment(looked_at, now)}. Next look {coming}."


def _moment(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M:%S} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S} UTC"
