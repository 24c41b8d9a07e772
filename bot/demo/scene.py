"""One scene of the demo: who is there, what they do and read, and what is waited for.

Everything is seen as people see it, or asked of MLflow itself; nothing here knows the story.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bot.demo.applicants import Applicants
from bot.demo.cast import CAST, CHANNEL, MODEL, furnished
from bot.demo.processes import DemoBroken, Program
from bot.demo.registry_view import RegistryView
from bot.demo.scenery import Scenery, scenery
from bot.sandbox import Actor, Message, ShownError, serve

PATIENCE_SECONDS = 15.0

Found = TypeVar("Found")

NAMES = {part.handle: part.name for part in CAST}


@dataclass
class Scene:
    """What the steps share."""

    around: Scenery
    applicants: Applicants
    registry: RegistryView
    people: dict[str, Actor]
    step_number: int = 0

    @property
    def bot(self) -> Program:
        """The bot that runs now."""
        if self.around.bot is None:
            raise DemoBroken("the bot was not started")
        return self.around.bot

    def step(self, title: str) -> None:
        """Begin the next step."""
        self.step_number += 1
        print(f"\n{self.step_number:2}. {title}", flush=True)

    def does(self, name: str, what: str) -> None:
        """What somebody does."""
        print(f"    {NAMES[name]:5} › {what}", flush=True)

    def reads(self, name: str, text: str) -> None:
        """What somebody reads, indented and whole."""
        lines = [line for line in text.strip().splitlines() if line.strip()]
        for number, line in enumerate(lines):
            who = f"{NAMES[name]:5} ‹ " if number == 0 else " " * 8
            print(f"    {who}{line}", flush=True)

    def note(self, text: str) -> None:
        """What is so now."""
        print(f"    = {text}", flush=True)

    def person(self, name: str) -> Actor:
        """Somebody of the story."""
        return self.people[name]

    def wait(self, what: str, look: Callable[[], Found | None]) -> Found:
        """Wait for something in the workspace or MLflow.

        Raises:
            DemoBroken: it did not happen; with the end of the bot's log.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            if self.bot.process.poll() is not None:
                break
            time.sleep(0.05)
        raise DemoBroken(f"this did not happen: {what}\n{self._last_read()}\n{self.bot.tail()}")

    def _last_read(self) -> str:
        """What everybody read last, for whoever has to find out what went wrong."""
        return "\n".join(
            f"{name} read: {person.sees(message)}"
            for name, person in self.people.items()
            for message in [*person.ephemerals()[-1:], *person.direct_messages()[-1:]]
        )

    def type(self, name: str, text: str) -> None:
        """Somebody types into the channel."""
        self.does(name, text)
        try:
            self.person(name).type(CHANNEL, text)
        except ShownError as error:
            raise DemoBroken(f"Slack shows {name}: {error.shown}\n{self.bot.tail()}") from error

    def answer(self, name: str, since: int, containing: str) -> Message:
        """Wait for a message that only this person sees, newer than the first `since`."""
        person = self.person(name)

        def look() -> Message | None:
            fresh = person.ephemerals()[since:]
            return next((m for m in fresh if containing in person.sees(m)), None)

        return self.wait(f"{name} reads “{containing}”", look)

    def seen(self, name: str) -> int:
        """How many such messages there are so far."""
        return len(self.person(name).ephemerals())

    def request(self, version: int, *, target: str) -> Message:
        """Wait for the open request for a version in the channel."""
        dana = self.person("dana")

        def look() -> Message | None:
            for message in reversed(dana.messages(CHANNEL)):
                if "Approve" in message.buttons and f"v{version} → {target}" in dana.sees(message):
                    return message
            return None

        return self.wait(f"a request for v{version} in {CHANNEL}", look)

    def channel_says(self, containing: str) -> str:
        """Wait for a message in the channel, and return it as read."""
        dana = self.person("dana")

        def look() -> str | None:
            texts = [dana.sees(m) for m in reversed(dana.messages(CHANNEL))]
            return next((t for t in texts if containing in t), None)

        return self.wait(f"{CHANNEL} shows “{containing}”", look)

    def stage_is(self, version: int, stage: str) -> None:
        """Wait until MLflow itself shows a version in a stage."""
        self.wait(
            f"MLflow shows v{version} in {stage}",
            lambda: self.registry.stage(MODEL, version) == stage,
        )
        self.note(f"MLflow shows v{version} in {stage}.")


@contextmanager
def scene_in(folder: Path, *, healthy: int) -> Iterator[Scene]:
    """Everything is started, the bot last, and stopped at the end of the block; `healthy` is how
    many applicants arrive before the feed breaks."""
    print("Setting the scene: an MLflow server, a Slack workspace and the bot, all on loopback.")
    workspace = furnished(CAST)
    with serve(workspace) as slack, scenery(folder, slack) as around:
        applicants = Applicants(
            database=around.bank,
            traffic=around.traffic,
            tracking_uri=around.tracking_uri,
            healthy=healthy,
        )
        around.start_bot()
        for part in CAST:
            print(f"    {part.name} is the {part.title}.")
        yield Scene(
            around=around,
            applicants=applicants,
            registry=RegistryView(around.tracking_uri),
            people={part.handle: workspace.as_person(part.handle) for part in CAST},
        )
