"""The real parts around a story: an MLflow server, a Slack workspace, the bank's own database and
the bot, all on loopback and in one folder. Knows no story."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo.processes import DemoBroken, Program, free_port, mlflow_server, start, start_bot
from bot.sandbox import RunningServer


@dataclass
class Scenery:
    """Everything that runs, and what it is told by environment variables."""

    folder: Path
    tracking_uri: str
    slack: RunningServer
    env: Mapping[str, str]
    bot: Program | None = None

    @property
    def traffic(self) -> Path:
        """The file that names the version to serve."""
        return self.folder / "traffic.json"

    @property
    def bank(self) -> Path:
        """The bank's database of predictions and outcomes."""
        return self.folder / "bank.db"

    def start_bot(self) -> Program:
        """Start the bot, and wait until it says that it is ready.

        Raises:
            DemoBroken: it is not.
        """
        port = int(self.env["FOUREYES_HEALTH_PORT"])
        self.bot = start_bot(self.folder, self.env, health_port=port)
        return self.bot

    def foureyes(self, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run the command as an operator would; its exit code and what it prints."""
        log = self.folder / f"command-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "bot.cli", *arguments]
        program = start("foureyes", command, {**self.env, **(env or {})}, log)
        code = program.process.wait(60)
        return code, log.read_text(errors="replace")

    def stop_bot(self) -> None:
        """Have it stop, if it runs."""
        if self.bot is not None:
            self.bot.stop()


@contextmanager
def scenery(folder: Path, slack: RunningServer) -> Iterator[Scenery]:
    """Start MLflow beside a workspace that is served already; stop it and the bot at the end."""
    with mlflow_server(folder / "mlflow") as tracking_uri:
        (folder / "elsewhere").mkdir()
        made = Scenery(
            folder=folder,
            tracking_uri=tracking_uri,
            slack=slack,
            env={
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
                "MLFLOW_TRACKING_URI": tracking_uri,
                "MLFLOW_UI_URL": tracking_uri,
                "FOUREYES_DATABASE_URL": f"sqlite:///{folder / 'foureyes.db'}",
                "FOUREYES_HEADS": str(folder / "elsewhere" / "heads"),
                "FOUREYES_POLICIES": str(shipped_policies()),
                "FOUREYES_HEALTH_PORT": str(free_port()),
                "FOUREYES_LOOK_SECONDS": "2",
                "FOUREYES_TRAFFIC_FILE": str(folder / "traffic.json"),
                "CREDIT_DATABASE_URL": f"sqlite:///{folder / 'bank.db'}",
            },
        )
        try:
            yield made
        finally:
            made.stop_bot()


def shipped_policies() -> Path:
    """The example policies: beside the packages in a checkout, inside them in a wheel."""
    import bot

    package = Path(bot.__file__).parent
    candidates = (package.parent / "policies", package / "demo" / "policies")
    for candidate in candidates:
        if (candidate / "people.yaml").is_file():
            return candidate
    raise DemoBroken("the example policies are not part of this installation")
