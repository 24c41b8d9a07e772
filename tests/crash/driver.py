"""Kills the bot at its first step, its second, its third …, and prints what its successor made of
each. A program of its own, because only a process without threads can be forked safely: it reads
orders from its standard input, one line of JSON each, and answers each with one line a step and one
at the end.

A step is the moment before something changes: before a commit, before the head of the record is
kept outside, before MLflow's stage or alias is set, and before a message in Slack is posted or
drawn again. Between two of them nothing is written anywhere.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import psycopg
from mlflow import MlflowClient
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from governance.adapters import metric_sources
from governance.adapters.mlflow_registry import files, reading, source
from governance.domain.evidence import ModelName
from tests.crash.life import NEW, OLD, Life, Place, living
from tests.statements import share_statements

_IMPORTED_ONCE = (files, metric_sources, reading, source)
"""The adapter imports them when they are needed: here once, not in each child."""
_MOST_STEPS = 200
_LONGEST_STEP_SECONDS = 60
_LONGEST_SWEEP_SECONDS = 300
_CHANGES = (b"/transition-stage ", b"/alias ", b"/api/chat.")


def vote(place: Place, folder: Path) -> None:
    """From the last approval to Production."""
    _sweep(place, folder, prepare=_nothing_more, click=Life.last_vote, from_version=OLD)


def messages(place: Place, folder: Path) -> None:
    """From the recorded outcome to the last message about it; MLflow is not touched any more."""
    _sweep(
        place,
        folder,
        prepare=Life.last_vote,
        click=lambda life: life.outbox.send_due(),
        from_version=None,
    )


def rollback(place: Place, folder: Path) -> None:
    """From the rollback click to the version before."""
    _sweep(place, folder, prepare=Life.last_vote, click=Life.rollback_click, from_version=NEW)


def glass(place: Place, folder: Path) -> None:
    """From the confirmed form of breaking glass to Production and its review."""
    _sweep(
        place,
        folder,
        prepare=Life.open_glass_form,
        click=Life.break_glass_click,
        from_version=OLD,
    )


def automatic(place: Place, folder: Path) -> None:
    """From a look at a version that went bad to the version before."""

    def prepare(life: Life) -> None:
        life.last_vote()
        life.go_bad()

    _sweep(place, folder, prepare=prepare, click=Life.look, from_version=NEW)


def _sweep(
    place: Place,
    folder: Path,
    *,
    prepare: Callable[[Life], None],
    click: Callable[[Life], object],
    from_version: int | None,
) -> None:
    _set_production(place, OLD)
    with living(place) as life:
        life.open_request()
        life.outbox.send_due()
        prepare(life)
    kept = _Kept(place, folder)
    kept.keep()
    with living(place) as life:
        click(life)  # once here: no child has to import and to write SQL anew
    _end_threads()
    for step in range(_MOST_STEPS):

        def die(number: int = step) -> None:
            kept.put_back()
            if from_version is not None:
                _set_production(place, from_version)
            with living(place) as life:
                _kill_before(number, place.heads)
                click(life)

        def come_back(number: int = step) -> None:
            with living(place, later=True) as life:
                life.come_back(click)
                print(json.dumps({"step": number, **asdict(life.remains())}), flush=True)

        status = _in_child(die)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not killed and status != 0:
            raise SystemExit("what had to work did not")
        _must_end(come_back)
        if not killed:
            return
    raise SystemExit("the steps have no end")


def _end_threads() -> None:
    """MLflow's client leaves threads that end once it is collected."""
    gc.collect()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(timeout=5)
            if thread.is_alive():
                raise SystemExit(f"{thread.name} goes on, and this process may not be forked")


def _nothing_more(_life: Life) -> None:
    """The open request is all that is needed."""


def _in_child(work: Callable[[], None], *, seconds: int = _LONGEST_STEP_SECONDS) -> int:
    """Run something in a process of its own, which ends by an alarm if nothing else ends it; its
    wait status."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(seconds)
        try:
            work()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(child, 0)[1]


def _must_end(work: Callable[[], None]) -> None:
    if _in_child(work) != 0:
        raise SystemExit("what had to work did not")


def _kill_before(step: int, heads: Path) -> None:
    """SIGKILL, which no handler sees, before step number `step` of this process."""
    passed = 0

    def reached(what: str) -> None:
        nonlocal passed
        if passed == step:
            os.write(2, f"killed before {what}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    def hook(name: str, arguments: tuple[object, ...]) -> None:
        if name == "open" and str(arguments[0]) == str(heads) and arguments[1] is None:
            reached("the head is kept outside")
        elif name == "http.client.send":
            data = arguments[1]
            line = data.split(b"\r\n", 1)[0] if isinstance(data, bytes) else b""
            if line.startswith(b"POST ") and any(change in line for change in _CHANGES):
                reached(line.decode())

    event.listen(Engine, "commit", lambda _connection: reached("a commit"))
    sys.addaudithook(hook)


def _set_production(place: Place, version: int) -> None:
    """MLflow as it was before the click."""
    client = MlflowClient(tracking_uri=place.mlflow)
    for number in (OLD, NEW):
        stage = "Production" if number == version else "Staging" if number == NEW else "Archived"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # stages, which this is all about
            client.transition_model_version_stage(place.model, str(number), stage)
    client.set_registered_model_alias(place.model, "champion", str(version))


@dataclass(frozen=True)
class _Kept:
    """The database and the heads as they were before the click."""

    place: Place
    folder: Path

    def keep(self) -> None:
        """Copy both aside."""
        shutil.copy(self.place.heads, self.folder / "heads.kept")
        if self._sqlite is not None:
            shutil.copy(self._sqlite, self.folder / "kept.db")
        else:
            self._clone(self._name, f"{self._name}_kept")

    def put_back(self) -> None:
        """Copy both back."""
        shutil.copy(self.folder / "heads.kept", self.place.heads)
        if self._sqlite is not None:
            for suffix in ("-wal", "-shm"):
                self._sqlite.with_name(self._sqlite.name + suffix).unlink(missing_ok=True)
            shutil.copy(self.folder / "kept.db", self._sqlite)
        else:
            self._clone(f"{self._name}_kept", self._name)

    @property
    def _sqlite(self) -> Path | None:
        url = make_url(self.place.database_url)
        return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None

    @property
    def _name(self) -> str:
        return str(make_url(self.place.database_url).database)

    def _clone(self, source: str, target: str) -> None:
        admin = make_url(self.place.database_url).set(database="postgres")
        with psycopg.connect(
            admin.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)'.encode())
            connection.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"'.encode())


_SCENARIOS = {s.__name__: s for s in (vote, messages, rollback, glass, automatic)}


def _work_off(order: str) -> None:
    about = json.loads(order)
    folder = Path(about.pop("folder"))
    scenario = _SCENARIOS[about.pop("scenario")]
    place = Place(**{**about, "heads": folder / "heads", "model": ModelName(about["model"])})
    scenario(place, folder)


def main() -> None:
    """Until there are no more orders. Everything is imported once, and each order begins with
    that alone."""
    share_statements()
    for order in sys.stdin:
        status = _in_child(partial(_work_off, order), seconds=_LONGEST_SWEEP_SECONDS)
        print(json.dumps({"ended_well": status == 0}), flush=True)


if __name__ == "__main__":
    main()
