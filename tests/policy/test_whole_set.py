"""A set of files as a whole: who could get a request through, what is shipped, what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from governance.adapters.policy_files import (
    FolderRules,
    PolicyProblems,
    check_files,
    json_schema,
    load_folder,
    load_texts,
    rules_from_texts,
)
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName
from governance.domain.policy import policy_for
from tests.policy.texts import FILES, PEOPLE, POLICY, edited, problems_of

SHIPPED = Path(__file__).parent.parent.parent / "policies"


def test_the_shipped_policies_load() -> None:
    """They are the first that a newcomer sees. Four people are few: whoever fills a seat alone
    could not ask, and is named."""
    loaded = load_folder(SHIPPED)
    assert {w.what.split(" ")[0] for w in loaded.warnings} == {"ana", "raj"}
    assert "credit_scoring" in loaded.rules.policies.policies
    assert check_files([SHIPPED]).problems == ()


def test_every_key_that_may_be_written_is_in_the_shipped_files() -> None:
    """As a rule or in a comment, so that nobody has to guess what exists."""
    text = "".join(p.read_text() for p in sorted(SHIPPED.glob("*.yaml")))
    keys = _keys(json.loads(json_schema("policy"))) | _keys(json.loads(json_schema("people")))
    assert sorted(key for key in keys if key not in text) == []


def _keys(schema: object) -> set[str]:
    if isinstance(schema, list):
        return {key for part in schema for key in _keys(part)}
    if not isinstance(schema, Mapping):
        return set()
    own = set(schema.get("properties", {}))
    return own | {key for part in schema.values() for key in _keys(part)}


@pytest.mark.parametrize("kind", ["policy", "people"])
def test_the_schema_is_closed_as_the_loader_is(kind: str) -> None:
    """An editor underlines what the loader would refuse."""
    schema = json.loads(json_schema("policy" if kind == "policy" else "people"))
    for name, part in {**schema["$defs"], "": schema}.items():
        if part.get("type") == "object":
            assert part.get("additionalProperties") is False, name
    assert "null" not in json.dumps(schema)


def test_a_policy_that_nobody_could_get_through_is_refused() -> None:
    """Ana would have to be two people, whoever asks."""
    texts, line = edited(
        "credit.yaml", "{role: validator, count: 1}", "{role: validator, count: 2}"
    )
    (found,) = problems_of(texts)
    assert found.line in (line, line - 1)
    assert "nobody could get a request for credit_scoring → Production through" in found.what
    assert "validator" in found.what


def test_somebody_who_holds_two_roles_fills_one_seat() -> None:
    """Matching, not counting: raj alone cannot be validator and risk."""
    people = PEOPLE.replace("roles: [validator]", "roles: [on_call]").replace(
        "roles: [risk]", "roles: [risk, validator]"
    )
    found = problems_of({**FILES, "people.yaml": people})
    assert any("nobody could get a request" in p.what for p in found), found


def test_who_could_not_get_a_request_through_is_warned_about_by_name() -> None:
    """Others can, so the policy stands."""
    warnings = load_texts(FILES).warnings
    assert {w.what.split(" ")[0] for w in warnings} == {"ana", "raj"}
    assert all(
        "could not get a request for credit_scoring → Production" in w.what for w in warnings
    )


def test_a_person_without_a_slack_account_fills_no_seat() -> None:
    """And an alert does not reach one who is on call."""
    people = PEOPLE.replace("    slack: [U0RAJ]\n", "")
    assert any("missing risk" in p.what for p in problems_of({**FILES, "people.yaml": people}))
    people = PEOPLE.replace("    slack: [U0OTTO]\n", "")
    loaded = load_texts({**FILES, "people.yaml": people})
    assert any("no alert reaches them" in w.what for w in loaded.warnings)


def test_an_escalation_to_a_role_that_nobody_holds_is_warned_about() -> None:
    """It would open the seat to nobody; the policy stands, since the first role is held."""
    people = PEOPLE.replace("risk, on_call]", "risk, lead, on_call]")
    policy = POLICY.replace(
        "{role: risk, count: 1}", "{role: risk, escalate: {after: 4h, to: lead}}"
    )
    loaded = load_texts({"people.yaml": people, "credit.yaml": policy})
    assert any("escalating to them opens the seat to nobody" in w.what for w in loaded.warnings)


def test_a_rollback_that_nobody_could_order_is_refused() -> None:
    """At night it would be too late to find out."""
    texts, _line = edited("people.yaml", "    roles: [on_call]\n", "")
    assert any("nobody could roll back" in p.what for p in problems_of(texts))


def test_an_exact_name_wins_and_then_the_longer_pattern() -> None:
    """What no pattern matches is left alone."""
    loaded = load_texts(
        {
            **FILES,
            "wide.yaml": POLICY.replace("credit_scoring", '"credit_*"'),
            "wider.yaml": POLICY.replace("credit_scoring", '"c*"'),
        }
    )
    policies = loaded.rules.policies
    chosen = {
        name: getattr(policy_for(policies, ModelName(name)), "pattern", None)
        for name in ("credit_scoring", "credit_limit", "churn", "fraud", "Credit_x")
    }
    assert chosen == {
        "credit_scoring": "credit_scoring",
        "credit_limit": "credit_*",
        "churn": "c*",
        "fraud": None,
        "Credit_x": None,
    }


def test_a_file_that_would_silently_not_be_read_is_refused(tmp_path: Path) -> None:
    """A policy in a .yml; hidden files and other kinds are nobody's policy."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ".hidden.yaml").write_text("nonsense")
    (tmp_path / "notes.txt").write_text("nonsense")
    load_folder(tmp_path)
    (tmp_path / "fraud.yml").write_text(POLICY)
    with pytest.raises(PolicyProblems, match=r"Rename it to fraud\.yaml"):
        load_folder(tmp_path)


def test_bytes_that_are_no_utf_8_are_refused_at_their_line(tmp_path: Path) -> None:
    """Nothing is guessed; a byte order mark is fine."""
    for name, text in FILES.items():
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    load_folder(tmp_path)
    (tmp_path / "credit.yaml").write_bytes(POLICY.encode() + b"# caf\xe9\n")
    with pytest.raises(PolicyProblems) as refused:
        load_folder(tmp_path)
    bad = [p for p in refused.value.problems if "UTF-8" in p.what]
    assert [p.line for p in bad] == [POLICY.count("\n") + 1]


def test_a_folder_that_is_not_there_is_the_operators_business(tmp_path: Path) -> None:
    """Unavailable, with what to check."""
    with pytest.raises(Unavailable, match="Check that the folder exists"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(Unavailable, match="Check the path"):
        check_files([tmp_path / "nowhere.yaml"])


def test_a_reload_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    """The rules before stay in force, whole."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    rules = FolderRules(tmp_path)
    before = rules.current()
    (tmp_path / "credit.yaml").write_text(POLICY.replace("owners: [dana]", "owners: []"))
    with pytest.raises(PolicyProblems):
        rules.reload()
    assert rules.current() == before
    (tmp_path / "credit.yaml").write_text(POLICY.replace("soak: 1d", "soak: 2d"))
    old, new = rules.reload()
    assert old == before
    assert new == rules.current() != before


def test_the_digest_is_of_the_very_bytes() -> None:
    """A comment changes it; the order of files does not."""
    first = rules_from_texts(FILES).policies.digest
    assert rules_from_texts(dict(reversed(FILES.items()))).policies.digest == first
    assert rules_from_texts({**FILES, "credit.yaml": POLICY + "#"}).policies.digest != first


@pytest.mark.parametrize("group", ["S0614TZR7", '"@risk-officers"'])
def test_a_role_may_be_narrowed_by_a_user_group(group: str) -> None:
    """By its id or its handle; the other roles stay as they are."""
    texts, _line = edited(
        "people.yaml", "validator, risk,", f"validator, {{name: risk, user_group: {group}}},"
    )
    roster = load_texts(texts).rules.roster
    assert roster.user_groups == {"risk": group.strip('"')}
    assert roster.roles == load_texts(FILES).rules.roster.roles


def test_a_rollback_that_hangs_on_slack_is_warned_of() -> None:
    """At 2 a.m. Slack may be down, and nobody could prove that they are on call."""
    texts, _line = edited(
        "people.yaml", "risk, on_call]", "risk, {name: on_call, user_group: S0614TZR7}]"
    )
    before = len(load_texts(FILES).warnings)
    warnings = load_texts(texts).warnings
    assert len(warnings) == before + 1
    (found,) = [w for w in warnings if "while Slack does not answer" in w.what]
    assert found.file == "credit.yaml"
