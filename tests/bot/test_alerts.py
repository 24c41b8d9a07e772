"""An alert as people meet it: in the channel, with its picture, and every button it has."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.sandbox import Message
from governance.adapters.metric_sources import IbisSources
from governance.adapters.traffic_file import TrafficFile
from governance.domain.evidence import Version
from governance.domain.identity import PersonId
from governance.domain.monitoring.alert import Alert, AlertId, Outcome
from governance.domain.monitoring.spec import Action, Bad
from governance.domain.monitoring.state import MonitorKey, SeriesPoint
from governance.domain.policy import policy_for
from governance.ports import Notice, NoticeKind, WantedLook
from governance.use_cases import alerts, automatic
from tests.bot.office import Office
from tests.builders import MODEL, NOON
from tests.sandbox.stage import CHANNEL
from tests.sources.feed import SqliteFeed
from tests.stories.watching import WatchedDesk, a_monitor

DATABASES = ("sqlite",)

SENTENCE = "AUC fell 0.161 below baseline (0.617 against 0.778, 412 outcomes with 66 bads)."


def raised(office: Office, *, act: bool = True) -> Alert:
    """An alert about v4, as a monitor raises it."""
    desk = office.desk
    policy = policy_for(desk.rules.rules.policies, MODEL)
    assert policy is not None
    with desk.store.transaction() as tx:
        alert = alerts.raise_alert(
            tx,
            Alert(
                id=AlertId(0),
                model=MODEL,
                version=Version(4),
                monitor="auc",
                metric="AUC",
                bad=Bad.FALLS,
                wanted=Action.ROLL_BACK if act else Action.ALERT,
                raised_at=tx.now,
                sentence=SENTENCE,
                numbers={"baseline": 0.778, "bound": 0.741, "value": 0.617},
                series=(
                    SeriesPoint(at=NOON, value=0.78, lower=0.7, upper=0.86),
                    SeriesPoint(at=tx.now, value=0.617, lower=0.58, upper=0.66),
                ),
                outcome=Outcome.PENDING if act else Outcome.ONLY_ALERTED,
            ),
            policy,
        )
    assert alert is not None
    return alert


def rolled_back(office: Office, *, fails: str = "", error: str = "") -> Message:
    """The message of an alert that has put v3 back; a method of Slack may fail meanwhile."""
    office.desk.promoted()
    office.conversation.send_due()
    if fails:
        office.slack.fail_next(fails, error, times=1 if fails.startswith("chat") else 9)
    alert = raised(office)
    automatic.react(office.desk.world, alert.id)
    office.conversation.send_due()
    return office.channel_says("Rolled back: credit_scoring v4 → v3")


def sees(office: Office, message: Message, name: str = "otto") -> str:
    """What somebody reads now."""
    person = office.person(name)
    latest = person.latest(message)
    assert latest is not None
    return person.sees(latest)


def test_the_channel_reads_what_fell_and_what_was_done(office: Office) -> None:
    """One message: who is on call is mentioned, the picture has words, the next steps are there."""
    text = sees(office, rolled_back(office))
    assert text.count("@otto") == 1
    assert SENTENCE in text
    assert "(AUC of credit_scoring v4 over time. From 0.780" in text
    assert "MLflow Production is v3 (was v4)" in text
    assert "v4 is quarantined until it is approved again" in text
    assert "[Acknowledge] [Open the record] [Ask to promote again]" in text


def test_who_acknowledges_is_said_in_the_thread_and_the_button_goes(office: Office) -> None:
    """Nobody is mentioned any more."""
    message = rolled_back(office)
    office.person("otto").click(message, "Acknowledge")
    otto = office.person("otto")
    office.slack.wait_for(
        lambda: any("Otto acknowledged this." in otto.sees(m) for m in otto.thread(message))
    )
    office.slack.wait_for(lambda: "acknowledged by Otto" in sees(office, message))
    assert "[Acknowledge]" not in sees(office, message)
    assert "@otto" not in sees(office, message)


def test_a_click_of_somebody_whom_it_does_not_concern_does_not_count(office: Office) -> None:
    """Told to this person alone."""
    office.person("ana").click(rolled_back(office), "Acknowledge")
    office.reads("ana", "does not count as acknowledged")


def test_the_record_opens_from_the_alert(office: Office) -> None:
    """Newest first."""
    message = rolled_back(office)
    office.person("dana").click(message, "Open the record")
    modal = office.slack.wait_for(office.person("dana").modal)
    text = office.person("dana").sees(modal)
    assert text.index("rollback done v3 by automatic") < text.index("alert raised v4")


def test_the_record_opens_for_nobody_of_another_workspace(office: Office) -> None:
    """It tells more than the alert, which a shared channel shows them."""
    message = rolled_back(office)
    office.slack.set_flags("mallory", team_id="T0ELSEWHERE")
    mallory = office.person("mallory")
    mallory.click(message, "Open the record")
    modal = office.slack.wait_for(mallory.modal)
    assert "Only people of this workspace can open that." in mallory.sees(modal)


def test_asking_again_opens_the_form_with_that_version(office: Office) -> None:
    """Its quarantine ends by a new approval."""
    message = rolled_back(office)
    office.person("dana").click(message, "Ask to promote again")
    office.slack.wait_for(
        lambda: (
            (modal := office.person("dana").modal()) is not None
            and "v4" in office.person("dana").sees(modal)
        )
    )


def test_an_alert_that_changed_nothing_offers_the_rollback(office: Office) -> None:
    """With the same button as /rollback, for the same people."""
    office.desk.promoted()
    raised(office, act=False)
    office.conversation.send_due()
    message = office.channel_says("Look at credit_scoring v4: AUC")
    assert "the policy only alerts" in sees(office, message)
    office.person("otto").click(message, "Roll back …")
    offer = office.reads("otto", "The last known good version is v3")
    office.person("otto").click(offer, "Roll back v4 → v3")
    office.channel_says("MLflow Production is v3 (was v4)")
    assert office.desk.production() == (3,)


def test_where_there_is_nothing_to_go_back_to_the_alert_offers_no_rollback(office: Office) -> None:
    """And /rollback names whom to ask, instead of the version that has failed."""
    office.desk.promoted()
    with office.desk.store.transaction() as tx:
        tx.quarantine(MODEL, Version(3), "it failed")
    raised(office, act=False)
    office.conversation.send_due()
    message = office.channel_says("Look at credit_scoring v4: AUC")
    assert "Roll back …" not in message.buttons
    otto = office.person("otto")
    otto.type(CHANNEL, f"/rollback {MODEL}")
    said = otto.sees(office.reads("otto", "there is no version to go back to"))
    assert "Ask Dana what is to run instead" in said
    assert "/promote" not in said


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("files.getUploadURLExternal", "internal_error"),
        ("files.completeUploadExternal", "fatal_error"),
        ("files.getUploadURLExternal", "missing_scope"),
    ],
)
def test_without_its_picture_an_alert_comes_all_the_same(
    office: Office, method: str, error: str
) -> None:
    """The words never wait for it."""
    text = sees(office, rolled_back(office, fails=method, error=error))
    assert SENTENCE in text
    assert "over time" not in text


def test_a_picture_that_slack_does_not_know_yet_holds_up_nothing(office: Office) -> None:
    """It refuses the blocks: the words come at once, and the picture with the next step."""
    text = sees(office, rolled_back(office, fails="chat.postMessage", error="invalid_blocks"))
    assert SENTENCE in text
    assert "over time" in text
    posts = [
        c
        for c in office.slack.calls
        if c.method == "chat.postMessage" and SENTENCE[:20] in str(c.arguments.get("text"))
    ]
    assert ["slack_file" in str(c.arguments["blocks"]) for c in posts] == [True, False]


def test_an_alert_is_delivered_when_slack_is_back(office: Office) -> None:
    """The rollback did not wait for it."""
    office.desk.promoted()
    alert = raised(office)
    office.slack.fail_next("chat.postMessage", "service_unavailable", times=1, http_status=503)
    office.conversation.send_due()
    automatic.react(office.desk.world, alert.id)
    assert office.desk.production() == (3,)
    office.desk.clock.advance(minutes=6)
    office.conversation.send_due()
    office.channel_says("Rolled back: credit_scoring v4 → v3")


def test_a_deleted_alert_is_posted_again_with_its_next_step(office: Office) -> None:
    """And its thread goes on there."""
    message = rolled_back(office)
    office.slack.delete_message(message)
    with office.desk.store.read() as tx:
        (alert,) = tx.open_alerts(MODEL)
    alerts.acknowledge(office.desk.world, alert.id, actor=office.desk.actor("otto"), standing=None)
    office.conversation.send_due()
    again = office.channel_says("acknowledged by Otto")
    otto = office.person("otto")
    assert any("Otto acknowledged" in otto.sees(m) for m in otto.thread(again))


def test_reminders_reach_people_one_by_one(office: Office) -> None:
    """In a direct message, with what happened."""
    office.desk.promoted()
    alert = raised(office)
    automatic.react(office.desk.world, alert.id)
    with office.desk.store.transaction() as tx:
        tx.notify(
            Notice(
                kind=NoticeKind.TELL,
                what="alert_reminder",
                model=MODEL,
                person=PersonId("otto"),
                facts={"alert": alert.id},
            )
        )
    office.conversation.send_due()
    told = office.reads("otto", "Nobody has acknowledged this yet")
    assert SENTENCE in office.person("otto").sees(told)


def test_the_card_shows_what_watches_the_model(office: Office, tmp_path: Path) -> None:
    """Each monitor's last verdict, its counts and its next look; nothing, where no policy says so;
    and the history says why it was rolled back."""
    desk = office.desk
    dana = office.person("dana")
    dana.type(CHANNEL, f"/model {MODEL}")
    assert "is watched by" not in dana.sees(office.reads("dana", MODEL))
    feed = SqliteFeed(tmp_path)
    sources = IbisSources(feed.environ)
    desk.sources = lambda: sources
    watched = WatchedDesk(desk=desk, feed=feed)
    watched.watched_by(a_monitor(), a_monitor(name="slow", every=timedelta(days=1)))
    desk.promoted()
    watched.arrive(200, auc=0.8)
    watched.look()
    bads = sum(applicant.bad or 0 for applicant in watched.applicants)
    dana.type(CHANNEL, f"/model {MODEL}")
    card = dana.sees(office.reads("dana", "v4 is watched by"))
    assert "auc (rolls back): healthy. AUC is" in card
    assert f"200 outcomes with {bads} bads" in card
    now = desk.clock.now
    assert f"Looked at {now:%H:%M:%S} UTC. Next look {now + timedelta(minutes=5):%H:%M:%S}" in card
    assert f"Next look {now + timedelta(days=1):%Y-%m-%d %H:%M:%S} UTC" in card
    desk.clock.advance(minutes=5)
    with desk.store.transaction() as tx:  # as a look that has begun
        key = MonitorKey(MODEL, Version(4), "auc")
        spec = next(s.spec for s, _at in tx.monitor_states(MODEL) if s.key == key)
        wanted = {key: WantedLook(spec=spec, every=timedelta(minutes=5))}
        assert list(tx.claim_looks(wanted, timedelta(minutes=1))) == [key]
    dana.type(CHANNEL, f"/model {MODEL}")
    assert "Next look is due." in dana.sees(office.reads("dana", "Next look is due"))
    watched.arrive(900, auc=0.5)
    watched.look()
    dana.type(CHANNEL, f"/model {MODEL}")
    office.reads("dana", "below baseline (automatic)")
    sources.close()


@pytest.mark.parametrize("error", ["not_in_channel", "is_archived", "channel_not_found"])
def test_an_alert_that_the_channel_cannot_take_reaches_who_is_on_call(
    office: Office, error: str
) -> None:
    """And the owners, who also hear why: nothing that moved Production stays unsaid."""
    office.desk.promoted()
    office.conversation.send_due()
    office.slack.fail_next("chat.postMessage", error, times=1)
    alert = raised(office)
    automatic.react(office.desk.world, alert.id)
    for _time in range(4):
        office.conversation.send_due()
    office.reads("otto", "Rolled back: credit_scoring v4 → v3")
    office.reads("dana", "Rolled back: credit_scoring v4 → v3")
    office.reads("dana", "cannot post about credit_scoring")


def test_what_traffic_was_not_told_stands_in_the_alert(office: Office, tmp_path: Path) -> None:
    """The registry moved all the same."""
    office.desk.promoted()
    office.conversation.send_due()
    broken = tmp_path / "traffic.json"
    broken.write_text("{not json")
    office.desk.traffic = TrafficFile(broken)
    alert = raised(office)
    automatic.react(office.desk.world, alert.id)
    office.conversation.send_due()
    text = sees(office, office.channel_says("Rolled back: credit_scoring v4 → v3"))
    assert "Traffic could not be told" in text
    assert "It is tried again." in text
    done = [e for e in office.desk.events() if e["kind"] == "rollback_done"]
    assert "traffic" in str(done[0]["facts"])


def test_an_alert_that_is_well_again_says_so_and_waits_for_somebody(office: Office) -> None:
    """In the thread; then a click ends it."""
    message = rolled_back(office)
    desk = office.desk
    with desk.store.transaction() as tx:
        (alert,) = tx.open_alerts(MODEL)
        alerts.recovered(tx, alert, "Healthy again with v3.")
    office.conversation.send_due()
    otto = office.person("otto")
    said = [otto.sees(m) for m in otto.thread(message)]
    assert any("Healthy again with v3. It stays open until somebody" in line for line in said)
    assert "[Acknowledge]" in sees(office, message)
    otto.click(message, "Acknowledge")
    office.slack.wait_for(lambda: "· over" in sees(office, message))
    with desk.store.read() as tx:
        assert tx.open_alerts(MODEL) == ()
