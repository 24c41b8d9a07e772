"""What the port promises, of the fake that the stories use and of the adapter on a real server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import ModelName, Stage, Version
from governance.ports import Registry
from tests.builders import NOON
from tests.registry.conftest import ONE, TWO, Tried, silent

NINE = Version(9)


def test_production_is_one_version_by_stage_and_alias(tried: Tried) -> None:
    """The one before is archived; doing it again changes nothing."""
    tried.registry.set_production(tried.model, ONE)
    for _ in range(2):
        state = tried.registry.set_production(tried.model, TWO)
        assert (state.staged, state.alias) == ((TWO,), TWO)
        assert state == tried.registry.production(tried.model)
        assert tried.registry.is_in_production(state, TWO)
        assert not tried.registry.is_in_production(state, ONE)
    assert tried.registry.snapshot(tried.model, ONE).stage is Stage.ARCHIVED


def test_two_versions_in_production_are_seen_and_healed(tried: Tried) -> None:
    """As a tutorial that archives nothing leaves them."""
    tried.elsewhere.move(TWO, Stage.PRODUCTION)
    tried.elsewhere.move(ONE, Stage.PRODUCTION)
    both = tried.registry.production(tried.model)
    assert both.staged == (ONE, TWO)
    assert not tried.registry.is_in_production(both, ONE)
    assert tried.registry.set_production(tried.model, ONE).staged == (ONE,)


def test_an_alias_that_stands_elsewhere_is_seen_and_healed(tried: Tried) -> None:
    """The stage alone is not production."""
    tried.registry.set_production(tried.model, ONE)
    tried.elsewhere.point_alias(TWO)
    state = tried.registry.production(tried.model)
    assert (state.staged, state.alias) == ((ONE,), TWO)
    assert not tried.registry.is_in_production(state, ONE)
    assert tried.registry.set_production(tried.model, ONE).alias == ONE


def test_staging_archives_nothing_and_moves_no_alias(tried: Tried) -> None:
    """Several versions may be there, and doing it again changes nothing."""
    tried.registry.set_production(tried.model, ONE)
    for _ in range(2):
        assert tried.registry.set_staging(tried.model, TWO) is Stage.STAGING
    state = tried.registry.production(tried.model)
    assert (state.staged, state.alias) == ((ONE,), ONE)


def test_versions_are_listed_ascending_with_stage_and_run(tried: Tried) -> None:
    """And models by name."""
    tried.registry.set_staging(tried.model, TWO)
    found = tried.registry.versions(tried.model)
    assert [(v.version, v.stage) for v in found] == [(ONE, Stage.NONE), (TWO, Stage.STAGING)]
    assert [v.run_id for v in found] == [
        tried.registry.snapshot(tried.model, v).run_id for v in (ONE, TWO)
    ]
    models = tried.registry.models()
    assert tried.model in models
    assert list(models) == sorted(models)


def test_a_snapshot_names_what_an_approval_binds(tried: Tried) -> None:
    """Metrics, parameters, input columns and who made it."""
    found = tried.registry.snapshot(tried.model, ONE)
    assert (found.model, found.version) == (tried.model, ONE)
    metric = found.metric("auc_validation")
    assert metric is not None
    assert metric.number is not None
    assert found.parameters["C"] == "1.0"
    assert "credit_amount" in [c.name for c in found.inputs or ()]
    assert "dana" in {c.name for c in found.author_claims}


def test_content_is_the_same_until_a_byte_is_not(tried: Tried) -> None:
    """Sizes and rows unchanged; progress ends at the whole."""
    calls: list[tuple[int, int]] = []
    before = tried.registry.content(
        tried.model, ONE, progress=lambda done, total: calls.append((done, total))
    )
    assert calls[-1] == (sum(f.size_bytes for f in before.files),) * 2
    again = tried.registry.content(tried.model, ONE, progress=silent)
    assert again.digest == before.digest
    tried.elsewhere.overwrite_file(ONE)
    after = tried.registry.content(tried.model, ONE, progress=silent)
    assert after.digest != before.digest
    assert [f.size_bytes for f in after.files] == [f.size_bytes for f in before.files]


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda r, m: r.snapshot(m, NINE), "no_such_version"),
        (lambda r, m: r.content(m, NINE, progress=silent), "no_such_version"),
        (lambda r, m: r.set_production(m, NINE), "no_such_version"),
        (lambda r, m: r.set_staging(m, NINE), "no_such_version"),
        (lambda r, m: r.versions(ModelName("nobody")), "no_such_model"),
        (lambda r, m: r.versions(ModelName("it's")), "no_such_model"),
    ],
)
def test_what_is_not_there_is_refused_by_name(
    tried: Tried, ask: Callable[[Registry, ModelName], object], code: str
) -> None:
    """Asking again changes nothing, and nothing was moved."""
    with pytest.raises(Refused) as refusal:
        ask(tried.registry, tried.model)
    assert refusal.value.code == code
    assert tried.registry.production(tried.model).staged == ()


def test_a_model_that_is_not_registered_has_nothing_in_production(tried: Tried) -> None:
    """No error: a policy may come before its model."""
    state = tried.registry.production(ModelName("not_yet"))
    assert (state.staged, state.alias) == ((), None)


@pytest.mark.parametrize(
    "ask",
    [
        lambda r, m: r.server_version(),
        lambda r, m: r.models(),
        lambda r, m: r.versions(m),
        lambda r, m: r.snapshot(m, ONE),
        lambda r, m: r.content(m, ONE, progress=silent),
        lambda r, m: r.production(m),
        lambda r, m: r.set_production(m, ONE),
        lambda r, m: r.set_staging(m, ONE),
    ],
)
def test_a_registry_that_is_down_is_unavailable_to_every_call(
    tried: Tried, ask: Callable[[Registry, ModelName], object]
) -> None:
    """Trying again may help, and no address is told."""
    with pytest.raises(Unavailable) as problem:
        ask(tried.elsewhere.go_down(), tried.model)
    assert problem.value.code == "registry_unavailable"
    assert "127.0.0.1" not in problem.value.sentence


def test_the_server_tells_a_supported_version(tried: Tried) -> None:
    """The doctor refuses others than 3."""
    assert tried.registry.server_version().startswith("3.")


def test_a_metric_is_read_with_its_moments_oldest_first(tried: Tried) -> None:
    """Of the run that the version came from; nothing was logged under another name."""
    for step, value in ((2, 0.71), (1, 0.78)):
        tried.elsewhere.log_point(ONE, "auc_live", value, step)
    points = tried.registry.metric_points(tried.model, ONE, "auc_live")
    found = sorted((p.at, p.step, p.value) for p in points)
    assert found == [
        (NOON + timedelta(seconds=1), 1, 0.78),
        (NOON + timedelta(seconds=2), 2, 0.71),
    ]
    assert tried.registry.metric_points(tried.model, ONE, "auc_other") == ()


def test_a_file_of_the_run_is_read_whole_or_refused(tried: Tried) -> None:
    """By its path alone, never past the run, never more than was allowed."""
    tried.elsewhere.log_file(ONE, "validation/scores.csv", "score,bad\n0.5,1\n")
    path = "validation/scores.csv"
    read = tried.registry.run_file(tried.model, ONE, path, max_bytes=100)
    assert read == b"score,bad\n0.5,1\n"
    with pytest.raises(Refused, match="bytes"):
        tried.registry.run_file(tried.model, ONE, path, max_bytes=5)
    for wrong in ("nothing.csv", "../validation/scores.csv", "/etc/hostname"):
        with pytest.raises(Refused) as refused:
            tried.registry.run_file(tried.model, ONE, wrong, max_bytes=100)
        assert refused.value.code == "no_such_file"


def test_it_is_proven_writable_without_moving_anything(tried: Tried) -> None:
    """Stages and alias stay as they are; a model that is not there is refused."""
    tried.registry.set_production(tried.model, ONE)
    before = tried.registry.production(tried.model)
    tried.registry.prove_writable(tried.model, "2026-03-01T12:00:00+00:00")
    assert tried.registry.production(tried.model) == before
    with pytest.raises(Refused):
        tried.registry.prove_writable(ModelName("nothing"), "x")
    with pytest.raises(Unavailable):
        tried.elsewhere.go_down().prove_writable(tried.model, "x")
