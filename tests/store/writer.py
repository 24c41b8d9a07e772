"""A process that appends records until it is told to stop or is killed: `writer URL HEADS NAME N`.
Prints the number of each record when it is committed."""

from __future__ import annotations

import sys
from pathlib import Path

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind


def write(url: str, heads: Path, name: str, count: int) -> None:
    """So many records, each in a transaction of its own."""
    store = open_store(url, HeadFile(heads))
    for _ in range(count):
        with store.transaction() as tx:
            number = tx.record(
                Event(kind=EventKind.DECISION_REFUSED, at=tx.now, actor=Actor.automatic(name))
            )
        print(number, flush=True)
    store.close()


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
