"""`/foureyes` says what this person may do, by example; a mistyped word, or a model's name, is
answered with the nearest one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import foureyes_words
from bot.messages.help_words import help_lines
from governance.domain.identity import Actor, PersonId
from governance.domain.policy import PolicySet
from governance.ports import Rules
from tests.bot.office import Office
from tests.builders import MODEL, a_policy, some_rules
from tests.sandbox.stage import CHANNEL

PHONE = 90
"""Characters of a line that a phone breaks once."""


def somebody(name: str) -> Actor:
    """A person at their own account."""
    return Actor(person=PersonId(name), account=f"U0{name.upper()}", via="slack")


def helped(name: str, rules: Rules | None = None, *, prefix: str = "") -> str:
    """What the help says to somebody."""
    lines = help_lines(
        rules or some_rules(), somebody(name), prefix=prefix, words=[("help", "this help")]
    )
    return "\n".join(lines)


def test_the_help_says_what_this_person_may_do() -> None:
    """By their role, and of which role they would need one."""
    ana, otto = helped("ana"), helped("otto")
    assert "Ana (validator)" in ana
    assert "✅ approve for Production as validator" in ana
    assert "🚫 roll back: needs on_call" in ana
    assert "✅ roll back as on_call, alone" in otto
    assert "🚫 approve for Production: needs risk or validator" in otto


def test_a_rollback_is_shown_to_whoever_may_do_it() -> None:
    """An example that is refused teaches nothing."""
    assert "/rollback credit_scoring" in helped("otto")
    assert "/rollback" not in helped("ana")


def test_an_account_of_nobody_is_not_offered_to_be_away(office: Office) -> None:
    """Nobody waits for its decisions."""
    office.person("mallory").type(CHANNEL, "/foureyes")
    said = office.person("mallory").sees(office.reads("mallory", "belongs to nobody"))
    assert "/foureyes help" in said
    assert "/foureyes away" not in said
    assert "/foureyes back" not in said


def test_an_account_of_nobody_may_look() -> None:
    """And reads who can change that; nothing that it cannot do is offered."""
    stranger = Actor(person=None, account="U0MALLORY", via="slack")
    text = "\n".join(help_lines(some_rules(), stranger, prefix="", words=[]))
    assert "belongs to nobody in people.yaml" in text
    assert "/promote" not in text
    assert "/model credit_scoring" in text


def test_the_help_fits_on_a_phone() -> None:
    """No line that is longer than two of a phone, and few lines, also with a hundred models."""
    assert max(len(line) for line in helped("rosa").splitlines()) <= PHONE
    many = {f"model_{n}": replace(a_policy(), pattern=f"model_{n}") for n in range(100)}
    rules = some_rules()
    rules = replace(rules, policies=PolicySet(policies=many, digest=rules.policies.digest))
    text = helped("ana", rules)
    assert len(text.splitlines()) < 25
    assert "and 88 more" in text


def test_the_examples_can_be_typed_where_the_commands_have_a_prefix() -> None:
    """`foureyes manifest --prefix fe-` renames them all."""
    typed = [line for line in helped("ana", prefix="fe-").splitlines() if line.startswith("/")]
    assert typed
    assert all(line.startswith("/fe-") for line in typed)


def test_a_name_with_spaces_is_shown_as_it_has_to_be_typed() -> None:
    """In quotes."""
    spaced = replace(a_policy(), pattern="credit risk")
    assert '/promote "credit risk" 4' in helped("ana", some_rules(spaced))


@pytest.mark.parametrize("name", foureyes_words.WORDS)
def test_every_word_is_in_the_help(office: Office, name: str) -> None:
    """A word that nobody can find is none."""
    assert name == name.casefold()
    office.person("ana").type(CHANNEL, "/foureyes")
    office.reads("ana", f"/foureyes {name}")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("/foureyes", "Dana (data_scientist)"),
        ("/foureyes help", "Dana (data_scientist)"),
        ("/foureyes HELP", "Dana (data_scientist)"),
        ("/foureyes hlep me", "There is no /foureyes hlep. Did you mean /foureyes help me?"),
        ("/foureyes promote credit_scoring 4", "type /promote credit_scoring 4"),
        ("/foureyes promot credit_scoring 4", "Did you mean /promote credit_scoring 4?"),
        ("/foureyes xyzzy", "/foureyes help shows what there is"),
        ("/promot credit_scoring 4", "There is no command /promot here. Did you mean /promote?"),
        ("/promote credit_scorin 4 staging because", "Did you mean credit_scoring?"),
        ("/rollback Credit_Scorin", "Did you mean credit_scoring?"),
        ("/model credit-scoring", "Did you mean credit_scoring?"),
        ("/model credit-scoring 3 4", "Did you mean credit_scoring?"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_nearest(
    office: Office, typed: str, answer: str
) -> None:
    """Whether it is a word, a command or a model's name."""
    who = "otto" if "rollback" in typed else "dana"
    answered = office.person(who).type(CHANNEL, typed)
    if answered is None:
        office.reads(who, answer)
    else:
        assert answer in office.person(who).sees(answered)


def test_a_name_that_is_near_to_none_gets_no_guess(office: Office) -> None:
    """The governed models are listed all the same."""
    office.person("dana").type(CHANNEL, "/model fraud_detection")
    dana = office.person("dana")
    said = dana.sees(office.reads("dana", "No policy governs"))
    assert "Did you mean" not in said
    assert MODEL in said


def test_the_nearest_name_is_found_while_mlflow_is_down(office: Office) -> None:
    """The names of the policies are known without it."""
    office.desk.registry.is_down = True
    office.person("dana").type(CHANNEL, "/model credit_scorin")
    office.reads("dana", "Did you mean credit_scoring?")


def test_a_prefix_in_front_is_understood(office: Office) -> None:
    """And given back in the answer."""
    office.person("dana").type(CHANNEL, "/fe-foureyes promot")
    office.reads("dana", "There is no /fe-foureyes promot. Did you mean /fe-promote?")
