"""The webhook: one signed POST, as the Standard Webhooks specification 1.0.0 says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. It
tries once; when to try again is the outbox's to know. The secret and the path of the address are
in no error and no repr.
"""

from __future__ import annotations

import base64
import hmac
import re
import ssl
from datetime import datetime

from governance.adapters.http_edges.addresses import NotAllowed, destination_of
from governance.adapters.http_edges.pinned import (
    NoAnswer,
    PinnedClient,
    Resolve,
    system_addresses,
)
from governance.domain.errors import Refused, Unavailable

_PREFIX = "whsec_"
_KEY_BYTES = range(24, 64 + 1)
_EVENT_ID = re.compile(r"[!-\-/-~]{1,200}")
"""Visible ASCII without the full stop, which separates what is signed."""
_TRY_AGAIN = (408, 425, 429)
"""Of the 4xx: the request was slow, early or one too many, not wrong."""


class SignedWebhook:
    """Implements `governance.ports.Webhook` for one address."""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        allow_private: bool,
        timeout_seconds: float = 5.0,
        resolve: Resolve = system_addresses,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`secret`: `whsec_` and 24 to 64 random bytes in base64. While a secret is being changed,
        the new and the old one with a space between them: both sign. `allow_private`: also call
        addresses that are not public, and also by http. Raises Refused `webhook_refused` for a
        URL or a secret that cannot be used."""
        try:
            self._destination = destination_of(url, allow_http=allow_private)
        except NotAllowed as problem:
            raise _unusable(str(problem)) from None
        self._keys = tuple(_key(part) for part in secret.split() or [""])
        self._client = PinnedClient(
            allow_private=allow_private,
            timeout_seconds=timeout_seconds,
            resolve=resolve,
            tls=tls,
        )

    def __repr__(self) -> str:
        return f"SignedWebhook({self._destination.authority!r})"

    def send(self, event_id: str, at: datetime, body: bytes) -> None:
        """Deliver `body`, JSON, at the moment `at` of this attempt. Any 2xx is delivered; what the
        answer says beside that is not read. Raises Refused `webhook_refused` when it must not be
        sent again, Unavailable `webhook_unavailable` when it may be."""
        where = f"The webhook at {self._destination.authority}"
        headers = {"Content-Type": "application/json", **self._signed(event_id, at, body)}
        try:
            answer = self._client.exchange(
                self._destination, method="POST", headers=headers, body=body, read_body=False
            )
        except NotAllowed as problem:
            raise Refused(
                "webhook_refused",
                f"{where} was not called: {problem}. The platform team has to allow private "
                "addresses, or to give another one.",
            ) from None
        except NoAnswer as problem:
            raise Unavailable(
                "webhook_unavailable", f"{where} did not take the message: {problem}."
            ) from problem
        if 200 <= answer.status < 300:
            return
        if 400 <= answer.status < 500 and answer.status not in _TRY_AGAIN:
            raise Refused(
                "webhook_refused",
                f"{where} refuses the message (HTTP {answer.status}). Whoever runs it has to say "
                "why.",
            )
        redirect = ", and no redirect is followed" if 300 <= answer.status < 400 else ""
        raise Unavailable(
            "webhook_unavailable",
            f"{where} did not take the message (HTTP {answer.status}{redirect}).",
        )

    def _signed(self, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
        if not _EVENT_ID.fullmatch(event_id):
            raise Refused(
                "webhook_refused",
                "An event's id is visible ASCII without a full stop, and this one is not, so "
                "nobody could verify its signature.",
            )
        if at.tzinfo is None:
            raise ValueError("a moment without a zone")
        seconds = str(int(at.timestamp()))
        content = f"{event_id}.{seconds}.".encode("ascii") + body
        signatures = (hmac.digest(key, content, "sha256") for key in self._keys)
        return {
            "Webhook-Id": event_id,
            "Webhook-Timestamp": seconds,
            "Webhook-Signature": " ".join(
                f"v1,{base64.b64encode(signature).decode('ascii')}" for signature in signatures
            ),
        }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise _unusable(
            f"its secret is not {_PREFIX} and {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes in base64"
        )
    return key


def _unusable(reason: str) -> Refused:
    return Refused(
        "webhook_refused", f"The webhook cannot be used: {reason}. Correct its settings."
    )
