"""One model's policy as lines of plain English. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from governance.domain.evidence import Stage
from governance.domain.identity import Roster
from governance.domain.monitoring.spec import Watching
from governance.domain.monitoring.words import describe_monitor
from governance.domain.policy import (
    BreakGlassRule,
    ModelPolicy,
    StageRule,
    UnknownAuthor,
    describe_check,
)

_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)


def describe(policy: ModelPolicy, roster: Roster) -> Iterator[str]:
    """Everything that applies to the model, stage by stage."""
    yield f"{policy.model} (policy for {policy.pattern})"
    for target in (Stage.STAGING, Stage.PRODUCTION):
        rule = policy.rule(target)
        if rule is None:
            yield f"{target.value}: not allowed"
        else:
            yield from _rule_lines(rule)
    yield f"Roll back: {_listed(sorted(policy.rollback_roles), 'nobody')}"
    yield f"Break glass: {_break_glass(policy.break_glass)}"
    refuse = policy.unknown_author is UnknownAuthor.REFUSE
    yield f"Author tags: {_listed(policy.author_tags, 'none')}"
    yield f"A version whose author nobody knows: {'refused' if refuse else 'allowed, and shown'}"
    yield f"Owners may approve: {'yes' if policy.owners_may_approve else 'no'}"
    yield f"Channel: {policy.channel}"
    yield f"Owners: {_listed([roster.name_of(p) for p in sorted(policy.owners)], 'nobody')}"
    yield f"On call: {_listed([roster.name_of(p) for p in policy.on_call], 'nobody')}"
    yield f"Headline metrics: {_listed(policy.headline, 'none')}"
    yield f"Decision threshold: {policy.decision_threshold or 'not recorded'}"
    yield from _watching_lines(policy.watching)
    yield f"Digest: {policy.digest}"


def spell(duration: timedelta) -> str:
    """A duration in the largest units that fit, such as `3 days` or `1 hour 30 minutes`."""
    parts: list[str] = []
    for unit, name in _UNITS:
        count, duration = divmod(duration, unit)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts) or "no time"


def _break_glass(rule: BreakGlassRule | None) -> str:
    if rule is None:
        return "nobody"
    return f"{', '.join(sorted(rule.roles))}, reviewed within {spell(rule.review_within)}"


def _watching_lines(watching: Watching) -> Iterator[str]:
    """What is watched in Production, who hears of it again, and how often a rollback is tried."""
    for source in watching.sources:
        outcomes = source.outcomes.table if source.outcomes else "none"
        matured = f"after {spell(source.matured_after)}" if source.matured_after else "at once"
        yield (
            f"Source {source.name}: {source.url}, predictions {source.predictions.table}, "
            f"outcomes {outcomes}, counted {matured}"
        )
    for monitor in watching.monitors:
        yield f"Monitor {monitor.name}: {', '.join(describe_monitor(monitor).values())}"
    if not watching.monitors:
        yield "Monitors: none"
    if watching.reminders is None:
        yield "Alerts: repeated to nobody"
    else:
        yield (
            "Alerts: repeated to who is on call after "
            f"{spell(watching.reminders.on_call_after)}, to the owners after "
            f"{spell(watching.reminders.owners_after)}"
        )
    if watching.probe_url:
        yield f"Serving: asked at {watching.probe_url}"
    drill = watching.drill_every
    yield f"Drill: {f'every {spell(drill)}' if drill else 'only by foureyes drill'}"


def _rule_lines(rule: StageRule) -> Iterator[str]:
    yield f"{rule.target.value}:"
    yield f"  from {_listed(sorted(s.value for s in rule.from_stages), 'nowhere')}"
    if rule.soak:
        yield f"  after {spell(rule.soak)} in Staging"
    for check in rule.checks:
        yield f"  check: {describe_check(check)}"
    seats = [f"{s.count} × {s.role}" for s in rule.seats]
    yield f"  approvals: {_listed(seats, 'none')}"
    yield f"  expires after {spell(rule.expires_after)}"
    votes = "rejection ends" if rule.rejections_to_end == 1 else "rejections end"
    yield f"  {rule.rejections_to_end} {votes} it"


def _listed(words: Iterable[str], nothing: str) -> str:
    return ", ".join(words) or nothing
