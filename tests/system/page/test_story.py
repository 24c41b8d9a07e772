"""The whole conversation in a browser, against the bot and the MLflow that `foureyes play` starts.

One story, told in order, at a desk with a mouse and on a phone with a thumb.
"""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from tests.system.page.conftest import Playing
from tests.system.page.seat import DESK, PHONE, Seat

MODEL = "credit_scoring"
LARGEST_PICTURE_BYTES = 150_000
_PICTURE_HEIGHT = 1000


def kept(seat: Seat, folder: Path, name: str) -> None:
    """A picture for the README: a whole message, and few colours, so that it stays small."""
    seat.page.set_viewport_size({"width": seat.screen.width, "height": _PICTURE_HEIGHT})
    seat.page.mouse.move(0, 0)
    path = seat.picture(folder, name)
    seat.page.set_viewport_size({"width": seat.screen.width, "height": seat.screen.height})
    with Image.open(path) as shown:
        assert shown.width == seat.screen.width
        drawn = shown.convert("RGB").quantize(160, dither=Image.Dither.NONE)
    drawn.save(path, optimize=True)
    assert path.stat().st_size < LARGEST_PICTURE_BYTES


def asked_for_production(seat: Seat, reason: str) -> None:
    """Dana asks, and the channel shows it with buttons."""
    seat.be("dana")
    seat.go("credit-models")
    seat.write(f"/promote {MODEL} 4 production {reason}")
    seat.says(f"Reason: {reason}")
    seat.button("Approve", reason).wait_for()


def test_the_first_page_says_what_is_going_on(seat: Seat, play: Playing) -> None:
    """There at once, with progress in words and as a bar; then, without a reload, the tour."""
    seat.page.get_by_role("progressbar").wait_for()
    assert play.mlflow
    first = seat.step("A new version arrives", timeout_seconds=180)
    assert "v1 is in Production" in first.inner_text()
    seat.says("credit_scoring: is governed now")


def test_the_tree_for_screen_readers_tells_the_page(seat: Seat) -> None:
    """Landmarks, log, composer, people and tour, each by role and name."""
    seen = seat.page.locator("body").aria_snapshot()
    for part in (
        'group "Who you are"',
        'button "Ana model validator"',
        'main "#credit-models"',
        'heading "#credit-models" [level=1]',
        'log "Messages"',
        "article ",
        'combobox "Message, or a command that begins with /"',
        'button "Send"',
        'complementary "Try it"',
        'progressbar "Steps done"',
    ):
        assert part in seen, seen
    assert re.search(r'button "Dana data scientist[^"]*" \[pressed\]', seen)
    if seat.screen is DESK:
        assert 'navigation "Channels and direct messages"' in seen
        assert 'button "credit-models"' in seen


def test_a_version_is_trained_and_put_into_staging_as_the_tour_says(seat: Seat) -> None:
    """Its button trains, "Type it for me" only types, and each step is noticed."""
    seat.press(seat.step("A new version arrives").get_by_role("button", name="Train v4"))
    asks = seat.step("Dana asks for Staging")
    seat.press(asks.get_by_role("button", name="Type it for me"))
    typed = seat.page.locator("#typed").input_value()
    assert typed.startswith(f"/promote {MODEL} 4 staging ")
    assert seat.message("→ Staging").count() == 0
    seat.press(seat.page.locator("#send"))
    seat.says("MLflow shows v4 in Staging.")
    seat.step("… and for Production")


def test_a_slash_offers_the_commands(seat: Seat) -> None:
    """Chosen with arrows and Tab, told with what each takes."""
    field = seat.page.get_by_role("combobox", name="Message, or a command")
    field.fill("")
    field.press_sequentially("/")
    offered = seat.page.get_by_role("listbox", name="Commands").get_by_role("option")
    assert offered.count() == 4
    assert offered.first.get_attribute("aria-selected") == "true"
    field.press("ArrowDown")
    assert offered.nth(1).get_attribute("aria-selected") == "true"
    field.press("ArrowUp")
    field.press("Tab")
    assert field.input_value() == "/promote "
    assert "[model] [version] [stage] [reason]" in seat.page.locator("#usage").inner_text()
    field.fill("")


def test_a_rejection_asks_for_a_comment_that_the_requester_reads(seat: Seat) -> None:
    """An empty one is answered under its field; Cancel and Escape send nothing."""
    asked_for_production(seat, "first try")
    seat.be("ana")
    seat.press(seat.button("Reject", "first try"))
    form = seat.modal("Reject")
    why = form.get_by_role("textbox", name="Why?")
    assert why.evaluate("field => field === document.activeElement")
    seat.press(form.get_by_role("button", name="Reject"))
    form.get_by_role("alert").wait_for()
    assert why.get_attribute("aria-invalid") == "true"
    assert seat.too_wide() == []
    assert seat.too_faint() == []
    why.press("Escape")
    form.wait_for(state="hidden")
    assert seat.message("first try").get_by_role("button", name="Reject").count() == 1
    seat.press(seat.button("Reject", "first try"))
    seat.modal("Reject").get_by_role("textbox", name="Why?").fill("Show me the bads first")
    seat.press(seat.modal("Reject").get_by_role("button", name="Reject"))
    seat.modal_is_gone()
    seat.message("first try").filter(has_text="Show me the bads first").wait_for()
    assert seat.message("first try").get_by_role("button", name="Approve").count() == 0
    seat.be("dana")
    seat.go("Messages")
    seat.says("Show me the bads first")


def test_the_maker_and_an_outsider_are_told_why_they_do_not_count(
    seat: Seat, pictures: Path
) -> None:
    """Beside the request, and for them alone."""
    asked_for_production(seat, "easier to explain than the forest")
    if seat.screen is DESK:
        kept(seat, pictures, "request")
    assert seat.too_faint() == []
    seat.press(seat.button("Approve", "easier to explain"))
    seat.says("Not counted: Dana Feld opened this request")
    seat.be("mia")
    assert seat.message("Not counted").count() == 0
    seat.press(seat.button("Approve", "easier to explain"))
    seat.says("people.yaml")
    seat.press(seat.message("people.yaml").get_by_role("button", name="Dismiss"))
    seat.message("people.yaml").wait_for(state="detached")


def test_the_home_shows_what_waits_for_this_person(seat: Seat) -> None:
    """With its buttons; somebody else has another Home."""
    seat.be("ana")
    seat.go("Home")
    home = seat.page.get_by_role("tabpanel", name="Home")
    home.get_by_text(f"{MODEL} v4").first.wait_for()
    assert home.get_by_role("button", name="Approve").count() >= 1
    assert seat.too_wide() == []
    assert seat.too_faint() == []
    seat.be("mia")
    home.get_by_text("people.yaml").first.wait_for()
    assert home.get_by_role("button", name="Approve").count() == 0


def test_two_people_approve_where_they_were_asked_and_it_is_in_production(
    seat: Seat, play: Playing
) -> None:
    """Ana in her direct message, Raj in his; MLflow's own page, opened by the message's link,
    shows it."""
    for person, then in (("ana", "Ana Ruiz"), ("raj", "MLflow shows v4 in Production.")):
        seat.be(person)
        seat.go("Messages")
        seat.says("easier to explain")
        seat.press(seat.button("Approve", "easier to explain"))
        seat.message("easier to explain").filter(has_text=then).wait_for()
    seat.go("credit-models")
    seat.says("MLflow shows v4 in Production.")
    request = seat.message("MLflow shows v4 in Production.")
    with seat.page.expect_popup() as opened:
        seat.press(request.get_by_role("link", name="v4", exact=True))
    shown = opened.value
    assert shown.url == f"{play.mlflow}/#/models/{MODEL}/versions/4"
    shown.get_by_text("Version 4", exact=True).first.wait_for()
    shown.get_by_text("Production", exact=True).first.wait_for()
    shown.close()


def test_the_thread_tells_who_did_what(seat: Seat) -> None:
    """Beside the conversation, and left with Escape."""
    request = seat.message("MLflow shows v4 in Production.")
    seat.press(request.get_by_role("button", name="replies"))
    thread = seat.page.get_by_role("complementary", name="Thread")
    for line in ("Ana Ruiz approved.", "Raj Patel approved."):
        thread.get_by_text(line).wait_for()
    assert seat.too_wide() == []
    seat.page.get_by_role("textbox", name="Reply in the thread").fill("Well done.")
    seat.press(thread.get_by_role("button", name="Send"))
    thread.get_by_text("Well done.").wait_for()
    seat.page.keyboard.press("Escape")
    thread.wait_for(state="hidden")


def test_broken_inputs_at_2_am_bring_the_version_before_back(seat: Seat, pictures: Path) -> None:
    """Nobody does anything: the page shows the alert with its picture; Otto acknowledges."""
    two = seat.step("2 a.m.")
    seat.press(two.get_by_role("button", name="Break the model’s inputs"))
    seat.says(f"Rolled back: {MODEL} v4 → v1", timeout_seconds=180)
    seat.be("otto")
    alert = seat.message(f"Rolled back: {MODEL} v4 → v1")
    alert.get_by_role("button", name="Acknowledge").scroll_into_view_if_needed()
    picture = alert.get_by_role("img", name="AUC")
    picture.evaluate("shown => shown.decode()")
    assert picture.evaluate("shown => shown.naturalWidth") > 100
    if seat.screen is PHONE:
        seat.press(seat.page.get_by_role("button", name="Tour"))
        picture.scroll_into_view_if_needed()
        kept(seat, pictures, "alert")
        seat.press(seat.page.get_by_role("button", name="Tour"))
    assert seat.too_faint() == []
    seat.press(alert.get_by_role("button", name="Acknowledge"))
    alert.get_by_role("button", name="Acknowledge").wait_for(state="detached")
    seat.step("Somebody goes past Foureyes")


def test_a_change_past_the_bot_is_told_and_rolled_back_with_one_click(seat: Seat) -> None:
    """The offer is for Otto alone; what was done is for all."""
    past = seat.step("Somebody goes past Foureyes")
    seat.press(past.get_by_role("button", name="Move v3 in MLflow itself"))
    seat.says("outside Foureyes", timeout_seconds=60)
    seat.write(f"/rollback {MODEL} nobody approved v3")
    offer = seat.page.locator("#log").get_by_role("button", name="Roll back v3 →")
    offer.wait_for()
    seat.press(offer)
    seat.says("(was v3)")


def test_a_break_glass_is_asked_for_told_and_reviewed(seat: Seat) -> None:
    """Only after reason, incident and a yes; whoever was skipped answers for it."""
    glass = seat.step("Otto breaks the glass")
    seat.press(glass.get_by_role("button", name="Type it for me"))
    seat.press(seat.page.locator("#send"))
    seat.press(seat.button("Break glass …"))
    form = seat.modal("Break glass")
    form.get_by_role("textbox", name="Reason").fill("The fraud rules need it tonight")
    form.get_by_role("textbox", name="Incident").fill("INC-12")
    assert seat.too_wide() == []
    assert seat.too_faint() == []
    seat.press(form.get_by_role("button", name="Break glass"))
    form.get_by_role("alert").wait_for()
    assert form.locator("[aria-invalid] :focus, [aria-invalid]:focus").is_visible()
    assert form.get_by_role("textbox", name="Incident").input_value() == "INC-12"
    seat.press(form.get_by_role("checkbox"))
    seat.press(form.get_by_role("button", name="Break glass"))
    seat.modal_is_gone()
    seat.says(f"Break-glass: {MODEL} v4", timeout_seconds=60)
    review = seat.step("Ana reviews it")
    seat.press(review.get_by_role("button", name="Be Ana"))
    seat.page.locator("#people [data-key=ana][aria-pressed=true]").wait_for()
    seat.press(seat.button("Accept", "Break-glass"))
    trail = seat.step("What was in Production, and why?")
    seat.press(trail.get_by_role("button", name="Type it for me"))
    seat.press(seat.page.locator("#send"))
    seat.says("Production: v4")


def test_the_tour_ends_with_a_record_that_holds(seat: Seat) -> None:
    """`foureyes audit verify`, pressed and read here."""
    last = seat.step("Does the record hold?")
    seat.press(last.get_by_role("button", name="foureyes audit verify"))
    seat.page.get_by_role("complementary", name="All done").wait_for()
    said = seat.page.locator("#guide .said").inner_text()
    assert "The record matches every kept head" in said
