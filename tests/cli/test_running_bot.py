"""`foureyes run` as a user starts it: it outlives outages, says how it is, and ends as told."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.demo.processes import free_port
from bot.sandbox import Workspace, serve
from tests.cli.deployment import Deployment
from tests.cli.program import COMMAND, POLICIES, environment
from tests.cli.test_web import get

PATIENCE_SECONDS = 60
NOBODY_LISTENS = "http://127.0.0.1:9"


@dataclass
class Bot:
    """One running process and the log that it writes."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = field(default=0)

    def lines(self) -> list[dict[str, str]]:
        """Every log entry."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def page(self, path: str) -> tuple[int, dict[str, object]]:
        """Status and content of a health page."""
        status, body = get(self.port, path)
        return status, json.loads(body)

    def ready(self) -> dict[str, object]:
        """What `/readyz` says."""
        return self.page("/readyz")[1]

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that is to happen."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen:\n{self.log.read_text()}"
            assert self.process.poll() is None, f"the bot ended:\n{self.log.read_text()}"
            time.sleep(0.05)

    def ends(self) -> int:
        """The exit code, once it ends by itself."""
        return self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ends()


@contextmanager
def running(deployment: Deployment, **settings: str) -> Iterator[Bot]:
    """The bot, listening; killed at the end if it still runs."""
    complete = {
        "SLACK_BOT_TOKEN": "xoxb-1-not-to-be-seen",
        "SLACK_APP_TOKEN": "xapp-1-not-to-be-seen",
        "SLACK_API_URL": f"{NOBODY_LISTENS}/api/",
        "MLFLOW_TRACKING_URI": NOBODY_LISTENS,
        "FOUREYES_HEALTH_PORT": "0",
        **deployment.settings,
        **settings,
    }
    log = deployment.folder / "bot.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "run"],
            cwd=deployment.folder,
            env=environment(complete),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    bot = Bot(process=process, log=log)
    try:
        bot.until(lambda: "listening on" in log.read_text())
        found = re.search(r"listening on http://127\.0\.0\.1:(\d+)/", log.read_text())
        assert found is not None
        bot.port = int(found[1])
        yield bot
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_it_starts_without_slack_and_mlflow_and_connects_when_slack_comes_back(
    deployment: Deployment, database_url: str
) -> None:
    """Healthy at once, not ready and why, connected later, ended by SIGTERM with 0, and nothing
    secret in the log."""
    workspace = Workspace()
    port = free_port()
    tokens = {"SLACK_BOT_TOKEN": workspace.bot_token, "SLACK_APP_TOKEN": workspace.app_token}
    api = f"http://127.0.0.1:{port}/api/"
    deployment = replace(deployment, more={"FOUREYES_DATABASE_URL": database_url})
    with running(deployment, SLACK_API_URL=api, **tokens) as bot:
        assert bot.page("/healthz") == (200, {"healthy": True, "reasons": []})
        status, said = bot.page("/readyz")
        assert status == 503
        assert said["slack_connected"] is False
        assert said["store_writable"] is True
        assert any("MLflow was compared" in reason for reason in _reasons(said))
        with serve(workspace, port):
            bot.until(lambda: bot.ready()["slack_connected"] is True)
            assert not any("Slack" in reason for reason in _reasons(bot.ready()))
            assert bot.stop() == 0
        assert bot.lines()[-1]["message"] == "stopped"
        for token in tokens.values():
            assert token not in bot.log.read_text()
        assert "will be unused" not in bot.log.read_text()
    assert deployment.foureyes("audit", "verify").code == 0


def test_it_ends_with_an_error_after_too_long_without_slack(deployment: Deployment) -> None:
    """A supervisor starts it again, perhaps elsewhere."""
    with running(deployment, FOUREYES_SLACK_GRACE_SECONDS="1") as bot:
        assert bot.ends() == 3
        assert any("no connection to Slack" in line["message"] for line in bot.lines())


def test_policies_are_read_again_when_told_and_only_if_they_are_right(
    deployment: Deployment,
) -> None:
    """SIGHUP reads the folder; a wrong one leaves what is in force."""
    folder = deployment.folder / "mine"
    shutil.copytree(POLICIES, folder)
    policy = folder / "credit_scoring.yaml"
    right = policy.read_text()
    with running(deployment, FOUREYES_POLICIES=str(folder)) as bot:
        before = bot.ready()["policies_digest"]
        policy.write_text("model: credit_scoring\n")
        bot.process.send_signal(signal.SIGHUP)
        bot.until(lambda: "the policies before stay in force" in bot.log.read_text())
        assert bot.ready()["policies_digest"] == before
        policy.write_text(right.replace("soak: 5s", "soak: 1h"))
        bot.process.send_signal(signal.SIGHUP)
        bot.until(lambda: bot.ready()["policies_digest"] != before)
        assert "needs 1 h in Staging instead of 5 s" in bot.log.read_text()
        assert bot.stop() == 0


def test_a_bot_that_follows_the_store_takes_what_was_loaded(deployment: Deployment) -> None:
    """No restart and no signal: replicas agree within seconds."""
    folder = deployment.folder / "mine"
    shutil.copytree(POLICIES, folder)
    deployment.foureyes("db", "upgrade")
    deployment.foureyes("policy", "load", str(folder))
    with running(deployment, FOUREYES_POLICIES="store") as bot:
        before = bot.ready()["policies_digest"]
        policy = folder / "credit_scoring.yaml"
        policy.write_text(policy.read_text().replace("soak: 5s", "soak: 1h"))
        assert deployment.foureyes("policy", "load", str(folder)).code == 0
        bot.until(lambda: bot.ready()["policies_digest"] != before)
        assert bot.stop() == 0


def test_a_record_that_was_tampered_with_is_told_and_the_bot_goes_on(
    deployment: Deployment,
) -> None:
    """Promotions stop, rollback still needs a bot: it runs, and says that it is not ready."""
    deployment.keep_records(3)
    deployment.tamper("UPDATE ledger SET body = CAST('{\"seq\":2}' AS BLOB) WHERE seq = 2")
    with running(deployment) as bot:
        bot.until(lambda: any("contradicts" in reason for reason in _reasons(bot.ready())))
        assert any(line["level"] == "critical" for line in bot.lines())
        assert bot.page("/healthz")[0] == 200
        assert bot.stop() == 0


def test_it_refuses_to_start_on_wrong_policies(deployment: Deployment) -> None:
    """Nothing is governed by guess."""
    folder = deployment.folder / "empty"
    folder.mkdir()
    settings = {
        **deployment.settings,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "MLFLOW_TRACKING_URI": NOBODY_LISTENS,
        "FOUREYES_POLICIES": str(folder),
    }
    done = subprocess.run(
        [*COMMAND, "run"],
        cwd=deployment.folder,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "there is no people.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def _reasons(said: dict[str, object]) -> list[str]:
    reasons = said["reasons"]
    assert isinstance(reasons, list)
    return [str(reason) for reason in reasons]
