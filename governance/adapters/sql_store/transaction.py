"""One transaction over one connection: the parts put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from governance.adapters.sql_store.absence_part import AbsencePart
from governance.adapters.sql_store.ask_part import AskPart
from governance.adapters.sql_store.home_part import HomePart
from governance.adapters.sql_store.ledger_part import LedgerPart
from governance.adapters.sql_store.news_part import NewsPart
from governance.adapters.sql_store.post_part import PostPart
from governance.adapters.sql_store.request_part import RequestPart
from governance.adapters.sql_store.review_part import ReviewPart
from governance.adapters.sql_store.stage_part import StagePart
from governance.adapters.sql_store.watch_part import WatchPart
from governance.domain.ledger import Head
from governance.ports import KeptHeads


class SqlTransaction(
    LedgerPart,
    RequestPart,
    StagePart,
    ReviewPart,
    WatchPart,
    NewsPart,
    PostPart,
    HomePart,
    AskPart,
    AbsencePart,
):
    """Implements `governance.ports.Transaction`; opened by the store alone."""

    def __init__(
        self,
        connection: Connection,
        *,
        clock: Callable[[], datetime] | None,
        heads: KeptHeads,
        is_write: bool,
    ) -> None:
        self.connection = connection
        self.clock = clock
        self.heads = heads
        self.is_write = is_write
        self.appended: Head | None = None
        self._vouched = False
        self._now: datetime | None = None
        self._appending = False
