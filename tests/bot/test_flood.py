"""Ten requests at once against Slack's own limits: a message a second in a channel, and each
method's tier. Nothing is lost, each request's lines stay in order, every copy ends alike, and Slack
is left alone as long as it asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox import HandClock, Limits, Message
from governance.domain.approval import Verdict
from governance.domain.promotion import Request
from tests.bot.office import Office, open_office
from tests.builders import MODEL, a_content, a_snapshot
from tests.sandbox.stage import CHANNEL

REQUESTS = 10
LINES = ("Ana approved.", "Ana withdrew their vote.", "Raj asks for changes: why", "Now withdrawn.")
_LONGEST_SECONDS = 1200
_QUIET_SECONDS = 120


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[tuple[Office, HandClock]]:
    """A workspace that is as strict as Slack, with a clock that the test moves."""
    clock, heads = HandClock(), tmp_path / "heads"
    url = f"sqlite:///{tmp_path / 'flood.db'}"
    with open_office(url, heads, limits=Limits(), slack_clock=clock) as office:
        yield office, clock
        assert office.slack.violations == ()


def test_a_flood_loses_nothing_and_keeps_each_requests_order(
    strict: tuple[Office, HandClock],
) -> None:
    """Opened, approved, withdrawn, asked for changes, taken back; ten times, all at once."""
    office, slack_clock = strict
    requests = [_lived_through(office, number) for number in range(10, 10 + REQUESTS)]
    seconds = _sent_in(office, slack_clock)
    dana = office.person("dana")
    mains = [m for m in dana.messages(CHANNEL) if "→ Production" in dana.sees(m)]
    assert len(mains) == REQUESTS
    for request in requests:
        (main,) = [m for m in mains if f"v{request.version} → Production" in dana.sees(m)]
        assert "Withdrawn." in dana.sees(main)
        assert not main.buttons
        thread = [dana.sees(m).strip() for m in dana.thread(main)]
        assert tuple(_beginning(line) for line in thread) == LINES
    for name in ("ana", "vera", "raj", "rosa"):
        for copy in _copies(office, name):
            assert not copy.buttons, f"{name} can still click"
    told = [m for m in dana.direct_messages() if "withdrawn. mistake" in dana.sees(m)]
    assert len(told) == REQUESTS
    refused = Counter(c.method for c in office.slack.calls if c.error == "ratelimited")
    assert refused, "the flood did not reach Slack's limits"
    # One refusal tells when to come back, and nobody asks before then: for a channel's posts and
    # for each method by its tier, at most one in each second.
    channels = 6
    assert sum(refused.values()) <= seconds * 2 + channels


def _lived_through(office: Office, version: int) -> Request:
    office.desk.registry.add(a_snapshot(version), a_content(version))
    office.desk.staged(version)
    request = office.desk.promote(version)
    office.desk.vote(request, "ana")
    office.desk.withdraw_vote(request, "ana")
    office.desk.vote(request, "raj", Verdict.ASK_FOR_CHANGES, "why")
    return office.desk.withdraw(request, "dana")


def _beginning(line: str) -> str:
    return next((known for known in LINES if line.startswith(known)), line)


def _copies(office: Office, name: str) -> list[Message]:
    person = office.person(name)
    return [m for m in person.direct_messages() if f"{MODEL} v" in person.sees(m)]


def _sent_in(office: Office, slack_clock: HandClock) -> int:
    """Send as the ticker does until nothing has been due for two minutes; how many seconds the
    last one took."""
    last = 0
    for second in range(_LONGEST_SECONDS):
        if office.conversation.send_due(500):
            last = second
        with office.desk.store.read() as tx:
            is_due = bool(tx.due_notices(1))
        if is_due:
            last = second
        if second - last > _QUIET_SECONDS:
            return last
        office.desk.clock.advance(seconds=1)
        slack_clock.advance(1)
    raise AssertionError("something is never sent")
