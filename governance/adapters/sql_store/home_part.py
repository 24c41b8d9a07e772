"""Who has opened the app's Home, and what it shows, inside a transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from governance.adapters.sql_store.tables import homes
from governance.ports import OpenHome


class HomePart:
    """Homes that are kept up to date."""

    connection: Connection

    @property
    def now(self) -> datetime:
        """The transaction's moment."""
        raise AssertionError("the ledger part answers this")

    def home_opened(self, account: str, barred: str) -> None:
        """Whatever it showed before, it is drawn again."""
        self.forget_home(account)
        self.connection.execute(
            insert(homes).values(account=account, opened_at=self.now, barred=barred, drawn="")
        )

    def open_homes(self, since: datetime) -> tuple[OpenHome, ...]:
        """Those opened since then, by account."""
        rows = self.connection.execute(
            select(homes).where(homes.c.opened_at >= since).order_by(homes.c.account)
        )
        return tuple(
            OpenHome(
                account=row.account, opened_at=row.opened_at, barred=row.barred, drawn=row.drawn
            )
            for row in rows
        )

    def home_drawn(self, account: str, drawn: str) -> None:
        """It shows this now."""
        self.connection.execute(update(homes).where(homes.c.account == account).values(drawn=drawn))

    def forget_home(self, account: str) -> None:
        """Nobody is there to see it."""
        self.connection.execute(delete(homes).where(homes.c.account == account))
