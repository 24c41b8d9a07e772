"""New versions of governed models: noticed by looking, announced once, with what was seen then.

What was there at the first look is no news. Record, notice and mark commit together, so a crash or
a second replica announces nothing twice and loses nothing. Knows no words for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from governance.domain.canonical import Json
from governance.domain.checks import CheckResult, Outcome
from governance.domain.errors import FoureyesError, Refused
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.domain.policy import ModelPolicy, policy_for
from governance.ports import Notice, NoticeKind, Transaction, VersionSummary
from governance.use_cases.promote import preview
from governance.use_cases.sides import with_profile
from governance.use_cases.world import World

WHAT = "new_versions"
"""How the notice is called."""
_ACTOR = Actor.automatic("reconciler")
_READ_AT_ONCE = 20
"""So many of the newest are read; of older ones that came at the same time the number is told."""
_WAITED_FOR = timedelta(minutes=10)
"""A version that does not answer is waited for so long after it was registered; then people hear
that it cannot be read."""


@dataclass(frozen=True, kw_only=True)
class News:
    """What one message tells. Snapshots of what is named here are kept in the store."""

    model: ModelName
    newest: Version | None = None
    """Told in full; None when none of them could be read."""
    production: Version | None = None
    target: Stage | None = None
    """Where policy lets `newest` go next."""
    checks: tuple[CheckResult, ...] = ()
    """For `target`, as they stood."""
    why_not: str = ""
    """Why there are no checks."""
    others: tuple[Version, ...] = ()
    """Newest first."""
    unreadable: tuple[tuple[Version, str], ...] = ()
    """And why."""
    unread: int = 0
    """How many more, older than all of these."""

    @property
    def count(self) -> int:
        """How many versions it is about."""
        told = 0 if self.newest is None else 1
        return told + len(self.others) + len(self.unreadable) + self.unread


def announce_new_versions(world: World, model: ModelName) -> tuple[Version, ...]:
    """Look at a model once; returns the versions that are announced by this look.

    Raises:
        Unavailable: MLflow or the store; the next look goes on from there.
    """
    policy = policy_for(world.rules.current().policies, model)
    if policy is None:
        return ()
    with world.store.read() as tx:
        before = tx.noticed().get(model)
        now = tx.now
    try:
        there = world.registry.versions(model)
    except Refused:
        there = ()  # a policy may come before its model
    if before is None:
        _begin(world, model, there)
        return ()
    fresh = [summary for summary in there if summary.version > before]
    found = _read(world, policy, fresh, now=now)
    if found.up_to is None:
        return ()
    with world.store.read() as tx:
        asked = {r.version for r in tx.requests(model)}
    # Whoever was asked for a version has seen all of this already.
    fresh_read = [s for s in found.snapshots if s.version not in asked]
    news, champion = _news(world, policy, found, fresh_read)
    announced = tuple(sorted(s.version for s in fresh_read))
    with world.store.transaction() as tx:
        if not tx.save_noticed(model, before, found.up_to):
            return ()  # another replica was faster
        for snapshot in (*champion, *found.snapshots):
            tx.save_snapshot(snapshot, _files_kept(tx, snapshot))
        unreadable = [v for v, _why in news.unreadable]
        _record(tx, model, found.up_to, announced=announced, unreadable=unreadable)
        if news.count:
            tx.notify(Notice(kind=NoticeKind.CHANNEL, what=WHAT, model=model, facts=facts_of(news)))
    return (*announced, *unreadable)


def _files_kept(tx: Transaction, snapshot: Snapshot) -> Content | None:
    """What the record knows of its files, while the version still has the same origin."""
    kept = tx.saved_snapshot(snapshot.model, snapshot.version)
    content = kept[1] if kept else None
    if content is None:
        return None
    now = (snapshot.run_id, snapshot.model_id, snapshot.source)
    return content if (content.run_id, content.model_id, content.source) == now else None


def _begin(world: World, model: ModelName, there: Sequence[VersionSummary]) -> None:
    """The first look: what is there is no news."""
    up_to = Version(max((summary.version for summary in there), default=0))
    with world.store.transaction() as tx:
        if tx.save_noticed(model, None, up_to):
            _record(tx, model, up_to, announced=(), unreadable=())


def _record(
    tx: Transaction,
    model: ModelName,
    up_to: Version,
    *,
    announced: Sequence[Version],
    unreadable: Sequence[Version],
) -> None:
    tx.record(
        Event(
            kind=EventKind.VERSIONS_NOTICED,
            at=tx.now,
            actor=_ACTOR,
            model=model,
            version=announced[-1] if announced else None,
            facts={
                "up_to": up_to,
                "announced": list(announced),
                "unreadable": list(unreadable),
            },
        )
    )


@dataclass(kw_only=True)
class _Found:
    """What could be read of new versions, up to the first that is waited for."""

    up_to: Version | None = None
    snapshots: list[Snapshot] = field(default_factory=list)
    unreadable: list[tuple[Version, str]] = field(default_factory=list)
    unread: int = 0


def _read(
    world: World, policy: ModelPolicy, fresh: Sequence[VersionSummary], *, now: datetime
) -> _Found:
    found = _Found()
    passed_over = max(0, len(fresh) - _READ_AT_ONCE)
    for number, summary in enumerate(fresh):
        if number < passed_over:
            found.unread += 1
        else:
            try:
                snapshot = world.registry.snapshot(policy.model, summary.version)
                found.snapshots.append(with_profile(world, snapshot, policy))
            except Refused as refusal:
                found.unreadable.append((summary.version, refusal.sentence))
            except FoureyesError as problem:
                if abs(now - summary.registered_at) < _WAITED_FOR:
                    break
                found.unreadable.append((summary.version, problem.sentence))
        found.up_to = summary.version
    return found


def _news(
    world: World, policy: ModelPolicy, found: _Found, told: Sequence[Snapshot]
) -> tuple[News, tuple[Snapshot, ...]]:
    """What the message tells, and the version in Production that it compares with."""
    newest = max(told, key=lambda s: s.version, default=None)
    unreadable = tuple(found.unreadable)
    if newest is None:
        return News(model=policy.model, unreadable=unreadable, unread=found.unread), ()
    champion = world.registry.production(policy.model).current
    try:
        checks, why_not = preview(world, policy.model, newest.version, None), ""
    except Refused as refusal:
        checks, why_not = (), refusal.sentence
    news = News(
        model=policy.model,
        newest=newest.version,
        production=champion,
        target=policy.next_stage(newest.stage),
        checks=checks,
        why_not=why_not,
        others=tuple(sorted((s.version for s in told if s is not newest), reverse=True)),
        unreadable=unreadable,
        unread=found.unread,
    )
    if champion is None:
        return news, ()
    try:
        snapshot = world.registry.snapshot(policy.model, champion)
    except Refused:
        return news, ()  # compared with what was kept of it
    return news, (with_profile(world, snapshot, policy),)


def facts_of(news: News) -> Mapping[str, Json]:
    """News as a notice holds them."""
    return {
        "newest": news.newest,
        "production": news.production,
        "target": news.target.value if news.target else None,
        "checks": [[c.check, c.outcome.value, c.finding] for c in news.checks],
        "why_not": news.why_not,
        "others": list(news.others),
        "unreadable": [[version, why] for version, why in news.unreadable],
        "unread": news.unread,
    }


def news_of(model: ModelName, facts: Mapping[str, Json]) -> News:
    """News as they were queued."""
    target = facts.get("target")
    return News(
        model=model,
        newest=_version(facts.get("newest")),
        production=_version(facts.get("production")),
        target=None if target is None else Stage(str(target)),
        checks=tuple(
            CheckResult(check=str(check), outcome=Outcome(str(outcome)), finding=str(finding))
            for check, outcome, finding in _rows(facts.get("checks"))
        ),
        why_not=str(facts.get("why_not") or ""),
        others=tuple(Version(int(str(v))) for v in _listed(facts.get("others"))),
        unreadable=tuple(
            (Version(int(str(version))), str(why))
            for version, why in _rows(facts.get("unreadable"))
        ),
        unread=int(str(facts.get("unread") or 0)),
    )


def _version(value: Json) -> Version | None:
    return None if value is None else Version(int(str(value)))


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _rows(value: Json) -> list[Sequence[Json]]:
    return [_listed(row) for row in _listed(value)]
