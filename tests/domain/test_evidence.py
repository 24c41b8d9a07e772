"""What an approval binds, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.canonical import Json, canonical_bytes, digest_of
from governance.domain.evidence import (
    Column,
    Dataset,
    MetricOrigin,
    Named,
    Snapshot,
    evidence_digest,
)
from tests.builders import NOON, a_content, a_metric, a_snapshot

NAMED = Named(metrics=frozenset({"auc_validation"}), tags=frozenset({"git_email"}))


def _with(**changes: object) -> Snapshot:
    return replace(a_snapshot(), **changes)  # type: ignore[arg-type]  # a table of single changes


@pytest.mark.parametrize(
    "changed",
    [
        _with(metrics=(a_metric(text="0.79"),)),
        _with(metrics=()),
        _with(parameters={"C": "2.0", "decision_threshold": "0.5"}),
        _with(tags={"git_email": "raj@example.com"}),
        _with(datasets=(Dataset(name="german_credit", digest="00000000"),)),
        _with(inputs=None),
        _with(inputs=(Column(name="credit_amount", type="long"),)),
        _with(outputs=()),
    ],
)
def test_evidence_that_policy_names_changes_the_digest(changed: Snapshot) -> None:
    """Metric, parameter, named tag, data set, signature."""
    assert evidence_digest(changed, NAMED) != evidence_digest(a_snapshot(), NAMED)


def test_anything_else_may_still_be_logged_without_consequence() -> None:
    """A metric and a tag that no policy names, a description."""
    more = _with(
        metrics=(*a_snapshot().metrics, a_metric("latency_ms", "12")),
        tags={"note": "hello"},
        description="x",
    )
    assert evidence_digest(more, NAMED) == evidence_digest(a_snapshot(), NAMED)


def test_metrics_of_the_logged_model_come_before_the_runs() -> None:
    """A later log_metric on the run does not change what its LoggedModel says."""
    shown = _with(metrics=(a_metric(text="0.99", origin=MetricOrigin.RUN), a_metric(text="0.80")))
    found = shown.metric("auc_validation")
    assert found is not None
    assert found.text == "0.80"


def test_another_runs_value_does_not_displace_the_versions_own() -> None:
    """A validator's later result stands beside the claim of the training run."""
    later = a_metric(text="0.5", run_id="validation", run_started_at=NOON + timedelta(days=1))
    shown = _with(metrics=(later, a_metric(text="0.80")))
    found = shown.metric("auc_validation")
    assert found is not None
    assert found.text == "0.80"


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_a_metric_that_is_not_finite_has_no_number(text: str) -> None:
    """It can be hashed and shown, never compared."""
    assert a_metric(text=text).number is None


def test_content_digest_changes_with_any_byte_and_not_with_the_order_of_files() -> None:
    """Path and SHA-256 of every file, sorted."""
    assert a_content().digest != a_content(body="weights!").digest
    one = a_content()
    two = replace(one.files[0], path="MLmodel")
    assert (
        replace(one, files=(*one.files, two)).digest == replace(one, files=(two, *one.files)).digest
    )


@pytest.mark.parametrize("value", [1.5, 2**53, {"ä": 1}, b"x", {"a": [0.1]}])
def test_values_without_one_spelling_are_not_hashed(value: Json) -> None:
    """Floats, large integers, keys beyond ASCII, bytes."""
    with pytest.raises(ValueError, match=r"spelling|exact|ASCII"):
        canonical_bytes(value)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_json, _json)
def test_only_equal_values_share_a_spelling(one: Json, two: Json) -> None:
    """Canonical bytes are injective on the values that they accept."""
    same = repr(one) == repr(two) or (one == two and canonical_bytes(one) == canonical_bytes(two))
    assert (digest_of(one) == digest_of(two)) is same
