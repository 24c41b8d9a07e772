"""Addresses: what is not public is found in every disguise, and a URL is read in one way only."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.adapters.http_edges.addresses import (
    Destination,
    NotAllowed,
    destination_of,
    is_public,
)

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "64:ff9b::101:101",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_what_lies_inside_a_network_is_not_public(text: str) -> None:
    """Boundaries and the metadata of clouds among them."""
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_what_lies_just_outside_is_public(text: str) -> None:
    """Nothing more is refused than has to be."""
    assert is_public(ip_address(text))


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_public_that_python_calls_private(address: IPv4Address) -> None:
    """The table is at least as strict as the standard library."""
    if is_public(address):
        assert address.is_global
        assert not any((address.is_multicast, address.is_reserved, address.is_loopback))


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_is_public_that_python_calls_private(address: IPv6Address) -> None:
    """The same; what it embeds included."""
    if is_public(address):
        assert address.is_global
        assert not any((address.is_multicast, address.is_site_local))
        assert (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)


@given(st.ip_addresses(v=4))
def test_no_disguise_makes_an_ipv4_address_more_public(address: IPv4Address) -> None:
    """Mapped, compatible and 6to4 addresses are never public; NAT64 is what it stands for."""
    packed = address.packed
    mapped = IPv6Address(bytes(10) + b"\xff\xff" + packed)
    compatible = IPv6Address(bytes(12) + packed)
    six_to_four = IPv6Address(b"\x20\x02" + packed + bytes(10))
    assert not any(is_public(a) for a in (mapped, compatible, six_to_four))
    nat64 = IPv6Address(b"\x00\x64\xff\x9b" + bytes(8) + packed)
    assert is_public(nat64) == is_public(address)


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/"),
        ("https://Hooks.Example.com:443/a/b?c=d#e", "hooks.example.com", "/a/b?c=d"),
        ("https://hooks.example.com:8443?x", "hooks.example.com:8443", "/?x"),
        ("http://serving:80/v", "serving", "/v"),
        ("http://model_server:8080/v", "model_server:8080", "/v"),
        ("http://[::1]:80/", "[::1]", "/"),
        ("https://[2001:DB8::1]:444/", "[2001:db8::1]:444", "/"),
    ],
)
def test_a_url_says_where_it_leads(url: str, authority: str, target: str) -> None:
    """The port is named only when it is not the usual one, as the Host header wants it."""
    found = destination_of(url, allow_http=True)
    assert (found.authority, found.target) == (authority, target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "https:///path",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:port/",
        "https://ana@hooks.example.com/",
        "https://ana:word@hooks.example.com/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com\\.evil.example/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/a\r\nX: y",
        "https://hooks.example.com/\t",
        " https://hooks.example.com/",
        "https://①②⑦.0.0.1/",
        "https://hooks%2eexample.com/",
        "https://[::1/",
        "https://[hooks.example.com]/",
        "https://[fe80::1%25eth0]/",
    ],
)
def test_a_url_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    """And the refusal repeats nothing of it, because it may hold a secret."""
    with pytest.raises(NotAllowed) as refused:
        destination_of(url, allow_http=True)
    assert not url.strip() or url.strip() not in str(refused.value)


def test_plain_http_is_for_private_addresses_alone() -> None:
    """Whatever the letters look like."""
    for url in ("http://hooks.example.com/", "HTTP://hooks.example.com/"):
        with pytest.raises(NotAllowed):
            destination_of(url, allow_http=False)
    assert destination_of("HTTPS://hooks.example.com/", allow_http=False).is_tls


@given(st.text(max_size=60))
def test_any_text_leads_somewhere_or_is_refused(text: str) -> None:
    """Nothing else is raised, and what leads somewhere can be written into a request."""
    for url in (text, f"https://{text}", f"https://hooks.example.com/{text}"):
        try:
            found = destination_of(url, allow_http=True)
        except NotAllowed:
            continue
        assert isinstance(found, Destination)
        assert found.target.startswith("/")
        assert (found.host + found.target).isascii()
        assert not any(c.isspace() for c in found.host + found.target)
        assert found.target == "/" or found.target not in repr(found)
