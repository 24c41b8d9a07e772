"""Who plays: the people of the shipped `people.yaml`, and somebody who is not in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.manifest import BOT_SCOPES, COMMANDS, EVENTS
from bot.sandbox import CommandHint, Workspace

MODEL = "credit_scoring"
CHANNEL = "#credit-models"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One person of the story."""

    handle: str
    user_id: str
    name: str
    title: str


DANA = Part(handle="dana", user_id="U0DANA", name="Dana", title="data scientist")
ANA = Part(handle="ana", user_id="U0ANA", name="Ana", title="model validator")
RAJ = Part(handle="raj", user_id="U0RAJ", name="Raj", title="risk officer")
OTTO = Part(handle="otto", user_id="U0OTTO", name="Otto", title="engineer on call")
MIA = Part(handle="mia", user_id="U0MIA", name="Mia", title="marketing, outsider")
CAST = (DANA, ANA, RAJ, OTTO)


def furnished(parts: Iterable[Part], *, tz: str = "UTC") -> Workspace:
    """A workspace with these people in the model's channel, and the app as its manifest installs
    it: its scopes, its commands, its Home."""
    workspace = Workspace(
        scopes=BOT_SCOPES,
        commands=[f"/{name}" for name in COMMANDS],
        events=EVENTS,
        home_tab=True,
    )
    parts = tuple(parts)
    for part in parts:
        workspace.add_person(
            part.handle, user_id=part.user_id, name=part.name, title=part.title, tz=tz
        )
    workspace.add_channel(CHANNEL, members=[part.handle for part in parts])
    return workspace


def command_hints() -> tuple[CommandHint, ...]:
    """What Slack's completion shows of each command."""
    return tuple(
        CommandHint(name=f"/{name}", about=about, usage=usage)
        for name, (about, usage) in COMMANDS.items()
    )
