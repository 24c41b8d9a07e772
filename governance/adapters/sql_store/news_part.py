"""How far a model's channel was told of its versions, and pictures, inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from governance.adapters.sql_store.news_tables import noticed, pictures
from governance.domain.evidence import ModelName, Version
from governance.ports import SentPicture


class NewsPart:
    """Who was told of which version, and what Slack has of pictures."""

    connection: Connection

    def noticed(self) -> Mapping[ModelName, Version]:
        """The newest version of each model that its channel need not be told of."""
        rows = self.connection.execute(select(noticed))
        return {ModelName(row.model): Version(row.up_to) for row in rows}

    def save_noticed(self, model: ModelName, before: Version | None, up_to: Version) -> bool:
        """Move on from `before`; False when somebody else did."""
        if before is None:
            try:
                with self.connection.begin_nested():
                    self.connection.execute(insert(noticed).values(model=model, up_to=up_to))
            except IntegrityError:
                return False
            return True
        moved = self.connection.execute(
            update(noticed)
            .where(noticed.c.model == model, noticed.c.up_to == before)
            .values(up_to=up_to)
        )
        return moved.rowcount == 1

    def save_picture(self, key: str, picture: SentPicture | None) -> None:
        """Remember a picture, or forget it."""
        self.connection.execute(delete(pictures).where(pictures.c.key == key))
        if picture is not None:
            self.connection.execute(
                insert(pictures).values(key=key, file_id=picture.file_id, alt_text=picture.alt_text)
            )

    def picture(self, key: str) -> SentPicture | None:
        """The picture with this key."""
        row = self.connection.execute(select(pictures).where(pictures.c.key == key)).first()
        return None if row is None else SentPicture(file_id=row.file_id, alt_text=row.alt_text)
