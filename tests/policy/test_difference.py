"""Every change of policies and people has words, and says whom it concerns."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from governance.adapters.policy_files import load_texts
from governance.domain.evidence import ModelName, Stage
from governance.domain.identity import Person, PersonId, Role, SlackAccount
from governance.domain.monitoring.spec import Watching
from governance.domain.policy import (
    BreakGlassRule,
    Escalation,
    ModelPolicy,
    Seats,
    SignatureRecorded,
    StageRule,
    UnknownAuthor,
)
from governance.domain.policy_difference import PolicyChange, policy_changes
from governance.domain.working_hours import working_hours
from governance.ports import Rules
from tests.builders import a_person, a_policy, a_roster, a_rule, some_rules
from tests.policy.texts import FILES, edited

BEFORE = load_texts(FILES).rules
NARROWED = ("validator, risk, on_call]", "validator, {name: risk, user_group: S0614TZR7}, on_call]")


def changes(old: Rules, new: Rules) -> tuple[PolicyChange, ...]:
    """What the record says of a load."""
    return policy_changes(
        old=old.policies, old_people=old.roster, new=new.policies, new_people=new.roster
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("credit.yaml", "      - {role: risk, count: 1}\n", "", "risk"),
        ("credit.yaml", "{role: risk, count: 1}", "{role: on_call}", "on_call"),
        (
            "credit.yaml",
            "{role: risk, count: 1}",
            "{role: risk, count: 1, escalate: {after: 4h, to: on_call}}",
            "Production opens an empty seat of risk to on_call after 4 h",
        ),
        ("credit.yaml", "value: 0.7", "value: 0.65", "0.65"),
        ("credit.yaml", "soak: 1d", "soak: 5s", "5 s"),
        ("credit.yaml", "rollback: [on_call]", "rollback: [on_call, risk]", "risk"),
        ("credit.yaml", "owners: [dana]", "owners: [ana]", "ana"),
        ("credit.yaml", '"#credit-models"', '"#elsewhere"', "#elsewhere"),
        ("credit.yaml", "    rejections_to_end: 1", "    rejections_to_end: 2", "2"),
        ("credit.yaml", "rollback:", "unknown_author: allow\nrollback:", "author"),
        ("credit.yaml", "model: credit_scoring", "model: credit_limit", "credit_limit"),
        ("people.yaml", "roles: [data_scientist]\n", "roles: [risk]\n", "dana gains risk"),
        ("people.yaml", "roles: [data_scientist]\n", "roles: [risk]\n", "loses data_scientist"),
        ("people.yaml", "[U0RAJ]", "[U0RAJ, U0RAJ2]", "raj gains the Slack account U0RAJ2"),
        (
            "people.yaml",
            "    roles: [validator]\n",
            "    roles: [validator]\n    working_hours: Sun-Thu 08:00-16:00\n",
            "ana has other working hours: Sun-Thu 08:00-16:00",
        ),
        ("people.yaml", "[ci-pipeline]", "[ci-pipeline, cron]", "cron"),
        ("people.yaml", "    os_logins: [otto]\n", "", "otto loses the OS login otto"),
        ("people.yaml", "name: Raj Patel", "name: Raj P.", "raj is called Raj P."),
        ("people.yaml", *NARROWED, "the role risk counts only in the user group S0614TZR7"),
    ],
)
def test_a_change_in_the_files_is_told(file: str, old: str, new: str, words: str) -> None:
    """What it was and what it is."""
    texts, _line = edited(file, old, new)
    found = changes(BEFORE, load_texts(texts).rules)
    assert any(words in change.words for change in found), found
    assert any(change.models for change in found)


def test_an_escalation_that_changes_or_goes_is_told_and_changes_the_digest() -> None:
    """It decides who may approve; without one the digest is what it was before there were any."""

    def rules(escalation: Escalation | None) -> Rules:
        seats = (Seats(role=Role("risk"), count=1, escalation=escalation),)
        return some_rules(a_policy(a_rule(Stage.STAGING), a_rule(seats=seats)))

    short = rules(Escalation(after=timedelta(hours=4), to=Role("lead")))
    longer = rules(Escalation(after=timedelta(hours=5), to=Role("lead")))
    none = rules(None)
    assert [c.words for c in changes(short, longer)] == [
        "credit_scoring: Production opens an empty seat of risk to lead after 5 h instead of to "
        "lead after 4 h"
    ]
    assert [c.words for c in changes(longer, none)] == [
        "credit_scoring: Production opens the seat of risk to nobody else any more"
    ]
    digests = [r.policies.policies["credit_scoring"].digest for r in (short, longer, none)]
    assert len(set(digests)) == 3


def test_a_comment_has_no_words() -> None:
    """The digest changes, the rules do not."""
    commented = {**FILES, "credit.yaml": FILES["credit.yaml"] + "# later\n"}
    assert changes(BEFORE, load_texts(commented).rules) == ()


POLICY_FIELDS: dict[str, object] = {
    "watching": Watching(probe_url="https://serving.example/version"),
    "pattern": "another",
    "stages": {Stage.PRODUCTION: a_rule()},
    "rollback_roles": frozenset({Role("risk")}),
    "break_glass": BreakGlassRule(
        roles=frozenset({Role("risk")}), review_within=timedelta(hours=24)
    ),
    "author_tags": (),
    "unknown_author": UnknownAuthor.ALLOW,
    "owners_may_approve": False,
    "headline": ("ks",),
    "decision_threshold": None,
    "input_profile": "input_profile.json",
    "repository": "https://git.example/credit",
    "channel": "#elsewhere",
    "owners": frozenset({PersonId("raj")}),
    "on_call": (PersonId("raj"),),
}
RULE_FIELDS: dict[str, object] = {
    "from_stages": frozenset({Stage.NONE}),
    "soak": timedelta(days=1),
    "checks": (SignatureRecorded(),),
    "seats": (Seats(role=Role("risk"), count=2),),
    "expires_after": timedelta(days=9),
    "rejections_to_end": 3,
}
PERSON_FIELDS: dict[str, object] = {
    "name": "Somebody Else",
    "roles": frozenset({Role("on_call")}),
    "slack": frozenset({SlackAccount("U0OTHER")}),
    "mlflow_users": frozenset({"other"}),
    "git_emails": frozenset({"other@example.com"}),
    "os_logins": frozenset({"other"}),
    "stand_ins": frozenset({PersonId("raj")}),
    "working_hours": working_hours("Sun-Thu 08:00-16:00"),
}


def test_no_field_is_forgotten() -> None:
    """A field that is added has to be told of too, or named here as one that says nothing."""
    assert {f.name for f in fields(ModelPolicy)} - {"model"} == set(POLICY_FIELDS)
    assert {f.name for f in fields(StageRule)} - {"target"} == set(RULE_FIELDS)
    of_now = {"outside"}  # what Slack says of user groups, never of a file
    assert {f.name for f in fields(Person)} - {"id"} - of_now == set(PERSON_FIELDS)


@pytest.mark.parametrize("name", POLICY_FIELDS)
def test_each_field_of_a_policy_has_words(name: str) -> None:
    """Whatever it is."""
    changed = replace(a_policy(), **{name: POLICY_FIELDS[name]})  # type: ignore[arg-type]  # a table of fields
    assert changes(some_rules(), some_rules(changed))


@pytest.mark.parametrize("name", RULE_FIELDS)
def test_each_field_of_a_stage_has_words(name: str) -> None:
    """Whatever it is; the stage is named."""
    changed = replace(a_rule(), **{name: RULE_FIELDS[name]})  # type: ignore[arg-type]  # a table of fields
    found = changes(some_rules(), some_rules(a_policy(a_rule(Stage.STAGING), changed)))
    assert found
    assert all("Production" in change.words for change in found)


@pytest.mark.parametrize("name", PERSON_FIELDS)
def test_each_field_of_a_person_has_words(name: str) -> None:
    """Whose it is stands first."""
    changed = replace(a_person("dana"), **{name: PERSON_FIELDS[name]})  # type: ignore[arg-type]  # a table of fields
    before = some_rules(roster=a_roster(a_person("dana")))
    found = changes(before, some_rules(roster=a_roster(changed)))
    assert found
    assert all(change.words.startswith(("dana ", "there is")) for change in found)


def test_a_policy_of_its_own_is_held_against_the_glob_that_governed_the_model() -> None:
    """Two approvals become one without anybody editing the glob; and back, when it goes."""
    wide = replace(a_policy(), pattern="credit_*", model=ModelName("credit_*"))
    own = a_policy(a_rule(Stage.STAGING), a_rule(seats=(Seats(role=Role("risk"), count=1),)))
    before, after = some_rules(wide), some_rules(wide)
    both = {"credit_*": wide, "credit_scoring": own}
    after = replace(after, policies=replace(after.policies, policies=both))
    came = [c.words for c in changes(before, after)]
    assert came == [
        "credit_scoring: is governed by its own policy now, no longer by that of credit_*",
        "credit_scoring: Production needs 1 instead of 2",
        "credit_scoring: Production needs 0 from validator instead of 1",
    ]
    went = [c.words for c in changes(after, before)]
    assert went == [
        "credit_scoring: is governed by the policy of credit_* now, no longer by its own",
        "credit_scoring: Production needs 2 instead of 1",
        "credit_scoring: Production needs 1 from validator instead of 0",
    ]


def test_a_first_load_lists_policies_and_not_each_person() -> None:
    """Everybody is new then."""
    found = policy_changes(old=None, old_people=None, new=BEFORE.policies, new_people=BEFORE.roster)
    assert found
    assert all(change.models == (ModelName("credit_scoring"),) for change in found)
