"""Whoever made a version stays its maker, whatever is written over the run afterwards."""

from __future__ import annotations

import pytest

from governance.domain.errors import Refused
from governance.domain.evidence import AuthorClaim
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
    """Newest first; a version whose run is gone is left out."""
    with desk.store.read() as tx:
        assert tx.kept_versions(MODEL) == {3, 4, 5}
    for number in range(6, 14):
        desk.registry.add(a_snapshot(number), a_content(number))
    desk.look_around()
    with desk.store.read() as tx:
        assert tx.kept_versions(MODEL) == {3, 4, 5, *range(9, 14)}
    desk.look_around()
    with desk.store.read() as tx:
        assert tx.kept_versions(MODEL) == set(range(3, 14))
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
    with pytest.raises(Refused, match=r'mlflow\.set_tag\("git_email"') as refusal:
        desk.promote(6)
    assert refusal.value.code == "unknown_author"
    assert desk.kinds()[-1] == EventKind.REQUEST_REFUSED.value


def test_an_unknown_author_is_shown_where_policy_allows_it(desk: Desk) -> None:
    """`unknown_author: allow`."""
    desk.rules.rules = some_rules(a_policy(unknown_author=UnknownAuthor.ALLOW))
    desk.registry.add(a_snapshot(6, author=""), a_content(6))
    request = desk.promote(6)
    assert request.author_unknown
    assert request.makers == {"dana"}
