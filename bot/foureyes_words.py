"""What `/foureyes WORD` does: one table, in which a new word is one line. Decides nothing.

A word that is none is answered with the nearest one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot import views
from bot.manifest import COMMANDS
from bot.messages import away_words, help_words
from bot.typed import parse_away
from bot.views import Drawn
from governance.domain.identity import Actor, PersonId
from governance.domain.suggestion import nearest
from governance.use_cases.away import Leave, away_now, come_back, go_away
from governance.use_cases.grouped import rules_shown
from governance.use_cases.world import World

_FOUREYES = "foureyes"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One `/foureyes WORD REST`: who typed it, and what stands behind the word."""

    actor: Actor
    rest: str
    prefix: str
    """What this workspace puts before each command's name, such as `fe-`."""


Answer = Callable[[World, Asked], Drawn]


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word after `/foureyes`."""

    usage: str
    """What may stand behind it, for the help; empty when nothing does."""
    about: str
    """What it is good for, in a few words."""
    answer: Answer
    for_everybody: bool = False
    """Also for an account of nobody, which can only look."""


def _help(world: World, asked: Asked) -> Drawn:
    rules = rules_shown(world)
    is_known = asked.actor.person in rules.roster.people
    lines = help_words.help_lines(
        rules,
        asked.actor,
        prefix=asked.prefix,
        words=[
            (f"{name} {w.usage}".strip(), w.about)
            for name, w in WORDS.items()
            if is_known or w.for_everybody
        ],
    )
    absences, _now = away_now(world)
    away = [away_words.away_line(a, world.rules.current().roster) for a in absences]
    return views.text_blocks("\n".join([*lines, *away]))


def _away(world: World, asked: Asked) -> Drawn:
    if not asked.rest:
        absences, _now = away_now(world)
        roster = world.rules.current().roster
        lines = [away_words.away_line(a, roster) for a in absences] or [away_words.NOBODY]
        return views.text_blocks("\n".join(lines))
    last_day, stand_in = parse_away(asked.rest)
    absence = go_away(
        world,
        Leave(last_day=last_day, stand_in=PersonId(stand_in) if stand_in else None),
        actor=asked.actor,
        standing=world.accounts.standing(asked.actor.account),
    )
    return views.sentence(away_words.gone(absence, world.rules.current().roster))


def _back(world: World, asked: Asked) -> Drawn:
    ended = come_back(world, actor=asked.actor)
    return views.sentence(away_words.back(ended, world.rules.current().roster))


WORDS: Mapping[str, Word] = {
    "away": Word(usage="until 2026-12-24 raj", about=away_words.ABOUT, answer=_away),
    "back": Word(usage="", about="you are back", answer=_back),
    "help": Word(usage="", about="this help", answer=_help, for_everybody=True),
}


def answer(world: World, text: str, *, actor: Actor, command: str) -> Drawn:
    """Answer what was typed after the command; nothing typed means help. Raises as the word's own
    use case does."""
    name, _space, rest = text.strip().partition(" ")
    prefix = command.removeprefix("/").removesuffix(_FOUREYES)
    word = WORDS.get(name.casefold()) if name else WORDS["help"]
    if word is None:
        return views.sentence(_no_such_word(name, rest.strip(), prefix))
    return word.answer(world, Asked(actor=actor, rest=rest.strip(), prefix=prefix))


def no_such_command(typed: str) -> str:
    """To whoever typed a command that Slack delivers and nobody here knows."""
    meant = nearest(typed.removeprefix("/"), COMMANDS)
    return help_words.no_such_command(typed, meant)


def _no_such_word(name: str, rest: str, prefix: str) -> str:
    bare = name.removeprefix("/").removeprefix(prefix)
    commands = [c for c in COMMANDS if c != _FOUREYES]
    if bare.casefold() in commands:
        return help_words.command_of_its_own(f"/{prefix}{bare.casefold()}", rest)
    meant = nearest(bare, [*WORDS, *commands])
    if meant is None:
        return help_words.no_such_word(name, None, prefix)
    whole = f"/{prefix}{meant}" if meant in commands else f"/{prefix}{_FOUREYES} {meant}"
    return help_words.no_such_word(name, f"{whole} {rest}".strip(), prefix)
