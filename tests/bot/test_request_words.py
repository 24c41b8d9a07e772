"""What a request's message says of its seats, of what was asked, and of what was answered."""

from __future__ import annotations

from bot.messages import request_words
from governance.domain.approval import FilledSeat, Quorum, Seat
from governance.domain.identity import Role
from tests.builders import a_request, a_roster


def empty_seats(*roles: str) -> Quorum:
    """One empty seat for each."""
    return Quorum(
        seats=tuple(
            FilledSeat(seat=Seat(role=Role(role), number=number), person=None)
            for number, role in enumerate(roles, start=1)
        ),
        excluded={},
    )


def test_one_person_of_each_role_is_not_read_as_one_of_either() -> None:
    """Each seat is counted, also several of one role."""
    of_both = request_words.request_state(a_request(), empty_seats("risk", "validator"))
    assert "Needs one from risk and one from validator." in of_both
    of_one = request_words.request_state(a_request(), empty_seats("risk", "risk"))
    assert "Needs 2 from risk." in of_one
    again = request_words.reminded(a_request(), empty_seats("risk", "validator"), a_roster())
    assert "Missing: one from risk and one from validator." in again
