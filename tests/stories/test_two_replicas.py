"""Two replicas of the bot over one database: two clicks for one request arrive at both at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from governance.domain.approval import Verdict
from governance.domain.errors import FoureyesError, Refused
from governance.domain.ledger import EventKind
from governance.domain.promotion import Request, State
from governance.use_cases import reconcile, roll_back
from governance.use_cases.audit import verify
from governance.use_cases.decide import Ballot, decide
from governance.use_cases.world import World
from tests.builders import MODEL
from tests.stories.desk import Desk


@pytest.fixture
def worlds(desk: Desk, database_url: str) -> Iterator[tuple[World, World]]:
    """The desk's, and that of a second process with nothing in common but the database."""
    heads = HeadFile(desk.heads.path)
    store = open_store(database_url, heads, clock=desk.clock)
    yield desk.world, replace(desk.world, store=store, heads=heads, holder="the other replica")
    store.close()


def _at_once(*works: Callable[[], object]) -> list[object]:
    """What each returned, or the error that it ended with."""
    together = threading.Barrier(len(works))

    def begun(work: Callable[[], object]) -> object:
        together.wait()
        try:
            return work()
        except FoureyesError as error:
            return error

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(begun, works))


def _vote(desk: Desk, world: World, request: Request, name: str) -> Callable[[], object]:
    actor = desk.actor(name)
    ballot = Ballot(
        request_id=request.id, verdict=Verdict.APPROVE, comment="", drawing=request.drawing
    )
    standing = desk.accounts.standing(actor.account)
    return lambda: decide(world, ballot, actor=actor, standing=standing)


def test_two_approvals_at_once_both_count(desk: Desk, worlds: tuple[World, World]) -> None:
    """Neither overwrites the other, and the quorum is seen by one of them."""
    request = desk.promote()
    one, other = worlds
    _at_once(_vote(desk, one, request, "ana"), _vote(desk, other, request, "raj"))
    with desk.store.read() as tx:
        assert {d.person for d in tx.decisions(request.id)} == {"ana", "raj"}
    assert desk.request(request.id).state is State.APPROVED
    assert verify(desk.store, desk.heads).ok


def test_one_person_who_clicks_at_both_votes_once(desk: Desk, worlds: tuple[World, World]) -> None:
    """The second is told that the vote counts already."""
    request = desk.promote()
    found = _at_once(*(_vote(desk, world, request, "rosa") for world in worlds))
    assert sum(isinstance(f, Refused) for f in found) == 1
    assert desk.kinds().count(EventKind.DECISION_MADE.value) == 1
    assert desk.request(request.id).state is State.PENDING


def test_both_carry_out_and_one_transition_is_made(desk: Desk, worlds: tuple[World, World]) -> None:
    """The lock on the model is a row with a lease."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    one, other = worlds
    _at_once(*(lambda w=w: reconcile.push_on(w) for w in (one, other, one, other)))
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED
    assert len(desk.registry.transitions) == 1
    assert desk.kinds().count(EventKind.TRANSITION_DONE.value) == 1


def test_a_rollback_clicked_at_both_is_done_once(desk: Desk, worlds: tuple[World, World]) -> None:
    """The second finds Production moved, or the model busy."""
    desk.promoted()
    desk.registry.transitions.clear()
    actor = desk.actor("otto")
    standing = desk.accounts.standing(actor.account)
    offered = roll_back.offer(desk.world, MODEL, actor=actor, standing=standing)
    assert offered.target is not None
    order = roll_back.Order(
        model=MODEL, from_version=offered.current, to_version=offered.target, why="spiked"
    )
    found = _at_once(
        *(lambda w=w: roll_back.roll_back(w, order, actor=actor, standing=standing) for w in worlds)
    )
    assert sum(isinstance(f, FoureyesError) for f in found) == 1
    assert len(desk.registry.transitions) == 1
    assert desk.kinds().count(EventKind.ROLLBACK_DONE.value) == 1
    assert verify(desk.store, desk.heads).ok
