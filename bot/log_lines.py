"""Every log entry is one JSON line on standard error, without secrets.

Knows no rule and no vendor; whatever a library logs goes through the same formatter.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

_TOKENS = re.compile(r"(xox[a-z]|xapp)-[A-Za-z0-9-]+|(?<=ticket=)[^&\s\"']+|(?<=://)[^/@\s]+(?=@)")
_HIDDEN = "[hidden]"
_QUIET: Mapping[str, int] = {
    # A level-triggered tick makes normal what these report, or we report it ourselves. Libraries
    # set the levels of their own loggers, so it is the handler that leaves lines out.
    "apscheduler": logging.CRITICAL,
    "alembic": logging.WARNING,
    "slack_bolt": logging.WARNING,
    "slack_sdk": logging.WARNING,
    "slack_sdk.web": logging.CRITICAL,
    "urllib3": logging.ERROR,
}


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether an entry reaches the log; the longest name that matches decides."""
    names = [n for n in _QUIET if record.name == n or record.name.startswith(f"{n}.")]
    return not names or record.levelno >= _QUIET[max(names, key=len)]


class OneLine(logging.Formatter):
    """Time, level, source, message, and the exception if any, as one JSON object per line."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__()
        self._secrets = tuple(s for s in secrets if s)

    def format(self, record: logging.LogRecord) -> str:
        """One line. Line breaks inside a message become `\\n`, as JSON writes them."""
        at = datetime.fromtimestamp(record.created, tz=UTC)
        line = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": self._clean(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return _TOKENS.sub(_HIDDEN, text)


def start_logging(secrets: Sequence[str]) -> None:
    """Send everything from INFO on to standard error, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(secrets))
    handler.addFilter(is_worth_a_line)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
