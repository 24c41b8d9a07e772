"""The office that conversations are tried in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.office import Office, open_office

UI = "https://mlflow.bank.example"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """Everybody is there, and the app did nothing that Slack would not take; on each database."""
    with open_office(database_url, tmp_path / "heads") as office:
        yield office
        assert office.slack.violations == ()


@pytest.fixture
def linked_office(tmp_path: Path) -> Iterator[Office]:
    """The same, where the address of MLflow's pages is set."""
    url = f"sqlite:///{tmp_path / 'linked.db'}"
    with open_office(url, tmp_path / "linked-heads", mlflow_ui=UI) as office:
        yield office
        assert office.slack.violations == ()
