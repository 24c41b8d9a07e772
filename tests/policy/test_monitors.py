"""What watches a model: read whole, refused at its line, and told of when it changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.adapters.policy_files import load_texts
from governance.domain.monitoring.spec import (
    Action,
    Bad,
    EProcessSpec,
    Metric,
    MonitorSpec,
    ScoredBaseline,
    Watching,
)
from governance.domain.monitoring.words import differences
from tests.policy.texts import FILES, POLICY, problems_of

WATCHED = (
    POLICY
    + """\
sources:
  - name: applications
    url: CREDIT_DATABASE_URL
    predictions: {table: predictions, id: id, at: at, version: version, score: score}
    outcomes: {table: outcomes, id: id, bad: is_bad}
    matured_after: 30d
monitors:
  - name: auc
    metric: auc
    source: applications
    baseline: {scored: {artifact: scores.csv, score: score, bad: bad}}
    rule: {e_process: {}}
    every: 5m
    then: roll_back
alerts: {repeat_to_on_call: 15m, repeat_to_owners: 1h}
serving: {probe_url: "https://serving.example/{model}"}
drill: {every: 1d}
"""
)


def watching_of(policy: str) -> Watching:
    """As it is loaded."""
    rules = load_texts({**FILES, "credit.yaml": policy}).rules
    return rules.policies.policies["credit_scoring"].watching


def test_everything_is_read_as_it_is_written() -> None:
    """Defaults are the rule's own."""
    watching = watching_of(WATCHED)
    assert watching.monitors == (
        MonitorSpec(
            name="auc",
            metric=Metric.AUC,
            source="applications",
            baseline=ScoredBaseline(artifact="scores.csv", score="score", bad="bad"),
            rule=EProcessSpec(tolerance=0.01, alpha=0.01),
            bad=Bad.FALLS,
            every=timedelta(minutes=5),
            then=Action.ROLL_BACK,
        ),
    )
    assert watching.source("applications").matured_after == timedelta(days=30)
    assert watching.reminders is not None
    assert watching.reminders.owners_after == timedelta(hours=1)
    assert watching.drill_every == timedelta(days=1)


def test_a_policy_that_watches_nothing_still_loads() -> None:
    """As all did before."""
    assert watching_of(POLICY) == Watching()


def test_an_approval_binds_nothing_of_it() -> None:
    """A monitor may change while a request is open."""
    plain = load_texts(FILES).rules.policies.policies["credit_scoring"]
    watched = load_texts({**FILES, "credit.yaml": WATCHED}).rules.policies.policies[
        "credit_scoring"
    ]
    assert plain.digest == watched.digest


SCORED = "{scored: {artifact: scores.csv, score: score, bad: bad}}"
REFUSED = [
    ("url: CREDIT_DATABASE_URL", "url: postgresql://a:hunter2@b/c", "is not the name", "address"),
    ("url: CREDIT_DATABASE_URL", "url: credit_url", "is not the name", "CREDIT_DATABASE_URL"),
    ("    source: applications\n", "    source: aplications\n", "unknown source", "Did you mean"),
    ("    source: applications\n", "", "does not say where to look", "source: with one of"),
    ("    outcomes: {table: outcomes, id: id, bad: is_bad}\n", "", "needs outcomes", "outcomes:"),
    ("metric: auc\n", "metric: precision\n", "e_process pairs scores", "threshold"),
    ("metric: auc\n", "metric: gini\n", "gini", "auc"),
    ("metric: auc\n", "metric: {mlflow: live}\n", "has no source here", "Delete"),
    ("rule: {e_process: {}}", "rule: {psi: {window: 1d}}", "belong together", "another rule"),
    ("rule: {e_process: {}}", "rule: {}", "this rule is empty", "e_process"),
    ("rule: {e_process: {}}", "rule: {e_process: {}, steady: {horizon: 99}}", "holds 2", "Keep"),
    ("e_process: {}", "e_process: {tolerance: .nan}", "no finite number", ""),
    ("e_process: {}", "e_process: {tolerance: -0.1}", "out of range", "at least 0"),
    ("e_process: {}", "e_process: {alpha: 0.9}", "out of range", "at most 0.5"),
    ("e_process: {}", "e_process: {limit: 3}", "unknown key `limit`", "Known here"),
    (SCORED, "{first_outcomes: 12}", "out of range", "at least 100"),
    (SCORED, "{training: {metric: auc_train, goods: g, bads: b}}", "alerts only", "then: alert"),
    (SCORED, "{validation: {metric: auc_validation}}", "how sure the baseline is", "then: alert"),
    (SCORED, "{fixed: {value: 0.8}}", "how sure the baseline is", "then: alert"),
    (SCORED, "{fixed: {value: 0.8, goods: 70}}", "one of goods and bads is missing", "both"),
    (SCORED, "{}", "this baseline is empty", "validation"),
    ("every: 5m\n", "every: 5m\n    bad: rises\n", "auc is bad when it falls", "Delete the line"),
    ("matured_after: 30d", "fresh_within: 0s", "no time", "2d"),
    ("every: 5m", "every: 0s", "no time", "2d"),
    ("repeat_to_owners: 1h", "repeat_to_owners: 1m", "before who is on call", "longer"),
    ("https://serving.example", "https://a:b@serving.example", "holds a password", "none"),
    ("https://serving.example", "ftp://serving.example", "no web address", "https://"),
]


@pytest.mark.parametrize(("old", "new", "what", "instead"), REFUSED)
def test_what_could_never_work_is_refused_at_its_line(
    old: str, new: str, what: str, instead: str
) -> None:
    """With what to write instead, and without ever repeating a password."""
    assert WATCHED.count(old) >= 1
    before, _old, after = WATCHED.rpartition(old)
    found = problems_of({**FILES, "credit.yaml": before + new + after})
    hits = [f for f in found if what in f.what]
    assert hits, found
    assert instead in hits[0].instead
    first = before.count("\n") + 1
    assert first - 4 <= hits[0].line <= first + 4
    assert not any("hunter2" in f"{f.what}{f.instead}" for f in found)


ALERTS_ONLY = [
    ("metric: auc\n", "metric: approval_rate\n", "rule: {steady: {horizon: 900}}"),
    ("metric: auc\n", "metric: score_psi\n", "rule: {psi: {window: 1d}}"),
]


@pytest.mark.parametrize(("old", "new", "rule"), ALERTS_ONLY)
def test_what_is_no_fault_of_the_model_may_only_alert(old: str, new: str, rule: str) -> None:
    """Without outcomes nothing is rolled back; as an alert it is welcome."""
    policy = WATCHED.replace(old, new).replace("rule: {e_process: {}}", rule)
    policy = policy.replace("score: score}\n", "score: score, approved: approved}\n")
    found = problems_of({**FILES, "credit.yaml": policy})
    assert ["good for alerts only" in f.what for f in found] == [True]
    assert watching_of(policy.replace("then: roll_back", "then: alert")).monitors


def test_several_problems_are_told_at_once() -> None:
    """Two names twice, and a metric without its threshold."""
    monitor = WATCHED[WATCHED.index("  - name: auc") : WATCHED.index("alerts:")]
    second = monitor.replace("metric: auc", "metric: recall").replace(
        "{e_process: {}}", "{threshold: {drop: 0.1, window: 7d, minimum: {goods: 9, bads: 30}}}"
    )
    found = problems_of({**FILES, "credit.yaml": WATCHED.replace(monitor, monitor + second)})
    assert len(found) == 2
    assert "`auc` stands here twice" in found[0].what
    assert "needs the decision threshold" in found[1].what


def test_a_small_window_that_rolls_back_is_warned_about() -> None:
    """And so is a source that nobody looks at."""
    small = WATCHED.replace(
        "{e_process: {}}", "{threshold: {drop: 0.05, window: 1d, minimum: {goods: 9, bads: 3}}}"
    ).replace(
        "monitors:\n",
        "  - name: idle\n    url: OTHER_URL\n    predictions:"
        " {table: p, id: i, at: a, version: v, score: s}\nmonitors:\n",
    )
    said = [w.what for w in load_texts({**FILES, "credit.yaml": small}).warnings]
    assert any("no reason almost every month" in words for words in said)
    assert any("no monitor looks at the source `idle`" in words for words in said)


WATCHINGS = st.sampled_from(
    [
        WATCHED.replace(old, new)
        for old, new in (
            ("", ""),
            ("then: roll_back", "then: alert"),
            ("every: 5m", "every: 6m"),
            ("e_process: {}", "e_process: {tolerance: 0.02}"),
            ("e_process: {}", "steady: {horizon: 500}"),
            ("e_process: {}", "threshold: {drop: 0.1, window: 7d, minimum: {goods: 9, bads: 30}}"),
            ("e_process: {}", "threshold: {drop: 0.1, window: 7d, minimum: {goods: 9, bads: 31}}"),
            ("e_process: {}", "delong: {drop: 0.1, window: 7d, minimum: {goods: 9, bads: 31}}"),
            (SCORED, "{first_outcomes: 1000}"),
            (SCORED, "{fixed: {value: 0.8, goods: 70, bads: 30}}"),
            ("artifact: scores.csv", "artifact: other.csv"),
            ("url: CREDIT_DATABASE_URL", "url: OTHER_URL"),
            ("matured_after: 30d", "matured_after: 31d"),
            ("table: predictions", "table: scored"),
            ("bad: is_bad}", "bad: is_bad, bad_is: yes_bad}"),
            ("repeat_to_on_call: 15m", "repeat_to_on_call: 16m"),
            ("https://serving.example", "https://other.example"),
            ("drill: {every: 1d}", "drill: {every: 2d}"),
            ("alerts: {repeat_to_on_call: 15m, repeat_to_owners: 1h}\n", ""),
        )
    ]
).map(watching_of)


@given(old=WATCHINGS, new=WATCHINGS)
def test_a_change_always_has_words(old: Watching, new: Watching) -> None:
    """And what did not change has none."""
    assert bool(list(differences(old, new))) == (old != new)


def test_a_monitor_that_begins_to_act_is_told_so() -> None:
    """As a reviewer has to read it."""
    old = watching_of(WATCHED.replace("then: roll_back", "then: alert"))
    assert list(differences(old, watching_of(WATCHED))) == [
        "monitor auc now rolls back, and before it only alerts"
    ]


ALERTING = WATCHED.replace("then: roll_back", "then: alert")
BETS = ["e_process: {}", "steady: {horizon: 500}"]
UNCOUNTED = [
    "{fixed: {value: 0.8}}",
    "{validation: {metric: auc_validation}}",
    "{training: {metric: auc_train}}",
]


@pytest.mark.parametrize("rule", BETS)
@pytest.mark.parametrize("baseline", UNCOUNTED)
def test_bets_on_a_baseline_without_counts_are_refused_also_for_an_alert(
    rule: str, baseline: str
) -> None:
    """They pair goods with bads, so such a monitor would be blind for ever; a threshold is not."""
    text = ALERTING.replace("e_process: {}", rule).replace(SCORED, baseline)
    (found,) = problems_of({**FILES, "credit.yaml": text})
    assert "does not say how many there are" in found.what
    window = "threshold: {drop: 0.05, window: 7d, minimum: {goods: 200, bads: 50}}"
    assert watching_of(ALERTING.replace("e_process: {}", window).replace(SCORED, baseline))


def test_a_precision_of_which_nobody_knows_the_flagged_only_alerts() -> None:
    """Its counts of goods and bads are not what it rests on; scores, or the first outcomes, are."""
    window = "threshold: {drop: 0.05, window: 7d, minimum: {goods: 200, bads: 50}}"
    policy = WATCHED.replace("metric: auc\n", "metric: precision\n")
    policy = policy.replace("e_process: {}", window)
    policy = policy.replace("sources:", "decision_threshold: threshold\nsources:")
    counted = "{validation: {metric: precision_validation, goods: g, bads: b}}"
    (found,) = problems_of({**FILES, "credit.yaml": policy.replace(SCORED, counted)})
    assert "nobody says how many those were" in found.what
    for known in (SCORED, "{first_outcomes: 1000}"):
        assert watching_of(policy.replace(SCORED, known)).monitors
