"""The same predictions and outcomes in every engine, as a bank's own systems would write them."""

from __future__ import annotations

import csv
import random
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from governance.domain.monitoring.spec import Outcomes, Predictions, TableSource

BEGIN = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
ADDRESS = "CREDIT_DATABASE_URL"

More = Sequence[tuple[str, int]]
WORDS = {0: "repaid", 1: "default"}
"""Outcomes in words, in the column `status`; whatever else it is, is written as `unclear`."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One applicant; `bad` is None while the outcome is not known."""

    id: str | None
    at: datetime | None
    version: int
    score: float | None
    approved: bool | None
    bad: int | None
    model: str = "credit_scoring"


def some_applicants(count: int = 300, *, version: int = 3, seed: int = 1) -> list[Scored]:
    """Applicants a few minutes apart, across two midnights; two in three have an outcome."""
    dice = random.Random(seed)
    found = []
    for number in range(count):
        is_bad = dice.random() < 0.3
        score = min(max(dice.gauss(0.6 if is_bad else 0.4, 0.2), 0.0), 1.0)
        found.append(
            Scored(
                id=f"a{version}-{number:05d}",
                at=BEGIN + timedelta(minutes=10 * (number // 2)),  # two at each moment
                version=version,
                score=round(score, 6),
                approved=score < 0.5,
                bad=int(is_bad) if number % 3 else None,
            )
        )
    return found


def a_source(**changes: object) -> TableSource:
    """The tables as the feed writes them."""
    source = TableSource(
        name="applications",
        url=ADDRESS,
        predictions=Predictions(
            table="predictions",
            id="application_id",
            at="scored_at",
            version="model_version",
            score="score",
            approved="approved",
        ),
        outcomes=Outcomes(table="outcomes", id="application_id", bad="is_bad"),
        matured_after=timedelta(),
    )
    return replace(source, **changes)  # type: ignore[arg-type]  # a table of changes


class Feed(ABC):
    """Writes rows into one engine; `environ` is what Foureyes reads."""

    environ: Mapping[str, str]

    @abstractmethod
    def write(
        self, rows: Sequence[Scored], *, more_outcomes: Sequence[tuple[str, int]] = ()
    ) -> None:
        """Replace what is there."""

    def run(self, statement: str) -> None:
        """A statement of the owner of the data, in an engine that takes statements."""
        raise AssertionError(f"this engine takes no statement: {statement}")


class SqliteFeed(Feed):
    """Moments as ISO text with their offset, as Python writes them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bank.db"
        self.environ = {ADDRESS: f"sqlite:///{self.path}"}

    def write(
        self, rows: Sequence[Scored], *, more_outcomes: Sequence[tuple[str, int]] = ()
    ) -> None:
        """Two tables."""
        with sqlite3.connect(self.path) as connection:
            connection.executescript(
                "DROP TABLE IF EXISTS predictions; DROP TABLE IF EXISTS outcomes;"
                "CREATE TABLE predictions (application_id TEXT, scored_at TEXT,"
                " model_version TEXT, score REAL, approved INTEGER, model_name TEXT);"
                "CREATE TABLE outcomes (application_id TEXT, is_bad INTEGER, status TEXT);"
            )
            connection.executemany(
                "INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        r.id,
                        None if r.at is None else r.at.isoformat(),
                        f"v{r.version}",
                        r.score,
                        r.approved,
                        r.model,
                    )
                    for r in rows
                ],
            )
            connection.executemany(
                "INSERT INTO outcomes VALUES (?, ?, ?)", _outcomes(rows, more_outcomes)
            )
        connection.close()

    def run(self, statement: str) -> None:
        """In the same file."""
        with sqlite3.connect(self.path) as connection:
            connection.execute(statement)
        connection.close()


class PostgresFeed(Feed):
    """Moments with their zone, versions as numbers, flags as booleans."""

    def __init__(self, url: str) -> None:
        self.environ = {ADDRESS: url}

    def write(
        self, rows: Sequence[Scored], *, more_outcomes: Sequence[tuple[str, int]] = ()
    ) -> None:
        """Two tables."""
        with psycopg.connect(self.environ[ADDRESS]) as connection, connection.cursor() as cursor:
            cursor.execute(
                "DROP TABLE IF EXISTS predictions; DROP TABLE IF EXISTS outcomes;"
                "CREATE TABLE predictions (application_id text, scored_at timestamptz,"
                " model_version integer, score double precision, approved boolean,"
                " model_name text);"
                "CREATE TABLE outcomes (application_id text, is_bad integer, status text)"
            )
            cursor.executemany(
                "INSERT INTO predictions VALUES (%s, %s, %s, %s, %s, %s)",
                [(r.id, r.at, r.version, r.score, r.approved, r.model) for r in rows],
            )
            cursor.executemany(
                "INSERT INTO outcomes VALUES (%s, %s, %s)", _outcomes(rows, more_outcomes)
            )

    def run(self, statement: str) -> None:
        """In the same database."""
        with psycopg.connect(self.environ[ADDRESS], autocommit=True) as connection:
            connection.execute(statement.encode())


class ParquetFeed(Feed):
    """Two Parquet files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {ADDRESS: f"parquet:///{folder}"}

    def write(
        self, rows: Sequence[Scored], *, more_outcomes: Sequence[tuple[str, int]] = ()
    ) -> None:
        """Moments in microseconds, UTC."""
        table = pa.table(
            {
                "application_id": pa.array([r.id for r in rows], pa.string()),
                "scored_at": pa.array([r.at for r in rows], pa.timestamp("us", tz="UTC")),
                "model_version": pa.array([r.version for r in rows], pa.int32()),
                "score": pa.array([r.score for r in rows], pa.float64()),
                "approved": pa.array([r.approved for r in rows], pa.bool_()),
                "model_name": pa.array([r.model for r in rows], pa.string()),
            }
        )
        pq.write_table(table, self.folder / "predictions.parquet")
        outcomes = _outcomes(rows, more_outcomes)
        pq.write_table(
            pa.table(
                {
                    "application_id": pa.array([i for i, _bad, _word in outcomes], pa.string()),
                    "is_bad": pa.array([bad for _id, bad, _word in outcomes], pa.int8()),
                    "status": pa.array([word for _id, _bad, word in outcomes], pa.string()),
                }
            ),
            self.folder / "outcomes.parquet",
        )


class DuckdbFeed(Feed):
    """A DuckDB file; moments with their zone."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bank.duckdb"
        self.environ = {ADDRESS: f"duckdb:///{self.path}"}

    def write(
        self, rows: Sequence[Scored], *, more_outcomes: Sequence[tuple[str, int]] = ()
    ) -> None:
        """Two tables, written while the bot may be reading."""
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("DROP TABLE IF EXISTS predictions; DROP TABLE IF EXISTS outcomes")
            connection.execute(
                "CREATE TABLE predictions (application_id TEXT, scored_at TIMESTAMPTZ,"
                " model_version TEXT, score DOUBLE, approved BOOLEAN, model_name TEXT);"
                "CREATE TABLE outcomes (application_id TEXT, is_bad INTEGER, status TEXT)"
            )
            for r in rows:
                at = None if r.at is None else r.at.isoformat()
                connection.execute(
                    "INSERT INTO predictions VALUES (?, CAST(? AS TIMESTAMPTZ), ?, ?, ?, ?)",
                    [r.id, at, f"v{r.version}", r.score, r.approved, r.model],
                )
            for outcome in _outcomes(rows, more_outcomes):
                connection.execute("INSERT INTO outcomes VALUES (?, ?, ?)", list(outcome))


class CsvFeed(Feed):
    """Two CSV files; moments without a zone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {ADDRESS: f"csv:///{folder}"}

    def write(
        self, rows: Sequence[Scored], *, more_outcomes: Sequence[tuple[str, int]] = ()
    ) -> None:
        """As a spreadsheet would save them."""
        with (self.folder / "predictions.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                ["application_id", "scored_at", "model_version", "score", "approved", "model_name"]
            )
            for r in rows:
                at = None if r.at is None else r.at.replace(tzinfo=None).isoformat(" ")
                writer.writerow([r.id, at, f"v{r.version}", r.score, r.approved, r.model])
        with (self.folder / "outcomes.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["application_id", "is_bad", "status"])
            writer.writerows(_outcomes(rows, more_outcomes))


def _outcomes(rows: Sequence[Scored], more: More) -> list[tuple[str | None, int, str]]:
    known = [(r.id, r.bad) for r in rows if r.bad is not None] + list(more)
    return [(i, bad, WORDS.get(bad, "unclear")) for i, bad in known]
