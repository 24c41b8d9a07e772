"""The help as plain lines that fit on a phone: by example, with what this person may do.

Says what the policies grant; asks nobody and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from governance.domain.evidence import Stage
from governance.domain.identity import Actor, Person
from governance.domain.policy import ModelPolicy, literal_characters
from governance.domain.powers import Deed, Power, powers_of
from governance.ports import Rules

_MODELS_SHOWN = 12
_EXAMPLE = "credit_scoring"


def help_lines(
    rules: Rules, actor: Actor, *, prefix: str, words: Sequence[tuple[str, str]]
) -> list[str]:
    """Who they are, what they may do with which model, and an example of each command."""
    person = rules.roster.people.get(actor.person) if actor.person is not None else None
    policies = [rules.policies.policies[name] for name in sorted(rules.policies.policies)]
    exact = (p.pattern for p in policies if literal_characters(p.pattern) == len(p.pattern))
    model = _typed_name(next(exact, _EXAMPLE))
    if person is None:
        lines = [
            f"The account {actor.account} belongs to nobody in people.yaml, so you can look, and "
            "can neither ask, approve nor roll back. A platform engineer can add you there."
        ]
        return [*lines, "", *_examples(model, prefix, words, may_act=False)]
    roles = ", ".join(sorted(person.roles)) or "no role"
    outside = [
        f"🚫 {role}: only in the user group {group}, where Slack does not show you"
        for role, group in sorted(person.outside.items())
    ]
    lines = [f"{person.name} ({roles})", *outside, *_powers(person, policies)]
    rolls_back = any(
        power.granted
        for policy in policies
        for power in powers_of(person, policy)
        if power.deed is Deed.ROLL_BACK
    )
    return [*lines, "", *_examples(model, prefix, words, may_act=True, may_roll_back=rolls_back)]


def _typed_name(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _powers(person: Person, policies: Sequence[ModelPolicy]) -> list[str]:
    """Models with the same rules for this person share their lines."""

    def said(policy: ModelPolicy) -> tuple[str, ...]:
        return tuple(_line(power) for power in powers_of(person, policy))

    lines: list[str] = []
    shown = 0
    for same, group in groupby(sorted(policies, key=lambda p: (said(p), p.pattern)), key=said):
        names = [p.pattern for p in group]
        if shown >= _MODELS_SHOWN:
            lines.append("… and more models: /model NAME")
            break
        listed = ", ".join(names[:_MODELS_SHOWN])
        more = f" and {len(names) - _MODELS_SHOWN} more" if len(names) > _MODELS_SHOWN else ""
        lines += ["", f"{listed}{more}", *same]
        shown += len(names)
    return lines or ["No model is governed yet."]


def _line(power: Power) -> str:
    where = "" if power.stage is None else f" for {power.stage.value}"
    roles = " or ".join(power.roles)
    match power.deed:
        case Deed.ASK:
            return f"✅ ask{where}"
        case Deed.APPROVE if power.granted:
            return f"✅ approve{where} as {roles}, unless you made it or asked for it"
        case Deed.APPROVE if power.is_barred_owner:
            return f"🚫 approve{where}: owners may not"
        case Deed.ROLL_BACK if power.granted:
            return f"✅ roll back as {roles}, alone"
        case Deed.BREAK_GLASS if power.granted:
            return f"✅ break glass as {roles}: past policy, reviewed afterwards"
        case Deed.APPROVE | Deed.ROLL_BACK | Deed.BREAK_GLASS:
            return f"🚫 {power.deed.value}{where}: needs {roles}"


def _examples(
    model: str,
    prefix: str,
    words: Sequence[tuple[str, str]],
    *,
    may_act: bool,
    may_roll_back: bool = False,
) -> list[str]:
    look = [
        f"/{prefix}model {model} – what runs, and its history",
        f"/{prefix}model {model} 2 4 – what changed from v2 to v4",
    ]
    quoted = "A name that holds spaces stands in quotes."
    own = [f"/{prefix}foureyes {word} – {about}" for word, about in words]
    if not may_act:
        return [*look, *own, quoted]
    back = [
        f"/{prefix}rollback {model} – last good version, one button",
        f"/{prefix}rollback {model} 2 approvals spiked – a certain one",
    ]
    return [
        f"/{prefix}promote {model} 4 – ask for v4; a form helps",
        f"/{prefix}promote {model} 4 {Stage.PRODUCTION.value.casefold()} better AUC – in one line",
        *(back if may_roll_back else []),
        *look,
        *own,
        quoted,
    ]


def no_such_word(typed: str, meant: str | None, prefix: str) -> str:
    """To whoever typed a word that is none."""
    hint = f"Did you mean {meant}?" if meant else f"/{prefix}foureyes help shows what there is."
    return f"There is no /{prefix}foureyes {typed}. {hint}"


def command_of_its_own(command: str, rest: str) -> str:
    """To whoever put /foureyes in front of another command."""
    return f"That is a command of its own: type {f'{command} {rest}'.strip()}"


def no_such_command(typed: str, meant: str | None) -> str:
    """To whoever typed a command that this app does not have."""
    hint = f"Did you mean /{meant}?" if meant else "/foureyes shows what there is."
    return f"There is no command {typed} here. {hint}"
