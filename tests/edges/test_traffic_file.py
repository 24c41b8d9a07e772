"""The traffic file: readers see the old or the new one, whoever writes and whenever it dies."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.adapters.traffic_file import TrafficFile
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName, Version
from governance.ports import Traffic
from tests.builders import NOON

CREDIT, FRAUD = ModelName("credit_scoring"), ModelName("fraud")


def a_file(folder: Path, *, patience: float = 30.0) -> TrafficFile:
    """A file in a folder; at noon."""
    path = folder / "traffic.json"
    return TrafficFile(path, now=lambda: NOON, lock_patience_seconds=patience)


def written(**models: object) -> bytes:
    """A file as somebody might have left it."""
    return json.dumps({"models": models}).encode()


def test_what_was_written_is_what_a_router_reads(tmp_path: Path) -> None:
    """The exact shape is a promise to programs that are not ours."""
    traffic = a_file(tmp_path / "made" / "on the way")
    traffic.serve(CREDIT, Version(2))
    traffic.serve(FRAUD, Version(11))
    since = NOON.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert json.loads(traffic.path.read_text()) == {
        "models": {
            "credit_scoring": {"version": 2, "since": since},
            "fraud": {"version": 11, "since": since},
        }
    }
    assert (traffic.serving(CREDIT), traffic.serving(FRAUD)) == (2, 11)


def test_a_missing_file_serves_nothing_and_is_not_made_by_asking(tmp_path: Path) -> None:
    """Whoever only reads needs no right to write."""
    traffic = a_file(tmp_path)
    assert traffic.serving(CREDIT) is None
    assert list(tmp_path.iterdir()) == []


def test_the_same_version_again_changes_no_byte(tmp_path: Path) -> None:
    """Since when it is served stays true; a reader that watches the file is not woken."""
    path = tmp_path / "traffic.json"
    moments = iter([NOON, NOON + timedelta(hours=1)])
    traffic = TrafficFile(path, now=lambda: next(moments))
    traffic.serve(CREDIT, Version(2))
    before = path.read_bytes(), path.stat().st_ino
    traffic.serve(CREDIT, Version(2))
    assert (path.read_bytes(), path.stat().st_ino) == before
    traffic.serve(CREDIT, Version(1))
    assert json.loads(path.read_text())["models"]["credit_scoring"]["since"].startswith(
        (NOON + timedelta(hours=1)).strftime("%Y-%m-%dT%H:")
    )


def test_a_moment_is_written_in_utc(tmp_path: Path) -> None:
    """Whatever zone the clock speaks."""
    berlin = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    path = tmp_path / "traffic.json"
    TrafficFile(path, now=lambda: berlin).serve(CREDIT, Version(2))
    since = json.loads(path.read_text())["models"]["credit_scoring"]["since"]
    assert since == "2026-03-02T09:30:00.000000Z"


names = st.text(min_size=1, max_size=20).map(ModelName)
versions = st.integers(1, 2**31 - 1).map(Version)


@given(st.lists(st.tuples(st.booleans(), names, versions), max_size=20))
def test_the_newest_of_every_model_is_kept(calls: list[tuple[bool, ModelName, Version]]) -> None:
    """Whichever of two writers wrote it, and whatever the models are called."""
    with tempfile.TemporaryDirectory() as folder:
        one, other = a_file(Path(folder)), a_file(Path(folder))
        expected: dict[ModelName, Version] = {}
        for by_one, model, version in calls:
            writer: Traffic = one if by_one else other
            writer.serve(model, version)
            expected[model] = version
        assert {m: one.serving(m) for m in expected} == expected
        assert {m: other.serving(m) for m in expected} == expected


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b"\xff",
    b"[" * 100_000,
    b'{"models": []}',
    b'{"models": {}, "owner": "ana"}',
    b'{"models": {"a": {"version": 1, "since": "2026-03-02T09:30:00Z"}, "a": null}}',
    written(a=2),
    written(a={"version": 2}),
    written(a={"version": "2", "since": "2026-03-02T09:30:00Z"}),
    written(a={"version": True, "since": "2026-03-02T09:30:00Z"}),
    written(a={"version": 0, "since": "2026-03-02T09:30:00Z"}),
    written(a={"version": 2.0, "since": "2026-03-02T09:30:00Z"}),
    written(a={"version": 2**31, "since": "2026-03-02T09:30:00Z"}),
    written(a={"version": 2, "since": "yesterday"}),
    written(a={"version": 2, "since": "2026-03-02T09:30:00"}),
    written(a={"version": 2, "since": None}),
    written(a={"version": 2, "since": "2026-03-02T09:30:00Z", "weight_percent": 10}),
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_is_none_of_ours_is_left_as_it_is(tmp_path: Path, data: bytes) -> None:
    """Neither guessed at nor overwritten, not even by another model's version."""
    traffic = a_file(tmp_path)
    traffic.path.write_bytes(data)
    with pytest.raises(Unavailable) as refused:
        traffic.serving(CREDIT)
    assert refused.value.code == "traffic_unreadable"
    assert "traffic.json" in refused.value.sentence
    with pytest.raises(Unavailable) as refused:
        traffic.serve(CREDIT, Version(1))
    assert refused.value.code == "traffic_unreadable"
    assert traffic.path.read_bytes() == data


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_never_lost(data: bytes) -> None:
    """No file makes it raise anything else."""
    with tempfile.TemporaryDirectory() as folder:
        traffic = a_file(Path(folder))
        traffic.path.write_bytes(data)
        with pytest.raises(Unavailable):
            traffic.serve(CREDIT, Version(1))
        assert traffic.path.read_bytes() == data


@given(st.data())
def test_a_file_cut_anywhere_is_refused(data: st.DataObject) -> None:
    """As when somebody copied half of it: it is never taken for a file with fewer models."""
    with tempfile.TemporaryDirectory() as folder:
        traffic = a_file(Path(folder))
        traffic.serve(CREDIT, Version(2))
        traffic.serve(FRAUD, Version(3))
        whole = traffic.path.read_bytes()
        cut = whole[: data.draw(st.integers(0, len(whole) - 2))]  # the last byte is a line's end
        traffic.path.write_bytes(cut)
        with pytest.raises(Unavailable):
            traffic.serving(CREDIT)


@pytest.mark.parametrize("version", [0, -1, 2**31])
def test_a_number_that_is_no_version_is_not_written(tmp_path: Path, version: int) -> None:
    """It could not be read back."""
    with pytest.raises(ValueError, match="no version"):
        a_file(tmp_path).serve(CREDIT, Version(version))
    assert list(tmp_path.iterdir()) == []


def test_threads_lose_nothing_of_one_another(tmp_path: Path) -> None:
    """Eight writers, each of models of its own, and a reader that never sees half a file."""
    stop, problems, reads = threading.Event(), [], 0

    def write(number: int) -> None:
        mine = a_file(tmp_path)
        for version in range(1, 16):
            mine.serve(ModelName(f"model_{number}"), Version(version))

    def read() -> None:
        nonlocal reads
        newest = 0
        while not stop.is_set():
            seen = a_file(tmp_path).serving(ModelName("model_0")) or 0
            if seen < newest:
                problems.append((newest, seen))
            newest, reads = seen, reads + 1

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert (problems, reads > 0) == ([], True)
    assert {a_file(tmp_path).serving(ModelName(f"model_{n}")) for n in range(8)} == {15}


_WRITER = """
import sys
from pathlib import Path
from governance.adapters.traffic_file import TrafficFile
from governance.domain.evidence import ModelName, Version
for version in range(1, 31):
    TrafficFile(Path(sys.argv[1])).serve(ModelName(sys.argv[2]), Version(version))
"""


def test_processes_lose_nothing_of_one_another(tmp_path: Path) -> None:
    """Four of them at once, as two replicas and two commands might be."""
    path = tmp_path / "traffic.json"
    command = [sys.executable, "-c", _WRITER, str(path)]
    writers = [subprocess.Popen([*command, f"model_{n}"]) for n in range(4)]
    assert [w.wait() for w in writers] == [0, 0, 0, 0]
    assert {TrafficFile(path).serving(ModelName(f"model_{n}")) for n in range(4)} == {30}


def test_a_writer_killed_at_any_step_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    """Whole, with every other model in it, and without being in the next writer's way."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.edges.traffic_killed", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    deaths = [json.loads(line) for line in done.stdout.splitlines()]
    seen = [d["seen"] for d in deaths if not d["half"]]
    # The old one up to the replacement, the new one from there on.
    replaced = [d["before"] for d in deaths].index("replace")
    assert seen == [1] * (replaced + 1) + [2] * (len(seen) - replaced - 1)
    assert {"flock", "write", "fsync", "replace"} <= {d["before"] for d in deaths}
    assert [d["seen"] for d in deaths if d["half"]] == [1]
    for death in deaths:
        assert (death["other"], death["then"]) == (7, 3), death
        assert death["beside"] == [".traffic.json.lock", "traffic.json"], death


def test_a_writer_that_hangs_with_the_lock_hangs_nobody_else(tmp_path: Path) -> None:
    """A rollback goes on without the file, and readers never waited."""
    traffic = a_file(tmp_path, patience=0.0)
    traffic.serve(CREDIT, Version(2))
    with (tmp_path / ".traffic.json.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Unavailable) as refused:
            traffic.serve(CREDIT, Version(1))
        assert refused.value.code == "traffic_unwritable"
        assert traffic.serving(CREDIT) == 2
    traffic.serve(CREDIT, Version(1))
    assert traffic.serving(CREDIT) == 1


def test_who_may_read_the_file_stays_as_the_operator_set_it(tmp_path: Path) -> None:
    """The router runs as somebody else."""
    traffic = a_file(tmp_path)
    traffic.serve(CREDIT, Version(1))
    traffic.path.chmod(0o664)
    traffic.serve(CREDIT, Version(2))
    assert stat.S_IMODE(traffic.path.stat().st_mode) == 0o664


def test_a_link_keeps_pointing_at_the_file_that_is_read(tmp_path: Path) -> None:
    """Replacing the link would leave its other readers with the old file."""
    (tmp_path / "disk").mkdir()
    link = tmp_path / "traffic.json"
    link.symlink_to(tmp_path / "disk" / "real.json")
    TrafficFile(link).serve(CREDIT, Version(2))
    assert link.is_symlink()
    assert TrafficFile(tmp_path / "disk" / "real.json").serving(CREDIT) == 2


def test_a_folder_that_cannot_be_made_is_the_operators_to_mend(tmp_path: Path) -> None:
    """Writing and reading both say so."""
    (tmp_path / "file").write_text("")
    traffic = a_file(tmp_path / "file")
    with pytest.raises(Unavailable) as refused:
        traffic.serve(CREDIT, Version(2))
    assert refused.value.code == "traffic_unwritable"
    with pytest.raises(Unavailable) as refused:
        traffic.serving(CREDIT)
    assert refused.value.code == "traffic_unreadable"


@pytest.mark.parametrize(
    ("failing", "left"), [(1, 1), (2, 2)], ids=["of the file", "of the folder"]
)
def test_a_disk_that_fails_is_reported_and_asking_again_makes_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int, left: int
) -> None:
    """Before the replacement nothing changed; after it the change is there, but is said to be
    lost until the folder is on the disk too."""
    traffic = a_file(tmp_path)
    traffic.serve(CREDIT, Version(1))
    calls: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(Unavailable) as refused:
        traffic.serve(CREDIT, Version(2))
    assert refused.value.code == "traffic_unwritable"
    assert traffic.serving(CREDIT) == left
    assert sorted(p.name for p in tmp_path.iterdir()) == [".traffic.json.lock", "traffic.json"]
    before = len(calls)
    traffic.serve(CREDIT, Version(2))
    assert traffic.serving(CREDIT) == 2
    assert len(calls) > before, "nothing was made to last"
