"""A deployment in a folder, as a user would set it up: settings, a database, a record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import SqlStore, open_store
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.domain.tenure import Origin, Tenure
from tests.cli.program import POLICIES, Ended, foureyes_in_process
from tests.databases import migrated_sqlite

MODEL = ModelName("credit_scoring")
OPERATOR = Actor.automatic("test")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One working folder. The heads stand outside the folder of the database."""

    folder: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """SQLite's file."""
        return self.folder / "state" / "foureyes.db"

    @property
    def heads(self) -> Path:
        """The file of kept heads."""
        return self.folder / "elsewhere" / "heads"

    @property
    def settings(self) -> dict[str, str]:
        """What names this deployment, and no server."""
        return {
            "FOUREYES_DATABASE_URL": f"sqlite:///{self.database}",
            "FOUREYES_HEADS": str(self.heads),
            "FOUREYES_POLICIES": str(POLICIES),
            **self.more,
        }

    def foureyes(self, *arguments: str) -> Ended:
        """One command of this deployment."""
        return foureyes_in_process(*arguments, settings=self.settings)

    @contextmanager
    def store(self) -> Iterator[SqlStore]:
        """The store, with its tables."""
        self.database.parent.mkdir(exist_ok=True)
        if not self.database.exists():
            self.database.write_bytes(migrated_sqlite())
        store = open_store(f"sqlite:///{self.database}", HeadFile(self.heads))
        try:
            yield store
        finally:
            store.close()

    def keep_records(self, count: int) -> None:
        """That many records, each in a transaction of its own, and a version in Production."""
        with self.store() as store:
            for number in range(count):
                with store.transaction() as tx:
                    if number == 0:
                        tx.begin_tenure(
                            Tenure(
                                model=MODEL,
                                version=Version(1),
                                stage=Stage.PRODUCTION,
                                started_at=tx.now,
                                origin=Origin.ADOPTED,
                                request_id=None,
                            )
                        )
                    tx.record(
                        Event(
                            kind=EventKind.VERSION_ADOPTED,
                            at=tx.now,
                            actor=OPERATOR,
                            model=MODEL,
                            version=Version(1),
                            why=f"number {number}",
                            facts={"stages": [["1", "Production"]]} if number == 0 else {},
                        )
                    )

    def tamper(self, *statements: str) -> None:
        """Change the database past its triggers, as its owner can."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            triggers = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall()
            for name, _sql in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _name, sql in triggers:
                connection.execute(sql)
