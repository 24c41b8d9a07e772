"""What holds after every story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from governance.use_cases.tables import table_problems
from tests.stories.desk import Desk


@pytest.fixture(autouse=True)
def the_tables_say_what_the_record_says(request: pytest.FixtureRequest) -> Iterator[None]:
    """However a story went, its tables can be told from its record alone."""
    desk: Desk | None = request.getfixturevalue("desk") if "desk" in request.fixturenames else None
    yield
    if desk is not None:
        with desk.store.read() as tx:
            assert table_problems(tx) == ()
