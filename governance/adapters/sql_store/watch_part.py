"""What monitors remember, alerts and drills inside a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from governance.adapters.sql_store import codecs
from governance.adapters.sql_store.stage_part import tenure_of
from governance.adapters.sql_store.tables import intents, tenures
from governance.adapters.sql_store.watch_tables import alerts, drills, monitors, told
from governance.domain.canonical import Digest
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.monitoring.alert import Alert, AlertId, Outcome
from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.domain.tenure import Tenure
from governance.ports import DoneRollback, Drill, IntentId, IntentKind, Look, WantedLook

_AT_ONCE = 400
"""Rows in one statement; SQLite and PostgreSQL take many more."""


Item = TypeVar("Item")


class WatchPart:
    """What watching keeps."""

    connection: Connection
    is_write: bool

    @property
    def now(self) -> datetime:
        """The transaction's moment."""
        raise AssertionError("the ledger part answers this")

    def in_production(self) -> Mapping[ModelName, Tenure]:
        """The newest wins."""
        rows = self.connection.execute(
            select(tenures)
            .where(tenures.c.stage == Stage.PRODUCTION.value, tenures.c.ended_at.is_(None))
            .order_by(tenures.c.id)
        ).mappings()
        return {ModelName(row["model"]): tenure_of(row) for row in rows}

    # --- monitors -------------------------------------------------------------------------

    def looks(self) -> Mapping[MonitorKey, Look]:
        """When each monitor is looked at next."""
        rows = self.connection.execute(
            select(
                monitors.c.model,
                monitors.c.version,
                monitors.c.monitor,
                monitors.c.spec,
                monitors.c.next_look_at,
            )
        )
        return {
            MonitorKey(ModelName(model), Version(version), monitor): Look(
                spec=Digest(spec), next_look_at=next_look_at
            )
            for model, version, monitor, spec, next_look_at in rows
        }

    def claim_looks(
        self, wanted: Mapping[MonitorKey, WantedLook], lease: timedelta
    ) -> Mapping[MonitorKey, MonitorState]:
        """Take what is due, one statement for many."""
        known = self._ids(wanted, lease)
        self._insert_new([key for key in wanted if key not in known], wanted)
        known = self._ids(wanted, lease)
        claimed: dict[MonitorKey, MonitorState] = {}
        for some in _portions(known.values()):
            rows = self.connection.execute(
                update(monitors)
                .where(monitors.c.id.in_(some), monitors.c.next_look_at <= self.now)
                .values(next_look_at=self.now + lease)
                .returning(monitors.c.body, monitors.c.looked_at)
            )
            for body, looked_at in rows:
                state = _state_of(body, looked_at)
                spec = wanted[state.key].spec
                fresh = state.spec != spec
                claimed[state.key] = MonitorState(key=state.key, spec=spec) if fresh else state
        return claimed

    def _ids(
        self, wanted: Mapping[MonitorKey, WantedLook], lease: timedelta
    ) -> dict[MonitorKey, int]:
        """Row ids; a row that is due for another reason than its time is made due by its time."""
        found: dict[MonitorKey, int] = {}
        models = sorted({key.model for key in wanted})
        due: list[int] = []
        for some in _portions(models):
            for row in self.connection.execute(
                select(
                    monitors.c.id,
                    monitors.c.model,
                    monitors.c.version,
                    monitors.c.monitor,
                    monitors.c.spec,
                    monitors.c.next_look_at,
                ).where(monitors.c.model.in_(some))
            ):
                key = MonitorKey(ModelName(row.model), Version(row.version), row.monitor)
                if key in wanted:
                    found[key] = row.id
                    look = Look(spec=Digest(row.spec), next_look_at=row.next_look_at)
                    if wanted[key].is_due(look, now=self.now, lease=lease):
                        due.append(row.id)
        for part in _portions(due):
            self.connection.execute(
                update(monitors).where(monitors.c.id.in_(part)).values(next_look_at=self.now)
            )
        return found

    def _insert_new(
        self, keys: Sequence[MonitorKey], wanted: Mapping[MonitorKey, WantedLook]
    ) -> None:
        for some in _portions(keys):
            rows = [_row(MonitorState(key=key, spec=wanted[key].spec), self.now) for key in some]
            try:
                with self.connection.begin_nested():
                    self.connection.execute(insert(monitors), rows)
            except IntegrityError:
                # Another replica saw the version first: each one by itself.
                for row in rows:
                    self._insert_one(row)

    def _insert_one(self, row: Mapping[str, object]) -> None:
        try:
            with self.connection.begin_nested():
                self.connection.execute(insert(monitors).values(**row))
        except IntegrityError:
            return

    def save_look(self, state: MonitorState, next_look_at: datetime) -> None:
        """Keep what was found."""
        self.connection.execute(
            update(monitors)
            .where(
                monitors.c.model == state.key.model,
                monitors.c.version == state.key.version,
                monitors.c.monitor == state.key.monitor,
            )
            .values(
                spec=state.spec,
                next_look_at=next_look_at,
                looked_at=state.looked_at,
                body=codecs.monitor_state_text(state),
            )
        )

    def save_quiet_looks(self, looked: Mapping[MonitorKey, datetime]) -> None:
        """A statement for each moment of a next look, whatever the number of monitors."""
        at_once: dict[datetime, list[MonitorKey]] = {}
        for key, next_look_at in looked.items():
            at_once.setdefault(next_look_at, []).append(key)
        place = tuple_(monitors.c.model, monitors.c.version, monitors.c.monitor)
        for next_look_at, keys in at_once.items():
            for some in _portions(keys):
                self.connection.execute(
                    update(monitors)
                    .where(place.in_(some))
                    .values(next_look_at=next_look_at, looked_at=self.now)
                )

    def monitor_states(self, model: ModelName) -> tuple[tuple[MonitorState, datetime], ...]:
        """All of a model, newest version first."""
        rows = self.connection.execute(
            select(monitors.c.body, monitors.c.looked_at, monitors.c.next_look_at)
            .where(monitors.c.model == model)
            .order_by(monitors.c.version.desc(), monitors.c.id)
        )
        return tuple((_state_of(body, looked_at), at) for body, looked_at, at in rows)

    def monitor_states_of(self, models: Collection[ModelName]) -> tuple[MonitorState, ...]:
        """All of these models, newest version first, a statement for many."""
        found: list[MonitorState] = []
        for some in _portions(sorted(models)):
            rows = self.connection.execute(
                select(monitors.c.body, monitors.c.looked_at)
                .where(monitors.c.model.in_(some))
                .order_by(monitors.c.model, monitors.c.version.desc(), monitors.c.id)
            )
            found += [_state_of(body, looked_at) for body, looked_at in rows]
        return tuple(found)

    # --- alerts ---------------------------------------------------------------------------

    def raise_alert(self, alert: Alert) -> Alert | None:
        """Store it, unless one for the same is open."""
        try:
            with self.connection.begin_nested():
                number = self.connection.execute(
                    insert(alerts).values(**_alert_row(alert)).returning(alerts.c.id)
                ).scalar_one()
        except IntegrityError:
            return None
        stored = replace(alert, id=AlertId(number))
        self.save_alert(stored)
        return stored

    def alert(self, alert_id: AlertId) -> Alert:
        """Read one and hold it."""
        query = select(alerts.c.body).where(alerts.c.id == alert_id)
        if self.is_write:
            query = query.with_for_update()
        body = self.connection.execute(query).scalar()
        if body is None:
            raise Refused("no_such_alert", f"There is no alert {alert_id}.")
        return codecs.alert.validate_json(body)

    def save_alert(self, alert: Alert) -> None:
        """Write a changed alert."""
        self.connection.execute(
            update(alerts).where(alerts.c.id == alert.id).values(**_alert_row(alert))
        )

    def open_alerts(self, model: ModelName | None = None) -> tuple[Alert, ...]:
        """Those that are not over."""
        query = select(alerts.c.body).where(alerts.c.is_open).order_by(alerts.c.id)
        if model is not None:
            query = query.where(alerts.c.model == model)
        return self._alerts(query)

    def pending_alerts(self) -> tuple[Alert, ...]:
        """Those whose rollback is still to be made."""
        return self._alerts(
            select(alerts.c.body)
            .where(alerts.c.outcome == Outcome.PENDING.value)
            .order_by(alerts.c.id)
        )

    def due_reminders(self) -> tuple[Alert, ...]:
        """Open, not acknowledged, and due."""
        return self._alerts(
            select(alerts.c.body)
            .where(alerts.c.is_open, alerts.c.remind_at <= self.now)
            .order_by(alerts.c.id)
        )

    def _alerts(self, query: Select[str]) -> tuple[Alert, ...]:
        bodies = self.connection.execute(query).scalars()
        return tuple(codecs.alert.validate_json(body) for body in bodies)

    def rollbacks_since(
        self, since: datetime, model: ModelName | None = None
    ) -> tuple[DoneRollback, ...]:
        """By the intents that were carried out."""
        query = (
            select(intents.c.id, intents.c.body, intents.c.closed_at)
            .where(intents.c.outcome == "done", intents.c.closed_at >= since)
            .order_by(intents.c.id)
        )
        if model is not None:
            query = query.where(intents.c.model == model)
        found = [
            DoneRollback(
                intent=replace(codecs.intent.validate_json(body), id=IntentId(number)),
                done_at=done_at,
            )
            for number, body, done_at in self.connection.execute(query)
        ]
        return tuple(r for r in found if r.intent.kind is IntentKind.ROLLBACK)

    # --- drills, and who was told -----------------------------------------------------------

    def save_drill(self, drill: Drill) -> None:
        """Replace what is known."""
        self.connection.execute(delete(drills).where(drills.c.model == drill.model))
        self.connection.execute(
            insert(drills).values(
                model=drill.model,
                drilled_at=drill.drilled_at,
                passed=drill.passed,
                findings=codecs.findings_text(drill.findings),
            )
        )

    def drills(self) -> Mapping[ModelName, Drill]:
        """The newest drill of each model."""
        rows = self.connection.execute(select(drills)).mappings()
        return {ModelName(row["model"]): _drill(row) for row in rows}

    def told_up_to(self, name: str) -> int | None:
        """How far somebody outside was told."""
        found: int | None = self.connection.execute(
            select(told.c.seq).where(told.c.name == name)
        ).scalar()
        return found

    def save_told(self, name: str, sequence: int) -> None:
        """They were told up to here."""
        self.connection.execute(delete(told).where(told.c.name == name))
        self.connection.execute(insert(told).values(name=name, seq=sequence))


def _state_of(body: str, looked_at: datetime | None) -> MonitorState:
    state = codecs.monitor_state_of(body)
    return state if looked_at is None else replace(state, looked_at=looked_at)


def _row(state: MonitorState, next_look_at: datetime) -> dict[str, object]:
    return {
        "model": state.key.model,
        "version": state.key.version,
        "monitor": state.key.monitor,
        "spec": state.spec,
        "next_look_at": next_look_at,
        "body": codecs.monitor_state_text(state),
    }


def _alert_row(alert: Alert) -> dict[str, object]:
    return {
        "model": alert.model,
        "version": alert.version,
        "monitor": alert.monitor,
        "outcome": alert.outcome.value,
        "is_open": alert.is_open,
        "raised_at": alert.raised_at,
        "remind_at": alert.remind_at if alert.acknowledged_at is None else None,
        "body": codecs.to_text(codecs.alert, alert),
    }


def _drill(row: RowMapping) -> Drill:
    return Drill(
        model=ModelName(row["model"]),
        drilled_at=row["drilled_at"],
        passed=row["passed"],
        findings=codecs.findings_of(row["findings"]),
    )


def _portions(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
