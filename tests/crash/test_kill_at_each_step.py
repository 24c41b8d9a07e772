"""SIGKILL before each commit, each change in MLflow and each message in Slack between a click and
its outcome: the successor ends with exactly one transition and a complete record."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox import Limits, RunningServer, Workspace, serve
from governance.domain.ledger import EventKind
from governance.domain.promotion import State
from tests.crash.life import NEW, OLD, Remains
from tests.databases import new_sqlite
from tests.mlflow_server import RealMlflow

_OF_PANDAS = "ignore:The 'future.infer_string' option:DeprecationWarning"
"""Ibis sets an option of pandas that pandas 4 will not have."""
PEOPLE = ("dana", "ana", "raj", "otto")


@pytest.fixture
def slack() -> Iterator[RunningServer]:
    """A workspace in which everybody is."""
    workspace = Workspace(limits=Limits(posts_per_second=0))
    for name in PEOPLE:
        workspace.add_person(name, user_id=f"U0{name.upper()}")
    workspace.add_channel("#credit-models", members=list(PEOPLE))
    with serve(workspace) as server:
        yield server


class Driver:
    """The program that is forked and killed, and what it says."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors

    def lives(
        self,
        scenario: str,
        database_url: str,
        folder: Path,
        mlflow: RealMlflow,
        slack: RunningServer,
    ) -> list[Remains]:
        """What was found after each kill, and last without one."""
        order = {
            "scenario": scenario,
            "database_url": database_url,
            "folder": str(folder),
            "mlflow": mlflow.uri,
            "model": mlflow.new_model(),
            "slack_api": slack.api_url,
            "slack_token": slack.bot_token,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        found: list[Remains] = []
        for line in self._process.stdout:
            said = json.loads(line)
            if "ended_well" in said:
                told = self._errors.read_text(encoding="utf-8")[-4000:]
                print(told)  # before what each was killed, if the test fails
                assert said["ended_well"], told
                return found
            said.pop("step")
            said["production"] = tuple(said["production"])
            said["record_problems"] = tuple(said["record_problems"])
            found.append(Remains(**said))
        raise AssertionError(self._errors.read_text(encoding="utf-8")[-4000:])


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """One for all: it has much to import."""
    errors = tmp_path_factory.mktemp("driver") / "stderr"
    command = [sys.executable, "-W", "error", "-W", _OF_PANDAS, "-m", "tests.crash.driver"]
    with (
        errors.open("wb") as told,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True
        ) as process,
    ):
        yield Driver(process, errors)
        assert process.stdin is not None
        process.stdin.close()


def test_a_promotion_survives_a_kill_at_each_step(
    database_url: str, tmp_path: Path, real_mlflow: RealMlflow, slack: RunningServer, driver: Driver
) -> None:
    """From the last approval to its outcome."""
    lives = driver.lives("vote", database_url, tmp_path, real_mlflow, slack)
    assert len(lives) > 10
    _all_promoted(lives)


def test_what_people_are_told_survives_a_kill_at_each_step(
    tmp_path: Path, real_mlflow: RealMlflow, slack: RunningServer, driver: Driver
) -> None:
    """From the outcome to the last message: everything is sent, and nothing is done twice."""
    lives = driver.lives("messages", new_sqlite(tmp_path), tmp_path, real_mlflow, slack)
    assert len(lives) > 15
    _all_promoted(lives)


def test_a_rollback_survives_a_kill_at_each_step(
    database_url: str, tmp_path: Path, real_mlflow: RealMlflow, slack: RunningServer, driver: Driver
) -> None:
    """From the click on the button."""
    lives = driver.lives("rollback", database_url, tmp_path, real_mlflow, slack)
    assert len(lives) > 10
    for step, found in enumerate(lives):
        assert found.production == (OLD,), f"step {step}: {found}"
        assert found.alias == OLD, f"step {step}: {found}"
        _one_of_each(step, found, EventKind.ROLLBACK_INTENDED)
        _one_of_each(step, found, EventKind.ROLLBACK_DONE)


def test_a_promotion_past_policy_survives_a_kill_at_each_step(
    tmp_path: Path, real_mlflow: RealMlflow, slack: RunningServer, driver: Driver
) -> None:
    """From the confirmed form to Production: glass is broken once, and one review is due."""
    lives = driver.lives("glass", new_sqlite(tmp_path), tmp_path, real_mlflow, slack)
    assert len(lives) > 10
    for step, found in enumerate(lives):
        assert found.production == (NEW,), f"step {step}: {found}"
        assert found.alias == NEW, f"step {step}: {found}"
        assert found.state == State.COMPLETED.value, f"step {step}: {found}"
        _one_of_each(step, found, EventKind.GLASS_BROKEN)
        _one_of_each(step, found, EventKind.TRANSITION_DONE)
        _one_of_each(step, found, EventKind.REVIEW_OPENED)


def test_an_automatic_rollback_survives_a_kill_at_each_step(
    tmp_path: Path, real_mlflow: RealMlflow, slack: RunningServer, driver: Driver
) -> None:
    """From the look that found it to the last record: one alert, one rollback."""
    lives = driver.lives("automatic", new_sqlite(tmp_path), tmp_path, real_mlflow, slack)
    assert len(lives) > 10
    for step, found in enumerate(lives):
        assert found.production == (OLD,), f"step {step}: {found}"
        assert found.alias == OLD, f"step {step}: {found}"
        _one_of_each(step, found, EventKind.ALERT_RAISED)
        _one_of_each(step, found, EventKind.ROLLBACK_INTENDED)
        _one_of_each(step, found, EventKind.ROLLBACK_DONE)


def _all_promoted(lives: list[Remains]) -> None:
    for step, found in enumerate(lives):
        assert found.production == (NEW,), f"step {step}: {found}"
        assert found.alias == NEW, f"step {step}: {found}"
        assert found.state == State.COMPLETED.value, f"step {step}: {found}"
        assert found.kinds[EventKind.DECISION_MADE.value] == 2, f"step {step}: {found}"
        _one_of_each(step, found, EventKind.TRANSITION_DONE)


def _one_of_each(step: int, found: Remains, kind: EventKind) -> None:
    assert found.kinds[kind.value] == 1, f"step {step}: {found}"
    assert EventKind.CHANGED_ELSEWHERE.value not in found.kinds, f"step {step}: {found}"
    assert found.open_intents == 0, f"step {step}: {found}"
    assert found.unsent == 0, f"step {step}: {found}"
    assert found.record_problems == (), f"step {step}: {found}"
