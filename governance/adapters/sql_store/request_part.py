"""Requests and decisions inside a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from governance.adapters.sql_store import codecs
from governance.adapters.sql_store.tables import decisions, requests
from governance.domain.approval import Decision, RequestId
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import ModelName
from governance.domain.identity import PersonId
from governance.domain.promotion import Request
from governance.ports import PastDecision


class RequestPart:
    """What was asked for, and what was said to it."""

    connection: Connection
    is_write: bool

    @property
    def now(self) -> datetime:
        """The transaction's moment."""
        raise AssertionError("the ledger part answers this")

    def add_request(self, request: Request) -> None:
        """Store a new request."""
        try:
            with self.connection.begin_nested():
                self.connection.execute(insert(requests).values(**_row(request)))
        except IntegrityError as error:
            raise Conflict(
                "already_open",
                f"A request for v{request.version} of {request.model} to {request.target.value} "
                "is open already.",
            ) from error

    def request(self, request_id: RequestId) -> Request:
        """Read one request and hold it for this transaction."""
        query = select(requests.c.body).where(requests.c.id == request_id)
        if self.is_write:
            query = query.with_for_update()
        body = self.connection.execute(query).scalar()
        if body is None:
            raise Refused("no_such_request", f"There is no request {request_id}.")
        return codecs.request.validate_json(body)

    def save_request(self, request: Request) -> Request:
        """Write a changed request under the next revision."""
        saved = replace(request, revision=request.revision + 1)
        changed = self.connection.execute(
            update(requests)
            .where(requests.c.id == request.id, requests.c.revision == request.revision)
            .values(**_row(saved))
        )
        if changed.rowcount != 1:
            raise Conflict(
                "changed_meanwhile", "The request changed at the same moment. Look at it again."
            )
        return saved

    def open_requests(self, model: ModelName | None = None) -> tuple[Request, ...]:
        """Requests that are not over, oldest first."""
        query = select(requests.c.body).where(requests.c.is_open).order_by(requests.c.opened_at)
        if model is not None:
            query = query.where(requests.c.model == model)
        return _requests(self.connection.execute(query).scalars())

    def requests(self, model: ModelName, *, limit: int = 50) -> tuple[Request, ...]:
        """Requests of a model, newest first."""
        query = (
            select(requests.c.body)
            .where(requests.c.model == model)
            .order_by(requests.c.opened_at.desc())
            .limit(limit)
        )
        return _requests(self.connection.execute(query).scalars())

    def requests_named(self, ids: Collection[RequestId]) -> tuple[Request, ...]:
        """Those of these that there are, newest first."""
        query = (
            select(requests.c.body)
            .where(requests.c.id.in_(sorted(ids)))
            .order_by(requests.c.opened_at.desc())
        )
        return _requests(self.connection.execute(query).scalars())

    def decisions_of_open_requests(self) -> Mapping[RequestId, tuple[Decision, ...]]:
        """Those in force on every open request, in one statement."""
        rows = self.connection.execute(
            select(decisions.c.request_id, decisions.c.body)
            .join(requests, requests.c.id == decisions.c.request_id)
            .where(requests.c.is_open, decisions.c.ended_at.is_(None))
            .order_by(decisions.c.id)
        )
        found: dict[RequestId, list[Decision]] = {}
        for request_id, body in rows:
            decision = codecs.decision.validate_json(body)
            found.setdefault(RequestId(request_id), []).append(decision)
        return {request_id: tuple(made) for request_id, made in found.items()}

    def add_decision(self, decision: Decision) -> None:
        """Append a decision and put it in force."""
        in_force = next(
            (d for d in self.decisions(decision.request_id) if d.person == decision.person), None
        )
        if in_force is not None:
            if in_force.verdict is decision.verdict:
                raise Refused("already_decided", "Your decision is already counted.")
            self.end_decision(decision.request_id, decision.person, "replaced by a later decision")
        try:
            with self.connection.begin_nested():
                self.connection.execute(
                    insert(decisions).values(
                        request_id=decision.request_id,
                        person=decision.person,
                        verdict=decision.verdict.value,
                        body=codecs.to_text(codecs.decision, decision),
                    )
                )
        except IntegrityError as error:
            raise Refused("already_decided", "Your decision is already counted.") from error

    def end_decision(self, request_id: RequestId, person: PersonId, why: str) -> Decision | None:
        """End the decision of one person that is in force."""
        body = self.connection.execute(
            update(decisions)
            .where(
                decisions.c.request_id == request_id,
                decisions.c.person == person,
                decisions.c.ended_at.is_(None),
            )
            .values(ended_at=self.now, ended_why=why)
            .returning(decisions.c.body)
        ).scalar()
        return None if body is None else codecs.decision.validate_json(body)

    def decisions(self, request_id: RequestId) -> tuple[Decision, ...]:
        """Those in force, oldest first."""
        return tuple(p.decision for p in self.past_decisions(request_id) if p.ended_at is None)

    def past_decisions(self, request_id: RequestId) -> tuple[PastDecision, ...]:
        """All, oldest first."""
        rows = self.connection.execute(
            select(decisions).where(decisions.c.request_id == request_id).order_by(decisions.c.id)
        ).mappings()
        return tuple(_past(row) for row in rows)


def _row(request: Request) -> dict[str, object]:
    return {
        "id": request.id,
        "model": request.model,
        "version": request.version,
        "target": request.target.value,
        "state": request.state.value,
        "is_open": request.is_open,
        "opened_at": request.opened_at,
        "expires_at": request.expires_at,
        "revision": request.revision,
        "body": codecs.to_text(codecs.request, request),
    }


def _requests(bodies: Iterable[str]) -> tuple[Request, ...]:
    return tuple(codecs.request.validate_json(body) for body in bodies)


def _past(row: RowMapping) -> PastDecision:
    return PastDecision(
        decision=codecs.decision.validate_json(row["body"]),
        ended_at=row["ended_at"],
        ended_why=row["ended_why"],
    )
