"""One open engine: its tables, the end of whatever takes too long, and what was believed of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import ibis.expr.operations as ops
from ibis import BaseBackend
from ibis.expr.types import Table

from governance.adapters.metric_sources.files import open_file
from governance.adapters.metric_sources.turns import Turns
from governance.domain.errors import Unavailable

_INSIST_EVERY_SECONDS = 0.1
_CUT_OFF_BY_THE_ENGINE = "QueryCanceled"


def _nothing_to_forget(_name: str) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One engine, for one thread."""

    backend: BaseBackend
    folder: Path | None = None
    """Where files stand for tables; None where the engine has tables of its own."""
    timeout_seconds: float
    grace_seconds: float = 0.0
    """How much later we stop what the engine should have ended by itself."""
    stop: Callable[[], None]
    """Ends the statement that runs, from another thread; does nothing where none runs."""
    can_be_stopped: bool = True
    """Whether `stop` does anything: an engine without a way of its own is left to itself."""
    close: Callable[[], None]
    """Lets the engine go."""
    look_again: Callable[[str], None] = _nothing_to_forget
    """Forgets what the engine remembers of a table, so that it is read as it is now."""
    is_brief: bool = False
    """Whether it is closed after each question: an open DuckDB file lets nobody else write."""
    turns: Turns = field(default_factory=Turns)
    """Which part of the ids is compared next, where there are too many to compare at once."""

    @property
    def is_sqlite(self) -> bool:
        """SQLite alone has no types but those of single values, and keeps moments as text."""
        return bool(self.backend.name == "sqlite")

    @property
    def is_duckdb(self) -> bool:
        """Also where it reads files."""
        return bool(self.backend.name == "duckdb")

    @property
    def can_hash_text(self) -> bool:
        """SQLite and Trino cannot."""
        return bool(self.backend.has_operation(ops.Hash))

    def table(self, name: str, *, id_column: str) -> Table:
        """A table, or a file of the folder; an id in a CSV file is text, so 007 is not 7.

        Raises:
            Refused: a file outside the folder. Whatever the engine raises for one that is gone.
        """
        if self.folder is not None:
            return open_file(self.backend, self.folder, name, id_column=id_column)
        self.look_again(name)
        database, _dot, bare = name.rpartition(".")
        if database:
            return self.backend.table(bare, database=database)
        return self.backend.table(name)

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """End whatever runs inside after the timeout, and say so.

        Raises:
            Unavailable: `source_unavailable`. Whatever is raised inside in time.
        """
        done, is_late = threading.Event(), threading.Event()

        def watch() -> None:
            if done.wait(self.timeout_seconds + self.grace_seconds):
                return
            is_late.set()
            # An engine forgets an interruption that comes between two statements.
            while not done.is_set():
                with suppress(Exception):  # it is gone, which is what was wanted
                    self.stop()
                done.wait(_INSIST_EVERY_SECONDS)

        watching = threading.Thread(target=watch, name="source-timeout", daemon=True)
        watching.start()
        try:
            yield
        except Exception as error:
            if is_late.is_set() or type(error).__name__ == _CUT_OFF_BY_THE_ENGINE:
                raise Unavailable(
                    "source_unavailable",
                    f"it did not answer within {self.timeout_seconds:g} seconds",
                ) from None
            raise
        finally:
            done.set()
            watching.join()
