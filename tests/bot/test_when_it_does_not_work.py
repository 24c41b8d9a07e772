"""What a person reads when it does not go as they wished: a sentence, and nothing half done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from governance.adapters.sql_store.transaction import SqlTransaction
from governance.domain.approval import Verdict
from governance.domain.evidence import Content, ModelName, Version
from governance.domain.ledger import EventKind
from governance.domain.promotion import State
from tests.bot.office import Office, open_office
from tests.builders import MODEL
from tests.databases import PostgresServer, fail_over
from tests.sandbox.stage import CHANNEL

ASK = f"/promote {MODEL} 4 production better"


def test_changes_can_be_asked_for_and_approved_afterwards(office: Office) -> None:
    """The request stays open, and the requester reads what is missing."""
    office.person("dana").type(CHANNEL, ASK)
    message = office.request()
    raj = office.person("raj")
    raj.click(message, "Ask for changes")
    raj.fill_and_submit(office.slack.wait_for(raj.modal), {"comment": "Name the data set."})
    office.reads("dana", "Name the data set.")
    for name in ("raj", "ana"):
        office.slack.wait_for(lambda: office.request().buttons)
        office.person(name).click(office.request(), "Approve")
    office.reads("dana", "completed")
    assert office.desk.production() == (4,)


def test_details_are_read_by_whoever_asks(office: Office) -> None:
    """Everything that the message had to fold."""
    office.person("dana").type(CHANNEL, ASK)
    otto = office.person("otto")
    otto.click(office.request(), "Details")
    modal = office.slack.wait_for(otto.modal)
    assert "auc_validation" in otto.sees(modal)


def test_a_vote_and_a_request_are_withdrawn_by_their_owners_alone(office: Office) -> None:
    """From the menu behind the buttons."""
    office.person("dana").type(CHANNEL, ASK)
    message = office.request()
    ana = office.person("ana")
    ana.click(message, "Approve")
    office.slack.wait_for(lambda: "1 of 2" in ana.sees(office.request()))
    ana.choose(office.request(), "more", "Withdraw my vote")
    office.reads("ana", "Your vote is withdrawn")
    ana.choose(office.request(), "more", "Withdraw this request")
    office.reads("ana", "Dana")
    office.person("dana").choose(office.request(), "more", "Withdraw this request")
    office.reads("dana", "Your request is withdrawn")


@pytest.mark.parametrize("flag", ["deleted", "is_bot"])
def test_an_account_that_is_gone_when_its_click_is_worked_off_does_not_vote(
    office: Office, flag: str
) -> None:
    """It clicked, and was deactivated before the row was worked off."""
    request = office.desk.promote()
    if flag == "deleted":
        office.slack.set_flags("ana", deleted=True)
    else:
        office.slack.set_flags("ana", is_bot=True)
    _left_over(office, "vote", user="U0ANA", request=request.id, drawing=request.drawing)
    with office.desk.store.read() as tx:
        assert tx.decisions(request.id) == ()
    assert EventKind.DECISION_REFUSED.value in office.desk.kinds()


def test_one_row_that_came_twice_is_worked_off_once(office: Office) -> None:
    """Slack, or a proxy, delivers the same click again."""
    request = office.desk.promote()
    payload = {"user": "U0ANA", "channel": "", "request": request.id, "drawing": request.drawing}
    text = json.dumps({**payload, "verdict": Verdict.APPROVE.value})
    with office.desk.store.transaction() as tx:
        assert tx.accept("vote", "1.2.same", text) is not None
        assert tx.accept("vote", "1.2.same", text) is None
    office.desk.clock.advance(seconds=30)
    assert office.conversation.work_off() == 1
    assert office.desk.kinds().count(EventKind.DECISION_MADE.value) == 1
    assert EventKind.DECISION_REFUSED.value not in office.desk.kinds()


def test_who_may_not_roll_back_is_told_who_may(office: Office) -> None:
    """No button is shown, and the attempt is recorded."""
    office.desk.promoted()
    office.person("ana").type(CHANNEL, f"/rollback {MODEL} because")
    said = office.reads("ana", "needs the role")
    assert not said.buttons
    assert EventKind.ROLLBACK_REFUSED.value in office.desk.kinds()


def test_a_rollback_button_is_good_for_five_minutes(office: Office) -> None:
    """Six minutes later nobody knows any more what it was about."""
    office.desk.promoted()
    otto = office.person("otto")
    otto.type(CHANNEL, f"/rollback {MODEL} approvals spiked")
    offered = office.reads("otto", "The last known good version is v3")
    office.desk.clock.advance(minutes=6)
    otto.click(offered, "Roll back v4 → v3")
    office.reads("otto", "older than 5 minutes")
    assert office.desk.production() == (4,)


def test_a_rollback_click_that_a_crash_left_is_not_done_late(office: Office) -> None:
    """Worked off after the restart: refused when it is older than five minutes."""
    office.desk.promoted()
    at = office.desk.clock.now
    value = json.dumps({"model": MODEL, "from": 4, "to": 3, "why": "x", "at": at.isoformat()})
    _left_over(office, "roll_back", after=timedelta(minutes=6), user="U0OTTO", value=value)
    office.reads("otto", "older than 5 minutes")
    assert office.desk.production() == (4,)


def test_a_rollback_button_binds_from_and_to(office: Office) -> None:
    """Production moved on between reading and clicking."""
    office.desk.promoted()
    otto = office.person("otto")
    otto.type(CHANNEL, f"/rollback {MODEL} approvals spiked")
    offered = office.reads("otto", "The last known good version is v3")
    office.desk.staged(5)
    office.desk.promoted(5)
    otto.click(offered, "Roll back v4 → v3")
    office.reads("otto", "Production of credit_scoring is v5, no longer v4; nothing was changed")
    assert office.desk.production() == (5,)


def test_mlflow_that_is_down_is_named_to_whoever_asked(office: Office) -> None:
    """Nothing was opened; the sentence says who has to look."""
    office.desk.registry.is_down = True
    office.person("dana").type(CHANNEL, ASK)
    office.reads("dana", "MLflow does not answer")
    office.person("otto").type(CHANNEL, f"/rollback {MODEL} now")
    office.reads("otto", "MLflow does not answer")
    dana = office.person("dana")
    dana.type(CHANNEL, "/promote")
    form = office.slack.wait_for(
        lambda: v if (v := dana.modal()) and "MLflow does not answer" in dana.sees(v) else None
    )
    assert form.payload.get("submit") is None


def test_mlflow_that_is_down_after_the_last_approval_delays_and_loses_nothing(
    office: Office,
) -> None:
    """The request says that it waits, and it completes by itself."""
    office.person("dana").type(CHANNEL, ASK)
    message = office.request()
    office.person("ana").click(message, "Approve")
    office.slack.wait_for(lambda: "1 of 2" in office.person("dana").sees(office.request()))
    office.desk.registry.is_down = True
    office.person("raj").click(office.request(), "Approve")
    dana = office.person("dana")
    office.slack.wait_for(
        lambda: "Approved. MLflow does not answer" in dana.sees(dana.latest(message) or message)
    )
    office.desk.registry.is_down = False
    office.desk.clock.advance(minutes=2)
    office.desk.push_on()
    assert office.desk.production() == (4,)


def test_slack_that_is_down_delays_what_people_are_told(office: Office) -> None:
    """The transition was made; every message arrives afterwards, in order."""
    office.slack.fail_next("chat.postMessage", "service_unavailable", times=1, http_status=503)
    office.desk.promoted()
    office.conversation.send_due()
    assert office.desk.production() == (4,)
    office.desk.clock.advance(minutes=6)
    office.conversation.send_due()
    office.reads("dana", "completed")


@pytest.fixture
def on_postgres(postgres: PostgresServer, tmp_path: Path) -> Iterator[tuple[Office, str]]:
    """The office over PostgreSQL, with the address of its database."""
    url = postgres.new_database()
    with open_office(url, tmp_path / "heads") as office:
        yield office, url


@pytest.mark.parametrize("what", ["a command", "a click"])
def test_slack_is_told_that_it_arrived_only_when_it_is_stored(
    office: Office, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """An ack before the commit would lose it with the process."""
    office.desk.promote()
    office.conversation.send_due()
    message = office.request()
    stored, may_store = Event(), Event()
    accept = SqlTransaction.accept

    def slowly(self: SqlTransaction, kind: str, key: str, payload: str) -> object:
        stored.set()
        assert may_store.wait(timeout=30)
        return accept(self, kind, key, payload)

    monkeypatch.setattr(SqlTransaction, "accept", slowly)
    ana = office.person("ana")

    def act() -> None:
        if what == "a click":
            ana.click(message, "Approve")
        else:
            ana.type(CHANNEL, f"/model {MODEL}")

    acting = Thread(target=act)
    acting.start()
    assert stored.wait(timeout=30)
    acting.join(timeout=0.5)
    assert acting.is_alive()
    may_store.set()
    acting.join(timeout=30)
    assert not acting.is_alive()


def test_a_store_that_takes_nothing_is_told_to_whoever_clicks(
    on_postgres: tuple[Office, str],
) -> None:
    """A standby, a full disk: nothing is half done, and it works again by itself."""
    office, url = on_postgres
    office.person("dana").type(CHANNEL, ASK)
    message = office.request()
    fail_over(url, read_only=True)
    office.person("ana").click(message, "Approve")
    office.reads("ana", "could not store what you did")
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 5 staging x")
    office.reads("dana", "could not store what you did")
    raj = office.person("raj")
    fail_over(url, read_only=False)
    raj.click(message, "Reject")
    modal = office.slack.wait_for(raj.modal)
    fail_over(url, read_only=True)
    told = raj.fill_and_submit(modal, {"comment": "no"}).errors
    assert "could not store what you did" in " ".join(told.values())
    fail_over(url, read_only=False)
    office.person("ana").click(message, "Approve")
    office.slack.wait_for(lambda: "1 of 2" in office.person("dana").sees(office.request()))
    assert office.desk.kinds().count(EventKind.DECISION_MADE.value) == 1
    with office.desk.store.read() as tx:
        assert [r.state for r in tx.open_requests()] == [State.PENDING]


def _left_over(office: Office, kind: str, *, after: timedelta | None = None, **values: str) -> None:
    """A row that a process stored before it was killed, worked off by the next one."""
    payload = {"channel": "", "verdict": Verdict.APPROVE.value, **values}
    with office.desk.store.transaction() as tx:
        tx.accept(kind, f"key of {kind}", json.dumps(payload))
    office.desk.clock.now += after or timedelta(seconds=30)
    assert office.conversation.work_off() == 1


def test_a_large_version_tells_how_far_it_is_read(office: Office) -> None:
    """Three times at most, and then the answer."""
    large = office.desk.registry.contents[MODEL, Version(4)]
    size = 90_000_000

    def in_chunks(
        model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        for done in range(0, size + 1, 1_000_000):
            progress(done, size)
        return large

    office.desk.registry.content = in_chunks  # type: ignore[method-assign]  # larger than a test may be
    office.person("dana").type(CHANNEL, ASK)
    office.reads("dana", "Asked:")
    dana = office.person("dana")
    told = [dana.sees(m) for m in dana.ephemerals() if "Reading 90 MB" in dana.sees(m)]
    assert [line.split("files: ")[1][:4].strip() for line in told] == ["0 %.", "33 %", "66 %"]
