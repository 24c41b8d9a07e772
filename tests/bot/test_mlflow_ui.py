"""Links to MLflow's own pages: to the versions that a message names, and to nothing else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.block_kit import section
from bot.mlflow_ui import MlflowUi
from bot.sandbox import Message, View
from bot.sandbox.block_kit import text_length
from bot.sandbox.block_kit.surface import MESSAGE_CHARACTERS
from bot.sandbox.page.spans import Kind, mrkdwn
from bot.views import Drawn
from governance.domain.evidence import ModelName, Version
from tests.bot.office import Office
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL

UI = MlflowUi("https://mlflow.bank.example")
BARE = Drawn(text="x", blocks=[section("x")])


def links_of(drawn: Drawn, model: str, *versions: int) -> list[tuple[str, str]]:
    """What Slack would make of the line: label and address."""
    made = UI.linked(drawn, ModelName(model), [Version(v) for v in versions])
    added: list[Any] = [block for block in made.blocks if block not in drawn.blocks]
    [line] = added
    spans = mrkdwn(line["elements"][0]["text"], names=str, tz="UTC")
    return [(s.text, s.url) for s in spans if s.kind is Kind.LINK]


def test_each_version_is_linked_once_in_the_order_it_was_named() -> None:
    """The candidate first."""
    base = "https://mlflow.bank.example/#/models/credit_scoring/versions"
    assert links_of(BARE, "credit_scoring", 4, 1, 4) == [
        ("v4", f"{base}/4"),
        ("v1", f"{base}/1"),
    ]


def test_a_list_of_versions_is_not_linked_whole() -> None:
    """MLflow has a page for that."""
    assert len(links_of(BARE, "m", *range(1, 50))) == 6


@given(st.text(min_size=1, max_size=30))
def test_no_name_of_a_model_breaks_out_of_its_link(model: str) -> None:
    """Whatever somebody called it: two links, to that host alone."""
    found = links_of(BARE, model, 4, 3)
    assert [label for label, _address in found] == ["v4", "v3"]
    assert all(a.startswith("https://mlflow.bank.example/#/models/") for _label, a in found)


@given(st.text(min_size=1, max_size=256), st.integers(min_value=0, max_value=14_000))
def test_no_link_makes_a_message_too_long_for_slack(model: str, letters: int) -> None:
    """A name of 256 letters that take twelve characters each; a message that is full already."""
    sections = [section("x" * min(3000, letters - at)) for at in range(0, letters, 3000)]
    drawn = Drawn(text="x", blocks=[*sections, {"type": "divider"}])
    made = UI.linked(drawn, ModelName(model), [Version(v) for v in range(1, 20)])
    blocks: Any = made.blocks
    assert text_length(blocks) <= max(MESSAGE_CHARACTERS, letters)
    added: list[Any] = [block for block in blocks if block not in drawn.blocks]
    assert all(len(block["elements"][0]["text"]) <= 3000 for block in added)


def test_a_home_leads_to_the_version_that_runs(linked_office: Office) -> None:
    """For whoever owns the model."""
    office = linked_office
    dana = office.person("dana")
    dana.open_home()
    home = office.slack.wait_for(lambda: h if (h := dana.home()) and links_at(h) else None)
    assert links_at(home) == [f"https://mlflow.bank.example/#/models/{MODEL}/versions/3"]


def links_at(home: View) -> list[str]:
    """Where a Home leads to."""
    texts = [json.loads(json.dumps(b["text"])) for b in home.blocks if "text" in b]
    spans = [s for t in texts for s in mrkdwn(t["text"], names=str, tz="UTC")]
    return [span.url for span in spans if span.kind is Kind.LINK]


def test_buttons_stay_at_the_end() -> None:
    """What can be done comes last."""
    buttons = Drawn(text="x", blocks=[section("x"), {"type": "actions", "elements": []}])
    made = UI.linked(buttons, ModelName("m"), [Version(1)])
    assert [block["type"] for block in made.blocks] == ["section", "context", "actions"]


def test_without_an_address_there_is_no_link() -> None:
    """Absent is absent; no version, no line."""
    assert MlflowUi().linked(BARE, ModelName("m"), [Version(1)]) is BARE
    assert UI.linked(BARE, ModelName("m"), [None]) is BARE


def links_in(message: Message) -> list[str]:
    """Where a message that arrived leads to."""
    spans = [
        span
        for block in message.blocks
        if block["type"] == "context"
        for element in json.loads(json.dumps(block["elements"]))
        for span in mrkdwn(element["text"], names=str, tz="UTC")
    ]
    return [span.url for span in spans if span.kind is Kind.LINK]


def test_messages_lead_to_the_versions_that_they_name(linked_office: Office) -> None:
    """The request and its direct messages; the offer of a rollback; what was rolled back; the
    comparison of two versions."""
    office = linked_office
    v3, v4 = (f"https://mlflow.bank.example/#/models/{MODEL}/versions/{v}" for v in (3, 4))
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    message = office.request()
    assert links_in(message) == [v4, v3]
    assert links_in(office.reads("raj", "asks for your decision")) == [v4, v3]
    office.person("dana").type(CHANNEL, f"/model {MODEL} 3 4")
    assert links_in(office.reads("dana", "v3 → v4")) == [v3, v4]
    for name in ("ana", "raj"):
        office.person(name).click(message, "Approve")
    office.reads("dana", "completed")
    office.person("otto").type(CHANNEL, f"/rollback {MODEL} too many refusals")
    offer = office.reads("otto", "Roll back v4 → v3")
    assert links_in(offer) == [v4, v3]
    office.person("otto").click(offer, "Roll back v4 → v3")
    assert links_in(office.channel_says("Rolled back")) == [v3, v4]
    office.person("dana").type(CHANNEL, f"/model {MODEL}")
    assert links_in(office.reads("dana", "Production: v3")) == [v3]
