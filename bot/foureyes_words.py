"""What `/foureyes WORD` does: one table, in which a new word is one line. Decides nothing.

A word that is none is answered with the nearest one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot import help_words, views
from bot.manifest import COMMANDS
from bot.views import Drawn
from governance.domain.identity import Actor
from governance.domain.suggestion import nearest
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


def _help(world: World, asked: Asked) -> Drawn:
    lines = help_words.help_lines(
        rules_shown(world),
        asked.actor,
        prefix=asked.prefix,
        words=[(f"{name} {w.usage}".strip(), w.about) for name, w in WORDS.items()],
    )
    return views.text_blocks("\n".join(lines))


WORDS: Mapping[str, Word] = {
    "help": Word(usage="", about="this help", answer=_help),
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
