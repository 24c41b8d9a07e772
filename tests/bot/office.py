"""An office: the desk of the stories with people in Slack in front of it, over the real wire."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from slack_sdk import WebClient

from bot.conversation import Conversation
from bot.directory import SlackAccounts
from bot.manifest import BOT_SCOPES, EVENTS, USER_GROUPS_SCOPE
from bot.mlflow_ui import MlflowUi
from bot.sandbox import Actor, Clock, Limits, Message, View, Workspace, serve
from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from tests.sandbox.stage import CHANNEL, connected
from tests.stories.desk import Desk, HandClock

PEOPLE = ("dana", "ana", "vera", "raj", "rosa", "otto")


@dataclass
class Office:
    """The desk of the stories, with people in Slack in front of it."""

    desk: Desk
    slack: Workspace
    conversation: Conversation
    client: WebClient

    def replica(self) -> Conversation:
        """A second process of the bot beside the first, with nothing in common but the store."""
        return _conversation(self.desk, self.client)

    def person(self, name: str) -> Actor:
        """Somebody."""
        return self.slack.as_person(name)

    def request(self, person: str = "dana") -> Message:
        """The newest message in the channel that can be decided on."""
        actor = self.person(person)
        return self.slack.wait_for(
            lambda: next(
                (m for m in reversed(actor.messages(CHANNEL)) if "Approve" in m.buttons), None
            )
        )

    def reads(self, name: str, containing: str) -> Message:
        """Wait for something that only this person sees."""
        person = self.person(name)
        return self.slack.wait_for(
            lambda: next(
                (
                    m
                    for m in (*person.ephemerals(), *person.direct_messages())
                    if containing in person.sees(m)
                ),
                None,
            )
        )

    def home(self, name: str, containing: str = "") -> View:
        """Wait until this person's Home says that; it is drawn again as the ticker would."""
        person = self.person(name)
        for _time in range(500):
            self.desk.clock.advance(seconds=1)
            self.conversation.refresh_homes()
            view = person.home()
            if view is not None and containing in person.sees(view):
                return view
            time.sleep(0.02)
        shown = person.home()
        raise AssertionError(f"{containing!r} is not in:\n{person.sees(shown) if shown else shown}")

    def channel_says(self, containing: str) -> Message:
        """Wait for a message in the channel."""
        dana = self.person("dana")
        return self.slack.wait_for(
            lambda: next((m for m in dana.messages(CHANNEL) if containing in dana.sees(m)), None)
        )


@contextmanager
def open_office(
    url: str,
    heads_path: Path,
    *,
    mlflow_ui: str = "",
    limits: Limits | None = None,
    slack_clock: Clock | None = None,
    more_scopes: tuple[str, ...] = (USER_GROUPS_SCOPE,),
    draws_comparisons: bool = False,
) -> Iterator[Office]:
    """Everybody is there; the bot's own conversation listens."""
    heads = HeadFile(heads_path)
    clock = HandClock()
    store = open_store(url, heads, clock=clock)
    store.upgrade()
    desk = Desk(store=store, heads=heads, clock=clock)
    slack = Workspace(
        limits=limits or Limits(posts_per_second=0),
        clock=slack_clock,
        scopes=(*BOT_SCOPES, *more_scopes),
        events=EVENTS,
        home_tab=True,
        commands=(
            "/promote",
            "/rollback",
            "/model",
            "/foureyes",
            "/fe-promote",
            "/fe-foureyes",
            "/promot",
        ),
    )
    for name in PEOPLE:
        slack.add_person(name, user_id=f"U0{name.upper()}")
    slack.add_person("mallory")
    slack.add_channel(CHANNEL, members=[*PEOPLE, "mallory"])
    with serve(slack) as server:
        client = WebClient(token=server.bot_token, base_url=server.api_url)
        conversation = _conversation(desk, client, mlflow_ui, draws_comparisons=draws_comparisons)
        with connected(server, conversation.bolt_app()):
            yield Office(desk=desk, slack=slack, conversation=conversation, client=client)
        conversation.drain()
    store.close()


def _conversation(
    desk: Desk, client: WebClient, mlflow_ui: str = "", *, draws_comparisons: bool = False
) -> Conversation:
    world = replace(desk.world, accounts=SlackAccounts(client, elapsed=desk.world.elapsed))
    return Conversation(
        world,
        client,
        rollback_click=timedelta(minutes=5),
        ui=MlflowUi(mlflow_ui),
        draws_comparisons=draws_comparisons,
    )
