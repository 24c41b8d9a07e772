"""What changed, as a person reads it at two in the morning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import views
from bot.messages.comparison_words import (
    answer,
    claim_lines,
    comparison_lines,
    first_version_lines,
)
from governance.domain.approval import Quorum
from governance.domain.comparison import Side, compare
from governance.domain.evidence import ColumnProfile, Dataset, MetricOrigin, Snapshot
from governance.use_cases.sides import compared, side_of
from tests.builders import (
    MODEL,
    a_content,
    a_metric,
    a_policy,
    a_request,
    a_roster,
    a_snapshot,
)

THRESHOLD = "decision_threshold"


def _answer(before: Snapshot, after: Snapshot) -> str:
    return answer(compare(Side(before), Side(after), threshold=THRESHOLD))


def _full(version: int, **changes: object) -> Snapshot:
    known = replace(
        a_snapshot(version), git_commit="a" * 40, requirements=("scikit-learn==1.6", "numpy==2.0")
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # a table of single changes


def test_the_first_line_says_which_of_code_data_and_the_rest_changed() -> None:
    """And which did not, and what nobody recorded."""
    after = _full(4, git_commit="b" * 40, datasets=(Dataset(name="german_credit", digest="ffff"),))
    assert _answer(_full(3), after) == (
        "Changed: code and data. Not changed: threshold, features, parameters and requirements."
    )
    assert _answer(_full(3), _full(4)) == "Nothing changed."
    assert _answer(a_snapshot(3), a_snapshot(4)) == (
        "Nothing changed. Not recorded, so nobody can tell: code and requirements."
    )


def test_something_else_is_named() -> None:
    """Only the files differ, or only metrics."""
    files = compare(
        Side(_full(3), a_content(3, body="old")), Side(_full(3), a_content(3, body="new"))
    )
    assert answer(files).startswith("Changed: something else (files).")
    assert _answer(_full(3), _full(3, metrics=(a_metric(text="0.1"),))).startswith(
        "Nothing but metrics changed."
    )


def test_what_is_equal_is_folded_into_one_line() -> None:
    """A metric with its direction, what differs, and how much is the same."""
    policy = a_policy()
    before, after = _full(3), _full(4, metrics=(a_metric(text="0.81", run_id="run4"),))
    found = compared(Side(before), Side(after), policy)
    assert comparison_lines(found, before, after, THRESHOLD) == [
        "Nothing but metrics changed.",
        "auc_validation: 0.78 → 0.81 (▲ +0.03, better)",
        "Equal: 2 input columns, 1 data set, 1 parameter, 2 requirements, 1 output column.",
        "Claims of run run4 of dana (v4, 2026-03-02 10:00 UTC), compared with run run3 of dana "
        "(v3, 2026-03-02 10:00 UTC).",
    ]


def test_metrics_that_a_check_names_come_first_and_equal_ones_are_counted() -> None:
    """However they are spelled."""
    names = ("a_count", "auc_validation", "brier")
    before, after = (
        _full(
            n,
            metrics=tuple(
                a_metric(name, text, run_id=f"run{n}")
                for name, text in zip(names, texts, strict=True)
            ),
        )
        for n, texts in ((3, ("1", "0.7", "0.2")), (4, ("2", "0.8", "0.2")))
    )
    lines = comparison_lines(compared(Side(before), Side(after), a_policy()), before, after, None)
    assert [line.split(":")[0] for line in lines[1:3]] == ["auc_validation", "a_count"]
    assert any(line.startswith("Equal: 1 metric, ") for line in lines)
    assert not any(line.startswith("brier") for line in lines)


def test_a_number_of_another_run_says_whose_it_is() -> None:
    """A validator's result on the LoggedModel beside the version's own run."""
    foreign = replace(
        a_metric("auc_holdout", "0.7", run_id="f" * 32),
        run_user="vera",
        origin=MetricOrigin.LOGGED_MODEL,
    )
    after = _full(4, metrics=(a_metric(run_id="run4"), foreign))
    found = compare(Side(_full(3)), Side(after))
    line = next(
        x for x in comparison_lines(found, _full(3), after, None) if x.startswith("auc_holdout")
    )
    assert line == "auc_holdout: – → 0.7, by run ffffffff of vera"
    assert any(
        x.startswith("auc_holdout 0.7: on the model, by run ffffffff of vera")
        for x in claim_lines(after)
    )


def test_the_first_version_shows_the_same_facts() -> None:
    """Metrics, threshold, data with its rows, columns, parameters, commit, maker and run."""
    data = (Dataset(name="german_credit", digest="abcd", rows=500),)
    side = side_of(_full(1, datasets=data), None, a_policy(), a_roster())
    assert first_version_lines(side, THRESHOLD) == [
        "auc_validation: 0.78",
        "decision threshold: 0.5",
        "data set: german_credit (abcd, 500 rows)",
        "input columns (2): credit_amount, duration_in_month",
        "parameters: C 1.0",
        f"git commit: {'a' * 40}",
        "made by Dana",
        "Claims of run run1 of dana (v1, 2026-03-02 10:00 UTC).",
    ]
    bare = Side(_full(1, datasets=(), inputs=None, parameters={}, git_commit="", metrics=()))
    assert [x for x in first_version_lines(bare, None) if "not recorded" in x] == [
        "decision threshold: not recorded",
        "data set: not recorded",
        "input columns (0): not recorded",
        "parameters: not recorded",
        "git commit: not recorded",
    ]


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("https://git.example/credit", f"https://git.example/credit/commit/{'a' * 40}"),
        ("https://git.example/credit/", f"https://git.example/credit/commit/{'a' * 40}"),
        (
            "https://git.example/credit/-/commit/{commit}",
            f"https://git.example/credit/-/commit/{'a' * 40}",
        ),
    ],
)
def test_commits_are_linked_where_the_policy_names_a_repository(
    repository: str, address: str
) -> None:
    """Both sides'; nothing without a repository."""
    policy = replace(a_policy(), repository=repository)
    (block,) = views.commit_links(policy, _full(3), _full(4))
    assert f"<{address}|v3 aaaaaaaa> · <{address}|v4 aaaaaaaa>" in str(block)
    assert views.commit_links(a_policy(), _full(3), _full(4)) == []


@pytest.mark.parametrize("commit", ["", "main", "<https://evil|x>", "a" * 40 + "|Approve>"])
def test_what_is_no_commit_is_never_made_a_link(commit: str) -> None:
    """A tag is a claim of whoever set it."""
    policy = replace(a_policy(), repository="https://git.example/credit")
    assert views.commit_links(policy, None, _full(4, git_commit=commit)) == []


def test_the_message_of_a_request_shows_ranges_and_links() -> None:
    """The request message and the comparison are one text."""
    profiles = [(ColumnProfile(name="amount", words=w),) for w in ("1 to 9", "100 to 900")]
    request = replace(
        a_request(),
        champion=_full(3, profile=profiles[0], git_commit="b" * 40),
        snapshot=_full(4, profile=profiles[1], git_commit="c" * 40, model=MODEL),
    )
    shown = views.Shown(
        request=request,
        quorum=Quorum(seats=(), excluded={}),
        policy=replace(a_policy(), repository="https://git.example/credit"),
        roster=a_roster(),
    )
    drawn = str(views.request_message(shown).blocks)
    assert "Changed: code and features." in drawn
    assert "range of amount: 1 to 9 → 100 to 900" in drawn
    assert "commit/cccccccc" in drawn


def test_a_long_answer_says_how_much_of_it_is_missing() -> None:
    """Three sections of a message, and then where the rest is."""
    drawn = views.text_blocks("\n".join(f"line {n} {'x' * 90}" for n in range(200)))
    assert len(drawn.blocks) == 4
    assert "more in the record" in str(drawn.blocks[-1])
