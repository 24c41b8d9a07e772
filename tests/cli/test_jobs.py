"""Jobs: one run at a time, trouble noted and tried again, a bounded end."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event

from governance.domain.errors import Unavailable
from governance.jobs import Beat, Job, Jobs

PATIENCE = timedelta(seconds=10)
SELDOM = timedelta(hours=1)
OFTEN = timedelta(milliseconds=50)


def a_job(run: Callable[[], None], *, every: timedelta = SELDOM) -> Job:
    """A job named `work`."""
    return Job(name="work", every=every, run=run)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is to happen; fails after ten seconds."""
    give_up_at = time.monotonic() + PATIENCE.total_seconds()
    while not condition():
        assert time.monotonic() < give_up_at, "it did not happen"
        time.sleep(0.01)


def test_a_job_runs_at_once_and_when_woken() -> None:
    """Nothing waits for the first interval to pass."""
    runs: list[int] = []
    jobs = Jobs([a_job(lambda: runs.append(1))], elapsed=time.monotonic)
    jobs.start()
    until(lambda: jobs.beats()["work"].succeeded_at is not None)
    jobs.wake("work")
    until(lambda: len(runs) == 2)
    assert jobs.stop(patience=PATIENCE, pause=time.sleep)


def test_trouble_is_noted_and_the_job_goes_on() -> None:
    """An outage of MLflow or a defect never ends the ticking."""
    problems = [Unavailable("mlflow_unavailable", "MLflow does not answer."), RuntimeError("oops")]
    seen: list[Beat] = []

    def run() -> None:
        if problems:
            raise problems.pop(0)

    jobs = Jobs([a_job(run, every=OFTEN)], elapsed=time.monotonic)
    jobs.start()

    def look() -> bool:
        seen.append(jobs.beats()["work"])
        return seen[-1].succeeded_at is not None

    until(look)
    assert jobs.stop(patience=PATIENCE, pause=time.sleep)
    assert jobs.beats()["work"].failures == 2
    assert jobs.beats()["work"].problem == ""
    assert "mlflow_unavailable: MLflow does not answer." in {b.problem for b in seen}


def test_a_slow_job_never_runs_beside_itself() -> None:
    """A tick that comes while it runs is dropped."""
    running: list[int] = []
    most: list[int] = []

    def run() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.15)
        running.pop()

    jobs = Jobs([a_job(run, every=OFTEN)], elapsed=time.monotonic)
    jobs.start()
    until(lambda: len(most) >= 3)
    assert jobs.stop(patience=PATIENCE, pause=time.sleep)
    assert max(most) == 1


def test_stopping_does_not_wait_for_ever() -> None:
    """Whatever will not end is reported, so that the process can end without it."""
    release, begun = Event(), Event()

    def run() -> None:
        begun.set()
        release.wait(PATIENCE.total_seconds())

    jobs = Jobs([a_job(run)], elapsed=time.monotonic)
    jobs.start()
    begun.wait(PATIENCE.total_seconds())
    assert not jobs.stop(patience=timedelta(milliseconds=50), pause=time.sleep)
    release.set()
    until(lambda: not jobs.beats()["work"].running)
