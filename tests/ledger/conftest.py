"""Somebody with full rights on the database that the desk writes to."""

from __future__ import annotations

import pytest

from tests.ledger.owner import Owner


@pytest.fixture
def owner(database_url: str) -> Owner:
    """Of the desk's database."""
    return Owner(database_url)
