"""Which use case runs when. Every job looks at the actual state and goes on from there, so that a
missed tick, a doubled one or a second replica does no harm.

Knows the use cases and a ticker; knows no vendor of theirs. APScheduler is only the ticker: it
keeps nothing, and what a job still has to do is found in the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from governance.domain.errors import FoureyesError
from governance.ports import Webhook
from governance.use_cases import alerts, reconcile
from governance.use_cases.attention import Reminding, look_after
from governance.use_cases.automatic import react_to_all
from governance.use_cases.away import end_what_is_over
from governance.use_cases.drill import drill_what_is_due
from governance.use_cases.findings import end_alerts
from governance.use_cases.outside import tell_outside
from governance.use_cases.pushing import Pushing
from governance.use_cases.reviews import look_after_reviews
from governance.use_cases.serving import ask_what_is_served, follow
from governance.use_cases.watch import Watch
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.jobs")

PUSH_ON = "push_on"
LOOK_AROUND = "look_around"
WATCH = "watch"
_STOP_POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something that is done again and again. The first time is at once."""

    name: str
    every: timedelta
    run: Callable[[], None]
    """Raises FoureyesError for what an operator must hear of; it is logged and tried again."""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """How a job fares, on the monotonic clock that was given."""

    begun_at: float | None = None
    ended_at: float | None = None
    succeeded_at: float | None = None
    running: bool = False
    runs: int = 0
    failures: int = 0
    problem: str = ""
    """Of the newest run; empty when it went well."""


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """How often what is done."""

    push_every: timedelta
    look_every: timedelta
    watch_every: timedelta = timedelta(seconds=1)


def reconciling(world: World, pushing: Pushing, rhythm: Rhythm) -> tuple[Job, ...]:
    """Finish what stopped, carry out what is approved; compare MLflow with the record."""

    def push_on() -> None:
        _raise_first(pushing.tick())

    def look_around() -> None:
        _raise_first(reconcile.look_around(world))

    def reviews() -> None:
        look_after_reviews(world)

    return (
        Job(name="reviews", every=rhythm.push_every, run=reviews),
        Job(name=PUSH_ON, every=rhythm.push_every, run=push_on),
        Job(name=LOOK_AROUND, every=rhythm.look_every, run=look_around),
    )


def watching(
    world: World, watch: Watch, rhythm: Rhythm, *, webhook: Webhook | None
) -> tuple[Job, ...]:
    """Look at what is due, do what an alert asks for, keep traffic and people up to date."""

    def look() -> None:
        watch.tick()

    def follow_up() -> None:
        end_alerts(world)
        for done in react_to_all(world):
            _log.info("%s", done)

    def remind() -> None:
        alerts.remind(world)

    def serve() -> None:
        follow(world)

    def probe() -> None:
        ask_what_is_served(world)

    def drill() -> None:
        for done in drill_what_is_due(world):
            _log.info("%s", done)

    jobs = [
        Job(name=WATCH, every=rhythm.watch_every, run=look),
        Job(name="follow_up", every=rhythm.push_every, run=follow_up),
        Job(name="reminders", every=rhythm.push_every, run=remind),
        Job(name="serving", every=rhythm.push_every, run=serve),
        Job(name="probe", every=rhythm.push_every, run=probe),
        Job(name="drill", every=rhythm.look_every, run=drill),
    ]
    if webhook is not None:
        to = webhook

        def tell() -> None:
            tell_outside(world, to)

        jobs.append(Job(name="webhook", every=rhythm.push_every, run=tell))
    return tuple(jobs)


def attending(world: World, rhythm: Rhythm, reminding: Reminding) -> tuple[Job, ...]:
    """Ask who can decide by now, escalate, remind."""

    def attend() -> None:
        end_what_is_over(world)
        problems = look_after(world, reminding)
        for problem in problems[1:]:
            _log.warning("%s: %s", problem.code, problem.sentence)
        if problems:
            raise problems[0]

    return (Job(name="attention", every=rhythm.look_every, run=attend),)


class Jobs:
    """Runs jobs in threads, one run of each at a time."""

    def __init__(self, jobs: Sequence[Job], *, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._beats = {job.name: Beat() for job in jobs}
        self._lock = Lock()
        self._scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(max_workers=len(jobs) + 1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        for job in jobs:
            self._scheduler.add_job(
                self._run,
                "interval",
                args=(job,),
                id=job.name,
                seconds=job.every.total_seconds(),
                next_run_time=datetime.now(UTC),
            )

    def start(self) -> None:
        """Begin ticking; every job runs at once."""
        self._scheduler.start()

    def wake(self, name: str) -> None:
        """Run a job now instead of at its next tick. Lost when it is running: then the tick
        after it does the work."""
        self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def stop(self, *, patience: timedelta, pause: Callable[[float], None]) -> bool:
        """Begin nothing new, and wait for what runs. False when something still runs after
        `patience`."""
        self._scheduler.shutdown(wait=False)
        give_up_at = self._elapsed() + patience.total_seconds()
        while self._running():
            if self._elapsed() >= give_up_at:
                return False
            pause(_STOP_POLL_SECONDS)
        return True

    def _running(self) -> bool:
        return any(beat.running for beat in self.beats().values())

    def beats(self) -> Mapping[str, Beat]:
        """How every job fares."""
        with self._lock:
            return dict(self._beats)

    def _run(self, job: Job) -> None:
        self._note(job, begun_at=self._elapsed(), problem=None)
        try:
            job.run()
        except FoureyesError as problem:
            self._note(job, begun_at=None, problem=f"{problem.code}: {problem.sentence}")
        except Exception as problem:  # a defect in one run must not end the ticking
            _log.exception("%s broke", job.name)
            self._note(job, begun_at=None, problem=f"defect: {type(problem).__name__}")
        else:
            self._note(job, begun_at=None, problem="")

    def _note(self, job: Job, *, begun_at: float | None, problem: str | None) -> None:
        now = self._elapsed()
        with self._lock:
            before = self._beats[job.name]
            if begun_at is not None:
                self._beats[job.name] = replace(
                    before, begun_at=begun_at, running=True, runs=before.runs + 1
                )
                return
            self._beats[job.name] = replace(
                before,
                ended_at=now,
                running=False,
                succeeded_at=before.succeeded_at if problem else now,
                failures=before.failures + (1 if problem else 0),
                problem=problem or "",
            )
        if problem and problem != before.problem:
            _log.warning("%s: %s", job.name, problem)
        elif before.problem and not problem:
            _log.info("%s works again", job.name)


def _raise_first(tick: reconcile.Tick) -> None:
    for done in tick.finished:
        _log.info("%s", done)
    for problem in tick.problems[1:]:
        _log.warning("%s: %s", problem.code, problem.sentence)
    if tick.problems:
        raise tick.problems[0]
