"""Kills a writer of the traffic file before its first call to the system, its second, its third …,
and once in the middle of its write; prints what is left of each: one line of JSON a death. A
program of its own, because only a process without threads can be forked safely.

`traffic_killed FOLDER`
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from governance.adapters.traffic_file import TrafficFile
from governance.domain.evidence import ModelName, Version

CREDIT, FRAUD = ModelName("credit_scoring"), ModelName("fraud")
_MOST_STEPS = 50


def sweep(folder: Path) -> None:
    """From a file that serves version 1, a writer of version 2 dies at each step."""
    for halves in (False, True):
        for step in range(_MOST_STEPS):
            traffic = _fresh(folder / f"{halves}{step}")
            killed, at = _die_at(step, traffic, halves=halves)
            if not killed:
                break
            if halves and at != "write":
                continue
            print(json.dumps({"before": at, "half": halves, **_left(traffic)}), flush=True)
        else:
            raise SystemExit("the steps have no end")


def _fresh(folder: Path) -> TrafficFile:
    traffic = TrafficFile(folder / "traffic.json")
    traffic.serve(FRAUD, Version(7))
    traffic.serve(CREDIT, Version(1))
    return traffic


def _left(traffic: TrafficFile) -> dict[str, object]:
    """What a reader sees, whether the bytes are whole, and what the next writer can do."""
    whole = json.loads(traffic.path.read_bytes())
    seen, other = traffic.serving(CREDIT), traffic.serving(FRAUD)
    assert whole["models"][CREDIT]["version"] == seen
    traffic.serve(CREDIT, Version(3))
    beside = sorted(p.name for p in traffic.path.parent.iterdir())
    return {"seen": seen, "other": other, "then": traffic.serving(CREDIT), "beside": beside}


def _die_at(step: int, traffic: TrafficFile, *, halves: bool) -> tuple[bool, str]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _kill_before(step, partial(os.write, writer), halves=halves)
            traffic.serve(CREDIT, Version(2))
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    at = os.read(reader, 100).decode()
    os.close(reader)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status) and status != 0:
        raise SystemExit("the writer failed")
    return os.WIFSIGNALED(status), at


def _kill_before(step: int, say: Callable[[bytes], int], *, halves: bool) -> None:
    """SIGKILL, which no handler sees, at call number `step` of those that change something."""
    passed = 0
    write = os.write

    def dying(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            nonlocal passed
            if passed == step:
                say(name.encode())
                if halves and name == "write":
                    descriptor, data = arguments
                    assert isinstance(descriptor, int)
                    assert isinstance(data, bytes)
                    write(descriptor, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            passed += 1
            return real(*arguments, **named)

        return call

    for name in ("open", "write", "fsync", "fchmod", "replace", "close", "unlink"):
        setattr(os, name, dying(name, getattr(os, name)))
    fcntl.flock = dying("flock", fcntl.flock)  # type: ignore[assignment]  # the same call, counted


if __name__ == "__main__":
    sweep(Path(sys.argv[1]))
