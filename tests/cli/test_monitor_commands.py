"""`foureyes monitor` and `foureyes drill`, on a real MLflow server and a bank's own database."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlflow import MlflowClient

from bot.cli import main
from bot.demo.registry_view import RegistryView
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.tenure import Ending, Origin, Tenure
from governance.use_cases import backtest as backtesting
from tests.cli.deployment import Deployment
from tests.cli.program import POLICIES
from tests.mlflow_server import RealMlflow
from tests.sources.feed import ADDRESS, Scored, SqliteFeed

MODEL = ModelName("credit_watched")
_PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def server(real_mlflow: RealMlflow) -> str:
    """A version whose validation is logged as the policy names it."""
    client = real_mlflow.client
    client.create_registered_model(MODEL)
    run = client.create_run("0", tags={"git_email": "dana@bank.example"})
    dice = random.Random(3)
    scored = [(dice.gauss(0.6 if n % 10 < 3 else 0.4, 0.15), int(n % 10 < 3)) for n in range(1000)]
    rows = "".join(f"{min(max(s, 0), 1):.6f},{bad}\n" for s, bad in scored)
    client.log_text(run.info.run_id, "score,bad\n" + rows, "validation_scores.csv")
    client.log_metric(run.info.run_id, "approval_rate", 0.5)
    client.log_metric(run.info.run_id, "n_goods_validation", 700)
    client.log_metric(run.info.run_id, "n_bads_validation", 300)
    client.log_text(run.info.run_id, "weights", "model/weights.txt")
    client.create_model_version(MODEL, f"runs:/{run.info.run_id}/model", run_id=run.info.run_id)
    return real_mlflow.uri


@pytest.fixture
def bank(tmp_path: Path) -> SqliteFeed:
    """Its applicants are scored as in the validation, and after two days at random."""
    feed = SqliteFeed(tmp_path)
    dice = random.Random(4)
    begin = datetime.now(UTC) - timedelta(days=4)
    rows = []
    for number in range(1200):
        is_bad = dice.random() < 0.3
        mean = 0.4 if number > 600 else 0.6 if is_bad else 0.4
        rows.append(
            Scored(
                id=f"a{number:05d}",
                at=begin + timedelta(minutes=4.5 * number),
                version=1,
                score=min(max(dice.gauss(mean, 0.15), 0.0), 1.0),
                approved=dice.random() < 0.5,
                bad=int(is_bad),
            )
        )
    feed.write(rows)
    return feed


@pytest.fixture
def deployment(tmp_path: Path, server: str, bank: SqliteFeed) -> Deployment:
    """v1 has been in Production for four days."""
    policies = tmp_path / "policies"
    policies.mkdir()
    for file in POLICIES.glob("*.yaml"):
        text = file.read_text(encoding="utf-8").replace("model: credit_scoring", f"model: {MODEL}")
        (policies / file.name).write_text(text, encoding="utf-8")
    made = Deployment(
        folder=tmp_path,
        more={
            "MLFLOW_TRACKING_URI": server,
            "FOUREYES_POLICIES": str(policies),
            **bank.environ,
        },
    )
    with made.store() as store, store.transaction() as tx:
        tx.begin_tenure(
            Tenure(
                model=MODEL,
                version=Version(1),
                stage=Stage.PRODUCTION,
                started_at=datetime.now(UTC) - timedelta(days=4),
                origin=Origin.ADOPTED,
                request_id=None,
            )
        )
    return made


def test_the_list_names_what_was_not_looked_at_yet(deployment: Deployment) -> None:
    """Before the bot's first look."""
    told = deployment.foureyes("monitor", "list")
    assert told.code == 0, told.err
    assert f"{MODEL} v1 is watched by" in told.out
    assert "auc (rolls back): not looked at yet" in told.out
    assert "approvals (alerts): not looked at yet" in told.out


def test_a_mistyped_model_is_told_with_the_one_that_was_meant(deployment: Deployment) -> None:
    """ "Nothing is watched" would be false of the one that was meant."""
    for words in (("list", "credit_watchd"), ("plan", "credit_watchd", "--per-day", "500")):
        told = deployment.foureyes("monitor", *words)
        assert (told.code, told.out) == (1, "")
        assert "No policy governs a model named credit_watchd." in told.err
        assert f"Did you mean {MODEL}?" in told.err


def test_a_model_without_a_version_in_production_is_told_by_its_name(
    deployment: Deployment,
) -> None:
    """Others may be watched."""
    with deployment.store() as store, store.transaction() as tx:
        tx.end_tenure(MODEL, Version(1), Stage.PRODUCTION, Ending.ROLLBACK, tx.now)
    told = deployment.foureyes("monitor", "list", MODEL)
    assert told.code == 0
    assert told.out == f"No version of {MODEL} is in Production, so nothing is watched.\n"


def test_the_plan_says_how_late_and_how_wrong_a_rule_is(deployment: Deployment) -> None:
    """By simulation: no source is read."""
    told = deployment.foureyes(
        "monitor", "plan", MODEL, "--per-day", "500", "--bads", "0.3", "--baseline-rows", "1000"
    )
    assert told.code == 0, told.err
    assert "30% bads, baseline on 1,000 rows (as you said), 500 outcomes a day" in told.out
    wrong = re.search(r"wrong within 30 days: (?:less than )?(\d+) % of runs", told.out)
    assert wrong is not None
    assert int(wrong[1]) <= 5
    assert "a drop of 0.15 is seen in 100 % of runs" in told.out
    assert "fires on evidence that would be wrong in at most 0.1 of deployments, " in told.out
    assert "monitor approvals: fires on evidence that would be wrong in at most " in told.out
    assert "judges no AUC, and is not simulated" in told.out


def test_the_plan_reads_the_baseline_of_the_version_in_production(deployment: Deployment) -> None:
    """Its own scores, as the monitor will; without MLflow it says what it takes instead."""
    told = deployment.foureyes("monitor", "plan", MODEL, "--per-day", "500")
    assert told.code == 0, told.err
    assert "AUC 0.78, 8% bads, baseline on 10,000 rows (taken: nothing is in" in told.out
    RegistryView(deployment.more["MLFLOW_TRACKING_URI"]).set_stage(MODEL, 1, "Production")
    told = deployment.foureyes("monitor", "plan", MODEL, "--per-day", "500")
    assert re.search(r"AUC 0\.\d+, \d+% bads, baseline on [\d,]+ rows \(of v1\)", told.out)
    alone = replace(deployment, more={**deployment.more, "MLFLOW_TRACKING_URI": ""})
    without = alone.foureyes("monitor", "plan", MODEL, "--per-day", "500")
    assert "AUC 0.78, 8% bads, baseline on 10,000 rows (taken: " in without.out


def test_a_backtest_says_when_each_rule_would_have_fired_and_changes_nothing(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUC fires in the second half, when scores have become chance; approvals never do. With few
    looks: the moment is found between two of them."""
    monkeypatch.setattr(backtesting, "_LOOKS", 8)
    picture = tmp_path / "history.png"
    told = deployment.foureyes("monitor", "backtest", MODEL, "--picture", str(picture))
    assert told.code == 0, told.err
    assert f"{MODEL} v1, " in told.out
    approvals, auc = told.out.split("monitor auc: ")
    assert "never fires" in approvals
    moment = auc.removeprefix("fires at ").partition(" UTC")[0]
    fired = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    age = datetime.now(UTC) - fired
    assert timedelta() < age < timedelta(days=2, hours=3)
    looks_apart = timedelta(days=4) / 8
    past_a_look = (timedelta(days=4) - age) % looks_apart
    assert timedelta(minutes=10) < past_a_look < looks_apart - timedelta(minutes=10)
    assert "evidence this strong would occur at most once in 10 deployments" in auc
    assert picture.read_bytes().startswith(_PNG)
    with deployment.store() as store, store.read() as tx:
        assert tx.monitor_states(MODEL) == ()
        assert tx.head().size == 0


def test_a_source_whose_address_is_not_set_is_named(deployment: Deployment) -> None:
    """By its variable; the address itself stands nowhere."""
    bare = Deployment(
        folder=deployment.folder,
        more={name: value for name, value in deployment.more.items() if name != ADDRESS},
    )
    told = bare.foureyes("monitor", "backtest", MODEL)
    assert f"{ADDRESS} is not set in the environment" in told.out + told.err


def test_a_drill_says_what_would_hold_and_what_would_not(
    deployment: Deployment, server: str
) -> None:
    """Without a version before a rollback would not work; nothing moves."""
    before = MlflowClient(server).get_model_version(MODEL, "1").current_stage
    told = deployment.foureyes("drill", MODEL)
    assert told.code == 1
    assert "A rollback would NOT work now." in told.out
    assert "WRONG " in told.out
    assert MlflowClient(server).get_model_version(MODEL, "1").current_stage == before
    assert told.out.count("WRONG ") == 1
    with deployment.store() as store, store.read() as tx:
        assert tx.head().size == 1


def test_a_drill_fails_for_nothing_that_it_did_not_check(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollback from the command line needs no Slack."""
    monkeypatch.setattr("governance.use_cases.drill._try_target", lambda *_parts: None)
    told = deployment.foureyes("drill", MODEL)
    assert told.code == 0, told.out
    assert "WRONG " not in told.out
    for part in ("the channel can be reached", "who is on call can be reached"):
        assert f"{part}: not checked here. SLACK_BOT_TOKEN is not set" in told.out
    assert "A rollback would work." in told.out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("plan", MODEL, "--per-day", "0"), "0 is no number of rows"),
        (("plan", MODEL, "--per-day", "5", "--auc", "1.5"), "1.5 is not between 0 and 1"),
        (("backtest", MODEL, "--since", "yesterday"), "yesterday is no date; write 2026-03-01"),
    ],
)
def test_bad_words_are_refused_by_name(
    words: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is opened."""
    with pytest.raises(SystemExit) as ended:
        main(["monitor", *words])
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err
