"""Every refusal of the loader: at its line, in words, with what to write instead."""

from __future__ import annotations

import pytest

from governance.adapters.policy_files import load_texts
from tests.policy.texts import FILES, PEOPLE, POLICY, edited, problems_of

IN_ROLES = [
    (
        "{name: risk, user_group: risk-officers}",
        "`risk-officers` is not a user group",
        "with the @",
    ),
    ("{name: risk, user_group: s0614}", "is not a user group of Slack", "S0614TZR7"),
    ('{name: risk, user_group: ""}', "`user_group` is empty", ""),
    ("{name: risk}", "`user_group` is missing here", "Write user_group: S0614TZR7"),
    ("{user_group: S0614TZR7}", "`name` is missing here", "Write name: risk"),
    ("{name: risk, group: S0614TZR7}", "unknown key `group`", "Did you mean"),
    ("{name: on_call, user_group: S0614TZR7}", "`on_call` stands in this list twice", "once"),
    ("{name: a b, user_group: S0614TZR7}", "`a b` is not a short name", ""),
    ("[risk]", "`role` has to be keys and values, and this is a list", ""),
    ("7", "`role` has to be keys and values, and this is a number", ""),
]
"""In place of the role risk in people.yaml."""

IN_POLICY = [
    # --- keys
    ("rollback:", "rolback:", "unknown key `rolback`", "Did you mean `rollback`?"),
    ("headline:", "colour:", "unknown key `colour`", "Known here: model, channel"),
    ("  Staging:\n", "  Stagging:\n", "unknown stage `Stagging`", "Did you mean `Staging`?"),
    ("    soak: 1d", "    soaks: 1d", "unknown key `soaks`", "Did you mean `soak`?"),
    ("value: 0.7", "limit: 0.7", "unknown key `limit`", ""),
    ("headline: [auc_validation]", "rollout: x", "a rollout plan needs", "Delete it"),
    ("headline: [auc_validation]", "include: x", "stands alone", "Delete it"),
    # --- references
    ("rollback: [on_call]", "rollback: [oncall]", "unknown role `oncall`", "`on_call`?"),
    ("{role: risk, count: 1}", "{role: board}", "unknown role `board`", "people.yaml knows"),
    ("owners: [dana]", "owners: [danna]", "unknown person `danna`", "Did you mean `dana`?"),
    ("on_call: [otto]", "on_call: [nobody]", "unknown person `nobody`", "add it under `people`"),
    # --- emptiness
    ("owners: [dana]", "owners: []", "`owners` is empty", "delete the key"),
    ("rollback: [on_call]", "rollback: []", "`rollback` is empty", ""),
    ("headline: [auc_validation]", "headline: []", "`headline` is empty", ""),
    ("    from: [None]", "    from: []", "`from` is empty", ""),
    ("    approvals: none", "    approvals: []", "`approvals` is empty", ""),
    ("metric: auc_validation, value", 'metric: "", value', "`metric` is empty", ""),
    ("owners: [dana]", "owners:", "nothing stands for `owners`", "Write a value"),
    ('channel: "#credit-models"', "channel: #credit-models", "nothing stands", "in quotes"),
    ("on_call: [otto]", "on_call: ~", "nothing stands for `on_call`", "Write a value"),
    ("on_call: [otto]", "on_call: [null]", "nothing stands for this part of the list", ""),
    # --- what may never pass for true
    ("value: 0.7", "value: .nan", "`value` is no finite number", "such as 0.7"),
    ("value: 0.7", "value: .inf", "`value` is no finite number", ""),
    ("value: 0.7", "value: -.inf", "`value` is no finite number", ""),
    ("value: 0.7", "value: high", "has to be a number", "decimal number"),
    ("value: 0.7", "value: true", "has to be a number, and this is true or false", ""),
    ("value: 0.7", 'value: "0.7"', "has to be a number, and this is a word", ""),
    (", value: 0.7", "", "`value` is missing here", "Write value: 0.7"),
    ("signature_recorded: true", "signature_recorded: false", "cannot be switched off", "Delete"),
    ("signature_recorded: true", "signature_recorded: 3", "takes no settings", "Write true"),
    ("- signature_recorded: true", "- {}", "this check is empty", "signature_recorded: true"),
    (
        "- signature_recorded: true",
        "- {signature_recorded: true, dataset_recorded: true}",
        "one item holds 2 checks: dataset_recorded, signature_recorded",
        "its own hyphen",
    ),
    (
        "- signature_recorded: true",
        "- validated_after_staging: {metric: a, at_least: 0.7, role: validator}",
        "unknown key `validated_after_staging`",
        "Known here",
    ),
    ("value: 0.7", "value: 0.7, tolerance: 1", "unknown key `tolerance`", ""),
    # --- approvals
    ("    approvals: none", "    approvals: nobody", "says nothing about approvals", "[{role:"),
    ("{role: risk, count: 1}", "{role: risk, count: 0}", "0 is out of range", "at least 1"),
    ("{role: risk, count: 1}", "{role: risk, count: 21}", "21 is out of range", "at most 20"),
    ("{role: risk, count: 1}", "{role: risk, count: 1.5}", "has to be a whole number", ""),
    ("{role: risk, count: 1}", "{role: validator}", "the role `validator` stands here twice", ""),
    (
        "{role: risk, count: 1}",
        "{role: risk, escalate: {after: 4h, to: bord}}",
        "unknown role `bord`",
        "people.yaml knows",
    ),
    (
        "{role: risk, count: 1}",
        "{role: risk, escalate: {after: 4h, to: risk}}",
        "escalates to the same role",
        "Name another role",
    ),
    (
        "{role: risk, count: 1}",
        "{role: risk, escalate: {after: 2d, to: on_call}}",
        "escalates when the request has expired",
        "shorter than expires_after",
    ),
    ("{role: risk, count: 1}", "{role: risk, escalate: {to: on_call}}", "`after` is missing", ""),
    (
        "{role: risk, count: 1}",
        "{role: risk, escalate: {after: 0s, to: on_call}}",
        "with no time at all",
        "",
    ),
    ("    rejections_to_end: 1", "    rejections_to_end: 0", "0 is out of range", "at least 1"),
    # --- stages and times
    ("    from: [Staging]", "    from: [Stagin]", "is not a stage that it may come", "`Staging`?"),
    ("    from: [Staging]", "    from: [Staging, Staging]", "stands in this list twice", "once"),
    ("    from: [None]", "    from: [Production]", "is not a stage that it may come", "one of"),
    ("    soak: 1d", "    soak: 1", "a time needs a unit", "30s, 15m, 12h, 2d or 1w"),
    ("    soak: 1d", "    soak: 1 day", "`1 day` is not a time", ""),
    ("    soak: 1d", "    soak: -1d", "`-1d` is not a time", ""),
    ("    soak: 1d", "    soak: 9999w", "is longer than ten years", ""),
    # --- words
    ("model: credit_scoring", "model: credit/scoring", "cannot be a model's name", "no / and no"),
    ("model: credit_scoring", 'model: "credit[*"', "the brackets of", "[a-z]"),
    ("model: credit_scoring", f"model: {'m' * 251}", "is longer than 250 characters", "Shorten"),
    ("model: credit_scoring", 'model: " credit"', "a space stands before or after", "Delete it"),
    ("model: credit_scoring", 'model: "credit\\u200b"', "an invisible character", "again"),
    ("model: credit_scoring", "model: [a]", "has to be a word, and this is a list", ""),
    ("model: credit_scoring", "model: 12", "has to be a word, and this is a number", '"12"'),
    ('channel: "#credit-models"', "channel: credit-models", "is not a channel", "with the #"),
    ("owners: [dana]", "owners: dana", "has to be a list, and this is a word", "[one, two]"),
    ("owners: [dana]", "owners: [dana, dana]", "`dana` stands in this list twice", "Write it once"),
    # --- what YAML readers read differently
    ("rollback: [on_call]", "rollback: [on]", "a yes or no to some readers", 'quotes: "on"'),
    ("value: 0.7", "value: 010", "is not the same to every reader", ""),
    ("value: 0.7", "value: 1_000", "is not the same to every reader", ""),
    ("headline: [auc_validation]", "headline: [2026-01-01]", "is not the same to every", ""),
    ("owners: [dana]", "owners: &a [dana]", "anchors and aliases", "Write the value out"),
    ("owners: [dana]", "owners: *a", "anchors and aliases", "Write the value out"),
    ("owners: [dana]", "owners: !!set {dana}", "tags (!) are not allowed", "plain YAML"),
    (
        "headline: [auc_validation]",
        "owners: [ana]",
        "the key `owners` stands here twice, first in line 3",
        "one",
    ),
    ("headline: [auc_validation]", "? [a]\n: b", "a key has to be one word", ""),
    ("headline: [auc_validation]", "12: b", "`12` is no word", "in quotes"),
    ("headline: [auc_validation]", f"headline: {'[' * 30}a{']' * 30}", "nested too deeply", ""),
    # --- what nobody could get past
    ("{role: risk, count: 1}", "{role: risk, count: 2}", "", "fewer"),
]

IN_PEOPLE = [
    ("    name: Dana Feld\n", "", "`name` is missing here", "Write name: Dana Feld"),
    ("slack: [U0DANA]", "slack: ['@dana']", "is not a Slack member id", "Copy member ID"),
    ("[dana@bank.example]", "[dana]", "is not an e-mail address", "dana@bank.example"),
    (
        "os_logins: [otto]",
        "working_hours: nine to five",
        "`nine to five` is no working time",
        "Write Mon-Fri 09:00-17:00",
    ),
    ("os_logins: [otto]", "stand_ins: [otto]", "otto cannot stand in for themselves", "somebody"),
    ("os_logins: [otto]", "stand_ins: [anna]", "unknown person `anna`", "Did you mean `ana`?"),
    ("os_logins: [otto]", "working_hours: 5", "`5` is no working time", ""),
    ("os_logins: [otto]", "os_logins: [root]", "`root` identifies nobody", ""),
    ("roles: [risk]", "roles: [rsk]", "unknown role `rsk`", "Did you mean `risk`?"),
    ("roles: [risk]", "role: [risk]", "unknown key `role`", "Did you mean `roles`?"),
    ("  ana:\n", "  a na:\n", "is not a short name", "letters, digits"),
    ("slack: [U0RAJ]", "slack: [U0ANA]", "is already the Slack account of ana", "one person"),
    ("mlflow_users: [ana]", "mlflow_users: [dana]", "is already the MLflow user of dana", ""),
    ("mlflow_users: [ana]", "mlflow_users: [DANA]", "is already the MLflow user of dana", ""),
    (
        "mlflow_users: [ana]",
        "git_emails: [Dana@Bank.example]",
        "is already the git e-mail of dana",
        "",
    ),
    (
        "mlflow_users: [ana]",
        "mlflow_users: [dana@bank.example]",
        "is already the git e-mail of dana",
        "",
    ),
    ("[ci-pipeline]", "[dana]", "`dana` is a service account and also belongs to dana", ""),
    ("[ci-pipeline]", "[OTTO]", "`OTTO` is a service account and also belongs to otto", ""),
    ("[ci-pipeline]", "[]", "`service_accounts` is empty", ""),
]


@pytest.mark.parametrize(("old", "new", "what", "instead"), IN_POLICY)
def test_a_policy_is_refused_at_its_line(old: str, new: str, what: str, instead: str) -> None:
    """In words, with what to write instead."""
    _refused("credit.yaml", old, new, what, instead)


@pytest.mark.parametrize(("old", "new", "what", "instead"), IN_PEOPLE)
def test_people_are_refused_at_their_line(old: str, new: str, what: str, instead: str) -> None:
    """In words, with what to write instead."""
    _refused("people.yaml", old, new, what, instead)


def _refused(file: str, old: str, new: str, what: str, instead: str) -> None:
    texts, line = edited(file, old, new)
    found = problems_of(texts)
    assert [p for p in found if what in p.what and instead in p.instead], found
    assert {(p.file, abs(p.line - line) <= 1) for p in found if what in p.what} == {(file, True)}


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        ({"credit.yaml": POLICY}, "there is no people.yaml"),
        ({"people.yaml": PEOPLE}, "there is no policy"),
        ({}, "there is no people.yaml"),
        ({**FILES, "empty.yaml": ""}, "this file is empty"),
        ({**FILES, "comment.yaml": "# later\n"}, "this file is empty"),
        ({**FILES, "list.yaml": "- a\n"}, "has to be keys and values"),
        ({**FILES, "two.yaml": f"{POLICY}---\n{POLICY}"}, "this is not YAML"),
        ({**FILES, "tab.yaml": "model:\n\tx: 1\n"}, "this is not YAML"),
        ({**FILES, "open.yaml": "owners: [dana\n"}, "this is not YAML"),
        ({**FILES, "control.yaml": "model: a\x00b\n"}, "may not stand in YAML"),
        ({**FILES, "star.yaml": "model: *_scoring\n"}, "anchors and aliases"),
        ({**FILES, "large.yaml": "# " + "x" * 300_000}, "larger than 256 kB"),
        ({**FILES, "again.yaml": POLICY}, "is governed by again.yaml already"),
        (
            {
                **FILES,
                "left.yaml": POLICY.replace("credit_scoring", '"credit_*"'),
                "right.yaml": POLICY.replace("credit_scoring", '"*_credit"'),
            },
            "can match one model, and neither is more exact",
        ),
        (
            {
                **FILES,
                "left.yaml": POLICY.replace("credit_scoring", '"a[bc]?"'),
                "right.yaml": POLICY.replace("credit_scoring", '"?b[cd]"'),
            },
            "can match one model, and neither is more exact",
        ),
    ],
)
def test_a_set_of_files_is_refused_whole(texts: dict[str, str], what: str) -> None:
    """Nothing of it comes into force."""
    assert any(what in p.what for p in problems_of(texts)), problems_of(texts)


@pytest.mark.parametrize(
    "pair", [('"credit_*"', '"*_scoring_model"'), ('"a*"', '"b*"'), ('"credit_*"', "credit_x")]
)
def test_patterns_that_cannot_tie_are_fine(pair: tuple[str, str]) -> None:
    """Different lengths, different letters, or one exact name."""
    left, right = (POLICY.replace("credit_scoring", p) for p in pair)
    load_texts({"people.yaml": PEOPLE, "left.yaml": left, "right.yaml": right})


def test_all_problems_are_told_at_once() -> None:
    """In both files, in order, and counted."""
    texts = {
        "people.yaml": PEOPLE.replace("[U0RAJ]", "['@raj']"),
        "credit.yaml": POLICY.replace("owners: [dana]", "owners: []").replace("0.7", ".nan"),
    }
    found = problems_of(texts)
    assert [(p.file, p.line) for p in found] == [
        ("credit.yaml", 3),
        ("credit.yaml", 18),
        ("people.yaml", 16),
    ]


def test_a_check_that_stands_twice_is_a_slip() -> None:
    """One of them was meant to differ."""
    check = "      - metric_at_least: {metric: auc_validation, value: 0.7}\n"
    texts, _line = edited("credit.yaml", check, check * 2)
    assert any("stands here twice" in p.what for p in problems_of(texts))


@pytest.mark.parametrize(("role", "what", "instead"), IN_ROLES)
def test_a_role_that_names_its_user_group_wrongly_is_refused(
    role: str, what: str, instead: str
) -> None:
    """At its line; a role that cannot be read is held by nobody."""
    texts, line = edited("people.yaml", "validator, risk, on_call]", f"validator, {role}, on_call]")
    found = [p for p in problems_of(texts) if p.file == "people.yaml"]
    assert [p for p in found if p.line == line and what in p.what and instead in p.instead], found
