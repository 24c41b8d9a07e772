"""The real servers of one run: started by whichever of its processes needs one first, used by all,
and ended by the process that began the run. They and all temporary files of the run are in one
folder, in memory where there is room: commits wait for the disk in earnest, hundreds of databases
are copied, and nothing of it is kept."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from signal import Signals

import pytest

_FOLDER = "TESTS_SHARED_SERVERS"
"""Names the run's own folder to every process of it."""
_LONGEST_END_SECONDS = 5.0
_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30
_OWN = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


@dataclass(frozen=True, kw_only=True)
class Started:
    """A server that goes on without the process that started it, in a process group of its own."""

    address: str
    pid: int
    ends_by: Signals


def shared_server(name: str, start: Callable[[Path], Started]) -> str:
    """Its address. The first who asks starts it, in a folder of its own; the others wait."""
    folder = Path(os.environ[_FOLDER])
    record = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            record.write_text(json.dumps(asdict(start(folder / name))), encoding="utf-8")
    return str(json.loads(record.read_text(encoding="utf-8"))["address"])


def pytest_configure(config: pytest.Config) -> None:
    """The process that begins a run makes its folder; those that it starts find it named."""
    if _FOLDER in os.environ:
        return
    where = _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM else None
    config.stash[_OWN] = own = tempfile.TemporaryDirectory(
        prefix="foureyes-tests-", dir=where, ignore_cleanup_errors=True
    )
    # Told to end, it ends as by Ctrl-C: with its servers. A shell lets what it starts in the
    # background ignore Ctrl-C, and programs that tests end so would go on for ever.
    for told_to_end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told_to_end, signal.default_int_handler)
    os.environ[_FOLDER] = os.environ["TMPDIR"] = own.name
    # As in our own processes: it would change the environment in a thread, while others read it.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    tempfile.tempdir = own.name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing of the servers is kept: they end at once, and their folder goes."""
    own = config.stash.get(_OWN, None)
    if own is None:
        return
    for record in Path(own.name).glob("*.json"):
        server = json.loads(record.read_text(encoding="utf-8"))
        _end(int(server["pid"]), Signals(server["ends_by"]))
    del os.environ[_FOLDER]
    own.cleanup()


def _end(group: int, by: Signals) -> None:
    until = time.monotonic() + _LONGEST_END_SECONDS
    with suppress(ProcessLookupError):
        os.killpg(group, by)
        while time.monotonic() < until:
            with suppress(ChildProcessError):
                os.waitpid(group, os.WNOHANG)  # where it was started by this very process
            os.killpg(group, 0)
            time.sleep(0.02)
