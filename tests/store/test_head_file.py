"""The file of heads: what a crash cuts is survived, what is not ours is refused, and the newest
head is found without reading everything again."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.adapters.head_file import HeadFile
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


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.booleans()), max_size=25))
def test_the_newest_head_is_that_of_the_whole_file(
    lines: list[tuple[int, bool, bool]],
) -> None:
    """However often it was asked in between, and whoever else appended."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heads"
        asked, other = HeadFile(path), HeadFile(path)
        for size, resumed, ask in lines:
            other.append(a_head(size), resumed=resumed)
            if ask:
                asked.newest()
        found = asked.newest()
        wanted = newest_of(list(HeadFile(path).all()))
        assert (found and found.head) == (wanted and wanted.head)
        assert (found and found.resumed) == (wanted and wanted.resumed)


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


def test_the_file_is_open_to_its_owner_and_group_alone(tmp_path: Path) -> None:
    """Whoever is on call works from a login of their own, in the bot's group."""
    heads = HeadFile(tmp_path / "elsewhere" / "heads")
    heads.append(a_head(1))
    assert heads.path.stat().st_mode & 0o007 == 0
