"""Asks an engine in time, and says what went wrong in words that hold no address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from ibis.common.exceptions import TableNotFound

from governance.adapters.metric_sources.connection import Connection
from governance.adapters.metric_sources.engines import connect
from governance.domain.errors import FoureyesError, Refused, Unavailable
from governance.domain.monitoring.spec import TableSource

Answer = TypeVar("Answer")

_VALUES_OF_THE_WRONG_TYPE = frozenset(
    {"DataError", "InvalidInputException", "DateTimeException", "NumberFormatException"}
)
"""What PostgreSQL and DuckDB, DuckDB for a CSV file, and Spark call a value that is no number or
moment although its column should hold them: by name, since no driver is imported here."""


class Asking:
    """One connection for each thread and address; one that broke is opened anew."""

    def __init__(self, environ: Mapping[str, str], *, timeout_seconds: float) -> None:
        """Nothing is opened yet."""
        self._environ = environ
        self._timeout_seconds = timeout_seconds
        self._here = threading.local()

    def ask(self, source: TableSource, question: Callable[[Connection], Answer]) -> Answer:
        """The answer of the engine behind a source.

        Raises:
            Unavailable: `source_unavailable`. Refused: `source_wrong`.
        """
        try:
            connection = self._connection(source)
            with connection.in_time():
                return question(connection)
        except Refused:
            raise
        except FoureyesError as problem:
            self._forget(source)
            raise _unavailable(source, problem.sentence) from None
        except TableNotFound as error:
            raise _unavailable(source, f"the table {error} is not there") from None
        except Exception as error:  # every engine has errors of its own; any may hold the address
            self._forget(source)
            if any(base.__name__ in _VALUES_OF_THE_WRONG_TYPE for base in type(error).__mro__):
                raise Refused(
                    "source_wrong",
                    f"Source {source.name}: some column of {_tables(source)} holds values that are "
                    f"not of its type ({type(error).__name__}). Nothing is judged by it until the "
                    "owner of the data has put this right.",
                ) from None
            raise _unavailable(source, f"it answered with {type(error).__name__}") from None

    def close(self) -> None:
        """Let this thread's connections go."""
        for connection in self._open().values():
            with suppress(Exception):  # it is gone either way
                connection.close()
        self._open().clear()

    def _connection(self, source: TableSource) -> Connection:
        address = self._environ.get(source.url, "").strip()
        if not address:
            raise Unavailable(
                "source_unavailable", f"{source.url} is not set in the environment of Foureyes"
            )
        found = self._open().get(source.url)
        if found is None:
            found = connect(address, timeout_seconds=self._timeout_seconds)
            self._open()[source.url] = found
        return found

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


def _tables(source: TableSource) -> str:
    names = {source.predictions.table, source.outcomes.table if source.outcomes else ""}
    return " or ".join(sorted(names - {""}))


def _unavailable(source: TableSource, what: str) -> Unavailable:
    return Unavailable(
        "source_unavailable",
        f"Source {source.name} ({source.url}) cannot be read: {what}. The platform team has to "
        "look at it; nothing is judged meanwhile.",
    )
