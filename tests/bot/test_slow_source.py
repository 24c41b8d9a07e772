"""While a source of predictions does not answer, people are answered as ever."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from governance.adapters.metric_sources import IbisSources
from governance.domain.evidence import Version
from governance.domain.ledger import EventKind
from governance.domain.monitoring.spec import Watching
from governance.jobs import Job, Jobs, Rhythm, watching
from governance.use_cases.watch import Watch
from tests.bot.office import Office
from tests.builders import MODEL, a_policy, some_rules
from tests.sandbox.stage import CHANNEL
from tests.sources.feed import SqliteFeed
from tests.stories.watching import SOURCE, SlowSources, a_monitor, until

RHYTHM = Rhythm(
    push_every=timedelta(seconds=0.2),
    look_every=timedelta(seconds=0.2),
    watch_every=timedelta(seconds=0.1),
)


def test_a_slow_source_delays_no_click(office: Office, tmp_path: Path) -> None:
    """The bot's own ticker and lanes run: a vote is counted, and Production rolled back by a
    click, while the look at the model still waits."""
    desk = office.desk
    feed = SqliteFeed(tmp_path)
    feed.write([])
    real = IbisSources(feed.environ)
    sources = SlowSources(real, MODEL)
    desk.sources = lambda: sources  # type: ignore[assignment]  # it passes on
    policy = a_policy()
    eyes = Watching(sources=(SOURCE,), monitors=(a_monitor(),))
    desk.rules.rules = some_rules(replace(policy, watching=eyes))
    desk.promoted()
    desk.staged(5)
    world = replace(desk.world, elapsed=time.monotonic, accounts=desk.accounts)
    watch = Watch(world)
    work = Job(name="inbox", every=timedelta(seconds=0.2), run=lambda: _work(office))
    jobs = Jobs((work, *watching(world, watch, RHYTHM, webhook=None)), elapsed=time.monotonic)
    jobs.start()
    try:
        until(lambda: MODEL in sources.waiting)
        office.person("dana").type(CHANNEL, "/promote credit_scoring 5 production better")
        votes = desk.kinds().count(EventKind.DECISION_MADE.value)
        office.person("ana").click(office.request(), "Approve")
        until(lambda: desk.kinds().count(EventKind.DECISION_MADE.value) > votes)
        office.person("otto").type(CHANNEL, "/rollback credit_scoring approvals spiked")
        office.person("otto").click(office.reads("otto", "Roll back v4 → v3"), "Roll back v4 → v3")
        until(lambda: desk.production() == (Version(3),))
        assert not sources.let.is_set()
        assert not watch.is_idle(timedelta())
    finally:
        sources.let.set()
        watch.stop()
        assert jobs.stop(patience=timedelta(seconds=60), pause=time.sleep)
        assert watch.is_idle(timedelta(seconds=60))
        real.close()


def _work(office: Office) -> None:
    office.conversation.work_off()
    office.conversation.send_due()
