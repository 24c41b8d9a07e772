"""A source that does not answer holds up no other model's monitor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.monitoring.spec import Watching
from governance.domain.policy import ModelPolicy, PolicySet
from governance.use_cases.lanes import SLOW_SECONDS, WIDTH
from governance.use_cases.watch import Watch
from tests.builders import MODEL, a_policy, a_snapshot, some_rules
from tests.sources.feed import ADDRESS, a_source
from tests.stories.desk import promoted_before
from tests.stories.watching import SOURCE, SlowSources, WatchedDesk, a_monitor, until

SLOW = tuple(ModelName(f"slow_{number}") for number in range(WIDTH + 1))


@dataclass
class Seconds:
    """A monotonic clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


def beside(watched: WatchedDesk, *slow: ModelName, url: str = ADDRESS) -> SlowSources:
    """Models beside ours, each with a version in Production, whose sources do not answer."""
    here = replace(a_policy(), watching=Watching(sources=(SOURCE,), monitors=(a_monitor(),)))
    there = Watching(sources=(a_source(url=url),), monitors=(a_monitor(),))
    policies: dict[str, ModelPolicy] = {MODEL: here}
    for model in slow:
        snapshot = replace(a_snapshot(1), model=model)
        watched.desk.registry.add(snapshot, watched.desk.registry.contents[MODEL, Version(3)])
        with watched.desk.store.transaction() as tx:
            promoted_before(tx, model, Version(1), Stage.PRODUCTION)
        policies[model] = replace(here, model=model, pattern=model, watching=there)
    rules = some_rules()
    both = PolicySet(policies=policies, digest=rules.policies.digest)
    watched.desk.rules.rules = replace(rules, policies=both)
    assert watched.desk.sources is not None
    sources = SlowSources(watched.desk.sources(), *slow)
    watched.desk.sources = lambda: sources  # type: ignore[assignment]  # it passes on
    return sources


@contextmanager
def ticking(watched: WatchedDesk, sources: SlowSources) -> Iterator[Watch]:
    """The lanes of a bot; in the end the sources answer, and nothing runs on."""
    watch = Watch(watched.desk.world)
    try:
        yield watch
    finally:
        sources.let.set()
        watch.stop()
        assert watch.is_idle(timedelta(seconds=60))


@pytest.mark.parametrize("url", ["SLOW_DATABASE_URL", ADDRESS])
def test_a_slow_source_holds_up_no_other_model(watched: WatchedDesk, url: str) -> None:
    """The other one is rolled back while the first still waits, also where both are at one address
    and the first was slow many times: it is not begun again beside itself."""
    sources = beside(watched, SLOW[0], url=url)
    watched.arrive(600, auc=0.5)
    watched.desk.clock.advance(minutes=6)
    with ticking(watched, sources) as watch:
        assert watch.tick() == 2
        until(lambda: SLOW[0] in sources.waiting)
        for _minute in range(6):
            watched.desk.clock.advance(minutes=6)
            watch.tick()
        until(lambda: watched.desk.production() == (Version(3),))
        assert not sources.let.is_set()
        assert not watch.is_idle(timedelta())


def test_as_many_slow_sources_as_there_are_threads_hold_up_nobody(watched: WatchedDesk) -> None:
    """All at one address, and all begun before ours: once they have taken long, ours goes on."""
    watched.watched_by()
    sources = beside(watched, *SLOW)
    seconds = Seconds()
    watched.desk.elapsed = seconds
    watched.arrive(600, auc=0.5)
    rules = watched.desk.rules.rules
    others = {m: p for m, p in rules.policies.policies.items() if m != MODEL}
    watched.desk.rules.rules = replace(rules, policies=replace(rules.policies, policies=others))
    watched.desk.clock.advance(minutes=6)
    with ticking(watched, sources) as watch:
        assert watch.tick() == len(SLOW)
        until(lambda: len(sources.waiting) == WIDTH)
        watched.desk.rules.rules = rules
        assert watch.tick() == 1
        assert watched.desk.production() == (Version(4),)
        seconds.now += SLOW_SECONDS + 1
        watch.tick()
        until(lambda: watched.desk.production() == (Version(3),))
        assert not sources.let.is_set()
