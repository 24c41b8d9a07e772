"""Commands that work while Slack is down, against a real MLflow server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

from bot.assembly import NoWorkspace, RulesInForce, build_world, open_registry
from bot.demo.registry_view import RegistryView
from bot.doctor import examine
from bot.finding import Level
from bot.os_login import OsLogin
from bot.settings import read_settings
from governance.adapters.head_file import HeadFile
from governance.adapters.policy_files import load_rules
from governance.domain.ledger import EventKind
from governance.use_cases.observe import observe
from tests.cli.deployment import MODEL, Deployment
from tests.cli.program import POLICIES
from tests.mlflow_server import RealMlflow


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that holds two versions with a metric each."""

    uri: str
    view: RegistryView


@pytest.fixture(scope="module")
def server(real_mlflow: RealMlflow) -> Server:
    """The server of the run, with a model of this module."""
    client = real_mlflow.client
    client.create_registered_model(MODEL)
    for number in (1, 2):
        run = client.create_run("0", run_name=f"training {number}", tags={"git_email": "x"})
        client.log_metric(run.info.run_id, "auc_validation", 0.7 + number / 100)
        client.log_metric(run.info.run_id, "same_everywhere", 150.0)
        client.log_param(run.info.run_id, "C", number)
        client.log_param(run.info.run_id, "note", f"run {number}\x1b[2J\nmetric auc: 0 → 1")
        client.log_text(run.info.run_id, f"weights {number}", "model/weights.txt")
        source = f"runs:/{run.info.run_id}/model"
        client.create_model_version(MODEL, source, run_id=run.info.run_id)
    return Server(uri=real_mlflow.uri, view=RegistryView(real_mlflow.uri))


@pytest.fixture
def deployment(tmp_path: Path, server: Server) -> Deployment:
    """v1 was in Production when Foureyes first looked, and v2 replaced it elsewhere."""
    made = Deployment(folder=tmp_path, more={"MLFLOW_TRACKING_URI": server.uri})
    settings = read_settings(made.settings)
    client = MlflowClient(tracking_uri=server.uri, registry_uri=server.uri)
    with made.store() as store:
        world = build_world(
            store,
            registry=open_registry(settings),
            rules=RulesInForce(load_rules(POLICIES)),
            accounts=NoWorkspace(),
            heads=HeadFile(made.heads),
        )
        for number in (1, 2):
            server.view.set_stage(MODEL, number, "Production")
            client.set_registered_model_alias(MODEL, "champion", str(number))
            observe(world, MODEL)
    return made


@pytest.fixture
def otto(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system says that otto, who is on call, owns this process."""
    monkeypatch.setattr("bot.os_login.current_login", lambda: OsLogin(uid=1000, name="otto"))


@pytest.mark.usefixtures("otto")
def test_the_person_on_call_rolls_back_without_slack(
    deployment: Deployment, server: Server
) -> None:
    """MLflow is moved and read back, the record names the person and how they were known, and
    the channel is told when the bot is back."""
    ended = deployment.foureyes("rollback", MODEL, "--reason", "AUC fell")
    assert ended.code == 0, ended.err
    assert "Rolling back credit_scoring v2 → v1 as Otto Lind …" in ended.out
    assert "Rolled back. MLflow Production is v1 (was v2), read back after " in ended.out
    assert "What is served was not checked." in ended.out
    assert server.view.production(MODEL) == [1]
    with deployment.store() as store, store.read() as tx:
        done = [e for e in tx.events() if e["kind"] == EventKind.ROLLBACK_DONE.value]
        told = [n.notice.what for n in tx.due_notices(10)]
    assert [(e["person"], e["account"], e["via"]) for e in done] == [
        ("otto", "otto", "command line")
    ]
    assert "changed_elsewhere" in told
    assert deployment.foureyes("audit", "verify").code == 0
    assert "AUC fell (otto)" in deployment.foureyes("audit", "show", MODEL).out


@pytest.mark.usefixtures("otto")
def test_a_version_that_is_no_target_is_refused_and_the_refusal_recorded(
    deployment: Deployment, server: Server
) -> None:
    """Nothing moves; the sentence says what would be eligible."""
    ended = deployment.foureyes("rollback", MODEL, "--to", "v2", "--reason", "x")
    assert ended.code == 1
    assert "v2 of credit_scoring is what is in Production now." in ended.err
    assert server.view.production(MODEL) == [2]
    with deployment.store() as store, store.read() as tx:
        assert [e["kind"] for e in tx.events()][-1] == EventKind.ROLLBACK_REFUSED.value


@pytest.mark.parametrize(
    ("login", "why"),
    [
        (OsLogin(uid=0, name="root"), "root is nobody in particular"),
        (OsLogin(uid=1001, name="dana"), "which Dana Feld does not have. On call: Otto Lind."),
    ],
)
def test_whoever_may_not_roll_back_is_told_why(
    deployment: Deployment,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    login: OsLogin,
    why: str,
) -> None:
    """Root is no person, and a data scientist is not on call; MLflow stays as it is."""
    monkeypatch.setattr("bot.os_login.current_login", lambda: login)
    ended = deployment.foureyes("rollback", MODEL, "--reason", "x")
    assert ended.code == 1
    assert why in ended.err
    assert server.view.production(MODEL) == [2]
    with deployment.store() as store, store.read() as tx:
        refused = tx.events()[-1]
    assert (refused["kind"], refused["account"]) == ("rollback_refused", login.name)


def test_two_versions_are_compared_in_the_lines_of_the_request(deployment: Deployment) -> None:
    """What changed in one sentence, numbers that can be read, and what is equal only counted."""
    ended = deployment.foureyes("diff", MODEL, "1", "v2")
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "credit_scoring v1 → v2"
    assert lines[1].startswith("Changed: parameters.")
    assert lines[2] == "auc_validation: 0.71 → 0.72 (▲ +0.01, better)"
    assert "parameter C: 1 → 2" in lines
    assert "Equal: 1 metric." in lines
    assert not any("same_everywhere" in line for line in lines)
    assert lines[-1].startswith("Claims of run ")


def test_what_mlflow_holds_is_printed_literally(deployment: Deployment) -> None:
    """No value clears the screen or draws a line of its own."""
    ended = deployment.foureyes("diff", MODEL, "1", "v2")
    assert "\x1b" not in ended.out
    told = next(line for line in ended.out.splitlines() if line.startswith("parameter note"))
    assert "run 2\\x1b[2J⏎metric auc: 0 → 1" in told


def test_a_version_that_is_not_there_is_told_with_those_that_are(deployment: Deployment) -> None:
    """So that the next try is the right one."""
    ended = deployment.foureyes("diff", MODEL, "1", "9")
    assert ended.code == 1
    assert "MLflow has no version 9 of credit_scoring, or it was deleted." in ended.err
    assert "It has v1, v2." in ended.err


def test_the_doctor_finds_a_server_that_may_be_used(deployment: Deployment) -> None:
    """Version, permission and files of the real server are fine; only Slack's tokens are missing,
    and asking changed nothing."""
    findings = list(examine(deployment.settings))
    wrong = [f for f in findings if f.level is Level.WRONG]
    assert {f.about for f in wrong} == {"settings"}
    fine = {f.about: f.found for f in findings if f.level is Level.FINE}
    assert fine["MLflow"].startswith("the server is 3.")
    assert fine[f"model {MODEL}"] == "may be moved"


def test_the_doctor_says_when_mlflow_does_not_answer(deployment: Deployment) -> None:
    """With what to look at."""
    settings = {**deployment.settings, "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    wrong = {f.about: f for f in examine(settings) if f.level is Level.WRONG}
    assert "MLFLOW_TRACKING_URI" in wrong["MLflow"].remedy
