"""Log lines: one each, and without secrets."""

from __future__ import annotations

import json
import logging
import sys

from bot.log_lines import OneLine


def a_record(message: str, *arguments: object) -> logging.LogRecord:
    """A record as a library would make it."""
    return logging.LogRecord("slack_sdk", logging.INFO, __file__, 1, message, arguments, None)


def test_an_entry_is_one_line_of_json() -> None:
    """A line break in a message does not start another entry."""
    line = OneLine([]).format(a_record("first\nsecond %s", "€"))
    assert "\n" not in line
    assert json.loads(line)["message"] == "first\nsecond €"


def test_known_secrets_and_anything_that_looks_like_a_token_are_hidden() -> None:
    """Also those that a library puts into its own message."""
    text = (
        "hunter2 xoxb-1-2-abc xapp-1-A-2-b wss://x/?ticket=t0p&app_id=1 postgresql://bot:pw@db/name"
    )
    shown = json.loads(OneLine(["hunter2"]).format(a_record(text)))["message"]
    for secret in ("hunter2", "xoxb-1", "xapp-1", "t0p", "pw"):
        assert secret not in shown
    assert "app_id=1" in shown
    assert "@db/name" in shown


def test_a_traceback_is_part_of_the_line() -> None:
    """With its secrets hidden, too."""
    try:
        raise ValueError("xoxb-9-secret")
    except ValueError:
        record = a_record("broke")
        record.exc_info = sys.exc_info()
    line = OneLine([]).format(record)
    assert "\n" not in line
    assert "ValueError: [hidden]" in json.loads(line)["error"]
