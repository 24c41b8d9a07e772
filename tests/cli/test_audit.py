"""`foureyes audit` on a real database: what holds is said, and whatever was done to it shows."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from bot.modals import record_modal
from governance.domain.canonical import Json
from governance.domain.evidence import Version
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import Event, EventKind
from tests.cli.deployment import MODEL, OPERATOR, Deployment
from tests.cli.program import Ended

DIFFERENT = "UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), 'number', 'figure') AS BLOB)"


def test_a_record_that_holds_is_told_with_size_root_and_reach(deployment: Deployment) -> None:
    """Every number that an auditor writes down is there."""
    deployment.keep_records(3)
    ended = deployment.foureyes("audit", "verify")
    assert ended.code == 0
    kept = deployment.heads.read_text().splitlines()[-1].split()
    assert ended.out.splitlines() == [
        "records   3",
        f"root      {kept[1]}",
        "anchored  3",
        "Every record is vouched for by a kept head: a change to any of them would show.",
        "The record matches every kept head.",
    ]


def test_the_newest_records_are_named_when_no_head_vouches_for_them_yet(
    deployment: Deployment,
) -> None:
    """The window in which a change would not show is said in numbers."""
    deployment.keep_records(3)
    lines = deployment.heads.read_text().splitlines(keepends=True)
    deployment.heads.write_text("".join(lines[:2]))  # that of the empty log, and the first
    ended = deployment.foureyes("audit", "verify")
    assert ended.code == 0
    assert "anchored  1\nThe newest 2 of 3 records are vouched for by no kept head yet" in ended.out


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param((f"{DIFFERENT} WHERE seq = 2",), id="edited"),
        pytest.param(("DELETE FROM ledger WHERE seq = 3",), id="cut"),
        pytest.param(("DELETE FROM ledger",), id="emptied"),
    ],
)
def test_what_was_done_to_the_record_shows(
    deployment: Deployment, statements: tuple[str, ...]
) -> None:
    """An edit, a cut tail, an empty table: each ends with 1."""
    deployment.keep_records(3)
    deployment.tamper(*statements)
    _does_not_hold(deployment.foureyes("audit", "verify"))


def test_an_older_copy_of_the_database_shows(deployment: Deployment) -> None:
    """A restored backup has lost records that left a head behind."""
    deployment.keep_records(2)
    older = deployment.folder / "backup.db"
    shutil.copy(deployment.database, older)
    deployment.keep_records(1)
    for leftover in deployment.database.parent.glob("foureyes.db-*"):
        leftover.unlink()
    shutil.copy(older, deployment.database)
    _does_not_hold(deployment.foureyes("audit", "verify"))


def test_resuming_records_the_gap_and_it_is_listed_from_then_on(deployment: Deployment) -> None:
    """The contradiction is excused, not hidden; a later one fails again."""
    deployment.keep_records(3)
    deployment.tamper("DELETE FROM ledger WHERE seq = 3")
    resumed = deployment.foureyes("audit", "resume", "--reason", "Restored the copy of 02:00.")
    assert (resumed.code, resumed.err) == (0, "")
    verified = deployment.foureyes("audit", "verify")
    assert verified.code == 0
    assert "gap       " in verified.out
    deployment.tamper(f"{DIFFERENT} WHERE seq = 1")
    _does_not_hold(deployment.foureyes("audit", "verify"))


def test_a_lost_file_of_heads_can_be_resumed(deployment: Deployment) -> None:
    """Without any head the record cannot be vouched for, until an operator says why."""
    deployment.keep_records(2)
    deployment.heads.unlink()
    _does_not_hold(deployment.foureyes("audit", "verify"))
    resumed = deployment.foureyes("audit", "resume", "--reason", "The disk of the heads died.")
    assert (resumed.code, resumed.err) == (0, "")
    assert deployment.foureyes("audit", "verify").code == 0


def test_a_record_that_was_changed_in_place_cannot_be_excused(deployment: Deployment) -> None:
    """Resuming goes over what is missing, not over what was rewritten: that has to be restored."""
    deployment.keep_records(3)
    deployment.tamper(f"{DIFFERENT} WHERE seq = 2")
    resumed = deployment.foureyes("audit", "resume", "--reason", "never mind")
    assert resumed.code == 1
    assert "changed in place" in resumed.out
    _does_not_hold(deployment.foureyes("audit", "verify"))


def test_there_is_nothing_to_resume_while_the_record_holds(deployment: Deployment) -> None:
    """Nobody can put an excuse into the record in advance."""
    deployment.keep_records(1)
    ended = deployment.foureyes("audit", "resume", "--reason", "just in case")
    assert ended.code == 1
    assert "nothing to resume" in ended.err


def test_the_trail_of_a_model_is_printed(deployment: Deployment) -> None:
    """One line for each thing that happened to a version."""
    deployment.keep_records(1)
    for arguments in (("audit", "show", MODEL), ("audit", "show")):
        ended = deployment.foureyes(*arguments)
        assert ended.code == 0
        assert ended.out.startswith("Version 1  Adopted  20")


def test_a_model_that_the_record_does_not_know_is_refused(deployment: Deployment) -> None:
    """The answer lists those it knows; an empty trail would look like a clean one."""
    deployment.keep_records(1)
    ended = deployment.foureyes("audit", "show", "credit_scorin")
    assert ended.code == 1
    assert "The record holds nothing of credit_scorin. It knows: credit_scoring." in ended.err


def test_every_record_is_printed_with_its_verdict(deployment: Deployment) -> None:
    """One line each, numbered, with who and why; no line of its own for what somebody wrote."""
    deployment.keep_records(1)
    with deployment.store() as store, store.transaction() as tx:
        raj = Actor(person=PersonId("raj"), account="U0RAJ", via="slack")
        for verdict in ("reject", "ask_for_changes"):
            decided = Event(
                kind=EventKind.DECISION_MADE,
                at=datetime(2025, 12, 11, 2, 15, tzinfo=UTC),
                actor=raj,
                model=MODEL,
                version=Version(4),
                why="too late\x1b[2J\n9. faked",
                facts={"verdict": verdict},
            )
            tx.record(decided)
    lines = deployment.foureyes("audit", "show", "--all", MODEL).out.splitlines()
    assert lines[0].startswith("1. 20")
    assert lines[0].endswith(" version adopted v1 by test: number 0")
    assert lines[1:] == [
        "2. 2025-12-11 02:15:00 decision made (reject) v4 by raj: too late\\x1b[2J⏎9. faked",
        "3. 2025-12-11 02:15:00 decision made (ask for changes) v4 by raj: "
        "too late\\x1b[2J⏎9. faked",
    ]
    of_all = deployment.foureyes("audit", "show", "--all").out.splitlines()
    assert "decision made (reject) credit_scoring v4 by raj" in of_all[1]
    assert len(of_all) == 3


def test_an_empty_record_is_told(deployment: Deployment) -> None:
    """No answer at all would look like a broken command."""
    deployment.foureyes("db", "upgrade")
    for arguments in (("audit", "show"), ("audit", "show", "--all")):
        ended = deployment.foureyes(*arguments)
        assert (ended.code, ended.out) == (0, "Nothing is recorded yet.\n")


def test_what_is_recorded_of_no_model_is_told_to_be_there(deployment: Deployment) -> None:
    """A load of policies stands in no model's trail."""
    with deployment.store() as store, store.transaction() as tx:
        loaded = Event(kind=EventKind.POLICY_LOADED, at=tx.now, actor=OPERATOR, why="first")
        tx.record(loaded)
    assert "--all prints the rest" in deployment.foureyes("audit", "show").out
    assert "policy loaded by test: first" in deployment.foureyes("audit", "show", "--all").out


def test_the_record_in_slack_says_each_verdict_and_where_the_rest_is() -> None:
    """Approved or rejected is what an auditor looks for; the command prints all of it."""
    event: Mapping[str, Json] = {
        "seq": 39,
        "at": "2025-12-11T02:15:00.000000+00:00",
        "kind": "decision_made",
        "person": "raj",
        "via": "slack",
        "model": MODEL,
        "version": 4,
        "why": "",
        "facts": {"verdict": "approve"},
    }
    shown = json.dumps(record_modal(MODEL, [event]))
    assert "39. 2025-12-11 02:15:00 decision made (approve) v4 by raj" in shown
    assert "foureyes audit show --all credit_scoring" in shown


def test_bytes_that_are_no_record_are_named_and_not_shown(deployment: Deployment) -> None:
    """A trail that left them out would look like a clean one."""
    deployment.keep_records(2)
    deployment.tamper("UPDATE ledger SET body = CAST('[]' AS BLOB) WHERE seq = 2")
    ended = deployment.foureyes("audit", "show")
    assert ended.code == 1
    assert "bytes that Foureyes did not write" in ended.err
    assert "foureyes audit verify" in ended.err


def test_a_database_of_another_version_is_refused(deployment: Deployment) -> None:
    """An empty file is no empty record."""
    deployment.database.parent.mkdir()
    deployment.database.touch()
    ended = deployment.foureyes("audit", "verify")
    assert ended.code == 1
    assert "foureyes db upgrade" in ended.err
    assert deployment.foureyes("db", "upgrade").out == "The database is at this version now.\n"
    assert deployment.foureyes("audit", "verify").code == 0


def test_what_holds_the_record_is_closed_to_strangers(deployment: Deployment) -> None:
    """The folders that are made on the way are the bot's and its group's: whoever is on call works
    from a login of their own, and is in that group."""
    deployment.foureyes("db", "upgrade")
    for path in (deployment.database.parent, deployment.heads.parent):
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


def _does_not_hold(ended: Ended) -> None:
    assert ended.code == 1
    assert "WRONG     " in ended.out
    assert "The record does NOT match." in ended.out
    assert "vouched for" not in ended.out  # by heads that contradict it
