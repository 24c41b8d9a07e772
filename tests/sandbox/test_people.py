"""People at their clients: what they can do, and what Slack shows them when they cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox import Message, NoSuchInput, RunningServer, ShownError, View, Workspace
from tests.sandbox.raw_app import Envelope, RawApp
from tests.sandbox.stage import CHANNEL, error_of

Attach = Callable[..., RawApp]


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def button(label: str, action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(label), "action_id": action_id, **more}


CONFIRM = {
    "title": plain("Sure?"),
    "text": plain("This goes to Production."),
    "confirm": plain("Yes"),
    "deny": plain("No"),
}
BLOCKS = [
    {
        "type": "actions",
        "block_id": "decide",
        "elements": [
            button("Approve", "approve", value="digest-1"),
            button("Reject", "reject", confirm=CONFIRM),
            {
                "type": "static_select",
                "action_id": "stage",
                "options": [
                    {"text": plain("Staging"), "value": "staging"},
                    {"text": plain("Production"), "value": "production"},
                ],
            },
        ],
    }
]


def field(block_id: str, label: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": {"action_id": "value", **element},
        **more,
    }


OPTIONS = [{"text": plain(name), "value": name.lower()} for name in ("Low", "High")]
FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Form"),
    "submit": plain("Send"),
    "notify_on_close": True,
    "private_metadata": "request 7",
    "blocks": [
        field("reason", "Reason", {"type": "plain_text_input", "max_length": 10}),
        field("risk", "Risk", {"type": "radio_buttons", "options": OPTIONS}),
        field("who", "Who", {"type": "users_select"}, optional=True),
        field("when", "When", {"type": "datepicker"}, optional=True),
        field("tick", "Ticks", {"type": "checkboxes", "options": OPTIONS}, optional=True),
        {"type": "actions", "elements": [button("Preview", "preview")]},
    ],
}


class Answers:
    """What the raw app answers next to a submission; nothing at first."""

    def __init__(self) -> None:
        self.next: Envelope | None = None

    def __call__(self, envelope: Envelope) -> Envelope | None:
        is_submission = envelope["payload"].get("type") == "view_submission"
        is_command = envelope["type"] == "slash_commands"
        return self.next if is_submission or is_command else None


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def raw(server: RunningServer, answers: Answers) -> Iterator[RawApp]:
    with ExitStack() as stack:
        app = RawApp(server, answers)
        stack.callback(app.close)
        yield app


@pytest.fixture
def message(client: WebClient, workspace: Workspace) -> Message:
    """A message with buttons in the channel."""
    client.chat_postMessage(channel=CHANNEL, text="Promote v4?", blocks=BLOCKS)
    return workspace.messages(CHANNEL)[0]


@pytest.fixture
def form(raw: RawApp, client: WebClient, workspace: Workspace) -> View:
    """The form, open on dana's screen."""
    workspace.as_person("dana").type(CHANNEL, "/promote")
    client.views_open(trigger_id=raw.envelopes[-1]["payload"]["trigger_id"], view=FORM)
    view = workspace.as_person("dana").modal()
    assert view is not None
    return view


FILLED: dict[str, Any] = {"Reason": "good", "Risk": "Low"}


def test_unknown_command_is_no_command(workspace: Workspace) -> None:
    """Slack itself answers a command that no app has registered."""
    with pytest.raises(ShownError, match="/deploy is not a valid command"):
        workspace.as_person("dana").type(CHANNEL, "/deploy now")


def test_command_without_the_scope_is_no_command() -> None:
    """Without the scope the app's commands do not exist."""
    workspace = Workspace(scopes=["chat:write"])
    workspace.add_person("dana")
    workspace.add_channel("#x", members=["dana"])
    with pytest.raises(ShownError, match="not_a_command"):
        workspace.as_person("dana").type("#x", "/promote")


def test_command_in_a_thread_is_refused(workspace: Workspace, message: Message) -> None:
    """Slash commands do not work in threads."""
    with pytest.raises(ShownError, match="/promote is not supported in threads"):
        workspace.as_person("dana").type(CHANNEL, "/promote", thread=message)


@pytest.mark.parametrize("text", ["/promote", "hello"])
def test_typing_where_one_may_not_is_refused(workspace: Workspace, text: str) -> None:
    """An archived channel, a channel that one has not joined, a private one, an account gone."""
    workspace.add_channel("#old", members=["dana"])
    workspace.archive("#old")
    workspace.add_channel("#others")
    workspace.add_channel("#secret", is_private=True)
    dana = workspace.as_person("dana")
    shown = []
    for where in ("#old", "#others", "#secret"):
        with pytest.raises(ShownError) as refused:
            dana.type(where, text)
        shown.append(refused.value.code)
    assert shown == ["is_archived", "not_in_channel", "channel_not_found"]
    workspace.set_flags("dana", deleted=True)
    with pytest.raises(ShownError, match="account_inactive"):
        dana.type(CHANNEL, text)


def test_command_reaches_the_app_where_the_bot_is_no_member(
    workspace: Workspace, raw: RawApp
) -> None:
    """Commands work everywhere, also in the direct message with the app."""
    workspace.remove_bot(CHANNEL)
    dana = workspace.as_person("dana")
    dana.type(CHANNEL, "/promote")
    dana.type("@foureyes", "/promote")
    names = [envelope["payload"]["channel_name"] for envelope in raw.envelopes]
    assert names == ["credit-models", "directmessage"]


@pytest.mark.parametrize(
    "answer",
    [{"text": "x", "attachments": []}, {"response_type": "in_channel"}, {"text": 4}],
)
def test_command_answer_that_slack_would_not_show_is_the_apps_fault(
    workspace: Workspace, raw: RawApp, answers: Answers, answer: dict[str, Any]
) -> None:
    """A bad payload in the ack shows the person an error and is noted."""
    answers.next = answer
    with pytest.raises(ShownError, match="dispatch_failed"):
        workspace.as_person("dana").type(CHANNEL, "/promote")
    assert workspace.violations[0].code == "bad_command_answer"


def test_command_answer_is_ephemeral_unless_asked_otherwise(
    workspace: Workspace, raw: RawApp, answers: Answers
) -> None:
    """in_channel makes it visible to all."""
    dana = workspace.as_person("dana")
    answers.next = {"text": "only you"}
    dana.type(CHANNEL, "/promote")
    answers.next = {"text": "everyone", "response_type": "in_channel"}
    dana.type(CHANNEL, "/promote")
    assert [m.text for m in workspace.as_person("ana").messages(CHANNEL)] == ["everyone"]
    assert [m.text for m in dana.ephemerals()] == ["only you"]


def test_click_carries_value_message_and_channel(
    workspace: Workspace, raw: RawApp, message: Message
) -> None:
    """By label or by action id, the app learns which button, where and by whom."""
    dana = workspace.as_person("dana")
    dana.click(message, "Approve")
    dana.click(message, "approve")
    payload = raw.envelopes[1]["payload"]
    [action] = payload["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == (
        "approve",
        "decide",
        "digest-1",
    )
    assert payload["user"]["id"] == dana.id
    assert payload["message"]["ts"] == payload["container"]["message_ts"] == message.ts


def test_button_that_the_message_no_longer_has_cannot_be_clicked(
    workspace: Workspace, raw: RawApp, client: WebClient, message: Message
) -> None:
    """The drawing that counts is the one that stands in the channel now."""
    client.chat_update(channel=message.channel, ts=message.ts, text="decided", blocks=[])
    with pytest.raises(NoSuchInput, match="nothing is called 'Approve' here"):
        workspace.as_person("dana").click(message, "Approve")
    assert raw.envelopes == []


def test_click_on_its_way_during_a_redraw_carries_the_old_value(
    workspace: Workspace, raw: RawApp, client: WebClient, message: Message
) -> None:
    """A person may have pressed what was on the screen a moment ago."""
    client.chat_update(channel=message.channel, ts=message.ts, text="decided", blocks=[])
    workspace.as_person("dana").click_as_drawn(message, "Approve")
    assert raw.envelopes[0]["payload"]["actions"][0]["value"] == "digest-1"


def test_deleted_message_cannot_be_clicked(
    workspace: Workspace, raw: RawApp, message: Message
) -> None:
    """Neither as it stands nor as it was drawn."""
    workspace.delete_message(message)
    dana = workspace.as_person("dana")
    for press in (dana.click, dana.click_as_drawn):
        with pytest.raises(ShownError, match="message_not_found"):
            press(message, "Approve")


def test_denied_confirmation_sends_nothing(
    workspace: Workspace, raw: RawApp, message: Message
) -> None:
    """The dialog stands between the button and the app."""
    dana = workspace.as_person("dana")
    dana.click(message, "Reject", confirm=False)
    dana.click(message, "Reject")
    assert [e["payload"]["actions"][0]["action_id"] for e in raw.envelopes] == ["reject"]


def test_menu_in_a_message_takes_only_its_options(
    workspace: Workspace, raw: RawApp, message: Message
) -> None:
    """A menu is chosen from, a button pressed."""
    dana = workspace.as_person("dana")
    dana.choose(message, "stage", "Production")
    chosen = raw.envelopes[0]["payload"]["actions"][0]["selected_option"]
    assert chosen["value"] == "production"
    with pytest.raises(NoSuchInput, match="there is: Staging, Production"):
        dana.choose(message, "stage", "Archived")
    with pytest.raises(NoSuchInput, match="use choose"):
        dana.click(message, "stage")


def test_ephemeral_buttons_belong_to_one_person(
    workspace: Workspace, raw: RawApp, client: WebClient
) -> None:
    """Nobody else can press what only one person sees."""
    dana = workspace.as_person("dana")
    where = workspace.state.channels.get(CHANNEL).id
    client.chat_postEphemeral(channel=where, user=dana.id, text="x", blocks=BLOCKS)
    [own] = dana.ephemerals()
    with pytest.raises(ShownError, match="message_not_found"):
        workspace.as_person("ana").click(own, "Approve")
    dana.click(own, "Approve")


def test_required_and_overlong_inputs_never_reach_the_app(
    workspace: Workspace, raw: RawApp, form: View
) -> None:
    """Slack's client checks these by itself."""
    before = len(raw.envelopes)
    dana = workspace.as_person("dana")
    missing = dana.fill_and_submit(form, {"Reason": "good"})
    assert missing.errors == {"risk": "Please complete this required field."}
    too_long = dana.fill_and_submit(form, {"reason": "x" * 11, "Risk": "High"})
    assert too_long.errors == {"reason": "Must be at most 10 characters."}
    assert len(raw.envelopes) == before


def test_submission_carries_what_stands_in_the_inputs(
    workspace: Workspace, raw: RawApp, form: View
) -> None:
    """Every kind of input in the form that Slack reports it."""
    dana = workspace.as_person("dana")
    more = {"who": dana.id, "when": "2025-12-10", "tick": ["Low", "High"]}
    assert dana.fill_and_submit(form, FILLED | more).view is None
    view = raw.envelopes[-1]["payload"]["view"]
    values = {block: state["value"] for block, state in view["state"]["values"].items()}
    assert values["reason"] == {"type": "plain_text_input", "value": "good"}
    assert values["risk"]["selected_option"] == OPTIONS[0]
    assert values["who"]["selected_user"] == dana.id
    assert values["when"]["selected_date"] == "2025-12-10"
    assert values["tick"]["selected_options"] == OPTIONS
    assert (view["callback_id"], view["private_metadata"]) == ("form", "request 7")


def test_input_that_is_not_there_cannot_be_filled_in(workspace: Workspace, form: View) -> None:
    """A person can only enter what the modal shows."""
    with pytest.raises(NoSuchInput, match="nothing is called 'Ticket' here; there is: "):
        workspace.as_person("dana").fill_and_submit(form, {"Ticket": "X-1"})


def test_errors_of_the_app_show_under_the_input(
    workspace: Workspace, answers: Answers, form: View
) -> None:
    """The modal stays open with what was entered."""
    answers.next = {"response_action": "errors", "errors": {"reason": "Say more."}}
    dana = workspace.as_person("dana")
    outcome = dana.fill_and_submit(form, FILLED)
    assert (outcome.is_accepted, outcome.errors) == (False, {"reason": "Say more."})
    answers.next = None
    assert dana.fill_and_submit(form).is_accepted


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"response_action": "errors", "errors": {"nowhere": "x"}}, "errors_without_input"),
        ({"response_action": "errors", "errors": {}}, "errors_without_input"),
        ({"response_action": "reload"}, "unknown_response_action"),
        ({"response_action": "update", "view": {"type": "modal"}}, "invalid_arguments"),
        ({"response_action": "clear", "text": "bye"}, "unknown_property"),
    ],
)
def test_submission_answer_that_slack_refuses_is_the_apps_fault(
    workspace: Workspace, answers: Answers, form: View, answer: dict[str, Any], code: str
) -> None:
    """The person sees trouble, the modal stays, the fault is noted."""
    answers.next = answer
    dana = workspace.as_person("dana")
    with pytest.raises(ShownError, match="invalid_response: We had some trouble connecting"):
        dana.fill_and_submit(form, FILLED)
    assert dana.modal() is not None
    assert workspace.violations[0].code == "bad_submission_answer"
    assert code in workspace.violations[0].detail


def test_submission_without_an_ack_leaves_the_modal_open(
    workspace: Workspace, raw: RawApp, form: View
) -> None:
    """Lost, and the person told; trying again works."""
    dana = workspace.as_person("dana")
    raw.is_silent = True
    with pytest.raises(ShownError, match="operation_timeout"):
        dana.fill_and_submit(form, FILLED)
    raw.is_silent = False
    assert dana.fill_and_submit(form).is_accepted


def test_views_are_pushed_up_to_three_and_cleared_together(
    workspace: Workspace, answers: Answers, form: View
) -> None:
    """update replaces, push stacks, a fourth is refused, clear closes all."""
    dana = workspace.as_person("dana")
    answers.next = {"response_action": "update", "view": FORM | {"title": plain("Second")}}
    shown = dana.fill_and_submit(form, FILLED).view
    assert shown is not None
    assert (shown.id, shown.title) == (form.id, "Second")
    answers.next = {"response_action": "push", "view": FORM}
    for _ in range(2):
        shown = dana.fill_and_submit(shown, FILLED).view
        assert shown is not None
    with pytest.raises(ShownError):
        dana.fill_and_submit(shown, FILLED)
    assert workspace.violations[0].detail.startswith("push_limit_reached")
    with pytest.raises(ShownError, match="not on the screen any more"):
        dana.fill_and_submit(form, FILLED)
    answers.next = {"response_action": "clear"}
    assert dana.fill_and_submit(shown, FILLED).view is None


def test_update_of_a_view_checks_its_hash_and_keeps_what_was_entered(
    workspace: Workspace, client: WebClient, answers: Answers, form: View
) -> None:
    """Two updates cannot overwrite each other unnoticed."""
    dana = workspace.as_person("dana")
    answers.next = {"response_action": "errors", "errors": {"reason": "Say more."}}
    dana.fill_and_submit(form, FILLED)
    changed = FORM | {"title": plain("Changed")}
    client.views_update(view_id=form.id, hash=form.hash, view=changed)
    stale = {"view_id": form.id, "hash": form.hash, "view": FORM}
    assert error_of(client, "views.update", **stale) == "hash_conflict"
    view = dana.modal()
    assert view is not None
    assert view.title == "Changed"
    assert view.values["reason"] == {"value": {"type": "plain_text_input", "value": "good"}}


def test_external_id_names_one_open_view(
    workspace: Workspace, client: WebClient, raw: RawApp
) -> None:
    """A second open view cannot take it; an update finds it by it."""
    view = FORM | {"external_id": "request-7"}
    for who, refusal in (("dana", ""), ("ana", "duplicate_external_id")):
        workspace.as_person(who).type(CHANNEL, "/promote")
        trigger = raw.envelopes[-1]["payload"]["trigger_id"]
        assert error_of(client, "views.open", trigger_id=trigger, view=view) == refusal
    client.views_update(external_id="request-7", view=view | {"title": plain("Found")})
    shown = workspace.as_person("dana").modal()
    assert shown is not None
    assert shown.title == "Found"


def test_button_in_a_modal_can_push_a_view(
    workspace: Workspace, client: WebClient, raw: RawApp, form: View
) -> None:
    """A click in a modal has no response URL, but a trigger that pushes."""
    dana = workspace.as_person("dana")
    dana.click(form, "Preview")
    payload = raw.envelopes[-1]["payload"]
    assert payload["container"] == {"type": "view", "view_id": form.id}
    assert "response_url" not in payload
    client.views_push(trigger_id=payload["trigger_id"], view=FORM | {"title": plain("Top")})
    top = dana.modal()
    assert top is not None
    assert (top.title, top.previous_id) == ("Top", form.id)


def test_closing_tells_the_app_that_asked(workspace: Workspace, raw: RawApp, form: View) -> None:
    """notify_on_close: the app hears; updating the closed view is not_found."""
    dana = workspace.as_person("dana")
    dana.close_modal()
    raw.wait_for(2)
    closed = raw.envelopes[-1]["payload"]
    assert (closed["type"], closed["is_cleared"], closed["view"]["id"]) == (
        "view_closed",
        False,
        form.id,
    )
    with pytest.raises(ShownError, match="no modal open"):
        dana.close_modal()


def test_thread_and_direct_messages_are_read_where_they_stand(
    workspace: Workspace, client: WebClient, message: Message
) -> None:
    """Replies are in the thread, not in the channel; a message to a user id is direct."""
    dana = workspace.as_person("dana")
    client.chat_postMessage(channel=CHANNEL, text="voted", thread_ts=message.ts)
    client.chat_postMessage(channel=dana.id, text="your vote, please")
    assert [m.text for m in dana.messages(CHANNEL)] == ["Promote v4?"]
    assert [m.text for m in dana.thread(message)] == ["voted"]
    assert [m.text for m in dana.direct_messages()] == ["your vote, please"]
    assert workspace.as_person("ana").direct_messages() == []


def test_users_info_tells_the_flags_that_were_set(client: WebClient, workspace: Workspace) -> None:
    """Flags change while the bot runs; fields that decide can be left out."""
    ana = workspace.as_person("ana").id
    user = client.users_info(user=ana)["user"]
    assert (user["is_restricted"], user["is_email_confirmed"]) == (False, True)
    assert user["profile"]["email"] == "ana@meridian.example"
    assert "is_stranger" not in user
    workspace.set_flags("ana", is_restricted=True, is_stranger=True, team_id="T00000099")
    workspace.leave_out("ana", "is_ultra_restricted")
    user = client.users_info(user=ana)["user"]
    assert (user["is_restricted"], user["is_stranger"], user["team_id"]) == (
        True,
        True,
        "T00000099",
    )
    assert "is_ultra_restricted" not in user
    workspace.set_flags("ana", deleted=True)
    assert "is_restricted" not in client.users_info(user=ana)["user"]


def test_lists_come_in_pages(client: WebClient, workspace: Workspace) -> None:
    """The SDK's own paging walks through every member and channel."""
    channel = workspace.state.channels.get(CHANNEL).id
    members = [
        m
        for page in client.conversations_members(channel=channel, limit=2)
        for m in page["members"]
    ]
    assert len(members) == 4
    names = [u["name"] for page in client.users_list(limit=3) for u in page["members"]]
    assert names == ["foureyes", "dana", "ana", "raj"]
    [listed] = client.conversations_list()["channels"]
    assert (listed["name"], listed["is_member"]) == ("credit-models", True)
