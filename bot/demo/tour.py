"""The guided tour beside the workspace: what to try next, noticed from what people see and from
what MLflow says. It types and clicks nothing; its buttons stand for the world outside Slack."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.demo.cast import ANA, CHANNEL, DANA, MIA, MODEL, OTTO, RAJ, Part
from bot.demo.registry_view import RegistryView
from bot.demo.scenery import Scenery
from bot.sandbox import Link, Message, Step, StepButton, Workspace

if TYPE_CHECKING:
    from bot.demo.feed import Feed  # scikit-learn takes seconds to load

_log = logging.getLogger("foureyes.tour")
_LOOK_SECONDS = 0.4
_ABOUT = (
    "You are everybody here: choose who at the top. All of it runs on this machine, and all of it "
    "is real: the models, MLflow, the bot, the record."
)
_AFTER = (
    "That was the tour. Everything stays here until you stop it: reject something, withdraw, ask "
    "for changes, press the ⋯ of a request, or let Otto stand in for Raj: as Raj, type "
    "/foureyes away until {day} otto."
)
NEW = 4
"""The version that the tour is about; v1 is in Production before it begins."""
PAST_THE_BOT = 3
"""The version that somebody moves in MLflow itself."""


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """What the tour looks at."""

    workspace: Workspace
    registry: RegistryView

    def reads(self, part: Part, *parts: str) -> bool:
        """Whether somebody has a message before them that only they see, holding all of these."""
        person = self.workspace.as_person(part.handle)
        own = [*person.ephemerals(), *person.direct_messages()]
        return any(all(p in person.sees(m) for p in parts) for m in own)

    def at_home(self, part: Part, text: str) -> bool:
        """Whether somebody's Home, once they have opened it, holds this."""
        person = self.workspace.as_person(part.handle)
        home = person.home()
        return home is not None and text in person.sees(home)

    def in_channel(self, *parts: str) -> list[Message]:
        """Messages of the model's channel that hold all of these."""
        person = self.workspace.as_person(DANA.handle)
        return [m for m in person.messages(CHANNEL) if all(p in person.sees(m) for p in parts)]

    def in_thread(self, message: Message, part: str) -> bool:
        """Whether a reply to it holds this."""
        person = self.workspace.as_person(DANA.handle)
        return any(part in person.sees(m) for m in person.thread(message))

    def stage(self, version: int) -> str:
        """What MLflow itself says; empty for a version that is not there."""
        return self.registry.stages(MODEL).get(version, "")


@dataclass(frozen=True, kw_only=True)
class _Stop:
    """A step, and how it is noticed."""

    step: Step
    is_done: Callable[[Eyes], bool]


def _stops() -> tuple[_Stop, ...]:
    request = f"{MODEL} v{NEW} → Production"
    return (
        _Stop(
            step=Step(
                title="A new version arrives",
                text="v1 is in Production. Dana’s pipeline trains v4, as it does every month. "
                "Foureyes notices it and tells the channel what it would change.",
                place=CHANNEL,
                button=StepButton(id="train", label="Train v4"),
            ),
            # Whoever is faster than the next look needs no announcement any more.
            is_done=lambda eyes: (
                bool(eyes.in_channel(f"{MODEL} v{NEW}")) or eyes.stage(NEW) not in ("", "None")
            ),
        ),
        _Stop(
            step=Step(
                title="Dana asks for Staging",
                text="She types this into the channel, or clicks Promote under the announcement "
                "and gives a reason. Staging needs nobody’s approval here, so it happens at once.",
                person=DANA.handle,
                place=CHANNEL,
                typed=f"/promote {MODEL} {NEW} staging easier to explain than the forest",
            ),
            is_done=lambda eyes: eyes.stage(NEW) not in ("", "None"),
        ),
        _Stop(
            step=Step(
                title="… and for Production",
                text="Policy runs its checks first. Then Foureyes asks a validator and a risk "
                "officer, and shows everybody what changed against v1.",
                person=DANA.handle,
                place=CHANNEL,
                typed=f"/promote {MODEL} {NEW} production easier to explain than the forest",
            ),
            is_done=lambda eyes: bool(eyes.in_channel(request)),
        ),
        _Stop(
            step=Step(
                title="Dana clicks Approve herself",
                text="Whoever made a version, or asked for it, does not approve it. That is the "
                "four-eyes rule.",
                person=DANA.handle,
                place=CHANNEL,
            ),
            is_done=lambda eyes: eyes.reads(DANA, "Not counted"),
        ),
        _Stop(
            step=Step(
                title="Mia clicks Approve",
                text="She can read the channel, but people.yaml does not know her.",
                person=MIA.handle,
                place=CHANNEL,
            ),
            is_done=lambda eyes: eyes.reads(MIA, "people.yaml"),
        ),
        _Stop(
            step=Step(
                title="Ana looks at her Home",
                text="What waits for her, what she asked for, and what is in Production: a page of "
                "the app for each person.",
                person=ANA.handle,
                place="home",
            ),
            is_done=lambda eyes: eyes.at_home(ANA, f"{MODEL} v{NEW}"),
        ),
        _Stop(
            step=Step(
                title="Ana approves",
                text="Foureyes asked her in a direct message, because her approval fills the seat "
                "of a validator.",
                person=ANA.handle,
                place="@foureyes",
            ),
            is_done=lambda eyes: any(
                eyes.in_thread(m, "Ana Ruiz approved") for m in eyes.in_channel(request)
            ),
        ),
        _Stop(
            step=Step(
                title="Raj approves",
                text="That fills the last seat. Only now does Foureyes move the stage in MLflow.",
                person=RAJ.handle,
                place="@foureyes",
            ),
            is_done=lambda eyes: bool(eyes.in_channel(request, "Done.")),
        ),
        _Stop(
            step=Step(
                title="2 a.m.",
                text="Break the model’s inputs: credit_amount arrives a hundred times too large, "
                "as when a system upstream changes its unit. Then touch nothing, and watch.",
                place=CHANNEL,
                button=StepButton(id="break", label="Break the model’s inputs", is_danger=True),
            ),
            is_done=lambda eyes: bool(eyes.in_channel(f"Rolled back: {MODEL} v{NEW}")),
        ),
        _Stop(
            step=Step(
                title="Otto acknowledges",
                text="The alert mentions him. Under it stands what was seen, in a sentence for a "
                "regulator, and how long it took.",
                person=OTTO.handle,
                place=CHANNEL,
            ),
            is_done=lambda eyes: any(
                eyes.in_thread(m, "acknowledged") for m in eyes.in_channel(MODEL)
            ),
        ),
        _Stop(
            step=Step(
                title="Somebody goes past Foureyes",
                text="MLflow lets anybody move a stage. Foureyes notices, records it, and tells "
                "who is on call.",
                place=CHANNEL,
                button=StepButton(id="past", label="Move v3 in MLflow itself", is_danger=True),
            ),
            is_done=lambda eyes: bool(eyes.in_channel("outside Foureyes", f"v{PAST_THE_BOT}")),
        ),
        _Stop(
            step=Step(
                title="Otto rolls back",
                text="One command, one button, about a second.",
                person=OTTO.handle,
                place=CHANNEL,
                typed=f"/rollback {MODEL} nobody approved v{PAST_THE_BOT}",
            ),
            is_done=lambda eyes: bool(eyes.in_channel("Rolled back", f"was v{PAST_THE_BOT}")),
        ),
        _Stop(
            step=Step(
                title="Otto breaks the glass",
                text="An emergency, and nobody who may approve is awake. Policy refuses him, and "
                "its answer has a button: Break glass. It takes a reason and an incident.",
                person=OTTO.handle,
                place=CHANNEL,
                typed=f"/promote {MODEL} {NEW} production its rules are needed tonight",
            ),
            is_done=lambda eyes: bool(eyes.in_channel(f"Break-glass: {MODEL} v{NEW}")),
        ),
        _Stop(
            step=Step(
                title="Ana reviews it",
                text="Everybody who was skipped was told at once. They accept it, or demand that "
                "it goes back; until then it waits in their Home.",
                person=ANA.handle,
                place=CHANNEL,
            ),
            is_done=lambda eyes: any(
                eyes.in_thread(m, "accepts it") or eyes.in_thread(m, "demands a rollback")
                for m in eyes.in_channel(f"Break-glass: {MODEL} v{NEW}")
            ),
        ),
        _Stop(
            step=Step(
                title="What was in Production, and why?",
                text="The trail that an auditor asks for.",
                place=CHANNEL,
                typed=f"/model {MODEL}",
            ),
            is_done=lambda eyes: any(
                eyes.reads(part, "Production:", "Rolled back")
                for part in (DANA, ANA, RAJ, OTTO, MIA)
            ),
        ),
        _Stop(
            step=Step(
                title="Does the record hold?",
                text="Every step above is one record in a log that is held against heads kept "
                "outside the database.",
                button=StepButton(id="verify", label="foureyes audit verify"),
            ),
            is_done=lambda _eyes: False,
        ),
    )


def _in_a_week() -> str:
    return (datetime.now(UTC) + timedelta(days=7)).date().isoformat()


@dataclass
class Tour:
    """Implements the page's `Guide`."""

    workspace: Workspace
    title: str = "Setting the scene"
    about: str = ""
    percent: int | None = 0
    links: Sequence[Link] = ()
    _steps: tuple[Step, ...] = ()
    _buttons: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def steps(self) -> Sequence[Step]:
        """As they were noticed last."""
        return self._steps

    def press(self, button_id: str) -> str:
        """What a step's button says, done in the page's own thread."""
        action = self._buttons.get(button_id)
        if action is None:
            return "This button belongs to no step now."
        try:
            return action()
        except Exception as problem:  # whatever went wrong outside, the page goes on
            _log.exception("a button of the tour broke")
            return f"That did not work: {type(problem).__name__}. Try it again."

    def say(self, about: str, percent: int) -> None:
        """What is going on, while the scene is being set."""
        self.about, self.percent = about, percent
        self.workspace.state.wake()

    def begin(self, around: Scenery, feed: Feed, train: Callable[[int], None]) -> None:
        """The scene is set: show the steps, and notice from now on what was done."""
        registry = RegistryView(around.tracking_uri)

        def train_new() -> str:
            if NEW in registry.stages(MODEL):
                return "v4 is there already."
            train(NEW)
            return "v4 is trained and registered. Look at the channel."

        def go_past() -> str:
            registry.set_stage(MODEL, PAST_THE_BOT, "Production")
            return "Done in MLflow, past Foureyes. It looks every two seconds here."

        def break_inputs() -> str:
            if registry.production(MODEL) != [NEW] and not feed.is_running:
                return "Put v4 into Production first: it is the one that minds."
            return feed.begin()

        def verify() -> str:
            code, told = around.foureyes("audit", "verify")
            if code == 0:
                self._done.add("Does the record hold?")
            return told

        self._buttons = {
            "train": train_new,
            "break": break_inputs,
            "past": go_past,
            "verify": verify,
        }
        self.links = (Link(label="Open MLflow", url=f"{around.tracking_uri}/#/models/{MODEL}"),)
        eyes = Eyes(workspace=self.workspace, registry=registry)
        stops = _stops()
        self._steps = tuple(stop.step for stop in stops)
        self.title, self.about, self.percent = "Try it", _ABOUT, None
        self.workspace.state.wake()
        threading.Thread(target=self._notice, args=(eyes, stops), name="tour", daemon=True).start()

    def end(self) -> None:
        """Notice nothing more."""
        self._stop.set()

    def _notice(self, eyes: Eyes, stops: Sequence[_Stop]) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            reached = self._reached(eyes, stops)
            steps = tuple(
                replace(stop.step, is_done=number < reached) for number, stop in enumerate(stops)
            )
            if steps != self._steps:
                self._steps = steps
                if reached == len(stops):
                    self.title, self.about = "All done", _AFTER.format(day=_in_a_week())
                else:
                    self.about = ""
                self.workspace.state.wake()

    def _reached(self, eyes: Eyes, stops: Sequence[_Stop]) -> int:
        """How many steps are done or passed by: whoever leaps ahead is not held at what can no
        longer be done."""
        for number, stop in reversed([*enumerate(stops, start=1)]):
            if stop.step.title in self._done:
                return number
            try:
                is_done = stop.is_done(eyes)
            except Exception:  # MLflow is being stopped, or did not answer
                _log.debug("a step could not be looked at", exc_info=True)
                return sum(step.is_done for step in self._steps)
            if is_done:
                self._done.add(stop.step.title)
                return number
        return 0
