"""A model's card and the comparison of two versions, as plain lines."""

from __future__ import annotations

from bot import messages
from governance.domain.evidence import ModelName, Stage
from governance.domain.policy import policy_for
from governance.use_cases.audit import render_trail
from governance.use_cases.inspect import Difference, ModelCard
from governance.use_cases.world import World


def card_text(card: ModelCard, world: World) -> str:
    """What is where, since when, approved by whom; open requests; history."""
    roster = world.rules.current().roster
    production = ", ".join(f"v{v}" for v in card.production.staged) or "nothing"
    alias = f" (alias: v{card.production.alias})" if card.production.alias is not None else ""
    staging = [v for v in card.versions if v.stage is Stage.STAGING]
    since = {(t.version, t.stage): t.started_at for t in card.running}
    lines = [f"{card.model}", f"Production: {production}{alias}"]
    lines += [
        f"  v{v} since {since[v, Stage.PRODUCTION]:%Y-%m-%d %H:%M} UTC"
        for v in card.production.staged
        if (v, Stage.PRODUCTION) in since
    ]
    lines.append("Staging: " + (", ".join(f"v{v.version}" for v in staging) or "nothing"))
    lines += [f"Quarantined: v{version}. {why}" for version, why in card.quarantined]
    for request in card.open_requests:
        who = roster.name_of(request.requester)
        lines.append(
            f"Open: {messages.request_title(request)}, asked by {who}, {request.state.value}"
        )
    if card.history:
        lines += ["History (UTC)", render_trail(card.history)]
    return "\n".join(lines)


def difference_text(found: Difference, world: World, model: ModelName) -> str:
    """What changed from one version to another."""
    policy = policy_for(world.rules.current().policies, model)
    threshold = policy.decision_threshold if policy else None
    lines = [f"{model}: v{found.before.version} → v{found.after.version}"]
    for name, at in (
        (found.before.version, found.before_taken_at),
        (found.after.version, found.after_taken_at),
    ):
        if at is not None:
            lines.append(f"v{name} as it was kept on {at:%Y-%m-%d %H:%M} UTC")
    lines += messages.change_lines(found.comparison, found.before, found.after, threshold)
    return "\n".join(lines)
