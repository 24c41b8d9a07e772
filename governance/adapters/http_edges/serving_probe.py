"""The probe: asks the serving platform which version it serves, and believes clear words alone."""

from __future__ import annotations

import json
import re
import ssl
from urllib.parse import quote

from governance.adapters.http_edges.addresses import NotAllowed, destination_of
from governance.adapters.http_edges.pinned import (
    NoAnswer,
    PinnedClient,
    Resolve,
    system_addresses,
)
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName, Version

_VERSION = re.compile(r"v?([1-9][0-9]{0,8})")


class HttpProbe:
    """Implements `governance.ports.ServingProbe`."""

    def __init__(
        self,
        *,
        allow_private: bool = True,
        timeout_seconds: float = 2.0,
        resolve: Resolve = system_addresses,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`allow_private`: also ask addresses that are not public, and also by http; a serving
        platform mostly has such a one."""
        self._allow_private = allow_private
        self._client = PinnedClient(
            allow_private=allow_private,
            timeout_seconds=timeout_seconds,
            resolve=resolve,
            tls=tls,
        )

    def served_version(self, url: str, model: ModelName) -> Version | None:
        """GET `url` with the model's name, percent-encoded, for `{model}`. The answer is 200 with
        `{"version": 2}`, `{"version": "v2"}`, `2` or `v2`; or `{"version": null}` or `none` for
        None. Raises Unavailable `probe_unavailable` for everything else."""
        address = url.replace("{model}", quote(model, safe=""))
        try:
            destination = destination_of(address, allow_http=self._allow_private)
            answer = self._client.exchange(
                destination,
                method="GET",
                headers={"Accept": "application/json, text/plain"},
                read_body=True,
            )
        except (NotAllowed, NoAnswer) as problem:
            raise _unavailable(model, str(problem)) from problem
        if answer.status != 200:
            raise _unavailable(model, f"it answered HTTP {answer.status}")
        try:
            return _version(answer.body)
        except (ValueError, RecursionError):
            raise _unavailable(model, "its answer names no version") from None


def _version(body: bytes) -> Version | None:
    """Raises ValueError or RecursionError for what says nothing clear."""
    text = body.decode("utf-8").strip()
    if not text.startswith("{"):
        return None if text == "none" else _number(text)
    whole = json.loads(text, object_pairs_hook=_without_doubles)
    if "version" not in whole:
        raise ValueError("no version")
    version = whole["version"]
    # True and 2.0 are written in ways that no version is.
    return None if version is None else _number(str(version))


def _number(text: str) -> Version:
    found = _VERSION.fullmatch(text)
    if found is None:
        raise ValueError("no version")
    return Version(int(found[1]))


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _unavailable(model: ModelName, reason: str) -> Unavailable:
    return Unavailable(
        "probe_unavailable",
        f"The serving platform does not say which version of {model} it serves: {reason}. The "
        "platform team has to look at the probe's address.",
    )
