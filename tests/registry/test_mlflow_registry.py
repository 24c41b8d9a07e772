"""What the adapter promises, on a real server."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.adapters.mlflow_registry import MlflowRegistry
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import MetricOrigin, ModelName, Stage, Version
from tests.mlflow_server import RealMlflow

ONE, TWO = Version(1), Version(2)


@pytest.fixture
def registry(real_mlflow: RealMlflow) -> MlflowRegistry:
    """The adapter as the bot builds it."""
    return MlflowRegistry(real_mlflow.uri)


@pytest.fixture
def model(real_mlflow: RealMlflow) -> ModelName:
    """A model with two versions."""
    return ModelName(real_mlflow.new_model())


def _silent(_done: int, _total: int) -> None:
    return None


def test_production_is_one_version_by_stage_and_alias(
    registry: MlflowRegistry, model: ModelName
) -> None:
    """The one before is archived; doing it again changes nothing."""
    registry.set_production(model, ONE)
    for _ in range(2):
        state = registry.set_production(model, TWO)
        assert (state.staged, state.alias) == ((TWO,), TWO)
        assert registry.is_in_production(state, TWO)
    assert registry.snapshot(model, ONE).stage is Stage.ARCHIVED


def test_two_versions_in_production_are_seen_and_healed(
    registry: MlflowRegistry, model: ModelName, real_mlflow: RealMlflow
) -> None:
    """As a tutorial that archives nothing leaves them."""
    for version in ("1", "2"):
        real_mlflow.client.transition_model_version_stage(model, version, "Production")
    assert registry.production(model).staged == (ONE, TWO)
    assert registry.set_production(model, ONE).staged == (ONE,)


def test_staging_archives_nothing_and_moves_no_alias(
    registry: MlflowRegistry, model: ModelName
) -> None:
    """Several versions may be there."""
    registry.set_production(model, ONE)
    assert registry.set_staging(model, TWO) is Stage.STAGING
    assert registry.production(model).alias == ONE


@pytest.mark.parametrize("left_out", ["stage", "alias"])
def test_either_means_can_be_left_out(
    real_mlflow: RealMlflow, model: ModelName, left_out: str
) -> None:
    """But not both."""
    registry = MlflowRegistry(
        real_mlflow.uri, write_stage=left_out != "stage", write_alias=left_out != "alias"
    )
    state = registry.set_production(model, ONE)
    assert registry.is_in_production(state, ONE)
    assert (state.staged == ()) is (left_out == "stage")
    assert (state.alias is None) is (left_out == "alias")
    with pytest.raises(Refused, match="both off"):
        MlflowRegistry(real_mlflow.uri, write_stage=False, write_alias=False)


def test_snapshot_reads_what_an_approval_binds(registry: MlflowRegistry, model: ModelName) -> None:
    """Metrics of the LoggedModel, parameters, signature, author claims."""
    found = registry.snapshot(model, ONE)
    metric = found.metric("auc_validation")
    assert metric is not None
    assert (metric.text, metric.origin) == ("0.8", MetricOrigin.LOGGED_MODEL)
    assert found.parameters["C"] == "1.0"
    assert [c.name for c in found.inputs or ()] == ["credit_amount"]
    assert "dana" in {c.name for c in found.author_claims}


def test_a_metric_logged_to_the_run_later_does_not_change_the_models(
    registry: MlflowRegistry, model: ModelName, real_mlflow: RealMlflow
) -> None:
    """The LoggedModel's first."""
    run_id = registry.snapshot(model, ONE).run_id
    real_mlflow.client.log_metric(run_id, "auc_validation", 0.99)
    metric = registry.snapshot(model, ONE).metric("auc_validation")
    assert metric is not None
    assert metric.text == "0.8"


def test_content_digest_shows_a_file_that_was_overwritten(
    registry: MlflowRegistry, model: ModelName, real_mlflow: RealMlflow
) -> None:
    """MLflow lets anybody do that, with sizes and rows unchanged."""
    before = registry.content(model, ONE, progress=_silent)
    assert {f.path for f in before.files} == {"MLmodel", "model.bin"}
    assert registry.content(model, ONE, progress=_silent).digest == before.digest
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model.bin").write_text("wEights")
        real_mlflow.client.log_model_artifacts(before.model_id, folder)
    assert registry.content(model, ONE, progress=_silent).digest != before.digest


def test_a_version_that_is_too_large_is_refused_before_it_is_read(
    real_mlflow: RealMlflow, model: ModelName
) -> None:
    """FOUREYES_MAX_BYTES."""
    with pytest.raises(Refused) as refusal:
        MlflowRegistry(real_mlflow.uri, max_bytes=3).content(model, ONE, progress=_silent)
    assert refusal.value.code == "too_large"


def test_a_deleted_run_refuses_the_version(
    registry: MlflowRegistry, model: ModelName, real_mlflow: RealMlflow
) -> None:
    """What cannot be read cannot be bound."""
    real_mlflow.client.delete_run(registry.snapshot(model, ONE).run_id)
    with pytest.raises(Refused) as refusal:
        registry.snapshot(model, ONE)
    assert refusal.value.code == "no_run"


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda r, m: r.snapshot(m, Version(9)), "no_such_version"),
        (lambda r, m: r.set_production(m, Version(9)), "no_such_version"),
        (lambda r, m: r.set_staging(m, Version(9)), "no_such_version"),
        (lambda r, m: r.versions(ModelName("nobody")), "no_such_model"),
        (lambda r, m: r.versions(ModelName("it's")), "no_such_model"),
    ],
)
def test_what_is_not_there_is_refused_by_name(
    registry: MlflowRegistry,
    model: ModelName,
    ask: Callable[[MlflowRegistry, ModelName], object],
    code: str,
) -> None:
    """Each vendor error in our words."""
    with pytest.raises(Refused) as refusal:
        ask(registry, model)
    assert refusal.value.code == code


def test_a_model_that_is_not_registered_has_nothing_in_production(
    registry: MlflowRegistry,
) -> None:
    """No error: a policy may come before its model."""
    state = registry.production(ModelName("not_yet"))
    assert (state.staged, state.alias) == ((), None)


def test_a_server_that_is_gone_or_silent_is_unavailable(real_mlflow: RealMlflow) -> None:
    """Refused at once, or given up after the time-out."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port: int = silent.getsockname()[1]
        with pytest.raises(Unavailable) as problem:
            MlflowRegistry(f"http://127.0.0.1:{port}", timeout_seconds=1).production(ModelName("m"))
        assert problem.value.code == "registry_unavailable"
    with pytest.raises(Unavailable):
        MlflowRegistry(f"http://127.0.0.1:{port}").production(ModelName("m"))
    assert "127.0.0.1" not in problem.value.sentence
    MlflowRegistry(real_mlflow.uri)  # sets the time-out back for those who come after


def test_the_server_tells_its_version(registry: MlflowRegistry) -> None:
    """The doctor refuses others than 3."""
    assert registry.server_version().startswith("3.")
