"""The rollback target comes from the record."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from governance.domain.evidence import Stage, Version
from governance.domain.tenure import Ending, Origin, Tenure, rollback_options
from tests.builders import a_tenure

ALL = frozenset(Version(n) for n in range(1, 10))
NOBODY: frozenset[Version] = frozenset()


def test_target_is_the_newest_version_whose_tenure_ended_well() -> None:
    """v1, v2, v3 promoted in turn: from v3 back to v2."""
    stays = (
        a_tenure(1, 0, 1, Ending.PROMOTION),
        a_tenure(2, 1, 2, Ending.PROMOTION),
        a_tenure(3, 2),
    )
    options = rollback_options(stays, current=Version(3), quarantined=NOBODY, existing=ALL)
    assert options.target == 2
    assert options.eligible == (2, 1)


def test_target_is_not_simply_the_current_number_minus_one() -> None:
    """v3 was never in Production, so from v4 one goes back to v1."""
    stays = (a_tenure(1, 0, 1, Ending.PROMOTION), a_tenure(4, 1))
    options = rollback_options(stays, current=Version(4), quarantined=NOBODY, existing=ALL)
    assert options.target == 1


def test_after_a_rollback_the_bad_version_is_no_target() -> None:
    """v3 → v2; a second rollback must not bring v3 back."""
    stays = (
        a_tenure(1, 0, 1, Ending.PROMOTION),
        a_tenure(2, 1, 2, Ending.PROMOTION),
        a_tenure(3, 2, 3, Ending.ROLLBACK),
        a_tenure(2, 3, origin=Origin.ROLLBACK),
    )
    options = rollback_options(
        stays, current=Version(2), quarantined=frozenset({Version(3)}), existing=ALL
    )
    assert options.target == 1
    assert dict(options.reasons)[Version(3)].startswith("quarantined")


def test_an_adopted_version_is_a_target_and_one_put_there_elsewhere_is_not() -> None:
    """Nobody approved v2."""
    stays = (
        a_tenure(1, 0, 1, Ending.ELSEWHERE, origin=Origin.ADOPTED),
        a_tenure(2, 1, 2, Ending.PROMOTION, origin=Origin.ELSEWHERE),
        a_tenure(3, 2),
    )
    options = rollback_options(stays, current=Version(3), quarantined=NOBODY, existing=ALL)
    assert options.target == 1
    assert "never approved" in dict(options.reasons)[Version(2)]


def test_a_deleted_version_is_no_target() -> None:
    """What MLflow no longer has cannot be served."""
    stays = (a_tenure(1, 0, 1, Ending.PROMOTION), a_tenure(2, 1))
    options = rollback_options(
        stays, current=Version(2), quarantined=NOBODY, existing=frozenset({Version(2)})
    )
    assert options.target is None
    assert dict(options.reasons)[Version(1)] == "deleted in MLflow"


def test_staging_stays_are_no_tenures_in_production() -> None:
    """A version that only soaked was never good in Production."""
    stays = (a_tenure(1, 0, 1, Ending.PROMOTION, stage=Stage.STAGING), a_tenure(2, 1))
    options = rollback_options(stays, current=Version(2), quarantined=NOBODY, existing=ALL)
    assert options.target is None


_stays = st.lists(
    st.builds(
        lambda v, ending, origin: a_tenure(v, 0, 1, ending, origin=origin),
        st.integers(1, 5),
        st.sampled_from(Ending),
        st.sampled_from(Origin),
    ),
    max_size=8,
)


@given(
    _stays, st.integers(1, 5), st.frozensets(st.integers(1, 5)), st.frozensets(st.integers(1, 5))
)
def test_target_is_never_current_quarantined_or_deleted(
    stays: list[Tenure], current: int, quarantined: frozenset[int], existing: frozenset[int]
) -> None:
    """Whatever the history."""
    options = rollback_options(
        stays,
        current=Version(current),
        quarantined=frozenset(Version(v) for v in quarantined),
        existing=frozenset(Version(v) for v in existing),
    )
    for version in (*options.eligible, *([options.target] if options.target else [])):
        assert version != current
        assert version not in quarantined
        assert version in existing
    assert options.target is None or options.target in options.eligible
