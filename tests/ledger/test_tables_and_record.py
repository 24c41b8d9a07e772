"""The tables that Foureyes works with are held against the record: whoever edits one of them, and
leaves the log and its heads alone, is found out too."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from governance.domain.errors import Unavailable
from governance.domain.evidence import Version
from governance.domain.identity import PersonId
from governance.domain.ledger import Verification
from governance.use_cases.audit import Happened, trail, verify
from governance.use_cases.away import Leave, go_away
from tests.builders import MODEL
from tests.ledger.owner import Owner
from tests.ledger.test_resuming import resumed
from tests.stories.desk import Desk
from tests.stories.glass import break_glass, break_glass_back, says, with_glass

STAYS = "the table of stays says otherwise of credit_scoring than the record"
QUARANTINE = "the table of quarantined versions says otherwise of credit_scoring than the record"
REVIEWS = "the table of reviews says otherwise of credit_scoring than the record"
REQUESTS = "the table of requests says otherwise of credit_scoring than the record"

UNDER_WAY = "the table of what is under way says otherwise of credit_scoring than the record"
OPEN_INTENT = "SELECT body FROM intents WHERE closed_at IS NULL"
NOTICED = "the table of announced versions says otherwise of credit_scoring than the record"

EDITS = [
    ("UPDATE tenures SET ending = 'promotion' WHERE ending = 'rollback'", STAYS),
    ("UPDATE tenures SET started_at = '2026-01-01T00:00:00.000000+00:00' WHERE version = 4", STAYS),
    ("UPDATE tenures SET origin = 'adopted' WHERE origin = 'rollback'", STAYS),
    ("DELETE FROM tenures WHERE version = 4", STAYS),
    (
        "INSERT INTO tenures (model, version, stage, started_at, origin, ended_at, ending) VALUES "
        "('credit_scoring', 1, 'Production', '2026-01-01T00:00:00.000000+00:00', 'promotion', "
        "'2026-01-02T00:00:00.000000+00:00', 'promotion')",
        STAYS,
    ),
    ("DELETE FROM quarantine", QUARANTINE),
    (
        "INSERT INTO quarantine (model, version, why, since) VALUES "
        "('credit_scoring', 3, 'x', '2026-01-01T00:00:00.000000+00:00')",
        QUARANTINE,
    ),
    (
        """UPDATE requests SET body = replace(body, '"state":"completed"', '"state":"approved"')""",
        REQUESTS,
    ),
    ("UPDATE requests SET is_open = true", REQUESTS),
    ("DELETE FROM requests", REQUESTS),
    ("UPDATE noticed SET up_to = 99", NOTICED),
    ("DELETE FROM noticed", NOTICED),
]
EDITED_REVIEWS = [
    "INSERT INTO reviews (id, model, person, is_open, opened_at, due_at, body) SELECT 'x', "
    'model, person, is_open, opened_at, due_at, replace(body, \'"id":"\', \'"id":"x\') '
    "FROM reviews",
    "UPDATE reviews SET body = replace(body, '\"accept\"', '\"demand_rollback\"')",
    "UPDATE reviews SET body = replace(body, '\"due\"', '\"accepted\"')",
    "UPDATE reviews SET body = replace(body, '2026-03-03T12:01:00Z', '2036-03-03T12:01:00Z')",
    'UPDATE reviews SET body = replace(body, \'"person":"otto"\', \'"person":"vera"\')',
    'UPDATE reviews SET body = replace(body, \'"otto":"broke the glass"\', '
    '\'"vera":"broke the glass"\')',
    'UPDATE reviews SET body = replace(body, \'"raj":["risk"]\', \'"otto":["risk"]\')',
    "UPDATE reviews SET body = replace(body, '\"U0VERA\"', '\"U0OTTO\"')",
    'UPDATE reviews SET body = replace(body, \'"any_of":["risk"]\', \'"any_of":["on_call"]\')',
    "UPDATE reviews SET body = replace(body, '\"from_version\"\\:3', '\"from_version\"\\:2')",
    'UPDATE reviews SET body = replace(body, \'"version"\\:4,"req\', \'"version"\\:5,"req\')',
    "UPDATE reviews SET is_open = false",
    "DELETE FROM reviews",
]


@pytest.fixture
def after_a_rollback(desk: Desk) -> Desk:
    """v4 was promoted by two approvals and rolled back to v3."""
    desk.clock.advance(minutes=1)
    desk.promoted()
    desk.clock.advance(minutes=1)
    desk.roll_back()
    assert verify(desk.store, desk.heads).ok
    return desk


def after(desk: Desk, owner: Owner, *statements: str) -> Verification:
    """What `audit verify` says when the owner of the database has done this."""
    with owner.at_work() as connection:
        for statement in statements:
            connection.execute(text(statement))
    return verify(desk.store, desk.heads)


@pytest.mark.parametrize(("statement", "problem"), EDITS)
def test_an_edited_table_is_found_out_by_the_record(
    after_a_rollback: Desk, owner: Owner, statement: str, problem: str
) -> None:
    """By name, and nothing else is said to be wrong."""
    assert after(after_a_rollback, owner, statement).problems == (problem,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET verdict = 'reject' WHERE person = 'raj'",
        "UPDATE decisions SET person = 'vera' WHERE person = 'raj'",
        "UPDATE decisions SET ended_at = '2026-03-02T00:00:00.000000+00:00' WHERE person = 'raj'",
        "DELETE FROM decisions WHERE person = 'raj'",
        "UPDATE decisions SET body = replace(body, '\"U0RAJ\"', '\"U0DANA\"') WHERE person = 'raj'",
        "UPDATE decisions SET body = replace(body, '\"expected_production\"\\:3', "
        "'\"expected_production\"\\:2') WHERE person = 'raj'",
    ],
)
def test_an_edited_vote_is_found_out_by_the_record(
    after_a_rollback: Desk, owner: Owner, statement: str
) -> None:
    """With the request that it belongs to."""
    with after_a_rollback.store.read() as tx:
        request = tx.requests(MODEL, limit=1)[0]
    edit = statement
    if "verdict" in statement:
        # The verdict stands in the row and in its body.
        edit = (
            "UPDATE decisions SET verdict = 'reject', "
            """body = replace(body, '"approve"', '"reject"') WHERE person = 'raj'"""
        )
    if "'vera'" in statement:
        edit = (
            "UPDATE decisions SET person = 'vera', "
            """body = replace(body, '"raj"', '"vera"') WHERE person = 'raj'"""
        )
    problem = f"the table of decisions says otherwise of request {request.id} than the record"
    assert after(after_a_rollback, owner, edit).problems == (problem,)


@pytest.mark.parametrize(
    ("said", "forged"),
    [
        ('"roles":["validator"]', '"roles":["risk"]'),
        ('"absent":"ana"', '"absent":"vera"'),
        ('"last_day":"2026-03-06"', '"last_day":"2027-03-06"'),
    ],
)
def test_an_edited_voice_is_found_out_by_the_record(
    desk: Desk, owner: Owner, said: str, forged: str
) -> None:
    """For whom somebody decided, with which roles, and until when that person is away."""
    roster = desk.rules.rules.roster
    ana = replace(roster.people[PersonId("ana")], stand_ins=frozenset({PersonId("otto")}))
    roster = replace(roster, people={**roster.people, ana.id: ana})
    desk.rules.rules = replace(desk.rules.rules, roster=roster)
    actor = desk.actor("ana")
    leave = Leave(last_day=date(2026, 3, 6), stand_in=PersonId("otto"))
    go_away(desk.world, leave, actor=actor, standing=desk.accounts.standing(actor.account))
    request = desk.promote()
    desk.vote(request, "otto")
    assert verify(desk.store, desk.heads).ok
    problem = f"the table of decisions says otherwise of request {request.id} than the record"
    edit = f"UPDATE decisions SET body = replace(body, '{said}', '{forged}')"
    assert after(desk, owner, edit).problems == (problem,)


@pytest.mark.parametrize(
    ("said", "forged"),
    [
        ('"makers":["dana"]', '"makers":["vera"]'),
        ('"content":"{content}"', '"content":"forged"'),
        (r'"expected_production"\:3', r'"expected_production"\:2'),
        ('"raj":["risk"]', '"raj":["validator"]'),
        ('"U0ROSA"', '"U0DANA"'),
        ('"requester":"dana"', '"requester":"vera"'),
        ('"version"\\:4,"target"', '"version"\\:5,"target"'),
        ('"target":"Production"', '"target":"Staging"'),
        ('"expires_at":"2026', '"expires_at":"2036'),
        ('"reason":"', '"reason":"not '),
    ],
)
def test_what_an_edited_request_froze_is_found_out_by_the_record(
    after_a_rollback: Desk, owner: Owner, said: str, forged: str
) -> None:
    """Who made it, what its approvals bind, and who counted for it with which role and account."""
    with after_a_rollback.store.read() as tx:
        request = tx.requests(MODEL, limit=1)[0]
    said = said.replace("{content}", request.binding.content)
    edit = f"UPDATE requests SET body = replace(body, '{said}', '{forged}')"
    problem = f"the table of requests says otherwise of request {request.id} than the record"
    assert after(after_a_rollback, owner, edit).problems == (problem,)


@pytest.mark.parametrize("statement", EDITED_REVIEWS)
def test_an_edited_review_is_found_out_by_the_record(
    desk: Desk, owner: Owner, statement: str
) -> None:
    """Nobody forgets or forges what was done past policy, or when it is due."""
    desk.clock.advance(minutes=1)
    break_glass(with_glass(desk))
    says(desk, "ana")
    assert verify(desk.store, desk.heads).ok
    assert after(desk, owner, statement).problems == (REVIEWS,)


@pytest.mark.parametrize(
    ("said", "forged"),
    [
        ('"otto":"broke the glass"', '"vera":"broke the glass"'),
        ('"any_of":["risk"]', '"any_of":["on_call"]'),
        ('"incident":"INC-12"', '"incident":"INC-13"'),
    ],
)
def test_a_break_glass_edited_before_it_is_done_is_found_out_by_the_record(
    desk: Desk, owner: Owner, said: str, forged: str
) -> None:
    """While MLflow does not answer there is no review yet that would tell."""
    desk.clock.advance(minutes=1)
    with_glass(desk).registry.fail_before = 1
    request = break_glass(desk)
    assert verify(desk.store, desk.heads).ok
    problem = f"the table of requests says otherwise of request {request.id} than the record"
    edit = f"UPDATE requests SET body = replace(body, '{said}', '{forged}')"
    assert after(desk, owner, edit).problems == (problem,)


@pytest.mark.parametrize("is_put_back", [False, True])
def test_a_break_glass_forgotten_while_it_is_done_is_found_out_by_the_record(
    desk: Desk, owner: Owner, is_put_back: bool
) -> None:
    """Done as if it had been approved, and never reviewed; also when the row is whole again."""
    desk.clock.advance(minutes=1)
    with_glass(desk).registry.fail_before = 1
    request = break_glass(desk)
    with desk.store.transaction() as tx:
        tx.save_request(replace(tx.request(request.id), glass=None))
    desk.push_on()
    assert desk.production() == (4,)
    if is_put_back:
        with desk.store.transaction() as tx:
            tx.save_request(replace(tx.request(request.id), glass=request.glass))
    assert not verify(desk.store, desk.heads).ok


@pytest.mark.parametrize("is_finished", [False, True])
def test_a_rollback_past_policy_forgotten_on_its_way_is_found_out_by_the_record(
    desk: Desk, owner: Owner, is_finished: bool
) -> None:
    """The same, for the other direction."""
    desk.clock.advance(minutes=1)
    with_glass(desk).promoted()
    desk.registry.fail_before = 1
    with pytest.raises(Unavailable):
        break_glass_back(desk)
    assert verify(desk.store, desk.heads).ok
    with owner.at_work() as connection:
        body = json.loads(connection.execute(text(OPEN_INTENT)).scalar_one())
        forged = json.dumps({**body, "glass": None})
        connection.execute(
            text("UPDATE intents SET body = :b WHERE closed_at IS NULL"), {"b": forged}
        )
    if is_finished:
        desk.push_on()
        assert desk.production() == (3,)
    assert verify(desk.store, desk.heads).problems == (UNDER_WAY,)


@pytest.mark.parametrize("column", ["model", "request_id", "kind"])
def test_a_record_filed_under_something_else_is_found_out(
    after_a_rollback: Desk, owner: Owner, column: str
) -> None:
    """Else it would be missing from what is looked up by model, request or kind; its bytes are
    whole."""
    found = after(after_a_rollback, owner, f"UPDATE ledger SET {column} = 'other' WHERE seq = 4")
    assert found.problems == (
        "record 4 is filed under another model, request or kind than it says",
    )


def test_the_trail_is_told_from_the_record_alone(after_a_rollback: Desk, owner: Owner) -> None:
    """Whatever the tables say."""
    with after_a_rollback.store.read() as tx:
        before = trail(tx, MODEL)
    after(
        after_a_rollback,
        owner,
        "DELETE FROM tenures",
        "DELETE FROM decisions",
        "DELETE FROM requests",
        "DELETE FROM quarantine",
    )
    with after_a_rollback.store.read() as tx:
        told = trail(tx, MODEL)
    assert told == before
    assert [(line.version, line.happened) for line in told[-3:]] == [
        (Version(4), Happened.PRODUCTION),
        (Version(4), Happened.ROLLED_BACK),
        (Version(3), Happened.PRODUCTION),
    ]
    promoted = told[-3]
    assert [(a.person, a.roles) for a in promoted.approvals] == [
        ("ana", ("validator",)),
        ("raj", ("risk",)),
    ]


def test_a_repaired_table_is_a_gap_once_an_operator_recorded_it(
    after_a_rollback: Desk, owner: Owner
) -> None:
    """It stays in the answer, as a gap, and what is changed later is a problem again."""
    after(after_a_rollback, owner, EDITS[0][0])
    resumed(after_a_rollback)
    found = verify(after_a_rollback.store, after_a_rollback.heads)
    assert (found.problems, found.gaps) == ((), (STAYS,))
    found = after(after_a_rollback, owner, "DELETE FROM quarantine")
    assert (found.problems, found.gaps) == ((QUARANTINE,), (STAYS,))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE absences SET stand_in = 'rosa'",
        "UPDATE absences SET account = 'U0OTHER'",
        "UPDATE absences SET last_day = '2026-03-05'",
        "UPDATE absences SET ends_at = '2027-01-01T00:00:00.000000+00:00'",
        "UPDATE absences SET ended_at = '2026-03-02T12:00:00.000000+00:00'",
        "DELETE FROM absences",
        "INSERT INTO absences (person, stand_in, account, began_at, last_day, ends_at) VALUES "
        "('vera', 'rosa', 'U0', '2026-03-02T12:00:00.000000+00:00', '2026-03-06', "
        "'2026-03-07T00:00:00.000000+00:00')",
    ],
)
def test_an_edited_absence_is_found_out_by_the_record(
    desk: Desk, owner: Owner, statement: str
) -> None:
    """Who may decide for whom is as good as a vote."""
    actor = desk.actor("ana")
    leave = Leave(last_day=date(2026, 3, 6), stand_in=None)
    go_away(desk.world, leave, actor=actor, standing=desk.accounts.standing(actor.account))
    assert verify(desk.store, desk.heads).ok
    assert after(desk, owner, statement).problems == (
        "the table of absences says otherwise than the record",
    )
