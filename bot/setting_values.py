"""What each setting may be, and how it is spelled: a parser a kind. Each raises ValueError, which
says what is wrong and what to write."""

from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import urlsplit


class HoldsSecretError(ValueError):
    """A value that must not be repeated."""


def api_url(text: str) -> str:
    """The base of Slack's Web API; ends in a slash, and in the clear only on this machine."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no http(s) address; write it as https://slack.com/api/.")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError("would send tokens in the clear; use https.")
    return text if text.endswith("/") else f"{text}/"


def ui_url(text: str) -> str:
    """Where people open MLflow in a browser, without a slash at its end; or nothing."""
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no http(s) address; write it as people open it in a browser.")
    if parts.username or parts.password:
        raise HoldsSecretError("holds a login, which everybody in the channel would read.")
    if parts.query or any(c.isspace() or c in "<>|&" for c in text):
        raise ValueError("holds more than an address; leave out everything from `#` or `?` on.")
    return text.partition("#")[0].rstrip("/")


def tracking_uri(text: str) -> str:
    """An MLflow server, without a password; or nothing."""
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no http(s) address; Foureyes speaks to an MLflow server.")
    if parts.password is not None:
        raise HoldsSecretError(
            "holds a password; use MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
        )
    return text


def database_url(text: str) -> str:
    """A file of SQLite, or a PostgreSQL server."""
    scheme, separator, rest = text.partition(":///")
    if scheme == "sqlite" and separator and rest and rest != ":memory:":
        return text
    if urlsplit(text).scheme in ("postgresql", "postgresql+psycopg"):
        return text
    raise ValueError(
        "is neither sqlite:///PATH (a file: memory would forget the record) nor postgresql://…."
    )


def webhook_url(text: str) -> str:
    """An address; or nothing. Whether it may be private is told at sending."""
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no https address.")
    return text


def webhook_secret(text: str) -> str:
    """A key as Standard Webhooks spells it; or nothing."""
    if not text:
        return text
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if len(key) < 24:
        raise ValueError(
            "is no key: write whsec_ and at least 24 random bytes in base64 "
            "(openssl rand -base64 32)."
        )
    return text


def yes_or_no(text: str) -> bool:
    """A switch."""
    match text.lower():
        case "yes" | "true" | "on" | "1":
            return True
        case "no" | "false" | "off" | "0":
            return False
    raise ValueError("is neither yes nor no.")


def alias(text: str) -> str:
    """A name that MLflow does not reserve."""
    if text == "latest" or (text[:1] == "v" and text[1:].isdigit()):
        raise ValueError("is a name that MLflow reserves.")
    return text


def positive_int(text: str) -> int:
    """A whole number above 0."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError("is no whole number above 0.")
    return int(text)


def port(text: str) -> int:
    """A TCP port; 0 takes a free one."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ValueError("is no port; write 0 to 65535.")
    return int(text)


def hours(text: str) -> timedelta:
    """From 36 seconds to 1000 hours."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 1000:
        raise ValueError("is no number of hours from 0.01 to 1000.")
    return timedelta(hours=value)


def seconds(text: str) -> timedelta:
    """From 0.05 seconds to a day."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.05 <= value <= 86_400:
        raise ValueError("is no number of seconds from 0.05 to 86400.")
    return timedelta(seconds=value)
