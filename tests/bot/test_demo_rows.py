"""What the demo shows is earned: whoever applies was never seen by the models that decide."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.applicants import FACTOR, FAULT, Applicants
from bot.demo.training import DATA, LABEL, MODEL, Trained, halves, recipe, train

STORY = (1, 4)
"""The versions that decide: the forest that comes back, and the regression that goes bad."""


@dataclass
class Listener:
    """In place of a model: remembers whom it was asked about."""

    asked: list[pd.DataFrame] = field(default_factory=list)

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        """Everybody is as likely as not."""
        self.asked.append(features)
        return np.full((len(features), 2), 0.5)


@cache
def trained(version: int) -> Trained:
    """Once for all tests."""
    return train(version)


def some_applicants(folder: str, *, version: int, healthy: int) -> tuple[Applicants, Listener]:
    """People who are decided by a listener."""
    traffic = Path(folder) / "traffic.json"
    traffic.write_text(json.dumps({"models": {MODEL: {"version": version}}}))
    listener = Listener()
    people = Applicants(
        database=Path(folder) / "bank.db",
        traffic=traffic,
        tracking_uri="",
        healthy=healthy,
        _models={version: listener},
    )
    return people, listener


@pytest.mark.parametrize("version", STORY)
def test_no_row_is_both_trained_on_and_scored(version: int, tmp_path: Path) -> None:
    """Every row of the file is on one of the two sides, once."""
    people, _listener = some_applicants(str(tmp_path), version=version, healthy=100)
    seen, apply = list(trained(version).features.index), list(people.numbers)
    assert len(seen) == len(apply) == 500
    assert not set(seen) & set(apply)
    assert sorted(seen + apply) == list(range(1000))


@settings(max_examples=15)
@given(
    version=st.sampled_from(STORY),
    healthy=st.integers(0, 500),
    batches=st.lists(st.integers(1, 300), min_size=1, max_size=4),
)
def test_whoever_is_scored_is_the_next_of_them_as_the_file_has_them(
    version: int, healthy: int, batches: list[int]
) -> None:
    """In one order, however they come, with one column in other units from the fault on; no column
    that policy bars, and never the outcome."""
    data = pd.read_csv(DATA)
    with tempfile.TemporaryDirectory() as folder:
        people, listener = some_applicants(folder, version=version, healthy=healthy)
        came = sum(people.arrive(count) for count in batches)
    assert came == people.arrived == min(sum(batches), 500)
    fed = pd.concat(listener.asked)
    expected = data.loc[list(people.numbers[:came])].drop(
        columns=[LABEL, *recipe(version).left_out]
    )
    amount = expected[FAULT].astype(float).to_numpy(copy=True)
    amount[healthy:] *= FACTOR
    assert list(fed.columns) == list(trained(version).features.columns)
    assert fed[FAULT].tolist() == amount.tolist()
    others = [column for column in expected.columns if column != FAULT]
    assert fed[others].to_numpy().tolist() == expected[others].to_numpy().tolist()


def test_the_validation_of_a_version_is_of_rows_that_its_folds_had_not_seen() -> None:
    """Otherwise its scores would be those of the fitted model, which knows the answers."""
    for version in STORY:
        done = trained(version)
        fitted = done.model.predict_proba(done.features)[:, 1]
        assert len(done.scores) == len(halves().training)
        assert not np.allclose(fitted, done.scores, atol=0.02)
