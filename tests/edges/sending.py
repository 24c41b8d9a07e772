"""Alerts on their way to a receiver, and all that a log could show when they do not arrive."""

from __future__ import annotations

import base64
import json
import traceback

from governance.adapters.http_edges import SignedWebhook
from governance.domain.errors import FoureyesError
from governance.ports import Webhook
from tests.builders import NOON
from tests.edges.servers import Server

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TOKEN = "T0K3N-in-the-path"
BODY = json.dumps({"type": "alert.raised", "data": {"model": "credit_scoring"}}).encode()


def a_webhook(server: Server, *, secret: str = SECRET, seconds: float = 30.0) -> SignedWebhook:
    """One that may call this machine."""
    url = f"{server.url}/{TOKEN}?key={TOKEN}"
    return SignedWebhook(url, secret, allow_private=True, timeout_seconds=seconds)


def sent(webhook: Webhook) -> None:
    """An alert at noon."""
    webhook.send("alert_17", NOON, BODY)


def everything_told(error: BaseException) -> str:
    """All that a log could show, causes included."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error)


def assert_tells_no_secret(error: FoureyesError) -> None:
    """Neither the key nor the path, which is a key for many receivers."""
    told = everything_told(error)
    assert TOKEN not in told
    assert SECRET not in told
    assert base64.b64encode(KEY).decode() not in told
