"""Versions in stages, quarantine, snapshots, observations, intents and policy loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, union, update
from sqlalchemy.exc import IntegrityError

from governance.adapters.sql_store import codecs
from governance.adapters.sql_store.review_tables import reviews
from governance.adapters.sql_store.tables import (
    intents,
    observations,
    policy_loads,
    quarantine,
    requests,
    snapshots,
    tenures,
)
from governance.domain.approval import RequestId
from governance.domain.errors import Conflict
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.domain.tenure import Ending, Observed, Origin, Tenure
from governance.ports import Intent, IntentId, PolicyLoad


def tenure_of(row: RowMapping) -> Tenure:
    """A stay as it is kept."""
    return Tenure(
        model=ModelName(row["model"]),
        version=Version(row["version"]),
        stage=Stage(row["stage"]),
        started_at=row["started_at"],
        origin=Origin(row["origin"]),
        request_id=RequestId(row["request_id"]) if row["request_id"] else None,
        ended_at=row["ended_at"],
        ending=Ending(row["ending"]) if row["ending"] else None,
    )


class StagePart:
    """Where versions were, and what is about to happen to them."""

    connection: Connection

    @property
    def now(self) -> datetime:
        """The transaction's moment."""
        raise AssertionError("the ledger part answers this")

    def tenures(self, model: ModelName) -> tuple[Tenure, ...]:
        """All stays of a model's versions, oldest first."""
        rows = self.connection.execute(
            select(tenures).where(tenures.c.model == model).order_by(tenures.c.id)
        ).mappings()
        return tuple(tenure_of(row) for row in rows)

    def known_models(self) -> tuple[ModelName, ...]:
        """By stays, requests, quarantines and reviews."""
        found = union(*(select(t.c.model) for t in (tenures, requests, quarantine, reviews)))
        return tuple(sorted(ModelName(m) for m in self.connection.execute(found).scalars()))

    def begin_tenure(self, tenure: Tenure) -> None:
        """A version entered a stage."""
        self.connection.execute(
            insert(tenures).values(
                model=tenure.model,
                version=tenure.version,
                stage=tenure.stage.value,
                started_at=tenure.started_at,
                origin=tenure.origin.value,
                request_id=tenure.request_id,
            )
        )

    def end_tenure(
        self, model: ModelName, version: Version, stage: Stage, ending: Ending, at: datetime
    ) -> bool:
        """End a stay that is still running."""
        changed = self.connection.execute(
            update(tenures)
            .where(
                tenures.c.model == model,
                tenures.c.version == version,
                tenures.c.stage == stage.value,
                tenures.c.ended_at.is_(None),
            )
            .values(ended_at=at, ending=ending.value)
        )
        return changed.rowcount > 0

    def quarantined(self, model: ModelName) -> Mapping[Version, str]:
        """Quarantined versions and why."""
        rows = self.connection.execute(
            select(quarantine.c.version, quarantine.c.why).where(quarantine.c.model == model)
        )
        return {Version(row.version): row.why for row in rows}

    def quarantine(self, model: ModelName, version: Version, why: str) -> None:
        """Bar a version until it is approved again."""
        self.lift_quarantine(model, version)
        self.connection.execute(
            insert(quarantine).values(model=model, version=version, why=why, since=self.now)
        )

    def lift_quarantine(self, model: ModelName, version: Version) -> bool:
        """A new approval lifts it."""
        gone = self.connection.execute(
            delete(quarantine).where(quarantine.c.model == model, quarantine.c.version == version)
        )
        return gone.rowcount > 0

    def save_snapshot(self, snapshot: Snapshot, content: Content | None) -> None:
        """Keep what a version looked like."""
        self.connection.execute(
            insert(snapshots).values(
                model=snapshot.model,
                version=snapshot.version,
                taken_at=self.now,
                body=codecs.to_text(codecs.snapshot, snapshot),
                content=codecs.to_text(codecs.content, content) if content else None,
            )
        )

    def saved_snapshot(
        self, model: ModelName, version: Version
    ) -> tuple[Snapshot, Content | None, datetime] | None:
        """The newest snapshot kept."""
        row = self.connection.execute(
            select(snapshots)
            .where(snapshots.c.model == model, snapshots.c.version == version)
            .order_by(snapshots.c.id.desc())
            .limit(1)
        ).first()
        if row is None:
            return None
        content = codecs.content.validate_json(row.content) if row.content else None
        return codecs.snapshot.validate_json(row.body), content, row.taken_at

    def first_snapshot(self, model: ModelName, version: Version) -> Snapshot | None:
        """The oldest snapshot kept."""
        body = self.connection.execute(
            select(snapshots.c.body)
            .where(snapshots.c.model == model, snapshots.c.version == version)
            .order_by(snapshots.c.id)
            .limit(1)
        ).scalar()
        return None if body is None else codecs.snapshot.validate_json(body)

    def kept_versions(self, model: ModelName) -> frozenset[Version]:
        """Versions of which there is a snapshot."""
        found = select(snapshots.c.version).where(snapshots.c.model == model).distinct()
        return frozenset(Version(v) for v in self.connection.execute(found).scalars())

    def observed(self, model: ModelName) -> Observed | None:
        """What was last seen of a model."""
        body = self.connection.execute(
            select(observations.c.body).where(observations.c.model == model)
        ).scalar()
        return None if body is None else codecs.observed.validate_json(body)

    def save_observed(self, model: ModelName, observed: Observed) -> None:
        """Replace what was last seen."""
        self.connection.execute(delete(observations).where(observations.c.model == model))
        self.connection.execute(
            insert(observations).values(
                model=model, seen_at=self.now, body=codecs.to_text(codecs.observed, observed)
            )
        )

    def add_intent(self, intent: Intent) -> IntentId:
        """Record what is about to be done."""
        try:
            with self.connection.begin_nested():
                key = self.connection.execute(
                    insert(intents)
                    .values(
                        model=intent.model,
                        request_id=intent.request_id,
                        body=codecs.to_text(codecs.intent, intent),
                        created_at=intent.created_at,
                    )
                    .returning(intents.c.id)
                ).scalar_one()
        except IntegrityError as error:
            raise Conflict(
                "already_intended", "This request is being carried out already."
            ) from error
        return IntentId(key)

    def open_intents(self, model: ModelName | None = None) -> tuple[Intent, ...]:
        """Those without an outcome, oldest first."""
        query = (
            select(intents.c.id, intents.c.body)
            .where(intents.c.closed_at.is_(None))
            .order_by(intents.c.id)
        )
        if model is not None:
            query = query.where(intents.c.model == model)
        return tuple(
            replace(codecs.intent.validate_json(row.body), id=IntentId(row.id))
            for row in self.connection.execute(query)
        )

    def close_intent(self, intent_id: IntentId, outcome: str) -> bool:
        """Record the outcome, once."""
        changed = self.connection.execute(
            update(intents)
            .where(intents.c.id == intent_id, intents.c.closed_at.is_(None))
            .values(closed_at=self.now, outcome=outcome)
        )
        return changed.rowcount == 1

    def policy_load(self) -> PolicyLoad | None:
        """The newest load."""
        row = self.connection.execute(
            select(policy_loads).order_by(policy_loads.c.id.desc()).limit(1)
        ).first()
        if row is None:
            return None
        return PolicyLoad(digest=row.digest, loaded_at=row.loaded_at, texts=json.loads(row.texts))

    def save_policy_load(self, load: PolicyLoad) -> None:
        """Append a load."""
        self.connection.execute(
            insert(policy_loads).values(
                digest=load.digest,
                loaded_at=load.loaded_at,
                texts=json.dumps(dict(load.texts), sort_keys=True),
            )
        )
