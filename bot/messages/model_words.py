"""A model's card and the comparison of two versions, as plain lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.messages import glass_words, request_words
from bot.messages.comparison_words import comparison_lines
from bot.messages.monitor_words import monitor_lines
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Roster
from governance.domain.policy import policy_for
from governance.use_cases.audit import Happened, TrailLine, render_trail
from governance.use_cases.inspect import Difference, ModelCard
from governance.use_cases.world import World


def card_text(card: ModelCard, world: World) -> str:
    """What is where, since when, approved by whom; open requests; history."""
    roster = world.rules.current().roster
    production = ", ".join(f"v{v}" for v in card.production.versions) or "nothing"
    alias = f" (alias: v{card.production.alias})" if card.production.alias is not None else ""
    staging = [v for v in card.versions if v.stage is Stage.STAGING]
    since = {(t.version, t.stage): t.started_at for t in card.running}
    lines = [f"{card.model}", f"Production: {production}{alias}"]
    lines += [
        f"  v{v} {_since(since.get((v, Stage.PRODUCTION)))}, "
        f"{_how(card.history, v, Stage.PRODUCTION, roster)}"
        for v in card.production.versions
    ]
    lines.append("Staging: " + (", ".join(f"v{v.version}" for v in staging) or "nothing"))
    lines += [
        f"  v{v.version} {_since(since.get((v.version, Stage.STAGING)))}, "
        f"{_how(card.history, v.version, Stage.STAGING, roster)}"
        for v in staging
    ]
    lines += [f"Quarantined: v{version}. {why}" for version, why in card.quarantined]
    for request in card.open_requests:
        who = roster.name_of(request.requester)
        lines.append(
            f"Open: {request_words.request_title(request)}, asked by {who}, {request.state.value}"
        )
    lines += [
        f"{glass_words.title(r)} by {roster.name_of(r.glass.person)} (incident "
        f"{r.glass.incident}), review {r.state.value} {r.due_at:%Y-%m-%d %H:%M} UTC"
        for r in card.reviews
    ]
    lines += card_monitors(world, card.model)
    if card.history:
        lines += ["History (UTC)", render_trail(card.history, in_columns=False)]
    return "\n".join(lines)


def card_monitors(world: World, model: ModelName) -> list[str]:
    """What watches it, as of now."""
    with world.store.read() as tx:
        return list(monitor_lines(tx, world.rules.current(), model))


def _since(moment: datetime | None) -> str:
    return f"since {moment:%Y-%m-%d %H:%M} UTC" if moment else "since before Foureyes looked"


def _how(history: Sequence[TrailLine], version: Version, stage: Stage, roster: Roster) -> str:
    """How a version came into its stage, and by whose approval."""
    entered = [
        line
        for line in history
        if line.version == version
        and line.stage is stage
        and line.happened is not Happened.ROLLED_BACK
    ]
    approvals = next((line.approvals for line in reversed(entered) if line.approvals), ())
    by = ", ".join(f"{roster.name_of(a.person)} ({', '.join(a.roles)})" for a in approvals)
    if entered and entered[-1].happened is Happened.ELSEWHERE:
        return "put there outside Foureyes"
    glass = entered[-1].glass if entered else None
    if glass is not None:
        also = f", besides approved by {by}" if entered[-1].approvals else ""
        return f"by break-glass of {roster.name_of(glass.person)} ({glass.incident}){also}"
    asker = entered[-1].requester if entered else None
    if asker is not None and not entered[-1].approvals:
        return f"asked by {roster.name_of(asker)}; no approval needed"
    if by:
        return f"approved by {by}"
    if any(line.happened is Happened.ADOPTED for line in entered):
        return "found there at first sight"
    return "approved by nobody that the record knows"


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
    lines += comparison_lines(found.comparison, found.before, found.after, threshold)
    return "\n".join(lines)
