"""What follows a rollback outside: traffic, the serving platform, the webhook; and the drill that
tries all of it before it is needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.assembly import NoWorkspace
from governance.adapters.traffic_file import TrafficFile
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.ledger import EventKind
from governance.domain.monitoring.spec import Watching
from governance.ports import Notice
from governance.use_cases.drill import drill, drill_what_is_due
from governance.use_cases.outside import tell_outside
from governance.use_cases.serving import ask_what_is_served, follow
from governance.use_cases.world import World
from tests.builders import MODEL, a_content, a_policy, some_rules
from tests.stories.desk import Desk
from tests.stories.watching import WatchedDesk

PROBE_URL = "https://serving.example/{model}"


@dataclass
class Platform:
    """What the serving platform answers."""

    version: Version | None = None
    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    def served_version(self, url: str, model: ModelName) -> Version | None:
        """As a probe would read it."""
        self.asked.append(url)
        if self.is_down:
            raise Unavailable("probe_unavailable", "The platform does not answer.")
        return self.version


@dataclass
class Pager:
    """Whoever listens outside."""

    heard: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    is_down: bool = False
    refuses: bool = False

    def send(self, event_id: str, at: datetime, body: bytes) -> None:
        """As the webhook would deliver it."""
        if self.is_down:
            raise Unavailable("webhook_unavailable", "Nobody answers.")
        if self.refuses:
            raise Refused("webhook_refused", "Go away.")
        self.heard.append((event_id, json.loads(body)))


def world_with(desk: Desk, platform: Platform) -> World:
    """The desk's world, with a platform that can be asked."""
    return replace(desk.world, probe=platform)


def probed(desk: Desk) -> None:
    """The policy names where to ask."""
    watching = Watching(probe_url=PROBE_URL, drill_every=timedelta(days=1))
    desk.rules.rules = some_rules(replace(a_policy(), watching=watching))


def said(desk: Desk, what: str) -> list[Notice]:
    """Notices of one kind, taken out."""
    return [n for n in desk.notices() if n.what == what]


# --- traffic ----------------------------------------------------------------------------------


def test_a_rollback_tells_traffic_before_the_registry(desk: Desk, tmp_path: Path) -> None:
    """Even when MLflow does not take it at first."""
    desk.traffic = TrafficFile(tmp_path / "traffic.json")
    desk.promoted()
    follow(desk.world)
    assert desk.traffic.serving(MODEL) == Version(4)
    desk.registry.fail_before = 1
    with pytest.raises(Unavailable):
        desk.roll_back()
    assert desk.traffic.serving(MODEL) == Version(3)
    assert desk.production() == (Version(4),)
    desk.push_on()
    assert desk.production() == (Version(3),)


def test_traffic_is_not_turned_back_while_a_rollback_is_being_finished(
    desk: Desk, tmp_path: Path
) -> None:
    """The record still says v4 then."""
    desk.traffic = TrafficFile(tmp_path / "traffic.json")
    desk.promoted()
    desk.registry.fail_before = 1
    with pytest.raises(Unavailable):
        desk.roll_back()
    assert follow(desk.world) == 0
    assert desk.traffic.serving(MODEL) == Version(3)


def test_traffic_that_cannot_be_told_keeps_nobody_from_rolling_back(
    desk: Desk, tmp_path: Path
) -> None:
    """The channel hears of it, and it is told as soon as it can be."""
    broken = tmp_path / "traffic.json"
    broken.write_text("not ours")
    desk.traffic = TrafficFile(broken)
    desk.promoted()
    assert desk.roll_back().to_version == 3
    assert desk.production() == (Version(3),)
    (told,) = said(desk, "rolled_back")
    assert told.facts["traffic_problem"]
    broken.unlink()
    assert follow(desk.world) == 1
    assert desk.traffic.serving(MODEL) == Version(3)


def test_traffic_follows_what_was_changed_elsewhere(desk: Desk, tmp_path: Path) -> None:
    """Whoever reads it and whoever reads MLflow serve the same."""
    desk.traffic = TrafficFile(tmp_path / "traffic.json")
    follow(desk.world)
    desk.registry.change(MODEL, 5, stage=Stage.PRODUCTION)
    desk.registry.change(MODEL, 3, stage=Stage.ARCHIVED)
    desk.look_around()
    follow(desk.world)
    assert desk.traffic.serving(MODEL) == Version(5)


# --- what is served ---------------------------------------------------------------------------


def test_the_channel_hears_when_the_restored_version_is_served(desk: Desk) -> None:
    """Asked until it is; said once."""
    probed(desk)
    desk.promoted()
    desk.roll_back()
    platform = Platform(version=Version(4))
    world = world_with(desk, platform)
    assert ask_what_is_served(world) == 0
    desk.clock.advance(seconds=9)
    platform.version = Version(3)
    assert ask_what_is_served(world) == 1
    assert ask_what_is_served(world) == 0
    (told,) = said(desk, "served")
    assert str(told.facts["served"]).startswith("Serving v3 since ")


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        (Platform(version=Version(4)), "Still serving v4 a minute after"),
        (Platform(is_down=True), "could not be asked: The platform does not answer."),
    ],
)
def test_after_a_minute_it_says_what_is_served_all_the_same(
    desk: Desk, platform: Platform, words: str
) -> None:
    """Before, at and after the minute."""
    probed(desk)
    desk.promoted()
    desk.roll_back()
    world = world_with(desk, platform)
    desk.clock.advance(seconds=59)
    assert ask_what_is_served(world) == 0
    desk.clock.advance(seconds=1)
    assert ask_what_is_served(world) == 1
    (told,) = said(desk, "served")
    assert words in str(told.facts["served"])


def test_an_automatic_rollback_says_it_in_its_alert(watched: WatchedDesk) -> None:
    """And in the alert's thread."""
    desk = watched.desk
    watched.arrive(900, auc=0.5)
    watched.look()
    rules = desk.rules.rules.policies.policies["credit_scoring"]
    watching = replace(rules.watching, probe_url=PROBE_URL)
    desk.rules.rules = some_rules(replace(rules, watching=watching))
    assert ask_what_is_served(world_with(desk, Platform(version=Version(3)))) == 1
    assert watched.alerts()[0].served.startswith("Serving v3 since")


def test_nothing_is_asked_where_the_policy_names_no_address(desk: Desk) -> None:
    """And nothing is said."""
    desk.promoted()
    desk.roll_back()
    platform = Platform()
    assert ask_what_is_served(world_with(desk, platform)) == 0
    assert platform.asked == []


# --- outside ----------------------------------------------------------------------------------


def test_the_webhook_hears_of_what_happens_from_now_on_in_the_record_s_order(desk: Desk) -> None:
    """Each record once, whole, under its number."""
    pager = Pager()
    assert tell_outside(desk.world, pager) == 0
    desk.promoted()
    desk.roll_back()
    tell_outside(desk.world, pager)
    kinds = [body["kind"] for _id, body in pager.heard]
    assert kinds == [EventKind.TRANSITION_DONE.value, EventKind.ROLLBACK_DONE.value]
    assert [i for i, _body in pager.heard] == [f"foureyes-{b['seq']}" for _id, b in pager.heard]
    assert tell_outside(desk.world, pager) == 0


def test_an_address_that_does_not_answer_loses_nothing(desk: Desk) -> None:
    """It hears all of it later, in order."""
    pager = Pager()
    tell_outside(desk.world, pager)
    desk.promoted()
    pager.is_down = True
    with pytest.raises(Unavailable):
        tell_outside(desk.world, pager)
    desk.roll_back()
    pager.is_down = False
    tell_outside(desk.world, pager)
    assert len(pager.heard) == 2


def test_what_the_address_refuses_holds_up_nothing(desk: Desk) -> None:
    """It is passed over, and the operator hears of it."""
    pager = Pager()
    tell_outside(desk.world, pager)
    desk.promoted()
    pager.refuses = True
    with pytest.raises(Refused):
        tell_outside(desk.world, pager)
    pager.refuses = False
    desk.roll_back()
    tell_outside(desk.world, pager)
    assert [body["kind"] for _id, body in pager.heard] == [EventKind.ROLLBACK_DONE.value]


# --- the drill --------------------------------------------------------------------------------


def test_a_drill_tries_everything_and_moves_nothing(desk: Desk) -> None:
    """Recorded with what was seen."""
    desk.promoted()
    before = list(desk.registry.transitions)
    found = drill(desk.world, MODEL)
    assert found.passed, found.findings
    assert desk.registry.transitions == before
    assert [what for what, _held, _seen in found.findings] == [
        "there is a version to go back to",
        "its files are those that were approved",
        "MLflow is writable",
        "the channel can be reached",
        "who is on call can be reached",
    ]
    assert desk.kinds()[-1] == EventKind.ROLLBACK_DRILLED.value
    assert said(desk, "drill_failed") == []


def test_whatever_does_not_hold_is_found_and_told(desk: Desk) -> None:
    """Each part alone, and the channel hears when all hold again."""
    desk.promoted(4)
    desk.staged(5)
    desk.promoted(5)
    desk.registry.contents[MODEL, Version(4)] = a_content(4, body="swapped")
    desk.registry.is_read_only = True
    desk.accounts.no_channels.add("#credit-models")
    desk.accounts.gone.add("U0OTTO")
    found = drill(desk.world, MODEL)
    wrong = {what: seen for what, held, seen in found.findings if not held}
    assert "not those that were approved" in wrong["its files are those that were approved"]
    assert "lets Foureyes write nothing" in wrong["MLflow is writable"]
    assert "no channel #credit-models" in wrong["the channel can be reached"]
    assert "deactivated" in wrong["who is on call can be reached"]
    assert len(said(desk, "drill_failed")) == 1
    desk.registry.contents[MODEL, Version(4)] = a_content(4)
    desk.registry.is_read_only = False
    desk.accounts.no_channels.clear()
    desk.accounts.gone.clear()
    assert drill(desk.world, MODEL).passed
    assert len(said(desk, "drill_holds_again")) == 1


def test_a_drill_that_was_not_whole_takes_back_nothing(desk: Desk) -> None:
    """Whoever asks no Slack neither fails for that, nor says that all holds again."""
    desk.promoted()
    desk.accounts.no_channels.add("#credit-models")
    assert not drill(desk.world, MODEL).passed
    alone = replace(desk.world, accounts=NoWorkspace())
    found = drill(alone, MODEL)
    assert found.passed
    assert [what for what, _why in found.unchecked] == [
        "the channel can be reached",
        "who is on call can be reached",
    ]
    assert said(desk, "drill_holds_again") == []
    desk.accounts.no_channels.clear()
    assert drill(desk.world, MODEL).passed
    assert len(said(desk, "drill_holds_again")) == 1
    desk.registry.is_read_only = True
    assert not drill(alone, MODEL).passed


def test_nothing_to_go_back_to_is_a_finding(desk: Desk) -> None:
    """v3 was adopted, and nothing was there before."""
    found = drill(desk.world, MODEL)
    what, held, seen = found.findings[0]
    assert (what, held) == ("there is a version to go back to", False)
    assert "No version before v3" in seen


def test_drills_come_in_the_policy_s_rhythm(desk: Desk) -> None:
    """The first one as long after the first Production as the rhythm says."""
    probed(desk)
    desk.promoted()
    assert drill_what_is_due(desk.world) == []
    desk.clock.advance(hours=25)
    assert drill_what_is_due(desk.world) == [f"{MODEL} drilled: holds"]
    assert drill_what_is_due(desk.world) == []
    desk.clock.advance(days=1)
    assert len(drill_what_is_due(desk.world)) == 1
