"""What stands beside the workspace: steps to try next, which notice by themselves when they were
done. The workspace knows only that there are some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class StepButton:
    """Something that happens outside the workspace; `id` comes back to `Guide.press`."""

    id: str
    label: str
    is_danger: bool = False
    """Whether it breaks something."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """An address that belongs to the scene, such as that of the MLflow server."""

    label: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to try: as whom, where, and what to type, where there is something to type."""

    title: str
    text: str
    is_done: bool = False
    person: str = ""
    """A handle; empty where anybody may."""
    place: str = ""
    """A channel by its name, `@` and the app's handle for direct messages, or `home`."""
    typed: str = ""
    """What "Type it for me" puts into the composer; never sent by itself."""
    button: StepButton | None = None


class Guide(Protocol):
    """A tour. `steps` is asked after every change, so it answers from memory."""

    @property
    def title(self) -> str:
        """Over the steps."""

    @property
    def about(self) -> str:
        """A sentence or two below the title: what this is, or what is going on."""

    @property
    def percent(self) -> int | None:
        """How far the scene is set, and None when it is."""

    @property
    def links(self) -> Sequence[Link]:
        """Where else to look."""

    def steps(self) -> Sequence[Step]:
        """In order; the first that is not done is what to try next."""

    def press(self, button_id: str) -> str:
        """Do what a step's button says; the sentence that the person reads about it."""


class NoGuide:
    """A workspace without a tour."""

    title = ""
    about = ""
    percent: int | None = None
    links: Sequence[Link] = ()

    def steps(self) -> Sequence[Step]:
        """None, always."""
        return ()

    def press(self, button_id: str) -> str:
        """There is no button."""
        return f"There is no button {button_id}."
