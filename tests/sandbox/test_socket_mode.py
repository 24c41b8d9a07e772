"""Socket Mode: who gets an envelope, and what happens when nobody acknowledges it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from slack_sdk import WebClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_websocket

from bot.sandbox import HandClock, Limits, RunningServer, ShownError, Workspace, serve
from tests.sandbox.raw_app import Envelope, RawApp, link
from tests.sandbox.stage import CHANNEL, bolt_app, connected, furnished

Attach = Callable[..., RawApp]


@pytest.fixture
def attach() -> Iterator[Attach]:
    """Connect raw apps; they close with the test."""
    with ExitStack() as stack:

        def make(
            server: RunningServer,
            answer: Callable[[Envelope], Envelope | None] = lambda envelope: None,
            *,
            is_silent: bool = False,
        ) -> RawApp:
            app = RawApp(server, answer, is_silent=is_silent)
            stack.callback(app.close)
            return app

        yield make


def test_command_without_a_connection_shows_dispatch_failed(workspace: Workspace) -> None:
    """When no app is connected the person is told at once."""
    with pytest.raises(ShownError, match="/promote failed with the error “dispatch_failed”"):
        workspace.as_person("dana").type(CHANNEL, "/promote")


def test_command_without_an_ack_is_lost_and_the_person_told(
    server: RunningServer, attach: Attach
) -> None:
    """A slash command is sent once; without an ack Slack shows operation_timeout."""
    app = attach(server, is_silent=True)
    with pytest.raises(ShownError) as shown:
        server.workspace.as_person("dana").type(CHANNEL, "/promote credit_scoring 4")
    assert shown.value.code == "operation_timeout"
    assert [envelope["type"] for envelope in app.envelopes] == ["slash_commands"]


def test_click_without_an_ack_is_lost_and_the_person_told(
    server: RunningServer, client: WebClient, attach: Attach
) -> None:
    """A click is sent once; without an ack Slack shows that there was trouble."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}}
    blocks = [{"type": "actions", "elements": [button]}]
    client.chat_postMessage(channel=CHANNEL, text="x", blocks=blocks)
    app = attach(server, is_silent=True)
    dana = server.workspace.as_person("dana")
    with pytest.raises(ShownError, match="operation_timeout"):
        dana.click(dana.messages(CHANNEL)[0], "Approve")
    assert len(app.envelopes) == 1


def test_late_ack_counts_for_nothing(server: RunningServer, attach: Attach) -> None:
    """An ack after the window is noted as the app's fault."""
    app = attach(server, is_silent=True)
    with pytest.raises(ShownError):
        server.workspace.as_person("dana").type(CHANNEL, "/promote")
    app.ack(app.envelopes[0])
    server.workspace.wait_for(lambda: server.workspace.violations)
    assert [violation.code for violation in server.workspace.violations] == ["acked_late"]


def test_ack_window_is_three_seconds(clock: HandClock, attach: Attach) -> None:
    """Just before the window ends the person still waits; at its end the error shows."""
    with serve(furnished(Workspace(clock=clock))) as server:
        app = attach(server, is_silent=True)
        outcome: list[str] = []

        def type_it() -> None:
            try:
                server.workspace.as_person("dana").type(CHANNEL, "/promote")
            except ShownError as shown:
                outcome.append(shown.code)
            server.workspace.state.wake()

        waiting = threading.Thread(target=type_it)
        waiting.start()
        app.wait_for(1)
        clock.advance(2.999)
        waiting.join(0.1)
        assert (waiting.is_alive(), outcome) == (True, [])
        clock.advance(0.001)
        server.workspace.wait_for(lambda: outcome)
        waiting.join()
        assert outcome == ["operation_timeout"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("{", "not_json"),
        ("[]", "not_an_object"),
        ('{"envelope_id": "nobody"}', "unknown_envelope"),
        ('{"hello": 1}', "unknown_envelope"),
    ],
)
def test_nonsense_on_the_socket_is_noted(
    server: RunningServer, attach: Attach, reply: str, code: str
) -> None:
    """The wire cannot answer, so the workspace keeps what went wrong."""
    attach(server).socket.send(reply)
    server.workspace.wait_for(lambda: server.workspace.violations)
    assert server.workspace.violations[0].code == code


def test_payload_where_none_is_accepted_is_noted(
    server: RunningServer, client: WebClient, attach: Attach
) -> None:
    """The ack of a click takes no payload."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}}
    blocks = [{"type": "actions", "elements": [button]}]
    client.chat_postMessage(channel=CHANNEL, text="x", blocks=blocks)
    attach(server, lambda envelope: {"text": "done"})
    dana = server.workspace.as_person("dana")
    dana.click(dana.messages(CHANNEL)[0], "Approve")
    assert [v.code for v in server.workspace.violations] == ["answer_not_accepted"]


def test_property_of_an_ack_that_slack_does_not_know_is_noted(
    server: RunningServer, attach: Attach
) -> None:
    """Slack takes the envelope's id and a payload, nothing else."""
    app = attach(server, is_silent=True)
    dana = server.workspace.as_person("dana")
    typing = threading.Thread(target=lambda: dana.type(CHANNEL, "/promote"))
    typing.start()
    envelope = app.wait_for(1)[0]
    app.socket.send(json.dumps({"envelope_id": envelope["envelope_id"], "text": "done"}))
    typing.join()
    assert [v.code for v in server.workspace.violations] == ["unknown_property"]


def test_second_ack_of_an_envelope_is_noted(server: RunningServer, attach: Attach) -> None:
    """One envelope, one ack."""
    app = attach(server)
    server.workspace.as_person("dana").type(CHANNEL, "/promote")
    app.ack(app.envelopes[0])
    server.workspace.wait_for(lambda: server.workspace.violations)
    assert server.workspace.violations[0].code == "acked_twice"


def test_each_envelope_goes_to_one_of_the_connections(
    server: RunningServer, attach: Attach
) -> None:
    """Two replicas share the clicks: each gets some, none gets all, none is doubled."""
    first, second = attach(server), attach(server)
    dana = server.workspace.as_person("dana")
    for number in range(40):
        dana.type(CHANNEL, f"/promote {number}")
    texts = [envelope["payload"]["text"] for envelope in first.envelopes + second.envelopes]
    assert sorted(texts, key=int) == [str(number) for number in range(40)]
    assert first.envelopes
    assert second.envelopes


def test_eleventh_connection_is_turned_away(server: RunningServer, attach: Attach) -> None:
    """Ten connections, then too_many_websockets."""
    apps = [attach(server) for _ in range(11)]
    assert [app.others[0]["type"] for app in apps] == ["hello"] * 10 + ["disconnect"]
    assert apps[10].others[0]["reason"] == "too_many_websockets"
    assert server.workspace.connection_count == 10


def test_a_connection_address_works_once(server: RunningServer) -> None:
    """The ticket in the address opens one connection; without a ticket none opens."""
    address = link(server)
    with connect_websocket(address, proxy=None):
        pass
    for stale in (address, address.partition("ticket=")[0]):
        with pytest.raises(InvalidStatus), connect_websocket(stale, proxy=None):
            pass


def test_hello_names_the_app_and_counts_connections(server: RunningServer, attach: Attach) -> None:
    """The first thing that a connection hears."""
    attach(server)
    hello = attach(server).others[0]
    assert (hello["num_connections"], hello["connection_info"]["app_id"]) == (2, "A00000001")


def test_event_without_an_ack_is_sent_again_on_schedule(clock: HandClock, attach: Attach) -> None:
    """Again at once, after a minute, after five; then it is lost."""
    scopes = ["chat:write", "channels:history"]
    workspace = furnished(Workspace(clock=clock, scopes=scopes, events=["message.channels"]))
    with serve(workspace) as server:
        app = attach(server, is_silent=True)
        workspace.as_person("dana").type(CHANNEL, "hello")
        app.wait_for(1)
        for attempt, seconds in enumerate((3.0, 63.0, 303.0), start=2):
            clock.advance(seconds)
            app.wait_for(attempt)
        clock.advance(3.0)
        workspace.wait_for(lambda: workspace.state.socket_mode.lost_events)
    sent = [(e["retry_attempt"], e["retry_reason"]) for e in app.envelopes]
    assert sent == [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")]
    assert len({e["payload"]["event_id"] for e in app.envelopes}) == 1


def test_event_with_an_ack_is_sent_once(clock: HandClock, attach: Attach) -> None:
    """An acknowledged event is done with."""
    scopes = ["chat:write", "channels:history"]
    workspace = furnished(Workspace(clock=clock, scopes=scopes, events=["message.channels"]))
    with serve(workspace) as server:
        app = attach(server)
        workspace.as_person("dana").type(CHANNEL, "a < b & c")
        workspace.wait_for(lambda: workspace.state.socket_mode.next_due_seconds() is None)
        clock.advance(3600)
        workspace.as_person("dana").type(CHANNEL, "second")
        texts = [e["payload"]["event"]["text"] for e in app.wait_for(2)]
    assert texts == ["a &lt; b &amp; c", "second"]


def test_event_waits_for_a_connection(clock: HandClock, attach: Attach) -> None:
    """Without a connection the event comes with a later attempt."""
    workspace = furnished(Workspace(clock=clock, events=["channel_archive"]))
    with serve(workspace) as server:
        workspace.archive(CHANNEL)
        app = attach(server)
        clock.advance(60)
        [envelope] = app.wait_for(1)
    assert envelope["payload"]["event"]["type"] == "channel_archive"


@pytest.mark.parametrize(
    ("event", "said"), [("message.channels", "channels:history"), ("reaction_added", "implement")]
)
def test_event_subscription_without_its_scope_is_refused(event: str, said: str) -> None:
    """As in Slack's settings, an event needs its scope; an unknown one is refused."""
    with pytest.raises(ValueError, match=said):
        Workspace(events=[event])


def test_events_of_leaving_and_home_are_sent(server: RunningServer, attach: Attach) -> None:
    """Only what the app subscribed to is sent."""
    limits = Limits(posts_per_second=0)
    events = ["member_left_channel", "app_home_opened"]
    workspace = furnished(Workspace(limits=limits, events=events))
    with serve(workspace) as other:
        app = attach(other)
        workspace.remove_bot(CHANNEL)
        workspace.as_person("dana").open_home()
        workspace.archive(CHANNEL)
        kinds = {e["payload"]["event"]["type"] for e in app.wait_for(2)}
    assert kinds == set(events)


def test_bolt_reconnects_when_slack_asks() -> None:
    """After `disconnect` the SDK's client is back on a new connection and gets commands."""
    workspace = furnished(Workspace())
    with serve(workspace) as server:
        app = bolt_app(server)
        app.command("/promote")(lambda ack: ack("heard"))
        with connected(server, app):
            workspace.ask_to_reconnect()
            workspace.wait_for(lambda: workspace.connection_count == 1)
            answer = workspace.as_person("dana").type(CHANNEL, "/promote")
    assert answer is not None
    assert (answer.text, answer.is_ephemeral) == ("heard", True)


def test_workspace_can_stop_and_come_back_on_the_same_port(attach: Attach) -> None:
    """Slack down and up again, with everything that was in it."""
    workspace = furnished(Workspace())
    with serve(workspace) as server:
        port = server.port
        WebClient(token=server.bot_token, base_url=server.api_url).chat_postMessage(
            channel=CHANNEL, text="before"
        )
    with serve(workspace, port) as again:
        attach(again)
        assert again.port == port
    assert [message.text for message in workspace.messages(CHANNEL)] == ["before"]


def test_envelopes_look_like_slacks(server: RunningServer, attach: Attach) -> None:
    """The shape of a slash command's envelope, whole."""
    app = attach(server)
    server.workspace.as_person("dana").type(CHANNEL, "/promote credit_scoring  4 ")
    [envelope] = app.envelopes
    assert set(envelope) == {"envelope_id", "type", "accepts_response_payload", "payload"}
    payload = envelope["payload"]
    assert (payload["command"], payload["text"]) == ("/promote", "credit_scoring  4")
    assert (payload["user_name"], payload["channel_name"]) == ("dana", "credit-models")
    assert json.dumps(payload).count(server.bot_token) == 0
