"""Where a URL leads, and which addresses are public. Pure: no lookup, no IO."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

_VISIBLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"[a-z0-9._-]{1,253}")

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(text)
    for text in (
        # The IANA IPv4 Special-Purpose Address Registry; written out, because what Python's
        # `is_global` says differs from one patch release to the next.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; some clouds keep their metadata here
        "127.0.0.0/8",
        "169.254.0.0/16",  # the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's own services inside every virtual network
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
"""All that IANA gives out. Loopback, mapped IPv4, unique local, link-local and multicast addresses
lie outside of it."""
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments; Teredo carries an IPv4 address in here
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: how an IPv6-only network writes an IPv4 address, which is its last four bytes."""


class NotAllowed(Exception):
    """Why an address is never called, as the end of a sentence. Asking again changes nothing."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a URL leads."""

    is_tls: bool
    host: str
    """A name in lower case, or an address without brackets."""
    port: int
    target: str = field(repr=False)
    """Path and query. Many webhooks keep a secret in there, so it is never shown."""

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header and people say them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


def destination_of(url: str, *, allow_http: bool) -> Destination:
    """Take a URL apart, strictly: what two programs could read in two ways is refused. Raises
    NotAllowed, whose words repeat nothing of the URL."""
    if not _VISIBLE.fullmatch(url):
        raise NotAllowed("the URL is empty or holds a space or a letter outside ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowed("the URL cannot be read") from None
    if parts.scheme not in ("https", "http"):
        raise NotAllowed("the URL is not https")
    if parts.scheme == "http" and not allow_http:
        raise NotAllowed("the URL is http, which is for private addresses alone")
    if "@" in parts.netloc:
        raise NotAllowed("the URL holds a user or a password")
    host = parts.hostname or ""
    if not (_NAME.fullmatch(host) or _is_v6(host)) or port == 0:
        raise NotAllowed("the URL names no host or port")
    is_tls = parts.scheme == "https"
    return Destination(
        is_tls=is_tls,
        host=host,
        port=port or (443 if is_tls else 80),
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody on the internet could be meant by it."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(address.packed[-4:]))
        return address in _GLOBAL_V6 and not any(address in n for n in _NOT_PUBLIC_V6)
    return not any(address in network for network in _NOT_PUBLIC_V4)


def _is_v6(host: str) -> bool:
    try:
        return IPv6Address(host).scope_id is None
    except ValueError:
        return False
