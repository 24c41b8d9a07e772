"""From a click in Slack until the channel's message and every direct copy of it show the vote, in
the workspace, beside as many bare updates of messages."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.sandbox import Message
from tests.benchmarks.goals import Goal
from tests.bot.office import Office, open_office
from tests.builders import MODEL, a_content, a_snapshot
from tests.sandbox.stage import CHANNEL

ROUNDS = 60
ASKED = ("ana", "raj", "rosa", "vera")


def main() -> list[Goal]:
    """Print median and p99."""
    with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as folder:
        url, heads = f"sqlite:///{Path(folder) / 'record.db'}", Path(folder) / "heads"
        with open_office(url, heads) as office:
            ours = [_round(office, number) for number in range(10, 10 + ROUNDS)]
            bare = [_bare(office) for _round in range(ROUNDS)]
    ratio = statistics.median(ours) / statistics.median(bare)
    print(
        f"click to every copy updated (the channel and {len(ASKED)} direct messages): median "
        f"{statistics.median(ours):.3f} s, p99 {_p99(ours):.3f} s; {1 + len(ASKED)} bare updates "
        f"{statistics.median(bare):.3f} s; ratio {ratio:.1f}"
    )
    return [Goal(name="seconds from click to every copy, p99", measured=_p99(ours), at_most=1.0)]


def _round(office: Office, version: int) -> float:
    office.desk.registry.add(a_snapshot(version), a_content(version))
    office.desk.staged(version)
    office.desk.promote(version)
    title = f"{MODEL} v{version} → Production"
    shown = {"dana": _only(office, "dana", CHANNEL, title)}
    shown |= {name: _only(office, name, None, title) for name in ASKED}
    ana = office.person("ana")
    began = time.perf_counter()
    ana.click(shown["dana"], "Approve")
    office.slack.wait_for(_all_show(office, shown, "1 of 2"), timeout_seconds=30)
    return time.perf_counter() - began


def _all_show(office: Office, shown: dict[str, Message], text: str) -> Callable[[], bool]:
    def look() -> bool:
        people = ((office.person(name), message) for name, message in shown.items())
        return all(text in person.sees(person.latest(m) or m) for person, m in people)

    return look


def _only(office: Office, name: str, where: str | None, title: str) -> Message:
    person = office.person(name)
    while True:
        office.conversation.send_due(500)  # nothing while the bot's own sender is at it
        messages = person.messages(where) if where else person.direct_messages()
        found = next((m for m in reversed(messages) if title in person.sees(m)), None)
        if found is not None:
            return found


def _bare(office: Office) -> float:
    """The same number of calls, one after the other, and nothing else."""
    message = office.person("dana").messages(CHANNEL)[-1]
    began = time.perf_counter()
    for _copy in range(1 + len(ASKED)):
        office.client.chat_update(channel=message.channel, ts=message.ts, text="x")
    return time.perf_counter() - began


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[max(0, round(len(seconds) * 0.99) - 1)]


if __name__ == "__main__":
    main()
