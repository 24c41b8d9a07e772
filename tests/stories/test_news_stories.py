"""New versions, from MLflow to the outbox and the record: announced once, and nothing before the
first look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from governance.domain.checks import Outcome
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import ModelName, Snapshot, Stage, Version
from governance.domain.ledger import EventKind
from governance.ports import Notice, NoticeKind
from governance.use_cases import news
from governance.use_cases.news import News, announce_new_versions, news_of
from governance.use_cases.tables import table_problems
from tests.builders import MODEL, a_content, a_metric, a_snapshot
from tests.stories.desk import Desk


def arrives(desk: Desk, number: int, **changes: object) -> None:
    """A pipeline registers a version."""
    snapshot = replace(a_snapshot(number, stage=Stage.NONE), registered_at=desk.clock.now)
    changed = replace(snapshot, **changes)  # type: ignore[arg-type]  # a table of changes
    desk.registry.add(changed, a_content(number))


def told(desk: Desk) -> list[News]:
    """What the channel is told of new versions."""
    return [news_of(MODEL, n.facts) for n in _notices(desk)]


def _notices(desk: Desk) -> list[Notice]:
    found = [n for n in desk.notices() if n.what == news.WHAT]
    assert {(n.kind, n.model) for n in found} <= {(NoticeKind.CHANNEL, MODEL)}
    return found


def noticed(desk: Desk) -> list[object]:
    """What the record says of new versions."""
    return [e["facts"] for e in desk.events() if e["kind"] == EventKind.VERSIONS_NOTICED.value]


def unreadable(desk: Desk, number: int, error: Exception) -> Callable[[], None]:
    """From now on MLflow does not give this version; returns what heals it."""
    real = desk.registry.snapshot

    def snapshot(model: ModelName, version: Version) -> Snapshot:
        if version == number:
            raise error
        return real(model, version)

    desk.registry.snapshot = snapshot  # type: ignore[method-assign]  # the registry is odd

    def heal() -> None:
        desk.registry.snapshot = real  # type: ignore[method-assign]  # it is well again

    return heal


def test_what_was_there_at_the_first_look_is_no_news(desk: Desk) -> None:
    """Three versions, one record, no message."""
    desk.look_around()
    assert told(desk) == []
    assert noticed(desk) == [{"up_to": 5, "announced": [], "unreadable": []}]


@pytest.mark.parametrize("is_same", [True, False])
def test_after_an_announcement_a_request_still_shows_which_files_changed(
    desk: Desk, is_same: bool
) -> None:
    """The champion's files are known since it was asked for, as long as it is what it was."""
    desk.promoted(4)
    if not is_same:
        desk.registry.change(MODEL, 4, source="models:/m-other")
    arrives(desk, 6)
    desk.look_around()
    assert told(desk)[-1].production == 4
    desk.staged(5)
    request = desk.promote(5)
    assert request.champion_content == (a_content(4) if is_same else None)


def test_a_new_version_is_announced_once_with_its_checks(desk: Desk) -> None:
    """Against what is in Production, for the stage that comes next; also after many looks."""
    arrives(desk, 6)
    for _look in range(3):
        desk.look_around()
    (one,) = told(desk)
    assert (one.newest, one.production, one.target) == (6, 3, Stage.STAGING)
    assert [c.outcome for c in one.checks] == [Outcome.PASSED]
    assert (one.count, one.others, one.unreadable, one.why_not) == (1, (), (), "")
    assert noticed(desk)[1:] == [{"up_to": 6, "announced": [6], "unreadable": []}]


def test_a_check_that_fails_is_told_and_asks_nobody(desk: Desk) -> None:
    """Whoever trained it knows before anybody asks."""
    arrives(desk, 6, inputs=a_snapshot(columns=("foreign_worker",)).inputs)
    desk.look_around()
    (one,) = told(desk)
    assert [(c.outcome, "foreign_worker" in c.finding) for c in one.checks] == [
        (Outcome.FAILED, True)
    ]


def test_a_batch_is_one_message_with_the_newest_first(desk: Desk) -> None:
    """A sweep registers five."""
    for number in range(6, 11):
        arrives(desk, number)
    desk.look_around()
    (one,) = told(desk)
    assert (one.newest, one.others) == (10, (9, 8, 7, 6))
    assert noticed(desk)[-1] == {
        "up_to": 10,
        "announced": [6, 7, 8, 9, 10],
        "unreadable": [],
    }


def test_of_a_huge_batch_the_oldest_are_only_counted(desk: Desk) -> None:
    """Nobody reads 1,000 versions of MLflow in one minute."""
    for number in range(6, 106):
        arrives(desk, number)
    desk.look_around()
    (one,) = told(desk)
    assert (one.newest, len(one.others), one.unread, one.count) == (105, 19, 80, 100)
    desk.look_around()
    assert told(desk) == []


@pytest.mark.parametrize("is_there", [True, False], ids=["this run is gone", "this one is fine"])
def test_a_version_whose_run_is_gone_is_said_plainly(desk: Desk, is_there: bool) -> None:
    """Alone or beside one that can be read; and the tick goes on."""
    arrives(desk, 6)
    if not is_there:
        arrives(desk, 7)
    unreadable(desk, 6, Refused("no_run", "The run of v6 was deleted."))
    assert desk.look_around().problems == []
    (one,) = told(desk)
    assert one.newest == (None if is_there else 7)
    assert one.unreadable == ((Version(6), "The run of v6 was deleted."),)
    desk.look_around()
    assert told(desk) == []


def test_a_version_that_does_not_answer_is_waited_for_then_announced(desk: Desk) -> None:
    """In order: the one after it waits too."""
    arrives(desk, 6)
    arrives(desk, 7)
    heal = unreadable(desk, 6, Unavailable("registry_unavailable", "No answer."))
    desk.look_around()
    assert told(desk) == []
    heal()
    desk.look_around()
    (one,) = told(desk)
    assert (one.newest, one.others) == (7, (6,))


def test_a_version_that_never_answers_holds_up_nobody_for_long(desk: Desk) -> None:
    """Ten minutes; then people hear that it cannot be read."""
    arrives(desk, 6)
    arrives(desk, 7)
    unreadable(desk, 6, Unavailable("registry_unavailable", "No answer."))
    desk.clock.now += timedelta(minutes=10) - timedelta(microseconds=1)
    desk.look_around()
    assert told(desk) == []
    desk.clock.now += timedelta(microseconds=1)
    desk.look_around()
    (one,) = told(desk)
    assert (one.newest, one.unreadable) == (7, ((Version(6), "No answer."),))


def test_a_defect_of_one_version_crashes_no_tick(desk: Desk) -> None:
    """It is a problem of the tick, and other models go on."""
    arrives(desk, 6)
    unreadable(desk, 6, ZeroDivisionError())
    tick = desk.look_around()
    assert any("ZeroDivisionError" in p.sentence for p in tick.problems)
    assert told(desk) == []


def test_a_version_that_somebody_asked_for_is_not_announced_again(desk: Desk) -> None:
    """Its request shows all of it."""
    arrives(desk, 6)
    desk.promote(6, target=Stage.STAGING)
    desk.look_around()
    assert told(desk) == []
    assert noticed(desk)[-1] == {"up_to": 6, "announced": [], "unreadable": []}


def test_two_replicas_announce_it_once(desk: Desk) -> None:
    """The second one looks while the first is reading."""
    arrives(desk, 6)
    real, others = desk.registry.versions, [announce_new_versions]

    def versions(model: ModelName) -> object:
        if others:
            others.pop()(desk.world, MODEL)
        return real(model)

    desk.registry.versions = versions  # type: ignore[method-assign,assignment]  # a replica in between
    assert announce_new_versions(desk.world, MODEL) == ()
    assert len(told(desk)) == 1
    assert len(noticed(desk)) == 2


def test_two_replicas_begin_once(desk: Desk) -> None:
    """At the first look at a model."""
    other = ModelName("fraud")
    with desk.store.transaction() as tx:
        assert tx.save_noticed(other, None, Version(2))
        assert not tx.save_noticed(other, None, Version(3))
        assert tx.noticed()[other] == 2
    with desk.store.read() as tx:
        assert any("announced versions" in p for p in table_problems(tx))  # no record tells of it
    with desk.store.transaction() as tx:
        news._record(tx, other, Version(2), announced=(), unreadable=())


def test_a_crash_before_the_commit_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record, notice and mark are one transaction."""
    arrives(desk, 6)

    def crash(_news: News) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(news, "facts_of", crash)
    with pytest.raises(KeyboardInterrupt):
        desk.look_around()
    monkeypatch.undo()
    assert (told(desk), len(noticed(desk))) == ([], 1)
    desk.look_around()
    assert (len(told(desk)), len(noticed(desk))) == (1, 2)


def test_a_model_without_a_policy_is_left_alone(desk: Desk) -> None:
    """No row, no record, no message."""
    other = ModelName("ungoverned")
    desk.registry.add(replace(a_snapshot(1, stage=Stage.NONE), model=other), a_content(1))
    desk.look_around()
    assert announce_new_versions(desk.world, other) == ()
    with desk.store.read() as tx:
        assert other not in tx.noticed()
        assert tx.events(model=other) == ()


def test_a_policy_may_come_before_its_model(desk: Desk) -> None:
    """Then the very first version is news."""
    name = ModelName("later")
    policies = desk.rules.rules.policies
    policy = replace(policies.policies["credit_scoring"], pattern=name, model=name)
    everything = {**policies.policies, name: policy}
    desk.rules.rules = replace(desk.rules.rules, policies=replace(policies, policies=everything))
    desk.look_around()
    first = replace(a_snapshot(1, stage=Stage.NONE), model=name)
    desk.registry.add(first, a_content(1))
    desk.look_around()
    (notice,) = [n for n in desk.notices() if n.what == news.WHAT]
    one = news_of(name, notice.facts)
    assert (one.newest, one.production) == (1, None)


def test_what_is_announced_can_be_compared_from_the_store(desk: Desk) -> None:
    """Snapshots of the new version and of the champion, as they are now, commit with the notice."""
    desk.registry.change(MODEL, 3, metrics=(a_metric(text="0.77", run_id="run3"),))
    arrives(desk, 6, metrics=(a_metric(text="0.81", run_id="run6"),))
    desk.look_around()
    with desk.store.read() as tx:
        new, old = tx.saved_snapshot(MODEL, Version(6)), tx.saved_snapshot(MODEL, Version(3))
    assert new is not None
    assert old is not None
    assert (new[0].metrics[0].text, old[0].metrics[0].text) == ("0.81", "0.77")


def test_facts_hold_everything_that_the_message_needs() -> None:
    """There and back."""
    arrived = News(
        model=MODEL,
        newest=Version(9),
        production=Version(3),
        target=Stage.PRODUCTION,
        why_not="nothing leads there",
        others=(Version(8), Version(7)),
        unreadable=((Version(6), "gone"),),
        unread=4,
    )
    assert news_of(MODEL, news.facts_of(arrived)) == arrived
    assert news_of(MODEL, news.facts_of(News(model=MODEL))) == News(model=MODEL)
