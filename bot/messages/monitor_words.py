"""Each monitor's last verdict, counts and next look, as plain lines."""

from __future__ import annotations

from collections.abc import Iterator

from bot.messages.endings import ended
from governance.domain.evidence import ModelName
from governance.domain.monitoring.spec import Action
from governance.domain.monitoring.state import MonitorState
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
        state.key.monitor: (state, at)
        for state, at in tx.monitor_states(model)
        if state.key.version == version
    }
    yield f"{model} v{version} is watched by"
    for spec in policy.watching.monitors:
        acts = "rolls back" if spec.then is Action.ROLL_BACK else "alerts"
        known = states.get(spec.name)
        if known is None:
            yield f"  ⏳ {spec.name} ({acts}): not looked at yet"
            continue
        state, next_look_at = known
        yield (
            f"  {_MARKS[state.verdict]} {spec.name} ({acts}): {state.verdict.value}. "
            f"{ended(state.sentence)}{_looked_at(state)} "
            f"Next look {next_look_at:%Y-%m-%d %H:%M:%S} UTC."
        )
    drill = tx.drills().get(model)
    if drill is not None:
        holds = "holds" if drill.passed else "does NOT hold"
        yield f"  Rollback drill of {drill.drilled_at:%Y-%m-%d %H:%M} UTC: {holds}"


def _looked_at(state: MonitorState) -> str:
    return f" Looked at {state.looked_at:%H:%M:%S}." if state.looked_at else ""
