"""Numbers that are none, files that cannot be read, a server that never ends its answer."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

from governance.adapters.mlflow_registry import MlflowRegistry, files
from governance.adapters.mlflow_registry.files import Fetched, Listed, VersionFiles
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import ModelName, Version
from tests.mlflow_server import RealMlflow
from tests.registry.conftest import ONE, TWO, silent


@pytest.fixture
def registry(real_mlflow: RealMlflow) -> MlflowRegistry:
    """The adapter as the bot builds it."""
    return MlflowRegistry(real_mlflow.uri)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_never_passes_for_one(
    registry: MlflowRegistry, real_mlflow: RealMlflow, value: float
) -> None:
    """MLflow keeps 0 for a NaN, and the largest float for infinity."""
    model = ModelName(real_mlflow.new_model(versions=0))
    version = Version(real_mlflow.add_version(model, metric=value))
    metric = registry.snapshot(model, version).metric("auc_validation")
    assert metric is not None
    assert metric.number is None


def test_a_measured_zero_stays_zero(registry: MlflowRegistry, real_mlflow: RealMlflow) -> None:
    """It is not taken for MLflow's spelling of NaN."""
    model = ModelName(real_mlflow.new_model(versions=0))
    version = Version(real_mlflow.add_version(model, metric=0.0))
    metric = registry.snapshot(model, version).metric("auc_validation")
    assert metric is not None
    assert metric.number == 0.0


def test_a_version_copied_from_another_model_has_its_files(
    registry: MlflowRegistry, real_mlflow: RealMlflow
) -> None:
    """The bytes of the copy are those of the original, under the copy's own name."""
    model = ModelName(real_mlflow.new_model())
    copied = real_mlflow.client.create_model_version(
        real_mlflow.new_model(versions=0),
        source=f"models:/{model}/1",
        run_id=registry.snapshot(model, ONE).run_id,
    )
    original = registry.content(model, ONE, progress=silent)
    copy = registry.content(ModelName(copied.name), Version(int(copied.version)), progress=silent)
    assert copy.files == original.files


def _add_source(mlflow: RealMlflow, source: str) -> tuple[ModelName, Version]:
    """A version whose files are said to be at `source`, past the server's own checks."""
    name = mlflow.new_model(versions=0)
    run = mlflow.client.create_run("0")
    made = mlflow.client.create_model_version(name, source=source, run_id=run.info.run_id)
    return ModelName(name), Version(int(made.version))


def test_a_source_that_needs_a_missing_package_is_refused_by_its_name(
    registry: MlflowRegistry, real_mlflow: RealMlflow
) -> None:
    """Whoever runs the bot has to install it; nothing was approved unread."""
    model, version = _add_source(real_mlflow, "s3://bucket/model")
    with pytest.raises(Refused) as refusal:
        registry.content(model, version, progress=silent)
    assert refusal.value.code == "source_not_readable"
    assert "boto3" in refusal.value.sentence


def test_files_that_are_gone_are_no_empty_version(
    registry: MlflowRegistry, real_mlflow: RealMlflow
) -> None:
    """An empty manifest would approve anything that is put there later."""
    name = real_mlflow.new_model(versions=0)
    run = real_mlflow.client.create_run("0")
    made = real_mlflow.client.create_model_version(
        name, source=f"runs:/{run.info.run_id}/never_logged", run_id=run.info.run_id
    )
    with pytest.raises(Refused) as refusal:
        registry.content(ModelName(name), Version(int(made.version)), progress=silent)
    assert refusal.value.code == "source_not_readable"


def test_a_file_of_many_chunks_is_read_whole(
    registry: MlflowRegistry, real_mlflow: RealMlflow
) -> None:
    """Progress grows to the end, and the last byte counts."""
    model = ModelName(real_mlflow.new_model(versions=0))
    large = "w" * 5_000_000
    for body in (large, large[:-1] + "x"):
        real_mlflow.add_version(model, body=body)
    seen: list[int] = []
    first = registry.content(model, ONE, progress=lambda done, _total: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] >= 5_000_000
    assert first.digest != registry.content(model, TWO, progress=silent).digest
    sizes = {f.path: f.size_bytes for f in first.files}
    assert sizes["model.bin"] == 5_000_000


def test_an_address_that_holds_a_password_is_refused() -> None:
    """It would end up in logs of the client."""
    with pytest.raises(Refused, match="MLFLOW_TRACKING_PASSWORD"):
        MlflowRegistry("http://me:secret@127.0.0.1:9")


def test_what_is_shown_is_read_once_and_what_is_executed_every_time(
    registry: MlflowRegistry, real_mlflow: RealMlflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By path, size and ETag: the second showing fetches nothing, a changed file is fetched."""
    fetched: list[str] = []
    fetch = VersionFiles.fetched

    def counted(self: VersionFiles, item: Listed) -> AbstractContextManager[Fetched]:
        fetched.append(item.path)
        return fetch(self, item)

    monkeypatch.setattr(VersionFiles, "fetched", counted)
    model = ModelName(real_mlflow.new_model())
    first = registry.content_to_show(model, ONE, progress=silent)
    assert fetched == ["MLmodel", "model.bin", "requirements.txt"]
    assert registry.content_to_show(model, ONE, progress=silent) == first
    assert len(fetched) == 3
    assert registry.content(model, ONE, progress=silent) == first
    assert len(fetched) == 6
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model.bin").write_text("wEights")
        real_mlflow.client.log_model_artifacts(first.model_id, folder)
    assert registry.content_to_show(model, ONE, progress=silent).digest != first.digest
    assert fetched[6:] == ["model.bin"]


@contextmanager
def _dripping_server() -> Iterator[str]:
    """Answers one byte at a time and never ends: no time-out of a socket notices."""
    ended = Event()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.1)

        def drip() -> None:
            clients: list[socket.socket] = []
            while not ended.is_set():
                with suppress(TimeoutError):
                    clients.append(listener.accept()[0])
                    clients[-1].sendall(b"HTTP/1.1 200 OK\r\n")
                for client in clients:
                    with suppress(OSError):
                        client.sendall(b"X-Header: still coming\r\n")
            for client in clients:
                client.close()

        dripping = Thread(target=drip)
        dripping.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            dripping.join()


def test_a_server_that_never_ends_its_answer_is_given_up(real_mlflow: RealMlflow) -> None:
    """The call as a whole has its time, not only each wait for a byte."""
    with _dripping_server() as uri:
        slow = MlflowRegistry(uri, timeout_seconds=5, call_seconds=0.5)
        with pytest.raises(Unavailable) as problem:
            slow.set_production(ModelName("m"), ONE)
    assert "too slowly" in problem.value.sentence
    MlflowRegistry(real_mlflow.uri)  # sets the time-out back for those who come after


def test_several_calls_that_a_person_waits_for_share_one_time(real_mlflow: RealMlflow) -> None:
    """Not each its own: whoever typed a command hears within ten seconds."""
    with _dripping_server() as uri:
        slow = MlflowRegistry(uri, timeout_seconds=5, call_seconds=0.5)
        began = time.monotonic()
        with slow.together():
            for call in (slow.models, slow.server_version, slow.models, slow.models):
                with pytest.raises(Unavailable, match="too slowly"):
                    call()
        shared = time.monotonic() - began
        with pytest.raises(Unavailable, match="too slowly"):
            slow.models()
        alone = time.monotonic() - began - shared
    assert shared < 2 * alone
    MlflowRegistry(real_mlflow.uri)  # sets the time-out back for those who come after


def test_a_storage_that_gives_a_file_too_slowly_is_given_up(
    registry: MlflowRegistry, real_mlflow: RealMlflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the size that it lists; else one request would be read for ever."""
    model = ModelName(real_mlflow.new_model())
    let = Event()
    download = HttpArtifactRepository.download_artifacts

    def slowly(self: HttpArtifactRepository, *args: str, **named: str) -> str:
        let.wait(timeout=30)
        return str(download(self, *args, **named))

    monkeypatch.setattr(HttpArtifactRepository, "download_artifacts", slowly)
    monkeypatch.setattr(files, "_FILE_SECONDS", 0.2)
    with pytest.raises(Unavailable, match="too slowly"):
        registry.content(model, ONE, progress=silent)
    let.set()
    monkeypatch.undo()
    assert registry.content(model, ONE, progress=silent).files


def test_a_folder_overwritten_while_it_is_read_is_not_mixed_up(
    registry: MlflowRegistry, real_mlflow: RealMlflow
) -> None:
    """Each read is of the files as they are then; two reads tell the difference."""
    model = ModelName(real_mlflow.new_model())
    before = registry.content(model, ONE, progress=silent)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "extra.bin").write_text("added later")
        real_mlflow.client.log_model_artifacts(before.model_id, folder)
    after = registry.content(model, ONE, progress=silent)
    assert {f.path for f in after.files} - {f.path for f in before.files} == {"extra.bin"}
