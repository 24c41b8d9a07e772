"""Who is away, inside a transaction."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from governance.adapters.sql_store.attention_tables import absences
from governance.domain.absence import Absence
from governance.domain.errors import Conflict
from governance.domain.identity import PersonId


class AbsencePart:
    """Appended, and ended once."""

    connection: Connection

    @property
    def now(self) -> datetime:
        """The transaction's moment."""
        raise AssertionError("the ledger part answers this")

    def absences(self) -> tuple[Absence, ...]:
        """Those that nobody ended, by person."""
        rows = self.connection.execute(
            select(absences).where(absences.c.ended_at.is_(None)).order_by(absences.c.person)
        ).mappings()
        return tuple(_absence(row) for row in rows)

    def begin_absence(self, absence: Absence) -> None:
        """Somebody is away."""
        try:
            with self.connection.begin_nested():
                self.connection.execute(
                    insert(absences).values(
                        person=absence.person,
                        stand_in=absence.stand_in,
                        account=absence.account,
                        began_at=absence.began_at,
                        last_day=absence.last_day.isoformat(),
                        ends_at=absence.ends_at,
                    )
                )
        except IntegrityError as error:
            raise Conflict("already_away", "This absence was told already.") from error

    def end_absence(self, person: PersonId, why: str) -> Absence | None:
        """They are back; None when they were not away."""
        row = (
            self.connection.execute(
                update(absences)
                .where(absences.c.person == person, absences.c.ended_at.is_(None))
                .values(ended_at=self.now, ended_why=why)
                .returning(absences)
            )
            .mappings()
            .first()
        )
        return None if row is None else _absence(row)


def _absence(row: RowMapping) -> Absence:
    return Absence(
        person=PersonId(row["person"]),
        stand_in=None if row["stand_in"] is None else PersonId(row["stand_in"]),
        account=row["account"],
        began_at=row["began_at"],
        last_day=date.fromisoformat(row["last_day"]),
        ends_at=row["ends_at"],
    )
