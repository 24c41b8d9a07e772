"""The office that conversations are tried in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.office import Office, open_office


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """Everybody is there, and the app did nothing that Slack would not take; on each database."""
    with open_office(database_url, tmp_path / "heads") as office:
        yield office
        assert office.slack.violations == ()
