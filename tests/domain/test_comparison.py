"""What changed between two versions, and what nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.comparison import (
    Aspect,
    Comparison,
    Side,
    Topic,
    compare,
    evidence_changes,
    in_words,
    summed_up,
)
from governance.domain.errors import Refused
from governance.domain.evidence import (
    Column,
    ColumnProfile,
    Dataset,
    MetricOrigin,
    Named,
    Snapshot,
    evidence_digest,
)
from governance.domain.policy import MetricAtLeast, MetricAtMost, NotWorseThanProduction
from governance.domain.profile import profile_in
from tests.builders import NOON, a_content, a_metric, a_policy, a_rule, a_snapshot

NAMED = Named(metrics=frozenset({"auc_validation"}), tags=frozenset({"git_email"}))


def _with(version: int = 4, **changes: object) -> Snapshot:
    return replace(a_snapshot(version), **changes)  # type: ignore[arg-type]  # single changes


def _compared(before: Snapshot, after: Snapshot) -> Comparison:
    return compare(Side(before), Side(after), threshold="decision_threshold")


def test_what_matters_comes_first_and_what_is_equal_is_only_counted() -> None:
    """Metrics, threshold, columns, data, parameters."""
    after = _with(
        metrics=(a_metric(text="0.81"),),
        parameters={"C": "2.0", "decision_threshold": "0.4"},
        inputs=(Column(name="credit_amount", type="double"), Column(name="job", type="string")),
    )
    found = _compared(a_snapshot(3), after)
    assert [(c.topic, c.name, c.before, c.after) for c in found.changes] == [
        (Topic.METRIC, "auc_validation", "0.78", "0.81"),
        (Topic.THRESHOLD, "decision_threshold", "0.5", "0.4"),
        (Topic.INPUT, "duration_in_month", "double", None),
        (Topic.INPUT, "job", None, "string"),
        (Topic.PARAMETER, "C", "1.0", "2.0"),
    ]
    assert found.metrics[0].difference == pytest.approx(0.03)
    assert found.equal == {Topic.INPUT: 1, Topic.DATA: 1, Topic.OUTPUT: 1}
    assert _compared(a_snapshot(3), a_snapshot(3)).changes == ()


@pytest.mark.parametrize(
    ("changed", "aspect"),
    [
        ({"git_commit": "b" * 40}, Aspect.CODE),
        ({"datasets": (Dataset(name="german_credit", digest="00000000"),)}, Aspect.DATA),
        ({"parameters": {"C": "1.0", "decision_threshold": "0.4"}}, Aspect.THRESHOLD),
        ({"inputs": (Column(name="credit_amount", type="double"),)}, Aspect.FEATURES),
        ({"profile": (ColumnProfile(name="credit_amount", words="0 to 9"),)}, Aspect.FEATURES),
        ({"parameters": {"C": "9", "decision_threshold": "0.5"}}, Aspect.PARAMETERS),
        ({"requirements": ("scikit-learn==1.7",)}, Aspect.REQUIREMENTS),
    ],
)
def test_the_aspect_that_changed_is_named_and_no_other(
    changed: dict[str, object], aspect: Aspect
) -> None:
    """Code, data, threshold, features, parameters, requirements."""
    before = _with(
        3,
        git_commit="a" * 40,
        requirements=("scikit-learn==1.6",),
        profile=(ColumnProfile(name="credit_amount", words="250 to 18424"),),
    )
    found = _compared(before, replace(before, **changed))  # type: ignore[arg-type]  # single changes
    assert found.changed == (aspect,)
    assert set(found.unchanged) == set(Aspect) - {aspect}


def test_what_one_side_does_not_record_is_never_called_unchanged() -> None:
    """A commit, data, a signature and requirements that are missing on one side."""
    bare = _with(3, datasets=(), inputs=None, parameters={})
    full = _with(4, git_commit="a" * 40, requirements=("numpy",))
    for before, after in ((bare, full), (full, bare)):
        found = _compared(before, after)
        assert found.not_recorded == {
            Aspect.CODE,
            Aspect.DATA,
            Aspect.FEATURES,
            Aspect.REQUIREMENTS,
        }
        assert not set(found.changed) & found.not_recorded
        assert not set(found.unchanged) & found.not_recorded


def test_rows_and_columns_of_the_training_data_are_compared() -> None:
    """By the name of the data set."""
    columns = (Column(name="age", type="long"),)
    before = _with(3, datasets=(Dataset(name="d", digest="1", rows=500, columns=columns),))
    after = _with(datasets=(Dataset(name="d", digest="2", rows=700, columns=()),))
    found = _compared(before, after)
    assert [in_words(c) for c in found.changes] == [
        "data set d: 1 → 2",
        "rows of d: 500 → 700",
        "column of d: age: gone (was long)",
    ]


def test_one_package_is_the_same_however_its_name_is_spelled() -> None:
    """`Scikit_Learn` and `scikit-learn` (PEP 503)."""
    before = _with(3, requirements=("Scikit_Learn==1.6", "numpy>=2"))
    after = _with(requirements=("scikit-learn==1.7", "numpy>=2"))
    found = _compared(before, after)
    assert [in_words(c) for c in found.changes] == [
        "requirement scikit-learn: Scikit_Learn==1.6 → scikit-learn==1.7"
    ]
    assert found.equal[Topic.REQUIREMENT] == 1


def test_makers_and_files_are_compared_where_they_are_known() -> None:
    """The files' digests, and the names of those who made each side."""
    before = Side(a_snapshot(3), a_content(3, body="old"), frozenset({"Dana"}))
    after = Side(a_snapshot(3), a_content(3, body="new"), frozenset({"Dana", "Raj"}))
    topics = [c.topic for c in compare(before, after).changes]
    assert topics == [Topic.MAKER, Topic.FILES]
    assert [c.topic for c in compare(before, Side(a_snapshot(3))).changes] == [Topic.MAKER]


def test_a_difference_is_better_or_worse_only_where_a_check_says_which_way() -> None:
    """Two checks that see one metric in opposite ways say nothing."""
    policy = a_policy(
        a_rule(
            checks=(
                MetricAtLeast(metric="auc_validation", limit=0.7),
                MetricAtMost(metric="brier", limit=0.3),
                MetricAtLeast(metric="approval_rate", limit=0.2),
                MetricAtMost(metric="approval_rate", limit=0.9),
                NotWorseThanProduction(metric="loss", tolerance=0.1, higher_is_better=False),
            )
        )
    )
    assert policy.directions == {"auc_validation": True, "brier": False, "loss": False}
    names = ("auc_validation", "brier", "approval_rate")
    found = compare(
        Side(_with(3, metrics=tuple(a_metric(n, "0.5") for n in names))),
        Side(_with(metrics=tuple(a_metric(n, "0.6") for n in names))),
        directions=policy.directions,
    )
    assert {p.name: p.is_better for p in found.metrics} == {
        "auc_validation": True,
        "brier": False,
        "approval_rate": None,
    }


# --- evidence -----------------------------------------------------------------------------------

_word = st.sampled_from(["a", "b", "c"])
_columns = st.none() | st.lists(
    st.builds(Column, name=_word, type=_word, required=st.booleans()), max_size=3
).map(tuple)
_snapshots = st.builds(
    lambda metrics, parameters, tags, datasets, inputs, outputs: _with(
        metrics=tuple(a_metric("auc_validation", text) for text in metrics),
        parameters=parameters,
        tags=tags,
        datasets=tuple(datasets),
        inputs=inputs,
        outputs=outputs,
    ),
    st.lists(st.sampled_from(["0.7", "0.8"]), max_size=1),
    st.dictionaries(_word, _word, max_size=2),
    st.dictionaries(st.sampled_from(["git_email", "note"]), _word, max_size=2),
    st.lists(st.builds(Dataset, name=_word, digest=_word, context=_word), max_size=3),
    _columns,
    _columns,
)


@given(_snapshots, _snapshots)
def test_whatever_changes_the_evidence_digest_is_named(before: Snapshot, after: Snapshot) -> None:
    """And what leaves it alone is not."""
    differs = evidence_digest(before, NAMED) != evidence_digest(after, NAMED)
    changes = evidence_changes(before, after, NAMED)
    assert bool(changes) is differs
    assert bool(summed_up(changes)) is differs


def test_a_long_list_of_changes_is_summed_up() -> None:
    """Five of them, and how many more there are; a value of 100 kB is folded."""
    before = _with(3, parameters={f"p{n}": "1" for n in range(8)} | {"a": "x" * 100_000})
    words = summed_up(evidence_changes(before, _with(parameters={}), NAMED))
    assert words.startswith("parameter a: gone (was xxx")
    assert words.endswith("and 4 more")
    assert len(words) < 1500


# --- the profile of input columns ---------------------------------------------------------------


def test_a_profile_gives_ranges_and_values() -> None:
    """Numbers by their ends, words by themselves, ordered by column."""
    text = b'{"purpose": {"values": ["radio", "car"]}, "amount": {"min": 250, "max": 18424.0}}'
    assert [(p.name, p.words) for p in profile_in(text)] == [
        ("amount", "250 to 18424"),
        ("purpose", "car, radio"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"a": 1}',
        b'{"a": {"min": 1}}',
        b'{"a": {"min": NaN, "max": 1}}',
        b'{"a": {"min": true, "max": 1}}',
        b'{"a": {"values": "x"}}',
        b"[" * 100_000,
    ],
)
def test_a_profile_that_cannot_be_understood_is_refused(text: bytes) -> None:
    """Whole, with what is wrong."""
    with pytest.raises(Refused, match="cannot be understood") as refused:
        profile_in(text)
    assert refused.value.code == "bad_profile"


def test_many_values_are_counted() -> None:
    """A column of identifiers does not fill the message."""
    values = ", ".join(f'"v{n:03}"' for n in range(60))
    (profile,) = profile_in(f'{{"id": {{"values": [{values}]}}}}'.encode())
    assert profile.words.endswith("v049 and 10 more")


def test_a_metric_remembers_whose_run_it_came_from() -> None:
    """A validator's run beside the version's own."""
    own = a_metric(run_id="run4")
    later = replace(
        a_metric(run_id="other"),
        origin=MetricOrigin.LOGGED_MODEL,
        logged_at=NOON + timedelta(hours=1),
    )
    found = _compared(a_snapshot(3), _with(metrics=(own, later)))
    assert found.metrics[0].after == own
