"""What the adapter makes of MLflow's own ways, on a real server."""

from __future__ import annotations

import socket

import pytest
from mlflow.entities import Dataset, DatasetInput

from governance.adapters.mlflow_registry import MlflowRegistry
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import Column, MetricOrigin, ModelName, Version
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
    assert state.current == ONE
    moved = real_mlflow.client.get_model_version(model, "1").current_stage
    assert moved == ("None" if left_out == "stage" else "Production")
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
    assert found.requirements == ("mlflow==3.17", "scikit-learn==1.7.2")


def test_a_data_set_says_how_many_rows_it_has_and_which_columns(
    registry: MlflowRegistry, model: ModelName, real_mlflow: RealMlflow
) -> None:
    """As MLflow's own data sets write it; one of another kind says neither, and is there."""
    client, run_id = real_mlflow.client, registry.snapshot(model, ONE).run_id
    schema = '{"mlflow_colspec": [{"type": "long", "name": "age", "required": true}]}'
    for name, stated, profile in (
        ("told", schema, '{"num_rows": 500, "num_elements": 500}'),
        ("tensor", '{"mlflow_tensorspec": {}}', '{"features_shape": [3, 2]}'),
        ("broken", "{", "[1]"),
        ("silent", None, None),
    ):
        dataset = Dataset(
            name=name,
            digest="abcd1234",
            source_type="local",
            source="x",
            schema=stated,
            profile=profile,
        )
        client.log_inputs(run_id, [DatasetInput(dataset, [])])
    found = {d.name: d for d in registry.snapshot(model, ONE).datasets}
    assert found["told"].rows == 500
    assert found["told"].columns == (Column(name="age", type="long"),)
    silent = {"tensor", "broken", "silent"}
    assert {name for name, d in found.items() if d.rows is None} == silent
    assert {name for name, d in found.items() if d.columns is None} == silent


def test_a_metric_logged_to_the_run_later_does_not_change_the_models(
    registry: MlflowRegistry, model: ModelName, real_mlflow: RealMlflow
) -> None:
    """The LoggedModel's first."""
    run_id = registry.snapshot(model, ONE).run_id
    real_mlflow.client.log_metric(run_id, "auc_validation", 0.99)
    metric = registry.snapshot(model, ONE).metric("auc_validation")
    assert metric is not None
    assert metric.text == "0.8"


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
