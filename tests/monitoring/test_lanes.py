"""Looks in threads: who is slow waits for nobody else, and nobody for them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from threading import Event, current_thread

import pytest

from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName
from governance.use_cases.lanes import SLOW_SECONDS, WIDTH, Lanes, Where

SOON = timedelta(seconds=60)
ADDRESS = "CREDIT_DATABASE_URL"


class Threads:
    """Lanes on a clock that a test moves, and looks that wait until they are let."""

    def __init__(self) -> None:
        """Nothing is begun."""
        self.now = 0.0
        self.lanes = Lanes(lambda: self.now)
        self.let = Event()
        self.begun: dict[str, Event] = {}
        self.lane: dict[str, str] = {}

    def begin(self, name: str, address: str = ADDRESS, *, hangs: bool = True) -> Where:
        """A look of a model; it is over at once, or when it is let."""
        self.begun[name] = begun = Event()

        def look() -> None:
            self.lane[name] = current_thread().name
            begun.set()
            if hangs:
                assert self.let.wait(SOON.total_seconds())

        where = Where(ModelName(name), address)
        assert self.lanes.begin(where, look)
        return where

    def fill(self) -> None:
        """As many looks as a lane has threads, all of them hanging."""
        for number in range(WIDTH):
            self.begin(f"slow_{number}")
            assert self.begun[f"slow_{number}"].wait(SOON.total_seconds())

    def ran(self, name: str) -> bool:
        """Wait for a look to be begun."""
        return self.begun[name].wait(SOON.total_seconds())


@pytest.fixture
def threads() -> Iterator[Threads]:
    """All of them end with the test."""
    found = Threads()
    yield found
    found.let.set()
    found.lanes.stop()
    assert found.lanes.is_idle(SOON)


def test_what_waits_behind_slow_looks_goes_on_beside_them(threads: Threads) -> None:
    """After five seconds, and in the same lane; the slow ones go on where they are."""
    threads.fill()
    quick = threads.begin("quick", hangs=False)
    threads.now += SLOW_SECONDS
    threads.lanes.make_way()
    assert quick in threads.lanes.busy()
    assert not threads.begun["quick"].is_set()
    threads.now += 0.001
    threads.lanes.make_way()
    assert threads.ran("quick")
    assert " slow" not in threads.lane["quick"]
    assert len(threads.lanes.busy() - {quick}) == WIDTH


def test_one_slow_look_is_enough_to_make_way(threads: Threads) -> None:
    """Those that were begun later are not waited for either."""
    threads.begin("slow")
    assert threads.ran("slow")
    threads.now += SLOW_SECONDS + 1
    for number in range(WIDTH - 1):
        threads.begin(f"later_{number}")
        assert threads.ran(f"later_{number}")
    threads.begin("quick", hangs=False)
    threads.lanes.make_way()
    assert threads.ran("quick")


def test_other_addresses_have_other_threads(threads: Threads) -> None:
    """However many hang at one."""
    threads.fill()
    threads.begin("elsewhere", "OTHER_DATABASE_URL", hangs=False)
    assert threads.ran("elsewhere")


def test_slow_ones_hold_up_slow_ones_alone(threads: Threads) -> None:
    """Next time they share the slow lane, and whoever is quick has all of the other."""
    threads.fill()
    threads.now += SLOW_SECONDS + 1
    threads.let.set()
    assert threads.lanes.is_idle(SOON)
    threads.let.clear()
    threads.fill()
    assert all(" slow" in threads.lane[f"slow_{number}"] for number in range(WIDTH))
    for number in range(WIDTH):
        threads.begin(f"quick_{number}")
        assert threads.ran(f"quick_{number}")


def test_who_was_quick_once_is_slow_no_more(threads: Threads) -> None:
    """The look after that is in the quick lane again."""
    lanes = []
    for seconds in (SLOW_SECONDS + 1, 0.0, 0.0):
        threads.begin("model")
        assert threads.ran("model")
        threads.now += seconds
        threads.let.set()
        assert threads.lanes.is_idle(SOON)
        threads.let.clear()
        lanes.append(" slow" in threads.lane["model"])
    assert lanes == [False, True, False]


def test_a_look_that_breaks_ends_alone(threads: Threads, caplog: pytest.LogCaptureFixture) -> None:
    """Said in the log; the lane goes on."""

    def unavailable() -> None:
        raise Unavailable("store_unavailable", "The store does not answer.")

    def defect() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.WARNING, logger="foureyes.watch"):
        for name, look in (("one", unavailable), ("two", defect)):
            threads.lanes.begin(Where(ModelName(name), ADDRESS), look)
        assert threads.lanes.is_idle(SOON)
    assert sorted(record.getMessage() for record in caplog.records) == [
        "looking at one: store_unavailable: The store does not answer.",
        "looking at two broke",
    ]
    threads.begin("three", hangs=False)
    assert threads.ran("three")


def test_nothing_is_begun_once_they_are_stopped(threads: Threads) -> None:
    """What waits is dropped, what runs is waited for as long as one likes."""
    threads.fill()
    threads.begin("waiting", hangs=False)
    threads.lanes.stop()
    assert not threads.lanes.begin(Where(ModelName("new"), ADDRESS), lambda: None)
    threads.lanes.make_way()
    assert not threads.lanes.is_idle(timedelta())
    threads.let.set()
    assert threads.lanes.is_idle(SOON)
    assert not threads.begun["waiting"].is_set()
