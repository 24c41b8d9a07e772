"""Writes the SQL of a statement once, and fills in the texts and moments that it compares with.

Ibis takes longer to write a statement than many an engine to answer it, and a look asks the same
few again and again. Ibis spells every value, each time: nothing is quoted here. A text is kept only
if it becomes, filled in, what Ibis wrote for the values at hand, letter by letter; whatever is not
understood Ibis writes each time.
"""

from __future__ import annotations

import re
import secrets
import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock

import ibis.expr.operations as ops
from ibis import BaseBackend
from ibis.backends.sql import SQLBackend
from ibis.expr.types import Expr

from governance.adapters.metric_sources.shapes import NotUnderstood, Shape, exchanged

_MOST_KEPT = 512
"""About 6 kB each; a source has some ten for each kind of monitor."""

Text = tuple[str | int, ...]
"""What stays, and in between the number of the value that stands there."""


class Statements:
    """Texts by compiler and shape, those that were asked for last. Safe from any thread."""

    def __init__(self, most_kept: int = _MOST_KEPT) -> None:
        """Nothing is kept yet."""
        self._most_kept = most_kept
        self._kept: OrderedDict[Hashable, Text | None] = OrderedDict()
        self._lock = Lock()

    def write(self, expr: Expr, engine: SQLBackend) -> str:
        """What Ibis compiles it to. Raises whatever Ibis raises."""
        try:
            shape = Shape(expr, engine)
        except NotUnderstood:
            return _by_ibis(expr, engine)
        key = (engine.compiler, engine.dialect, shape.key)
        with self._lock:
            is_new = key not in self._kept
            text = self._kept.get(key)
            self._keep(key, text)
        if text is not None:
            written = _filled(text, shape.values, engine)
            engine._log(written)
            return written
        written = _by_ibis(expr, engine)
        if is_new:
            with suppress(Exception):  # Ibis has written it, and does so each time from now on
                text = _text(expr, shape, engine)
                if _filled(text, shape.values, engine) == written:
                    with self._lock:
                        self._keep(key, text)
        return written

    def _keep(self, key: Hashable, text: Text | None) -> None:
        """None for one that Ibis writes each time."""
        self._kept[key] = text
        self._kept.move_to_end(key)
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)


_STATEMENTS = Statements()
"""For all connections of this process: a DuckDB file is opened anew for each question."""


def write_once(backend: BaseBackend, statements: Statements = _STATEMENTS) -> None:
    """From now on, whatever is asked of this engine. One whose Ibis compiles in a way of its own is
    left as it is."""
    if getattr(type(backend), "compile", None) is not SQLBackend.compile:
        return
    found = weakref.ref(backend)  # it would hold itself otherwise, and be let go late

    def compiled(expr: Expr, /, **asked: object) -> str:
        engine = found()
        if any(value is not None for value in asked.values()):  # a limit, parameters
            return str(SQLBackend.compile(engine, expr, **asked))
        return statements.write(expr, engine)

    backend.compile = compiled


def _by_ibis(expr: Expr, engine: SQLBackend) -> str:
    return str(SQLBackend.compile(engine, expr))


def _text(expr: Expr, shape: Shape, engine: SQLBackend) -> Text:
    """The statement, written with other values and cut where they stand."""
    others = {value: _other(value) for value in shape.values}
    written = _by_ibis(exchanged(expr, others), engine)
    if not others:
        return (written,)
    places = {spelled: n for n, spelled in enumerate(_spelled(others.values(), engine))}
    cut = re.split(f"({'|'.join(map(re.escape, places))})", written)
    return tuple(places.get(part, part) for part in cut)


def _other(value: ops.Literal) -> ops.Literal:
    """Of the same type, and nothing that stands anywhere else."""
    if isinstance(value.value, str):
        return ops.Literal(f"other{secrets.token_hex(16)}", value.dtype)
    moment = datetime.fromtimestamp(secrets.randbelow(10**15) / 10**6, UTC)
    return ops.Literal(moment.replace(tzinfo=None), value.dtype)


def _spelled(values: Iterable[ops.Literal], engine: SQLBackend) -> Sequence[str]:
    visit = engine.compiler.visit_Literal
    return [visit(v, value=v.value, dtype=v.dtype).sql(dialect=engine.dialect) for v in values]


def _filled(text: Text, values: Iterable[ops.Literal], engine: SQLBackend) -> str:
    spelled = _spelled(values, engine)
    return "".join(part if isinstance(part, str) else spelled[part] for part in text)
