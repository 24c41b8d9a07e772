"""The tree over the record is that of RFC 6962 §2.1, and every byte of every record is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.ledger import Head, KeptHead, Peaks, verify

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The example records of Certificate Transparency's own tests."""

ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Their roots, of the first one, two, three … records."""

records = st.lists(st.binary(max_size=12), max_size=130)
some_records = st.lists(st.binary(max_size=12), min_size=1, max_size=60)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, written as it stands there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def head_of(leaves: Sequence[bytes]) -> Head:
    """What Foureyes computes, one record after the other."""
    peaks = Peaks.empty()
    for leaf in leaves:
        peaks = peaks.append(leaf)
    return peaks.head


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_of_certificate_transparency_are_ours(size: int) -> None:
    """Known answers, at each size."""
    assert head_of(LEAVES[:size]).root.hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    """RFC 6962 §2.1."""
    assert head_of([]).root == hashlib.sha256(b"").digest()


@given(records)
def test_appending_gives_the_root_of_the_whole(leaves: list[bytes]) -> None:
    """At every size up to 130, so across the powers of two."""
    found = head_of(leaves)
    assert (found.size, found.root) == (len(leaves), root_of(leaves))


@given(some_records, st.data())
def test_any_changed_byte_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    """Wherever it is."""
    place = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(max_size=12).filter(lambda b: b != leaves[place]))
    changed = [*leaves[:place], other, *leaves[place + 1 :]]
    assert head_of(changed).root != head_of(leaves).root


@given(some_records, st.data())
def test_a_record_left_out_or_put_in_changes_the_root(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """Even one that is empty."""
    place = data.draw(st.integers(0, len(leaves) - 1))
    shorter = leaves[:place] + leaves[place + 1 :]
    longer = [*leaves[:place], b"", *leaves[place:]]
    assert head_of(leaves).root not in (head_of(shorter).root, head_of(longer).root)


@given(some_records, st.data())
def test_two_records_that_change_places_change_the_root(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """Order is part of the record."""
    one, other = data.draw(st.tuples(*[st.integers(0, len(leaves) - 1)] * 2))
    changed = list(leaves)
    changed[one], changed[other] = leaves[other], leaves[one]
    assert (head_of(changed).root == head_of(leaves).root) == (changed == leaves)


def test_an_inner_node_cannot_pass_for_a_record() -> None:
    """The prefixes 0x00 and 0x01 keep them apart."""
    left, right = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b"))
    assert head_of([left + right]).root != head_of([b"a", b"b"]).root


@given(st.integers(1, 40), st.data())
def test_each_kept_head_vouches_for_its_prefix_and_for_no_other(
    size: int, data: st.DataObject
) -> None:
    """A log that was cut before the head, or differs within it, does not verify."""
    leaves = [b'{"kind":"request_opened","seq":%d}' % number for number in range(1, size + 1)]
    kept_size = data.draw(st.integers(1, size))
    kept = KeptHead(line=1, head=head_of(leaves[:kept_size]))
    found = verify(leaves, [kept])
    assert found.ok
    assert found.anchored_size == kept_size
    assert not verify(leaves[: kept_size - 1], [kept]).ok
    place = data.draw(st.integers(0, kept_size - 1))
    edited = [*leaves[:place], leaves[place] + b" ", *leaves[place + 1 :]]
    assert not verify(edited, [kept]).ok


def test_a_record_in_another_place_is_named() -> None:
    """Also behind the newest kept head."""
    leaves = [b'{"kind":"x","seq":1}', b'{"kind":"x","seq":3}']
    found = verify(leaves, [KeptHead(line=1, head=head_of(leaves[:1]))])
    assert found.problems == ("record 2 says it is another one",)


def test_a_log_without_any_kept_head_cannot_be_vouched_for() -> None:
    """Deleting the heads is no way around them."""
    assert not verify([b'{"kind":"x","seq":1}'], []).ok
    assert verify([], []).ok
