"""Reviews of break-glass inside a transaction."""

from __future__ import annotations

from sqlalchemy import Connection, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from governance.adapters.sql_store import codecs
from governance.adapters.sql_store.review_tables import reviews
from governance.domain.break_glass import GlassId
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import ModelName
from governance.domain.review import Review


class ReviewPart:
    """What is to be reviewed, and what was."""

    connection: Connection
    is_write: bool

    def add_review(self, review: Review) -> None:
        """Store a new one."""
        try:
            with self.connection.begin_nested():
                self.connection.execute(insert(reviews).values(**_row(review)))
        except IntegrityError as error:
            raise Conflict("already_reviewed", "This break-glass has its review already.") from (
                error
            )

    def review(self, glass_id: GlassId) -> Review:
        """Read one and hold it."""
        query = select(reviews.c.body).where(reviews.c.id == glass_id)
        if self.is_write:
            query = query.with_for_update()
        body = self.connection.execute(query).scalar()
        if body is None:
            raise Refused("no_such_review", f"There is no review {glass_id}.")
        return codecs.review.validate_json(body)

    def save_review(self, review: Review) -> None:
        """Write a changed review."""
        changed = self.connection.execute(
            update(reviews)
            .where(reviews.c.id == review.id, reviews.c.is_open)
            .values(is_open=review.is_open, body=codecs.to_text(codecs.review, review))
        )
        if changed.rowcount != 1:
            raise Conflict(
                "changed_meanwhile", "The review ended at the same moment. Look at it again."
            )

    def open_reviews(self) -> tuple[Review, ...]:
        """Those that are not over."""
        return self._reviews(select(reviews.c.body).where(reviews.c.is_open))

    def reviews(self, model: ModelName) -> tuple[Review, ...]:
        """All of a model."""
        return self._reviews(select(reviews.c.body).where(reviews.c.model == model))

    def _reviews(self, query: Select[str]) -> tuple[Review, ...]:
        ordered = query.order_by(reviews.c.opened_at, reviews.c.id)
        bodies = self.connection.execute(ordered).scalars()
        return tuple(codecs.review.validate_json(body) for body in bodies)


def _row(review: Review) -> dict[str, object]:
    return {
        "id": review.id,
        "model": review.model,
        "person": review.glass.person,
        "is_open": review.is_open,
        "opened_at": review.opened_at,
        "due_at": review.due_at,
        "body": codecs.to_text(codecs.review, review),
    }
