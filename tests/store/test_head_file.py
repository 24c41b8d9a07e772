"""The file of heads: what a crash cuts is survived, what is not ours is refused, and the newest
head is found without reading everything again."""

from __future__ import annotations

import hashlib
import os
import resource
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governance.adapters import head_file
from governance.adapters.head_file import HeadFile, _parsed
from governance.domain.errors import IntegrityViolation, Unavailable
from governance.domain.ledger import Hash, Head, KeptHead


def a_head(size: int) -> Head:
    """Some head of that size."""
    return Head(size=size, root=Hash(hashlib.sha256(str(size).encode()).digest()))


def newest_of(kept: list[KeptHead]) -> KeptHead | None:
    """The promise, as it is written in the port."""
    resumed = [number for number, head in enumerate(kept) if head.resumed]
    since = kept[resumed[-1] :] if resumed else kept
    return max(since, key=lambda k: k.head.size, default=None)


sizes = st.integers(0, 30)
steps = st.one_of(
    st.tuples(st.just("append"), sizes, st.booleans()),
    st.tuples(st.just("cut"), sizes, st.integers(0, 73)),
    st.tuples(st.just("ask"), st.just(0), st.just(0)),
)
"""A head is appended, by resuming or not; a crash leaves the beginning of a line; it is asked."""


@given(st.lists(steps, max_size=40))
@example([("append", 1, 0), ("cut", 2, 66), ("ask", 0, 0), ("append", 0, 0)])  # its end alone
def test_the_newest_head_is_that_of_the_whole_file(steps: list[tuple[str, int, int]]) -> None:
    """However often it was asked in between, whoever else appended, and wherever a crash cut."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heads"
        asked, other = HeadFile(path), HeadFile(path)
        for what, size, number in steps:
            if what == "append":
                other.append(a_head(size), resumed=bool(number))
            elif what == "cut":
                _begin_line(path, size, number)
            else:
                assert asked.newest() == newest_of(list(other.all()))
        assert asked.newest() == newest_of(list(other.all())) == HeadFile(path).newest()


def _begin_line(path: Path, size: int, length: int) -> None:
    """What is left when the machine stops in the middle of an append to a whole file."""
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        return
    with path.open("ab") as file:
        file.write(f"{size} {a_head(size).root.hex()} resumed"[:length].encode())


def test_asking_again_reads_what_is_new_and_not_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked before each transition; the file only grows."""
    heads = HeadFile(tmp_path / "heads")
    for size in range(50):
        heads.append(a_head(size))
    assert heads.newest() == heads.all()[-1]
    read: list[bytes] = []

    def parsed(text: bytes, *, after_line: int) -> tuple[KeptHead, ...]:
        read.append(text)
        return _parsed(text, after_line=after_line)

    monkeypatch.setattr(head_file, "_parsed", parsed)
    before = heads.path.stat().st_size
    for size in (50, 51):
        heads.append(a_head(size))
    newest = heads.newest()
    assert newest == KeptHead(line=52, head=a_head(51))
    assert heads.newest() == newest
    assert read == [heads.path.read_bytes()[before:], b""]


def test_a_head_is_on_the_disk_before_anybody_relies_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line and, when the file is new, its name in the folder."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    heads = HeadFile(tmp_path / "heads")
    heads.append(a_head(1))
    heads.append(a_head(2))
    assert synced == ["heads", tmp_path.name, "heads"]


def test_a_line_that_a_crash_cut_is_left_out_and_closed_by_the_next(tmp_path: Path) -> None:
    """The head after it says what it would have said."""
    heads = HeadFile(tmp_path / "heads")
    heads.append(a_head(1))
    with heads.path.open("a") as file:
        file.write("2 ab12")
    assert [k.head.size for k in heads.all()] == [1]
    assert heads.newest() == heads.all()[-1]
    heads.append(a_head(3))
    assert [k.head.size for k in heads.all()] == [1, 3]
    newest = heads.newest()
    assert newest is not None
    assert newest.head == a_head(3)


@pytest.mark.parametrize(
    "line",
    [
        "hello\n",
        "\x00\n",
        "-1 " + "a" * 64 + "\n",
        "1 " + "g" * 64 + "\n",
        "1 " + "a" * 64 + " RESUMED\n",
        "1 " + "a" * 64 + " resumed twice\n",
        "é\n",
    ],
)
def test_a_line_that_is_none_of_ours_is_named(tmp_path: Path, line: str) -> None:
    """Both by whoever reads all and by whoever asks for the newest."""
    heads = HeadFile(tmp_path / "heads")
    heads.append(a_head(1))
    with heads.path.open("a") as file:
        file.write(line)
    for ask in (heads.all, heads.newest):
        with pytest.raises(IntegrityViolation, match="Line 2 of the file of heads"):
            ask()


def test_a_file_that_is_replaced_or_cut_is_read_from_its_beginning(tmp_path: Path) -> None:
    """What was there before is not remembered as if it were still there."""
    heads = HeadFile(tmp_path / "heads")
    for size in (1, 2, 3):
        heads.append(a_head(size))
    assert heads.newest() is not None
    heads.path.write_text("".join(heads.path.read_text().splitlines(keepends=True)[:1]))
    newest = heads.newest()
    assert newest is not None
    assert newest.head.size == 1
    heads.path.unlink()
    assert heads.newest() is None
    assert heads.all() == ()


def test_a_place_that_cannot_be_written_is_named_by_its_setting(tmp_path: Path) -> None:
    """Here a folder stands where the file should be."""
    (tmp_path / "heads").mkdir()
    heads = HeadFile(tmp_path / "heads")
    with pytest.raises(Unavailable, match="FOUREYES_HEADS") as problem:
        heads.append(a_head(1))
    assert problem.value.code == "heads_unwritable"
    with pytest.raises(Unavailable, match="FOUREYES_HEADS"):
        heads.newest()


@pytest.mark.parametrize("room_bytes", [0, 1, 40, 66])
def test_a_head_that_does_not_fit_on_the_disk_is_no_kept_head(
    tmp_path: Path, room_bytes: int
) -> None:
    """Also where the system takes the beginning of the line without complaint; with room again,
    the next head closes it."""
    heads = HeadFile(tmp_path / "heads")
    heads.append(a_head(1))
    most, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = heads.path.stat().st_size + room_bytes
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(Unavailable) as problem:
            heads.append(a_head(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    assert problem.value.code == "heads_unwritable"
    assert "The record was stored" in problem.value.sentence
    assert [k.head for k in heads.all()] == [a_head(1)]
    heads.append(a_head(3))
    assert heads.all()[-1].head == a_head(3)
    assert heads.newest() == heads.all()[-1]


def test_a_folder_that_cannot_be_made_is_named_by_its_setting(tmp_path: Path) -> None:
    """A file stands where the folder should be; `all` does not take that for an empty history."""
    (tmp_path / "folder").write_text("")
    heads = HeadFile(tmp_path / "folder" / "heads")
    with pytest.raises(Unavailable, match="FOUREYES_HEADS"):
        heads.append(a_head(1))
    for ask in (heads.all, heads.newest):
        with pytest.raises(Unavailable, match="FOUREYES_HEADS") as problem:
            ask()
        assert problem.value.code == "heads_unreadable"


def test_the_file_is_open_to_its_owner_and_group_alone(tmp_path: Path) -> None:
    """Whoever is on call works from a login of their own, in the bot's group."""
    heads = HeadFile(tmp_path / "elsewhere" / "heads")
    heads.append(a_head(1))
    assert heads.path.stat().st_mode & 0o007 == 0
