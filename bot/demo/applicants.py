"""The bank's own side of the demo: applicants come one after the other and are scored by whichever
version the traffic file names, with real models on real rows; each outcome is known at once.

From one applicant on, `credit_amount` arrives a hundred times too large, as when a system upstream
changes its unit. No metric is written anywhere: what goes wrong shows in predictions and outcomes.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from bot.demo.training import LABEL, MODEL, halves, recipe

FAULT = "credit_amount"
FACTOR = 100
_ORDER = 2
"""Seeds the order in which they come. Of 200 orders this is a typical one: AUC acts after about 200
wrong decisions, in four of five orders after 75 to 340."""
_TABLES = """
CREATE TABLE IF NOT EXISTS predictions (
    application_id TEXT PRIMARY KEY, scored_at TEXT, model_version INTEGER, score REAL,
    approved INTEGER);
CREATE TABLE IF NOT EXISTS outcomes (application_id TEXT PRIMARY KEY, is_bad INTEGER);
"""


@dataclass
class Applicants:
    """Five hundred people in one fixed order."""

    database: Path
    traffic: Path
    tracking_uri: str
    healthy: int
    """So many arrive before the fault."""
    numbers: tuple[int, ...] = field(init=False)
    """Which rows of the file they are, in the order in which they come."""
    _models: dict[int, Pipeline] = field(default_factory=dict)
    _next: int = 0

    def __post_init__(self) -> None:
        rows = halves().applicants
        order = np.random.default_rng(_ORDER).permutation(len(rows))
        in_order = rows.iloc[order]
        self.numbers = tuple(int(number) for number in in_order.index)
        self._rows = in_order.reset_index(drop=True)
        with closing(self._connect()) as connection:
            connection.executescript(_TABLES)

    @property
    def arrived(self) -> int:
        """How many so far."""
        return self._next

    def arrive(self, count: int) -> int:
        """So many more apply and are decided; returns how many did, 0 when all have."""
        numbers = range(self._next, min(self._next + count, len(self._rows)))
        if not numbers:
            return 0
        version = self.served()
        features = self._as_fed(numbers).drop(columns=[LABEL, *recipe(version).left_out])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = self._model(version).predict_proba(features)[:, 1]
        threshold = recipe(version).decision_threshold
        bads = (self._rows.loc[list(numbers), LABEL] == "bad").astype(int)
        with closing(self._connect()) as connection, connection:
            for number, score, bad in zip(numbers, scores, bads, strict=True):
                name = f"a{number:04d}"
                at = datetime.now(UTC).isoformat(timespec="microseconds")
                decided = (name, at, version, float(score), int(score < threshold))
                connection.execute("INSERT INTO predictions VALUES (?, ?, ?, ?, ?)", decided)
                connection.execute("INSERT INTO outcomes VALUES (?, ?)", (name, int(bad)))
        self._next = numbers.stop
        return len(numbers)

    def served(self) -> int:
        """The version that the traffic file names."""
        told = json.loads(self.traffic.read_text())
        return int(told["models"][MODEL]["version"])

    def decided_by(self, version: int, *, since: int) -> int:
        """How many applicants a version decided on, from this number of applicant on."""
        with closing(self._connect()) as connection:
            query = (
                "SELECT count(*) FROM predictions WHERE model_version = ? AND application_id >= ?"
            )
            found: int = connection.execute(query, (version, f"a{since:04d}")).fetchone()[0]
        return found

    def auc(self, version: int, *, since: int) -> float:
        """AUC of a version over what it really scored, from this applicant on."""
        with closing(self._connect()) as connection:
            query = (
                "SELECT score, is_bad FROM predictions JOIN outcomes USING (application_id)"
                " WHERE model_version = ? AND application_id >= ?"
            )
            rows = connection.execute(query, (version, f"a{since:04d}")).fetchall()
        return float(roc_auc_score([bad for _score, bad in rows], [score for score, _bad in rows]))

    def _as_fed(self, numbers: range) -> pd.DataFrame:
        fed = self._rows.loc[list(numbers)].copy()
        fed[FAULT] = fed[FAULT].astype(float)
        fed.loc[fed.index >= self.healthy, FAULT] *= FACTOR
        return fed

    def _model(self, version: int) -> Pipeline:
        if version not in self._models:
            logging.getLogger("mlflow").setLevel(logging.ERROR)
            mlflow.set_tracking_uri(self.tracking_uri)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._models[version] = mlflow.sklearn.load_model(f"models:/{MODEL}/{version}")
        return self._models[version]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.database, timeout=10)
        connection.execute("PRAGMA journal_mode = WAL")
        return connection


def in_batches(applicants: Applicants, size: int) -> Iterator[int]:
    """Let them come until all have; yields how many have arrived."""
    while applicants.arrive(size):
        yield applicants.arrived
