"""Whoever made a version stays its maker, whatever is written over the run afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from governance.domain.errors import Refused
from governance.domain.evidence import (
    AuthorClaim,
    Content,
    ModelName,
    Snapshot,
    Stage,
    Version,
)
from governance.domain.ledger import EventKind
from governance.domain.policy import UnknownAuthor
from governance.domain.promotion import State
from governance.use_cases.reconcile import look_around
from tests.builders import MODEL, a_content, a_policy, a_snapshot, some_rules
from tests.stories.desk import Desk


def _made_by(desk: Desk, *names: str) -> None:
    claims = tuple(AuthorClaim(name=name, where="mlflow.user") for name in names)
    desk.registry.change(MODEL, 4, author_claims=claims)


def test_an_author_who_writes_another_name_over_the_run_stays_its_maker(desk: Desk) -> None:
    """As first and as last seen: Ana trained it, and a look came before she wrote Dana's name."""
    version = 6
    desk.registry.add(a_snapshot(version, author="ana"), a_content(version))
    desk.staged(version)
    look_around(desk.world)
    desk.registry.add(a_snapshot(version, author="dana"), a_content(version))
    desk.look_around()
    request = desk.promote(version)
    assert {"ana", "dana"} <= request.makers
    with pytest.raises(Refused, match="Ana made this version"):
        desk.vote(request, "ana")
    desk.vote(request, "vera")


def test_a_vote_of_somebody_whom_mlflow_names_as_author_by_now_is_void(desk: Desk) -> None:
    """The name was written after the vote: nothing executes, and somebody else is asked."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    _made_by(desk, "dana", "ana")
    desk.push_on()
    assert desk.request(request.id).state is State.PENDING
    assert desk.production() == (3,)
    with desk.store.read() as tx:
        past = {p.decision.person: p.ended_why for p in tx.past_decisions(request.id)}
    assert "names them as an author" in past["ana"]  # type: ignore[index]  # a name is its id
    asked = [n.person for n in desk.notices() if n.what == "ask"]
    assert "vera" in asked


def test_first_sights_are_kept_once_and_a_few_at_a_time(desk: Desk) -> None:
    """Those that are announced, and five others at each look, newest first."""
    with desk.store.read() as tx:
        assert tx.kept_versions(MODEL) == {3, 4, 5}
    for number in range(6, 40):
        desk.registry.add(a_snapshot(number), a_content(number))
    desk.look_around()
    announced, a_few = range(20, 40), range(15, 20)
    with desk.store.read() as tx:
        assert tx.kept_versions(MODEL) == {3, 4, 5, *announced}
    desk.look_around()
    with desk.store.read() as tx:
        assert tx.kept_versions(MODEL) == {3, 4, 5, *announced, *a_few}
    for _ in range(2):
        desk.look_around()
    with desk.store.read() as tx:
        assert tx.kept_versions(MODEL) == set(range(3, 40))
        first = tx.first_snapshot(MODEL, a_snapshot(13).version)
    assert first is not None
    desk.look_around()


def test_author_named_only_by_a_git_tag_is_barred(desk: Desk) -> None:
    """author_tags are claims too."""
    desk.registry.change(MODEL, 4, tags={"git_email": "ANA@example.com"})
    request = desk.promote()
    with pytest.raises(Refused, match="made this version"):
        desk.vote(request, "ana")


def test_a_version_without_a_known_author_is_refused_with_the_line_to_add(desk: Desk) -> None:
    """Only a service account made it."""
    desk.registry.add(a_snapshot(6, author="ci-pipeline"), a_content(6))
    desk.staged(6)
    with pytest.raises(Refused, match=r'mlflow\.set_tag\("git_email"') as refusal:
        desk.promote(6)
    assert refusal.value.code == "unknown_author"
    assert desk.kinds()[-1] == EventKind.REQUEST_REFUSED.value


def test_an_unknown_author_is_shown_where_policy_allows_it(desk: Desk) -> None:
    """`unknown_author: allow`."""
    desk.rules.rules = some_rules(a_policy(unknown_author=UnknownAuthor.ALLOW))
    desk.registry.add(a_snapshot(6, author=""), a_content(6))
    desk.staged(6)
    request = desk.promote(6)
    assert request.author_unknown
    assert request.makers == {"dana"}


@pytest.mark.parametrize(
    "name",
    ["Ana", " ana ", "ANA@example.com\n", "Ana Ruiz <ana@example.com>", "a\u200bna"],
)
def test_another_spelling_makes_nobody_somebody_else(desk: Desk, name: str) -> None:
    """Letter case, spaces, display names and invisible characters."""
    desk.registry.add(a_snapshot(6, author=name), a_content(6))
    desk.staged(6)
    assert "ana" in desk.promote(6).makers


def test_an_author_who_was_named_for_a_while_stays_barred(desk: Desk) -> None:
    """Written over while the request is open, and written back."""
    request = desk.promote()
    _made_by(desk, "dana", "ana")
    desk.look_around()
    _made_by(desk, "dana")
    desk.look_around()
    with pytest.raises(Refused, match="Ana made this version"):
        desk.vote(request, "ana")


def test_an_author_who_was_named_only_when_it_was_carried_out_stays_barred(desk: Desk) -> None:
    """The first look at the new name is the one before the transition; the record keeps it."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    _made_by(desk, "dana", "ana")
    desk.push_on()
    assert desk.request(request.id).makers == {"dana", "ana"}
    (grew,) = [e for e in desk.events() if e["kind"] == EventKind.MAKERS_GREW.value]
    assert (grew["request"], grew["facts"]) == (request.id, {"added": ["ana"]})
    _made_by(desk, "dana")
    with pytest.raises(Refused, match="Ana made this version"):
        desk.vote(request, "ana")
    desk.look_around()
    assert desk.kinds().count(EventKind.MAKERS_GREW.value) == 1


def test_evidence_that_changes_while_files_are_read_is_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read again under the lock, after the files."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    read = desk.registry.content

    def slowly(
        model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        desk.registry.change(MODEL, 4, parameters={"decision_threshold": "0.01"})
        return read(model, version, progress=progress)

    monkeypatch.setattr(desk.registry, "content", slowly)
    desk.push_on()
    assert desk.request(request.id).state is State.VOIDED
    assert desk.production() == (3,)


def test_a_version_that_left_its_stage_is_not_carried_out(desk: Desk) -> None:
    """Archived by hand after it was approved."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.registry.change(MODEL, 4, stage=Stage.ARCHIVED)
    desk.push_on()
    assert desk.request(request.id).state is State.VOIDED
    assert "Archived by now" in desk.request(request.id).note


def test_a_defect_with_one_request_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever MLflow answers for one version."""
    desk.registry.add(a_snapshot(6), a_content(6))
    desk.staged(6)
    desk.look_around()
    broken, fine = desk.promote(6), desk.promote(4)
    for request in (broken, fine):
        desk.vote(request, "ana")
        desk.vote(request, "raj")
    read = desk.registry.snapshot

    def absurd(model: ModelName, version: Version) -> Snapshot:
        if version == 6:
            raise ValueError("year 56898623 is out of range")
        return read(model, version)

    monkeypatch.setattr(desk.registry, "snapshot", absurd)
    assert any(p.code == "defect" for p in desk.push_on().problems)
    assert desk.production() == (4,)
    desk.look_around()
