"""The whole story over the real wire: real MLflow, the ordinary bot, a workspace that speaks
Slack's protocol, SIGKILL in the middle, from an installed wheel in an empty folder."""

from __future__ import annotations

import subprocess

import pytest

STEPS = 16


def test_the_demo_of_a_wheel_ends_by_itself_as_told(
    told: subprocess.CompletedProcess[str],
) -> None:
    """Exit code 0, every step, nothing on stderr."""
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    for step in range(1, STEPS + 1):
        assert f"{step:2}. " in told.stdout
    assert told.stderr == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "opened this request",
        "Now held. Waits for 5 s in Staging",
        "uses foreign_worker, personal_status_and_sex",
        "Show me the bads first",
        "New: credit_scoring v4",
        "What v4 would change against v1 in Production",
        "Exactly one version is in Production",
        "decisions on broken inputs when it is read",
        "Nobody clicked anything. AUC acted",
        "MLflow Production is v1 (was v4)",
        "outside Foureyes",
        "restored as last known good",
        "The record matches every kept head",
        "The record does NOT match",
    ],
)
def test_the_story_shows(told: subprocess.CompletedProcess[str], sentence: str) -> None:
    """What people read at each turn."""
    assert sentence in told.stdout
