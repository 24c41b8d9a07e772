"""A verification that fails says where: each kept head that the change touches, by its line in the
file and the size it vouches for, and no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from governance.domain.errors import IntegrityViolation
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind, Head
from governance.use_cases.audit import quick_check, verify
from tests.ledger.owner import Owner, a_cut_tail, bodies, write_anew
from tests.stories.desk import Desk

PLACE = 4
"""The record that is changed: in the middle, with heads before and after it."""


def in_place(connection: Connection, changed: bytes) -> None:
    """The bytes alone; every hash in the database stays as it was."""
    connection.execute(
        text("UPDATE ledger SET body = :body WHERE seq = :seq"), {"body": changed, "seq": PLACE}
    )


def with_all_hashes(connection: Connection, changed: bytes) -> None:
    """And every hash after it is computed anew."""
    found = bodies(connection)
    write_anew(connection, [*found[: PLACE - 1], changed, *found[PLACE:]])


@pytest.mark.parametrize(
    ("write", "part", "another"),
    [
        (in_place, b'"person":', b'"person":"vera","was":'),
        (in_place, b'"at":"2026', b'"at":"2025'),
        (with_all_hashes, b'"at":"2026', b'"at":"2025'),
        (with_all_hashes, b'"model":"', b'"model":"other_'),
    ],
)
def test_the_heads_from_the_changed_record_on_are_named(
    desk: Desk,
    owner: Owner,
    write: Callable[[Connection, bytes], None],
    part: bytes,
    another: bytes,
) -> None:
    """Who, when, of which model, with hashes or without. Those before it still hold."""
    desk.promoted()
    with owner.at_work() as connection:
        record = bodies(connection)[PLACE - 1]
        changed = record.replace(part, another, 1)
        assert changed != record
        write(connection, changed)
    found = verify(desk.store, desk.heads)
    assert found.problems == _sentences(desk, from_size=PLACE)
    assert found.anchored_size == max(k.head.size for k in desk.heads.all() if k.head.size < PLACE)


def test_the_heads_of_what_was_cut_are_named(desk: Desk, owner: Owner) -> None:
    """And promotions are stopped with both sizes."""
    desk.promoted()
    size = _head(desk).size
    with owner.at_work() as connection:
        a_cut_tail(connection)
    assert verify(desk.store, desk.heads).problems == _sentences(desk, from_size=size - 1)
    told = f"a head of {size} records was kept, and the log has {size - 2}"
    with desk.store.read() as tx, pytest.raises(IntegrityViolation, match=told):
        quick_check(tx, desk.heads)


def test_bytes_that_are_no_record_are_named_by_their_place(desk: Desk, owner: Owner) -> None:
    """Beside the heads that they break."""
    desk.promoted()
    with owner.at_work() as connection:
        in_place(connection, b"\xff\x00")
    problems = verify(desk.store, desk.heads).problems
    assert problems == (f"record {PLACE} cannot be read", *_sentences(desk, from_size=PLACE))


def test_records_that_changed_places_are_named_both(desk: Desk, owner: Owner) -> None:
    """Each says which one it is."""
    desk.promoted()
    with owner.at_work() as connection:
        found = bodies(connection)
        found[PLACE - 1], found[PLACE] = found[PLACE], found[PLACE - 1]
        write_anew(connection, found)
    assert verify(desk.store, desk.heads).problems[:2] == (
        f"record {PLACE} says it is another one",
        f"record {PLACE + 1} says it is another one",
    )


def test_forged_peaks_show_as_soon_as_a_record_is_built_on_them(desk: Desk, owner: Owner) -> None:
    """The newest root in the database is right, and what the next one is computed from is not."""
    desk.promoted()
    with owner.at_work() as connection:
        connection.execute(
            text(
                "UPDATE ledger SET peaks = (SELECT peaks FROM ledger WHERE seq = 1) "
                "WHERE seq = (SELECT MAX(seq) FROM ledger)"
            )
        )
    with desk.store.transaction() as tx:
        tx.record(Event(kind=EventKind.DECISION_REFUSED, at=tx.now, actor=Actor.automatic("test")))
    assert verify(desk.store, desk.heads).problems == _sentences(desk, from_size=_head(desk).size)


def _sentences(desk: Desk, *, from_size: int) -> tuple[str, ...]:
    """One for each kept head of this size or a larger one, in the order of the file."""
    kept = [k for k in desk.heads.all() if k.head.size >= from_size]
    assert kept
    return tuple(
        f"kept head {k.line} says {k.head.size} records with root "
        f"{k.head.root.hex()[:16]}…, and the log does not"
        for k in kept
    )


def _head(desk: Desk) -> Head:
    with desk.store.read() as tx:
        return tx.head()
