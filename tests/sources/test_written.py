"""A statement is written once; filled in, it is what Ibis would have written, letter by letter."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib import import_module
from typing import cast

import ibis
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ibis.backends.sql import SQLBackend
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from ibis.config import Config
from ibis.expr.types import Expr, Table

from governance.adapters.metric_sources import IbisSources
from governance.adapters.metric_sources.connection import Connection
from governance.adapters.metric_sources.rows import Rows
from governance.adapters.metric_sources.shapes import NotUnderstood, Shape
from governance.adapters.metric_sources.written import Statements, write_once
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.spec import Outcomes
from governance.ports import Cursor
from tests.sources.feed import BEGIN, Feed, a_source, some_applicants

MODEL, V3 = ModelName("credit_scoring"), Version(3)
END = BEGIN + timedelta(days=10)
DIALECTS = ("sqlite", "duckdb", "postgres", "pyspark", "trino", "snowflake")
PREDICTIONS = {
    "application_id": "string",
    "scored_at": "timestamp('UTC')",
    "model_version": "string",
    "score": "float64",
    "approved": "boolean",
    "model_name": "string",
}
OUTCOMES = {"application_id": "string", "status": "string"}
APPLICANTS = ibis.table({"id": "string", "at": "timestamp('UTC')", "n": "int64"}, name="applicants")
N, MORE = APPLICANTS.n, APPLICANTS.n + 1


class Unopened:
    """An engine that is asked for nothing but how it writes; no driver is needed."""

    def __init__(self, name: str, *, moments: str = "timestamp('UTC')") -> None:
        """Moments are of this type."""
        found = type(import_module(f"ibis.backends.sql.compilers.{name}").compiler)
        self.name = name
        self.compiler = type("Counted", (_Counted, found), {})()
        self.dialect = found.dialect
        self._tables = {"predictions": {**PREDICTIONS, "scored_at": moments}, "outcomes": OUTCOMES}

    @property
    def times(self) -> int:
        """How often Ibis wrote."""
        return cast(int, self.compiler.times)

    def table(self, name: str) -> Table:
        """One that is nowhere."""
        return ibis.table(self._tables[name], name=name)

    def _log(self, sql: str) -> None:
        """To nobody."""


class _Counted:
    times = 0

    def to_sqlglot(self, *arguments: object, **named: object) -> object:
        self.times += 1
        return super().to_sqlglot(*arguments, **named)  # type: ignore[misc]  # of the compiler


@pytest.fixture(scope="module", autouse=True)
def _options_of_spark() -> Iterator[None]:
    """As they are once it is opened; PySpark need not be there."""

    class Options(Config):  # type: ignore[misc]  # Ibis ships no types
        treat_nan_as_null: bool = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ibis.options, "pyspark", Options())
        yield


@pytest.fixture(params=DIALECTS)
def engine(request: pytest.FixtureRequest) -> Unopened:
    """Each that we name."""
    return Unopened(request.param)


def by_ibis(expr: Expr, engine: Unopened) -> str:
    """What has to come out."""
    return str(SQLBackend.compile(engine, expr))


# --- what looks ask -------------------------------------------------------------------------------

NASTY = ("", "'", "''", "\\", "\\'", "\0", "\n", "%s", "{0}", ":a", "$1", "?", "--", "/*", "v3")
TEXTS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=()), max_size=20)
ZONES = st.sampled_from(
    (UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=9)))
)
MOMENTS = st.sampled_from(
    (BEGIN, END, datetime(2, 1, 1, tzinfo=UTC), BEGIN + timedelta(microseconds=1))
) | st.datetimes(
    BEGIN.replace(year=2, tzinfo=None), BEGIN.replace(year=9998, tzinfo=None), timezones=ZONES
)
QUESTIONS: dict[str, Callable[[Rows, datetime, datetime, Cursor], Table | None]] = {
    "count": lambda rows, a, b, _c: rows.between(rows.with_outcomes(), a, b).count().as_table(),
    "strangers": lambda rows, a, _b, _c: rows.between(rows.of_others(), a, None),
    "page": lambda rows, a, _b, c: rows.page(rows.between(rows.predictions(), None, a), c, 7),
    "waits": lambda rows, _a, _b, c: rows.before(rows.waited_for(), c),
    "words": lambda rows, _a, _b, _c: rows.words_beside_bad(),
}


@cache
def kept(name: str, moments: str) -> tuple[Unopened, Statements]:
    """One for all examples."""
    return Unopened(name, moments=moments), Statements()


@pytest.mark.parametrize("name", DIALECTS)
@given(
    moments=st.sampled_from(("timestamp('UTC')", "timestamp", "string")),
    question=st.sampled_from(sorted(QUESTIONS)),
    model=TEXTS,
    word=TEXTS,
    since=MOMENTS,
    until=MOMENTS,
    key=TEXTS,
)
@example("timestamp('UTC')", "count", "credit", "default", BEGIN, BEGIN, "a")
@example("timestamp('UTC')", "count", "credit", "default", BEGIN, END, "a")
@example("timestamp('UTC')", "page", "same", "same", BEGIN, END, "same")
@example("timestamp('UTC')", "page", "one", "two", BEGIN, END, "three")
@settings(max_examples=30)
def test_filled_in_it_is_what_ibis_writes(
    name: str,
    moments: str,
    question: str,
    model: str,
    word: str,
    since: datetime,
    until: datetime,
    key: str,
) -> None:
    """Whatever stands in a bank's tables, and the second time without Ibis."""
    engine, statements = kept(name, moments)
    connection = Connection(
        backend=engine, timeout_seconds=1, stop=lambda: None, close=lambda: None
    )
    source = a_source(
        predictions=replace(a_source().predictions, model="model_name"),
        outcomes=Outcomes(table="outcomes", id="application_id", bad="status", bad_is=word),
    )
    rows = Rows(connection, source, ModelName(model), V3)
    expr = QUESTIONS[question](rows, since, until, Cursor(at=until, id=key))
    assert expr is not None
    assert statements.write(expr, engine) == by_ibis(expr, engine)
    before = engine.times
    assert statements.write(expr, engine) == by_ibis(expr, engine)
    assert engine.times == before + 1  # ours, to compare with


def test_a_look_at_another_model_needs_no_ibis(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one over a connection that is opened only now."""
    source = a_source(predictions=replace(a_source().predictions, model="model_name"))
    ours = some_applicants(60)
    feed.write([*ours, *(replace(r, id=f"b{r.id}", model="fraud") for r in ours[:40])])
    first, second = IbisSources(feed.environ), IbisSources(feed.environ)
    first.scores(source, MODEL, V3, since=BEGIN, until=END)

    def refuse(*_arguments: object, **_named: object) -> object:
        raise AssertionError("Ibis wrote a statement again")

    monkeypatch.setattr(SQLGlotCompiler, "to_sqlglot", refuse)
    found = second.scores(
        source, ModelName("fraud"), V3, since=BEGIN - timedelta(days=1), until=END
    )
    assert sum(day.counts.n_rows for day in found) == 40
    first.close()
    second.close()


def test_an_id_of_a_bank_is_never_code(feed: Feed, sources: IbisSources) -> None:
    """Rows are read one by one, each after an id that tries."""
    ids = [
        "' OR '1'='1",
        "'; DROP TABLE predictions; --",
        "a''b",
        "a' --",
        "\\' OR 1=1 --",
        "%s{0}$1",
    ]
    feed.write(
        [replace(r, id=i, at=BEGIN) for r, i in zip(some_applicants(len(ids)), ids, strict=True)]
    )
    after, found = None, list[str]()
    while page := sources.decisions(a_source(), MODEL, V3, after=after, until=END, limit=1):
        after = page[-1].cursor
        found.append(after.id)
    assert sorted(found) == sorted(ids)


# --- what makes a statement another one -----------------------------------------------------------


def after(text: str, at: datetime = BEGIN, table: Table = APPLICANTS) -> Table:
    """A statement with two values."""
    return table.filter((table.id > text) & (table.at < at))


def test_a_statement_is_written_for_its_first_values_alone(engine: Unopened) -> None:
    """And once more, to see where they stand."""
    statements = Statements()
    for n in range(9):
        statements.write(after(f"a{n}", BEGIN + timedelta(hours=n)), engine)
    assert engine.times == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (APPLICANTS.limit(1), APPLICANTS.limit(2)),
        (APPLICANTS.select(x=ibis.literal(1)), APPLICANTS.select(x=ibis.literal(True))),
        (APPLICANTS.select(x=ibis.literal(0.0)), APPLICANTS.select(x=ibis.literal(-0.0))),
        (APPLICANTS.select(x=ibis.literal("a")), APPLICANTS.select(x=ibis.literal("b"))),
        (APPLICANTS.filter(APPLICANTS.n == 1), APPLICANTS.filter(APPLICANTS.n == 2)),
        (APPLICANTS.filter(APPLICANTS.id == "a"), APPLICANTS.filter(APPLICANTS.id != "a")),
        (APPLICANTS.select("id", "n"), APPLICANTS.select("n", "id")),
        (APPLICANTS.select(x="n"), APPLICANTS.select(y="n")),
        (after("a"), after("a", table=ibis.table(APPLICANTS.schema(), name="others"))),
        (
            after("a"),
            after("a", table=ibis.table({**APPLICANTS.schema(), "m": "int8"}, name="applicants")),
        ),
        (
            APPLICANTS.filter(APPLICANTS.id.isin(["a", "b"])),
            APPLICANTS.filter(APPLICANTS.id.isin(["a", "a"])),
        ),
        (APPLICANTS.select(x=(N - MORE) * N), APPLICANTS.select(x=(N - MORE) * MORE)),
        (APPLICANTS.order_by("n"), APPLICANTS.order_by(ibis.desc("n"))),
    ],
)
def test_what_differs_in_more_than_values_is_another_statement(
    one: Table, other: Table, engine: Unopened
) -> None:
    """Each has a text of its own."""
    statements = Statements()
    for expr in (one, other, one, other):
        assert statements.write(expr, engine) == by_ibis(expr, engine)


def test_lists_end_where_they_end() -> None:
    """[[1], [2, 3]] is not [[1, 2], [3]]."""
    engine, statements = Unopened("duckdb"), Statements()
    for lists in ([[1], [2, 3]], [[1, 2], [3]]):
        expr = APPLICANTS.select(x=ibis.literal(lists, "array<array<int8>>"))
        assert statements.write(expr, engine) == by_ibis(expr, engine)


def test_a_value_that_stands_elsewhere_too_stays_there(engine: Unopened) -> None:
    """Only where it is compared is it another one next time."""
    statements = Statements()
    for word in ("a", "b", "a"):
        same = APPLICANTS.filter(APPLICANTS.id == word).select(x=ibis.literal("a"), y=APPLICANTS.id)
        assert statements.write(same, engine) == by_ibis(same, engine)


@pytest.mark.parametrize(
    "expr",
    [
        ibis.memtable({"id": ["a"]}),
        APPLICANTS.filter(APPLICANTS.at < ibis.literal(BEGIN, "timestamp('Asia/Kathmandu')")),
        APPLICANTS.select(at=ibis.literal(BEGIN)),
        APPLICANTS.select(day=ibis.literal(BEGIN.date())),
    ],
)
def test_what_is_not_understood_is_written_by_ibis(expr: Table) -> None:
    """Each time."""
    engine, statements = Unopened("duckdb"), Statements()
    with pytest.raises(NotUnderstood):
        Shape(expr, engine)
    for n in range(3):
        assert statements.write(expr, engine) == by_ibis(expr, engine)
        assert engine.times == 2 * (n + 1)


class _Whims:
    """Spells a value in a statement as it does nowhere else."""

    def to_sqlglot(self, *arguments: object, **named: object) -> object:
        found = super().to_sqlglot(*arguments, **named)  # type: ignore[misc]  # of the compiler
        return found.transform(lambda e: type(e).string(e.this.upper()) if e.is_string else e)


class _Fails:
    """Writes no statement that was not asked for."""

    def to_sqlglot(self, *arguments: object, **named: object) -> object:
        if "other" in repr(arguments):
            raise RuntimeError("not this one")
        return super().to_sqlglot(*arguments, **named)  # type: ignore[misc]  # of the compiler


@pytest.mark.parametrize(("kind", "tries"), [(_Whims, 1), (_Fails, 0)])
def test_a_text_that_does_not_come_out_the_same_is_never_used(kind: type, tries: int) -> None:
    """Ibis writes it each time."""
    engine, statements = Unopened("sqlite"), Statements()
    engine.compiler = type("Odd", (kind, type(engine.compiler)), {})()
    for n in range(4):
        expr = after(f"a{n}")
        assert statements.write(expr, engine) == by_ibis(expr, engine)
    assert engine.times == 2 * 4 + tries  # ours, too


# --- what is kept ---------------------------------------------------------------------------------


def test_no_more_are_kept_than_that_many() -> None:
    """Those that were asked for last."""
    engine, statements = Unopened("sqlite"), Statements(most_kept=2)
    for limit in (1, 2, 1, 3):
        statements.write(APPLICANTS.limit(limit), engine)
    written = engine.times
    statements.write(APPLICANTS.limit(1), engine)
    assert engine.times == written
    statements.write(APPLICANTS.limit(2), engine)
    assert engine.times > written


def test_threads_never_get_the_values_of_one_another() -> None:
    """Whoever comes first."""
    engine, statements = Unopened("sqlite"), Statements()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: statements.write(after(f"<{n}>"), engine), range(200)))
    assert all(f"'<{n}>'" in sql for n, sql in enumerate(found))
    assert len({sql.replace(f"<{n}>", "") for n, sql in enumerate(found)}) == 1


def test_a_call_with_anything_else_goes_to_ibis() -> None:
    """A limit or parameters."""
    backend = ibis.sqlite.from_connection(sqlite3.connect(":memory:"))
    write_once(backend, Statements())
    word = ibis.param("string")
    chosen = APPLICANTS.filter(APPLICANTS.id == word)
    assert "LIMIT 3" in backend.compile(after("a"), limit=3)
    assert "\n" in backend.compile(after("a"), pretty=True)
    for value in ("x", "y"):
        assert f"'{value}'" in backend.compile(chosen, params={word: value})
    backend.disconnect()


def test_a_connection_is_let_go_at_once() -> None:
    """Without waiting for the collector of garbage: many DuckDB files are opened and closed."""
    backend = ibis.duckdb.connect()
    write_once(backend, Statements())
    backend.raw_sql("CREATE TABLE t (a INTEGER)")
    assert backend.table("t").to_pyarrow().num_rows == 0
    backend.disconnect()
    gone = weakref.ref(backend)
    del backend
    assert gone() is None


def test_an_engine_that_compiles_in_its_own_way_is_left_alone() -> None:
    """Not all of Ibis writes SQL."""

    class Other:
        def compile(self, _expr: Expr) -> str:
            return "its own"

    backend = Other()
    write_once(backend, Statements())
    assert "compile" not in vars(backend)
