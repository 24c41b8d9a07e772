"""ROC and calibration: the area is AUC, ties are one step, and what cannot be drawn is refused."""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.curves import NoCurve, curves_of
from governance.domain.monitoring.measures import delong

SCORED = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1), st.booleans()),
    min_size=2,
    max_size=300,
).filter(lambda rows: len({bad for _score, bad in rows}) == 2)


@given(SCORED)
def test_the_area_under_the_curve_is_the_auc_of_the_monitors(
    scored: list[tuple[float, bool]],
) -> None:
    """Two ways to the same number, ties included."""
    expected = delong(scored)
    assert expected is not None
    assert curves_of(scored).auc == pytest.approx(expected.value, abs=1e-9)


@given(SCORED, st.randoms())
def test_the_order_of_rows_tells_nothing_about_the_curve(scored, dice) -> None:  # type: ignore[no-untyped-def]  # Hypothesis gives a Random of its own
    """Also among ties."""
    shuffled = list(scored)
    dice.shuffle(shuffled)
    assert curves_of(shuffled).roc == curves_of(scored).roc


@given(SCORED)
def test_a_curve_rises_from_corner_to_corner(scored: list[tuple[float, bool]]) -> None:
    """And has no more points than can be seen."""
    points = curves_of(scored).roc
    assert (points[0], points[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(points))
    assert len(points) <= 200


@given(SCORED)
def test_calibration_counts_every_row_once_by_rising_score(
    scored: list[tuple[float, bool]],
) -> None:
    """Shares lie between 0 and 1; the bads add up."""
    found = curves_of(scored)
    assert sum(p.rows for p in found.calibration) == len(scored)
    assert sum(p.bad_share * p.rows for p in found.calibration) == pytest.approx(found.bads)
    scores = [p.score for p in found.calibration]
    assert all(b - a > -1e-9 for a, b in pairwise(scores))
    assert 0 <= found.calibration_error <= 1


def test_scores_that_mean_what_they_say_have_no_error() -> None:
    """One row in four is bad where the score says 0.25."""
    rows = [(0.25, n % 4 == 0) for n in range(40)] + [(0.75, n % 4 != 0) for n in range(40)]
    assert curves_of(rows).calibration_error == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize("score", [nan, inf, -0.1, 1.1])
def test_a_score_that_is_no_probability_is_refused(score: float) -> None:
    """Nothing is drawn of it."""
    with pytest.raises(NoCurve, match="no number from 0 to 1"):
        curves_of([(0.2, False), (score, True)])


@pytest.mark.parametrize("rows", [[], [(0.5, True)] * 3, [(0.5, False)] * 3])
def test_a_single_class_has_no_curve(rows: list[tuple[float, bool]]) -> None:
    """There is nothing to separate."""
    with pytest.raises(NoCurve, match="no goods, or no bads"):
        curves_of(rows)
