"""Starts and stops the real programs of the demo: an MLflow server and the bot.

Everything listens on loopback, on free ports, in one folder that goes when the demo ends. Only
processes that were started here are ended, with their own children.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.1
_STOP_SECONDS = 10.0


class DemoBroken(Exception):
    """A step of the demo did not end as told."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One running program and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 15) -> str:
        """The end of its output, for the message that says what went wrong."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """SIGKILL, as a crash would: no handler runs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and SIGKILL for whatever is left after ten seconds; returns the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """A real MLflow server with its database and artifacts in `folder`; yields its address."""
    program, address = start_mlflow(folder)
    try:
        yield address
    finally:
        # Its folder goes too, and an orderly end would wait for every open connection.
        program.kill()


def start_mlflow(folder: Path) -> tuple[Program, str]:
    """Start one that goes on until it is ended; it, and its address once it answers there.

    Raises:
        DemoBroken: it does not.
    """
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--artifacts-destination", str(folder / "artifacts")),
    ]
    env = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    program = start("mlflow", command, env, folder / "mlflow.log")
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_http(program, f"{address}/health", seconds=120)
    except BaseException:
        program.kill()
        raise
    return program, address


def start_bot(folder: Path, env: Mapping[str, str], *, health_port: int) -> Program:
    """Start `foureyes run` as a user does, and wait until it says that it is ready.

    Raises:
        DemoBroken: it is not.
    """
    bot = start("foureyes", [sys.executable, "-m", "bot.cli", "run"], env, folder / "bot.log")
    try:
        wait_for_http(bot, f"http://127.0.0.1:{health_port}/readyz", seconds=60)
    except BaseException:
        bot.stop()
        raise
    return bot


def start(name: str, command: list[str], env: Mapping[str, str], log: Path) -> Program:
    """Start a program in a process group of its own; its output goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=log.parent,
        )
    return Program(name=name, process=process, log=log)


def wait_for_http(program: Program, address: str, *, seconds: float) -> None:
    """Wait until an address answers 200.

    Raises:
        DemoBroken: the program ended, or the time is over; with the end of its output.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if program.process.poll() is not None:
            raise DemoBroken(
                f"{program.name} ended with {program.process.returncode}:\n{program.tail()}"
            )
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            pass  # not up yet; the deadline decides
        time.sleep(_POLL_SECONDS)
    raise DemoBroken(f"{program.name} was not ready in {seconds:g} s:\n{program.tail()}")
