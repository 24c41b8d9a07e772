"""Asks an engine in time, and says what went wrong in words that hold no address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from queue import Empty, Queue
from typing import TypeVar

from ibis.common.exceptions import TableNotFound

from governance.adapters.metric_sources.connection import Connection
from governance.adapters.metric_sources.engines import connect, may_hang
from governance.adapters.metric_sources.turns import Turns
from governance.domain.errors import FoureyesError, Refused, Unavailable
from governance.domain.monitoring.spec import TableSource

Answer = TypeVar("Answer")

_VALUES_OF_THE_WRONG_TYPE = frozenset(
    {"DataError", "InvalidInputException", "DateTimeException", "NumberFormatException"}
)
"""What PostgreSQL and DuckDB, DuckDB for a CSV file, and Spark call a value that is no number or
moment although its column should hold them: by name, since no driver is imported here."""


_MOST_ABANDONED = 4
"""Threads that wait for one address and were given up: no more of them are begun."""


class Asking:
    """One connection for each thread and address; one that broke is opened anew."""

    def __init__(self, environ: Mapping[str, str], *, timeout_seconds: float) -> None:
        """Nothing is opened yet."""
        self._environ = environ
        self._timeout_seconds = timeout_seconds
        self._here = threading.local()
        self._lock = threading.Lock()
        self._turns: dict[str, Turns] = {}
        self._abandoned: dict[str, list[threading.Thread]] = {}

    def ask(self, source: TableSource, question: Callable[[Connection], Answer]) -> Answer:
        """The answer of the engine behind a source. A connection that was kept and broke since, as
        an engine lets idle ones go, is opened anew and asked once more.

        Raises:
            Unavailable: `source_unavailable`. Refused: `source_wrong`.
        """
        was_kept = source.url in self._open()
        try:
            return self._ask_once(source, question)
        except Exception as error:  # every engine has errors of its own; any may hold the address
            told = self._told(source, error)
            if not was_kept or source.url in self._open() or not _may_be_the_connection(error):
                raise told from None
        try:
            return self._ask_once(source, question)
        except Exception as error:
            raise self._told(source, error) from None

    def close(self) -> None:
        """Let this thread's connections go."""
        for connection in self._open().values():
            with suppress(Exception):  # it is gone either way
                connection.close()
        self._open().clear()

    def _ask_once(self, source: TableSource, question: Callable[[Connection], Answer]) -> Answer:
        connection = self._connection(source)
        if not connection.can_be_stopped:
            return self._beside(source, lambda: question(connection))
        try:
            with connection.in_time():
                return question(connection)
        finally:
            if connection.is_brief:
                self._forget(source)

    def _told(self, source: TableSource, error: Exception) -> FoureyesError:
        """What went wrong, in words; a connection that may have broken is let go."""
        if isinstance(error, Refused):
            return error
        if isinstance(error, TableNotFound):
            return _unavailable(source, f"the table {error} is not there")
        self._forget(source)
        if isinstance(error, FoureyesError):
            return _unavailable(source, error.sentence)
        if _is_of_the_wrong_type(error):
            return Refused(
                "source_wrong",
                f"Source {source.name}: some column of {_tables(source)} holds values that are "
                f"not of its type ({type(error).__name__}). Nothing is judged by it until the "
                "owner of the data has put this right.",
            )
        return _unavailable(source, f"it answered with {type(error).__name__}")

    def _connection(self, source: TableSource) -> Connection:
        address = self._environ.get(source.url, "").strip()
        if not address:
            raise Unavailable(
                "source_unavailable", f"{source.url} is not set in the environment of Foureyes"
            )
        found = self._open().get(source.url)
        if found is None:
            found = self._opened(source, address)
            with self._lock:
                turns = self._turns.setdefault(source.url, Turns())
            found = replace(found, turns=turns)
            self._open()[source.url] = found
        return found

    def _opened(self, source: TableSource, address: str) -> Connection:
        def opening() -> Connection:
            return connect(address, timeout_seconds=self._timeout_seconds)

        return self._beside(source, opening) if may_hang(address) else opening()

    def _beside(self, source: TableSource, work: Callable[[], Answer]) -> Answer:
        """For what nobody can stop: a thread of its own does it, and is left to itself when the
        time is over. Raises Unavailable, and whatever the engine raises in time."""
        with self._lock:
            waiting = [t for t in self._abandoned.get(source.url, []) if t.is_alive()]
            self._abandoned[source.url] = waiting
        if len(waiting) >= _MOST_ABANDONED:
            raise Unavailable(
                "source_unavailable", f"{len(waiting)} earlier questions still have no answer"
            )
        answers: Queue[Answer | Exception] = Queue()

        def ask() -> None:
            try:
                answers.put(work())
            except Exception as error:  # whatever the engine raises is raised where it was asked
                answers.put(error)

        asking = threading.Thread(target=ask, name="source-question", daemon=True)
        asking.start()
        try:
            answer = answers.get(timeout=self._timeout_seconds)
        except Empty:
            with self._lock:
                self._abandoned[source.url].append(asking)
            # Whoever is left with it closes it: it may not be closed under a running statement.
            self._open().pop(source.url, None)
            raise Unavailable(
                "source_unavailable",
                f"it did not answer within {self._timeout_seconds:g} seconds",
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _open(self) -> dict[str, Connection]:
        if not hasattr(self._here, "open"):
            self._here.open = {}
        found: dict[str, Connection] = self._here.open
        return found

    def _forget(self, source: TableSource) -> None:
        gone = self._open().pop(source.url, None)
        if gone is not None:
            with suppress(Exception):  # it is gone either way
                gone.close()


def _is_of_the_wrong_type(error: Exception) -> bool:
    return any(base.__name__ in _VALUES_OF_THE_WRONG_TYPE for base in type(error).__mro__)


def _may_be_the_connection(error: Exception) -> bool:
    """Whether a new connection may fare better than one that was kept."""
    return not isinstance(error, FoureyesError | TableNotFound) and not _is_of_the_wrong_type(error)


def _tables(source: TableSource) -> str:
    names = {source.predictions.table, source.outcomes.table if source.outcomes else ""}
    return " or ".join(sorted(names - {""}))


def _unavailable(source: TableSource, what: str) -> Unavailable:
    return Unavailable(
        "source_unavailable",
        f"Source {source.name} ({source.url}) cannot be read: {what}. The platform team has to "
        "look at it; nothing is judged meanwhile.",
    )
