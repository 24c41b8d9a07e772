"""Who may act past a policy is part of it: checked, digested, told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from governance.adapters.policy_files import json_schema, load_texts
from governance.domain.identity import Role
from governance.domain.policy import BreakGlassRule
from governance.domain.policy_difference import policy_changes
from tests.builders import a_policy
from tests.policy.texts import FILES, edited, problems_of

GLASS = "break_glass: {roles: [on_call], review_within: 24h}\n"
RULE = BreakGlassRule(roles=frozenset({Role("on_call")}), review_within=timedelta(hours=24))


def with_glass(text: str = GLASS) -> dict[str, str]:
    """The files with break-glass in the policy."""
    return {**FILES, "credit.yaml": FILES["credit.yaml"] + text}


def test_without_the_key_nobody_may_and_the_digest_stays_as_it_was() -> None:
    """So that no open request is voided by an upgrade."""
    policy = load_texts(FILES).rules.policies.policies["credit_scoring"]
    assert policy.break_glass is None
    assert replace(policy, break_glass=RULE).digest != policy.digest


def test_roles_and_time_are_read_and_digested() -> None:
    """Each of them changes the digest that an approval binds."""
    policy = load_texts(with_glass()).rules.policies.policies["credit_scoring"]
    assert policy.break_glass == RULE
    other_time = replace(RULE, review_within=timedelta(hours=25))
    other_roles = replace(RULE, roles=frozenset({Role("risk")}))
    digests = {
        replace(a_policy(), break_glass=r).digest for r in (None, RULE, other_time, other_roles)
    }
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("text", "what", "instead"),
    [
        ("break_glass: {roles: [on_cal], review_within: 24h}\n", "on_cal", "on_call"),
        ("break_glass: {roles: [], review_within: 24h}\n", "roles", "Write"),
        ("break_glass: {roles: [on_call]}\n", "`review_within` is missing", "24h"),
        ("break_glass: {roles: [on_call], review_within: 0s}\n", "more than no time", "24h"),
        ("break_glass: {roles: [on_call], review_within: 5w}\n", "four weeks", "24h"),
        ("break_glass: {roles: [on_call], review_in: 24h}\n", "review_in", "review_within"),
        ("break_glass: {roles: [data_scientist, nobody]}\n", "nobody", "roles"),
    ],
)
def test_a_slip_is_refused_with_what_to_write(text: str, what: str, instead: str) -> None:
    """A slip of the pen never opens this gate."""
    found = problems_of(with_glass(text))
    assert any(what in str(f) and instead in str(f) for f in found), found


def test_glass_that_nobody_could_review_is_refused() -> None:
    """Raj alone is risk, and would break it."""
    found = problems_of(with_glass("break_glass: {roles: [risk], review_within: 24h}\n"))
    assert any("nobody could review it afterwards: missing risk" in str(f) for f in found), found


def test_a_breaker_whom_nobody_could_review_is_warned_of_by_name() -> None:
    """Otto could, Raj could not."""
    loaded = load_texts(with_glass("break_glass: {roles: [risk, on_call], review_within: 24h}\n"))
    assert any("raj could not break glass" in str(w) for w in loaded.warnings)
    assert not any("otto" in str(w) for w in loaded.warnings)


def test_glass_that_nobody_could_break_is_refused() -> None:
    """A role that nobody holds."""
    texts, _line = edited("people.yaml", "risk, on_call]\npeople", "risk, on_call, hero]\npeople")
    glass = FILES["credit.yaml"] + "break_glass: {roles: [hero], review_within: 24h}\n"
    found = problems_of({**texts, "credit.yaml": glass})
    assert any("nobody could break glass" in str(f) for f in found), found


def test_the_difference_says_who_may_now_and_by_when_it_is_reviewed() -> None:
    """Coming, changing and going."""

    def words(before: dict[str, str], after: dict[str, str]) -> list[str]:
        old, new = load_texts(before).rules, load_texts(after).rules
        return [
            c.words
            for c in policy_changes(
                old=old.policies, old_people=old.roster, new=new.policies, new_people=new.roster
            )
        ]

    assert words(FILES, with_glass()) == [
        "credit_scoring: on_call may break glass now",
        "credit_scoring: a break-glass is reviewed within 1 d",
    ]
    longer = with_glass(GLASS.replace("24h", "2d"))
    assert words(with_glass(), longer) == [
        "credit_scoring: a break-glass is reviewed within 2 d instead of 1 d"
    ]
    assert words(with_glass(), FILES) == ["credit_scoring: on_call may break glass no longer"]


def test_the_schema_for_editors_knows_it() -> None:
    """Closed, with both keys required."""
    schema = json.loads(json_schema("policy"))
    part = schema["$defs"]["BreakGlassPart"]
    assert sorted(part["required"]) == ["review_within", "roles"]
    assert part["additionalProperties"] is False
