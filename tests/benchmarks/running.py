"""The ordinary bot process between a real MLflow server and the workspace: how long it takes to be
ready, what it weighs, how fast it acks a hundred clicks, and how soon a rollback click is done."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlflow import MlflowClient
from slack_bolt import App
from slack_sdk import WebClient

from bot.demo.processes import Program, free_port, mlflow_server, start_bot
from bot.sandbox import Actor, Limits, Message, RunningServer, Workspace, serve
from tests.benchmarks.goals import Goal
from tests.mlflow_server import RealMlflow
from tests.policy.texts import PEOPLE, POLICY
from tests.sandbox.stage import connected

MODEL = "credit_scoring"
CHANNEL = "#credit-models"
CLICKS = 100
ROUNDS = 3
ACK_SECONDS = 3.0
"""Slack shows a click as failed after so long."""
_EAGER = POLICY.replace("soak: 1d", "soak: 0s").replace("[Staging]", "[Staging, Archived]")
NAMES = ("dana", "ana", "raj", "otto")


def main() -> list[Goal]:
    """Print every figure beside its bare counterpart."""
    warnings.simplefilter("ignore", FutureWarning)
    with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as place:
        folder = Path(place)
        with mlflow_server(folder / "mlflow") as uri, serve(_workspace()) as slack:
            _two_versions(RealMlflow(uri))
            began = time.perf_counter()
            port = free_port()
            bot = start_bot(folder, _settings(folder, uri, slack, port), health_port=port)
            ready = time.perf_counter() - began
            try:
                bare = _bare_start()
                print(
                    f"foureyes run, start to ready: {ready:.2f} s; bare imports of Bolt, MLflow "
                    f"and SQLAlchemy {bare:.2f} s; ratio {ready / bare:.2f}"
                )
                return _figures(slack, MlflowClient(tracking_uri=uri), bot)
            finally:
                bot.stop()


def _figures(slack: RunningServer, client: MlflowClient, bot: Program) -> list[Goal]:
    print(f"memory of the running bot: {_resident(bot.process.pid):.0f} MB, idle")
    message = _asked(slack)
    acks = _hundred_clicks(lambda: _person(slack, "ana").click_as_drawn(message, "Approve"))
    bare = _bare_clicks()
    print(
        f"{CLICKS} clicks at once, ack: {_told(acks)}; a listener that only acks: {_told(bare)}; "
        f"ratio of p99 {_p99(acks) / _p99(bare):.2f}"
    )
    ana = _person(slack, "ana")
    slack.workspace.wait_for(lambda: len(ana.ephemerals()) >= CLICKS - 1, timeout_seconds=60)
    print(f"of these {CLICKS} clicks one is counted and {len(ana.ephemerals())} are answered")
    seconds: list[float] = []
    for number in range(ROUNDS):
        if number:
            message = _asked(slack)
            ana.click(message, "Approve")
        _person(slack, "raj").click(message, "Approve")
        _done(slack, message)
        seconds.append(_rollback(slack, client))
    print(
        f"rollback, click in Slack to Production changed in MLflow: median "
        f"{statistics.median(seconds):.3f} s, max {max(seconds):.3f} s"
    )
    print(f"memory of the running bot: {_resident(bot.process.pid):.0f} MB, afterwards")
    slowest = max(acks) / ACK_SECONDS
    click = statistics.median(seconds)
    return [
        Goal(name="slowest ack, share of Slack's three seconds", measured=slowest, at_most=1.0),
        Goal(name="rollback by a click, share of one second", measured=click, at_most=1.0),
    ]


def _asked(slack: RunningServer) -> Message:
    _person(slack, "dana").type(CHANNEL, f"/promote {MODEL} 2 production better")
    return _open_request(slack)


def _open_request(slack: RunningServer) -> Message:
    dana = _person(slack, "dana")
    return slack.workspace.wait_for(
        lambda: next((m for m in reversed(dana.messages(CHANNEL)) if "Approve" in m.buttons), None)
    )


def _done(slack: RunningServer, message: Message) -> None:
    dana = _person(slack, "dana")
    slack.workspace.wait_for(
        lambda: "Done." in dana.sees(dana.latest(message) or message), timeout_seconds=30
    )


def _rollback(slack: RunningServer, client: MlflowClient) -> float:
    otto = _person(slack, "otto")
    before = len(otto.ephemerals())
    otto.type(CHANNEL, f"/rollback {MODEL} bench")
    offer = slack.workspace.wait_for(
        lambda: next((m for m in otto.ephemerals()[before:] if m.buttons), None)
    )
    before = len(otto.ephemerals())
    began = time.perf_counter()
    otto.click(offer, "Roll back v2 → v1")
    _until(lambda: _in_production(client) == "1")
    seconds = time.perf_counter() - began
    slack.workspace.wait_for(lambda: len(otto.ephemerals()) > before)  # told, so recorded too
    return seconds


def _in_production(client: MlflowClient) -> str:
    found = client.search_model_versions(f"name='{MODEL}'")
    return ",".join(v.version for v in found if v.current_stage == "Production")


def _until(true: Callable[[], bool]) -> None:
    give_up_at = time.perf_counter() + 30
    while not true():
        if time.perf_counter() > give_up_at:
            raise TimeoutError("MLflow did not change")
        time.sleep(0.005)


def _hundred_clicks(click: Callable[[], None]) -> list[float]:
    def timed(_number: int) -> float:
        began = time.perf_counter()
        click()  # raises when the ack does not come within Slack's three seconds
        return time.perf_counter() - began

    with ThreadPoolExecutor(CLICKS) as clicking:
        return list(clicking.map(timed, range(CLICKS)))


def _bare_clicks() -> list[float]:
    with serve(_workspace()) as slack:
        client = WebClient(token=slack.bot_token, base_url=slack.api_url)
        app = App(client=client)

        @app.action("approve")
        def approve(ack: Callable[[], None]) -> None:
            ack()

        with connected(slack, app):
            button = {"type": "button", "action_id": "approve", "text": _plain("Approve")}
            client.chat_postMessage(
                channel=CHANNEL, text="x", blocks=[{"type": "actions", "elements": [button]}]
            )
            ana = _person(slack, "ana")
            message = ana.messages(CHANNEL)[-1]
            return _hundred_clicks(lambda: ana.click_as_drawn(message, "Approve"))


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def _workspace() -> Workspace:
    workspace = Workspace(limits=Limits(posts_per_second=0))
    for name in NAMES:
        workspace.add_person(name, user_id=f"U0{name.upper()}")
    workspace.add_channel(CHANNEL, members=list(NAMES))
    return workspace


def _person(slack: RunningServer, name: str) -> Actor:
    return slack.workspace.as_person(name)


def _two_versions(mlflow: RealMlflow) -> None:
    mlflow.client.create_registered_model(MODEL)
    for number, stage in ((1, "Production"), (2, "Staging")):
        mlflow.add_version(MODEL)
        mlflow.client.transition_model_version_stage(MODEL, str(number), stage)
    mlflow.client.set_registered_model_alias(MODEL, "champion", "1")


def _settings(folder: Path, uri: str, slack: RunningServer, port: int) -> dict[str, str]:
    policies = folder / "policies"
    policies.mkdir()
    (policies / "people.yaml").write_text(PEOPLE)
    (policies / "credit.yaml").write_text(_EAGER)
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "MLFLOW_TRACKING_URI": uri,
        "FOUREYES_DATABASE_URL": f"sqlite:///{folder / 'foureyes.db'}",
        "FOUREYES_HEADS": str(folder / "heads"),
        "FOUREYES_POLICIES": str(policies),
        "FOUREYES_HEALTH_PORT": str(port),
    }


def _bare_start() -> float:
    code = "import slack_bolt.adapter.socket_mode, mlflow, sqlalchemy, alembic.command"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - began


def _resident(pid: int) -> float:
    """Megabytes of memory that the process holds, as Linux counts them."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("this system does not tell what a process holds")


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[max(0, round(len(seconds) * 0.99) - 1)]


def _told(seconds: Sequence[float]) -> str:
    return f"median {statistics.median(seconds):.3f} s, p99 {_p99(seconds):.3f} s"
