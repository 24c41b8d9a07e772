"""A round of changes in Slack: the requester reads what is asked and answers; approvers hear it."""

from __future__ import annotations

from governance.domain.evidence import Stage
from tests.bot.office import Office
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL


def _asked(office: Office, version: int = 4) -> None:
    """Ana asks for changes in the modal."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} {version} production better")
    ana = office.person("ana")
    ana.click(office.request(), "Ask for changes")
    modal = office.slack.wait_for(ana.modal)
    assert ana.fill_and_submit(modal, {"comment": "Which data was held out?"}).is_accepted


def test_the_requester_answers_with_words(office: Office) -> None:
    """From the direct message; on the request, in its thread, and to Ana."""
    _asked(office)
    dana = office.person("dana")
    told = office.reads("dana", "Ana asks for changes: Which data was held out?")
    message = office.request()
    office.slack.wait_for(
        lambda: "Ana asks for changes" in dana.sees(dana.latest(message) or message)
    )
    dana.click(told, "Answer")
    modal = office.slack.wait_for(dana.modal)
    assert "Which data was held out?" in dana.sees(modal)
    assert "silence" in " ".join(dana.fill_and_submit(modal, {"answer": " "}).errors.values())
    assert dana.fill_and_submit(modal, {"answer": "The last quarter."}).is_accepted
    told = office.reads("ana", "Dana answers you: The last quarter. You asked: Which data was")
    assert "Approve" in told.buttons
    office.slack.wait_for(
        lambda: "Dana answered: The last quarter." in dana.sees(dana.latest(message) or message)
    )
    assert "Ana asked: Which data was held out?" in dana.sees(dana.latest(message) or message)
    thread = " ".join(dana.sees(m) for m in dana.thread(message))
    assert "Dana answers: The last quarter." in thread
    newest = dana.latest(message)
    assert newest is not None
    assert "Answer" not in newest.buttons
    office.person("ana").click(message, "Approve")
    office.person("raj").click(message, "Approve")
    office.reads("dana", "completed")


def test_the_requester_answers_with_a_newer_version(office: Office) -> None:
    """A request for v5 follows, and the one for v4 ends with a link to it."""
    office.desk.staged(5)
    _asked(office)
    dana = office.person("dana")
    first = office.request()
    dana.click(office.reads("dana", "Ana asks for changes"), "Answer")
    modal = office.slack.wait_for(dana.modal)
    assert "v5 · Staging · auc_validation 0.78" in dana.sees(modal)
    assert "v4 · " not in dana.sees(modal)
    assert dana.fill_and_submit(modal, {"answer": "More data.", "version": "5"}).is_accepted
    office.reads("ana", "Dana answers with this version, after v4: More data.")
    office.slack.wait_for(lambda: "Superseded." in dana.sees(dana.latest(first) or first))
    second = office.request()
    assert f"{MODEL} v5" in dana.sees(second)
    assert "Answers what was asked on request" in dana.sees(second)
    for message in (dana.latest(first) or first, second):
        said = dana.sees(message)
        assert "Ana asked: Which data was held out?" in said
        assert "Dana answered with v5: More data." in said


def test_a_version_that_policy_does_not_take_yet_is_named_and_not_offered(office: Office) -> None:
    """It would be refused after the answer was written, and the words with it."""
    office.desk.staged(5)
    _asked(office)
    office.desk.registry.change(MODEL, 5, stage=Stage.NONE)
    office.desk.look_around()
    dana = office.person("dana")
    dana.click(office.reads("dana", "Ana asks for changes"), "Answer")
    modal = office.slack.wait_for(dana.modal)
    said = dana.sees(modal)
    assert "v5 · " not in said
    assert f"v5 is in stage None: /promote {MODEL} 5 staging first." in said
    assert "no version newer" not in said


def test_where_there_is_no_newer_version_the_answer_says_so(office: Office) -> None:
    """In the place of the menu; words are an answer."""
    office.desk.staged(5)
    _asked(office, version=5)
    dana = office.person("dana")
    dana.click(office.reads("dana", "Ana asks for changes"), "Answer")
    modal = office.slack.wait_for(dana.modal)
    assert "no version newer than v5 yet" in dana.sees(modal)
    assert dana.fill_and_submit(modal, {"answer": "The last quarter."}).is_accepted
    office.reads("ana", "Dana answers you: The last quarter.")


def test_an_answer_that_was_begun_before_somebody_else_asked_ends_nothing(office: Office) -> None:
    """Dana is told to look again; the modal shows both then, and one answer is to both."""
    _asked(office)
    dana, vera = office.person("dana"), office.person("vera")
    dana.click(office.reads("dana", "Ana asks for changes"), "Answer")
    old = office.slack.wait_for(dana.modal)
    vera.click(office.request(), "Ask for changes")
    modal = office.slack.wait_for(vera.modal)
    assert vera.fill_and_submit(modal, {"comment": "It leaks the target."}).is_accepted
    told = office.reads("dana", "Vera asks for changes")
    assert dana.fill_and_submit(old, {"answer": "The last quarter."}).is_accepted
    office.reads("dana", "What is asked for changed while you wrote")
    dana.click(told, "Answer")
    modal = office.slack.wait_for(dana.modal)
    assert "It leaks the target." in dana.sees(modal)
    assert dana.fill_and_submit(modal, {"answer": "Both are mended."}).is_accepted
    office.reads("vera", "Dana answers you: Both are mended. You asked: It leaks the target.")


def test_only_the_requester_answers(office: Office) -> None:
    """Whoever else clicks the button is told in the modal."""
    _asked(office)
    office.reads("dana", "Ana asks for changes")
    message = office.slack.wait_for(
        lambda: m if (m := office.request()) and "Answer" in m.buttons else None
    )
    otto = office.person("otto")
    otto.click(message, "Answer")
    modal = office.slack.wait_for(otto.modal)
    assert "Only Dana, who opened this request, answers" in otto.sees(modal)
    assert modal.title == "Foureyes"


def test_an_answer_that_comes_too_late_is_given_back_in_its_writers_words(office: Office) -> None:
    """The form is closed by then. Whatever was long stays long, and names nobody."""
    _asked(office)
    dana = office.person("dana")
    dana.click(office.reads("dana", "Ana asks for changes"), "Answer")
    modal = office.slack.wait_for(dana.modal)
    dana.choose(office.request(), "more", "Withdraw this request")
    office.reads("dana", "Your request is withdrawn")
    words = "<!channel> *The last quarter*.\nنمی\u200cخواهم\n" + "é" * 2900
    assert dana.fill_and_submit(modal, {"answer": words}).is_accepted
    told = office.reads("dana", "What you wrote, for you to copy:")
    said = dana.sees(told)
    assert "request is withdrawn" in said
    assert said.endswith(words)
