"""A history replayed against the rules of a policy: when each would have fired, and on what.

Reads the source alone; no state is kept, nothing is recorded, nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.domain.canonical import digest_of
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.monitoring.spec import MonitorSpec, TableSource
from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.domain.monitoring.verdict import Verdict
from governance.ports import MetricSources
from governance.use_cases.look import look
from governance.use_cases.measure import Eyes, Watched
from governance.use_cases.world import World, require_policy

_LOOKS = 100
_MOST_LOOKS = 400
_FINER = 20
"""Where a rule fires between two looks, so many between them say when."""
_LOOKS_A_WINDOW = 4


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One monitor over the whole range."""

    monitor: MonitorSpec
    state: MonitorState
    """As it would be at the end."""
    fired_at: datetime | None
    sentence: str
    """Of the moment when it fired, or of the end."""
    looks: int
    blind: int
    """Looks at which the source could not be read or believed."""


@dataclass(frozen=True, kw_only=True)
class History:
    """What to replay."""

    model: ModelName
    version: Version
    since: datetime
    until: datetime


def history_of(
    world: World, model: ModelName, version: Version | None, since: datetime | None
) -> History:
    """The stay in Production that is meant: of this version or else the current one, from this
    moment or else from its beginning, to its end or now.

    Raises:
        Refused: it never was in Production by our record, and no `since` says from when.
    """
    require_policy(world.rules.current(), model)
    with world.store.read() as tx:
        now = tx.now
        stays = [t for t in tx.tenures(model) if t.stage is Stage.PRODUCTION]
    meant = [t for t in stays if version is None or t.version == version]
    if not meant:
        if version is None or since is None:
            raise Refused(
                "no_history",
                f"{model} has no such version in Production by our record. Say --version and "
                "--since to replay what a version scored elsewhere.",
            )
        return History(model=model, version=version, since=since, until=now)
    stay = meant[-1]
    return History(
        model=model,
        version=stay.version,
        since=since or stay.started_at,
        until=stay.ended_at or now,
    )


def backtest(
    world: World,
    sources: MetricSources,
    history: History,
    *,
    progress: Callable[[str, int, int], None],
) -> tuple[Replayed, ...]:
    """Replay every monitor of the model's policy, look by look, as if it had been there.

    Raises:
        Refused: `not_governed`, `no_monitors`, or a range that does not go forward.
        Unavailable: a source cannot be read at all now.
    """
    policy = require_policy(world.rules.current(), history.model)
    if not policy.watching.monitors:
        raise Refused("no_monitors", f"The policy of {history.model} has no monitors.")
    if history.since >= history.until:
        raise Refused("empty_range", "The range ends before it begins.")
    watched = Watched(
        model=history.model,
        version=history.version,
        released_at=history.since,
        decision_threshold=policy.decision_threshold,
    )
    eyes = Eyes(registry=world.registry, sources=sources)
    for named in {m.source for m in policy.watching.monitors if m.source is not None}:
        sources.mark(policy.watching.source(named), history.model, history.version)
    found: list[Replayed] = []
    for spec in policy.watching.monitors:
        source = None if spec.source is None else policy.watching.source(spec.source)
        found.append(_replay(eyes, watched, spec, source, history, progress=progress))
    return tuple(found)


def _replay(
    eyes: Eyes,
    watched: Watched,
    spec: MonitorSpec,
    source: TableSource | None,
    history: History,
    *,
    progress: Callable[[str, int, int], None],
) -> Replayed:
    every = _every(spec, history)
    looks = max(1, -(-(history.until - history.since) // every))
    state = MonitorState(
        key=MonitorKey(history.model, history.version, spec.name), spec=digest_of(repr(spec))
    )
    fired_at: datetime | None = None
    sentence = ""
    blind = 0
    before = history.since
    for number in range(1, looks + 1):
        now = min(history.since + number * every, history.until) + timedelta(microseconds=1)
        after = look(eyes, watched, spec, source, state, now=now)
        blind += after.verdict is Verdict.ERROR
        progress(spec.name, number, looks)
        if after.verdict is Verdict.REGRESSED and fired_at is None:
            fired_at, sentence = now, after.sentence
            step = max((now - before) / _FINER, spec.every)
            finer = state
            while before + step < now:
                before += step
                finer = look(eyes, watched, spec, source, finer, now=before)
                if finer.verdict is Verdict.REGRESSED:
                    fired_at, sentence = before, finer.sentence
                    break
        state, before = after, now
    return Replayed(
        monitor=spec,
        state=state,
        fired_at=fired_at,
        sentence=sentence or state.sentence,
        looks=looks,
        blind=blind,
    )


def _every(spec: MonitorSpec, history: History) -> timedelta:
    """As often as the policy says, but at most so often: a year of looks every second is not more
    telling than 100 of them, since an e-process forgets nothing in between. A window that moves
    would, so it is looked at more often."""
    span = history.until - history.since
    coarse = span / _LOOKS
    window = getattr(spec.rule, "window", None)
    if isinstance(window, timedelta):
        coarse = max(min(coarse, window / _LOOKS_A_WINDOW), span / _MOST_LOOKS)
    return max(spec.every, coarse)
