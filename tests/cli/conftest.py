"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.deployment import Deployment


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """A folder without a database yet."""
    return Deployment(folder=tmp_path)
