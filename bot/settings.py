"""The environment as one typed, frozen value; every problem is told at once, no secret is shown.

Knows names, defaults and spellings, and nothing of what the values are used for. `SETTINGS` is
the only list of settings: the README's table is drawn from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from bot import setting_values as values
from governance.domain.errors import Refused
from governance.domain.working_hours import WorkingHours, working_hours

_T = TypeVar("_T")

STORE_WORD = "store"
"""`FOUREYES_POLICIES=store`: the set that `foureyes policy load` recorded last."""


class Secret:
    """A value that shows itself only when asked for by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One environment variable. `default` is as it would be written; empty when there is none."""

    name: str
    default: str
    meaning: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="SLACK_BOT_TOKEN",
        default="",
        meaning="Bot token of the Slack app (`xoxb-…`).",
        secret=True,
    ),
    Setting(
        name="SLACK_APP_TOKEN",
        default="",
        meaning="App-level token with `connections:write`, for Socket Mode (`xapp-…`).",
        secret=True,
    ),
    Setting(
        name="SLACK_API_URL",
        default="https://slack.com/api/",
        meaning="Base of Slack's Web API; GovSlack has `https://slack-gov.com/api/`.",
    ),
    Setting(
        name="MLFLOW_TRACKING_URI",
        default="",
        meaning="The MLflow server (≥ 3.0, < 4). Its credentials are MLflow's own settings: "
        "`MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD` or `MLFLOW_TRACKING_TOKEN`.",
    ),
    Setting(
        name="MLFLOW_UI_URL",
        default="",
        meaning="Where people open MLflow in their browser; messages then link to the versions "
        "that they name. It may differ from the address that the bot uses.",
    ),
    Setting(
        name="FOUREYES_POLICIES",
        default="",
        meaning="Folder of policies and people, or the word `store`: the set that `foureyes policy "
        "load` recorded last.",
    ),
    Setting(
        name="FOUREYES_DATABASE_URL",
        default="sqlite:///foureyes-state/foureyes.db",
        meaning="Requests, decisions and the record. SQLite (a relative path is below the working "
        "folder), or `postgresql://USER:PASSWORD@HOST/NAME` for several replicas.",
        secret=True,
    ),
    Setting(
        name="FOUREYES_HEADS",
        default="foureyes-state/heads",
        meaning="File that keeps the record's heads outside the database; best on another disk.",
    ),
    Setting(
        name="FOUREYES_WRITE_STAGE",
        default="yes",
        meaning="Whether a promotion to Production moves MLflow's stage. With `no`, the version "
        "that bears the alias is the one in Production.",
    ),
    Setting(
        name="FOUREYES_WRITE_ALIAS",
        default="yes",
        meaning="Whether a promotion to Production sets the alias. One of the two must be on.",
    ),
    Setting(
        name="FOUREYES_ALIAS",
        default="champion",
        meaning="The alias of the version in Production.",
    ),
    Setting(
        name="FOUREYES_MAX_BYTES",
        default="2147483648",
        meaning="A version with more bytes of files than this is refused, because every byte is "
        "read (2 GiB).",
    ),
    Setting(
        name="FOUREYES_HEALTH_PORT",
        default="8087",
        meaning="Port on 127.0.0.1 for `/healthz`, `/readyz` and `/metrics`; 0 takes a free one "
        "and logs it.",
    ),
    Setting(
        name="FOUREYES_SLACK_GRACE_SECONDS",
        default="300",
        meaning="`foureyes run` ends with an error after so long without Slack.",
    ),
    Setting(
        name="FOUREYES_ROLLBACK_CLICK_SECONDS",
        default="300",
        meaning="A click on a rollback button older than this is refused.",
    ),
    Setting(
        name="FOUREYES_INBOX_SECONDS",
        default="1",
        meaning="How often waiting clicks and messages are looked for; what comes in also wakes "
        "this at once.",
    ),
    Setting(
        name="FOUREYES_PUSH_SECONDS",
        default="2",
        meaning="How often approved requests are pushed on and expired ones ended.",
    ),
    Setting(
        name="FOUREYES_LOOK_SECONDS",
        default="30",
        meaning="How often MLflow is compared with the record.",
    ),
    Setting(
        name="FOUREYES_WATCH_SECONDS",
        default="1",
        meaning="How often is looked for monitors whose time has come.",
    ),
    Setting(
        name="FOUREYES_REMIND_HOURS",
        default="4",
        meaning="After so many of their working hours somebody who was asked is reminded; then "
        "after twice as many, and so on.",
    ),
    Setting(
        name="FOUREYES_WORKING_HOURS",
        default="Mon-Fri 09:00-17:00",
        meaning="When people are reminded, by the time zone in their Slack profile. "
        "`working_hours` in people.yaml says otherwise for one person.",
    ),
    Setting(
        name="FOUREYES_TRAFFIC_FILE",
        default="",
        meaning="A JSON file that names the version to serve of each model; a rollback writes it "
        "first.",
    ),
    Setting(
        name="FOUREYES_WEBHOOK_URL",
        default="",
        meaning="An https address that hears of transitions and alerts, signed as Standard "
        "Webhooks.",
        secret=True,
    ),
    Setting(
        name="FOUREYES_WEBHOOK_SECRET",
        default="",
        meaning="What the webhook is signed with: `whsec_` and at least 24 bytes in base64.",
        secret=True,
    ),
    Setting(
        name="FOUREYES_ALLOW_PRIVATE",
        default="no",
        meaning="Whether the webhook and `probe_url` may lead to private addresses, and the "
        "webhook to plain http.",
    ),
)

_HOW_TO_SET: Mapping[str, str] = {
    "SLACK_BOT_TOKEN": "Run `foureyes manifest` and make the Slack app from it; its page Install "
    "App then gives the token (xoxb-…).",
    "SLACK_APP_TOKEN": "In the Slack app, under Basic Information → App-Level Tokens, generate one "
    "with the scope connections:write (xapp-…).",
    "MLFLOW_TRACKING_URI": "Set it to the address of your MLflow server (≥ 3.0, < 4), such as "
    "https://mlflow.example.com.",
    "FOUREYES_POLICIES": "Set it to your folder of policies and people (copy policies/ to begin "
    "with), or to `store` for the set that `foureyes policy load` recorded last. `foureyes policy "
    "check` also takes the folder as an argument.",
    "FOUREYES_WEBHOOK_SECRET": "Set it to whsec_ and at least 24 random bytes in base64 (openssl "
    "rand -base64 32).",
}

_BY_NAME: Mapping[str, Setting] = {s.name: s for s in SETTINGS}

FOR_RUN = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "MLFLOW_TRACKING_URI", "FOUREYES_POLICIES")
"""What `foureyes run` and `foureyes doctor` cannot do without."""
FOR_REGISTRY = ("MLFLOW_TRACKING_URI", "FOUREYES_POLICIES")
"""What a command needs that reads or moves versions without Slack."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Those without a default are None when they are not set; ask for them with
    `read_settings(…, needed=…)` and take them with `required`."""

    slack_bot_token: Secret | None
    slack_app_token: Secret | None
    slack_api_url: str
    """Ends in a slash."""
    mlflow_tracking_uri: str | None
    mlflow_ui_url: str
    """Without a slash at its end; empty where messages link to nothing."""
    policies: Path | None
    """The folder; None when `policies_from_store`, or when it is not set."""
    policies_from_store: bool
    database_url: Secret
    """A secret because a PostgreSQL URL holds a password."""
    heads: Path
    write_stage: bool
    write_alias: bool
    alias: str
    max_bytes: int
    health_port: int
    slack_grace: timedelta
    rollback_click: timedelta
    inbox_every: timedelta
    push_every: timedelta
    look_every: timedelta
    watch_every: timedelta
    remind_after: timedelta
    """Working time."""
    working_hours: WorkingHours
    traffic_file: Path | None
    webhook_url: Secret | None
    """A secret because some addresses hold a token."""
    webhook_secret: Secret | None
    allow_private: bool

    @property
    def sqlite_path(self) -> Path | None:
        """The file of an embedded database; None for a database server."""
        url = self.database_url.reveal()
        if not url.startswith("sqlite"):
            return None
        return Path(url.partition("///")[2])

    def secrets(self) -> tuple[str, ...]:
        """Everything that must not appear in a log line."""
        kept = (
            self.slack_bot_token,
            self.slack_app_token,
            self.webhook_url,
            self.webhook_secret,
        )
        found = [s.reveal() for s in kept if s]
        password = urlsplit(self.database_url.reveal()).password
        return (*found, password) if password else tuple(found)


def settings_table() -> str:
    """All settings as the README shows them: a Markdown table, one row each."""
    rows = ["| Setting | Default | Meaning |", "| --- | --- | --- |"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "none"
        rows.append(f"| `{setting.name}` | {default} | {setting.meaning} |")
    return "\n".join(rows) + "\n"


def how_to_set(name: str) -> str:
    """What to do for a setting that something cannot do without."""
    return _HOW_TO_SET[name]


def required(value: _T | None, name: str) -> _T:
    """A value that the command asked for with `needed`.

    Raises:
        Refused: `settings`, when it is not set after all.
    """
    if value is None:
        raise Refused("settings", f"{name} is not set. {how_to_set(name)}")
    return value


def read_settings(environ: Mapping[str, str], *, needed: Iterable[str] = ()) -> Settings:
    """Read every setting. An empty value is the same as none.

    Raises:
        Refused: `settings`, with every missing and every malformed one, and what to write.
    """
    reading = _Reading(environ)
    for name in needed:
        if not environ.get(name, "").strip():
            reading.problems.append(f"{name} is not set. {how_to_set(name)}")
    policies = reading.text("FOUREYES_POLICIES")
    from_store = policies == STORE_WORD
    settings = Settings(
        slack_bot_token=reading.token("SLACK_BOT_TOKEN", "xoxb-"),
        slack_app_token=reading.token("SLACK_APP_TOKEN", "xapp-"),
        slack_api_url=reading.parse("SLACK_API_URL", values.api_url),
        mlflow_tracking_uri=reading.parse("MLFLOW_TRACKING_URI", values.tracking_uri) or None,
        mlflow_ui_url=reading.parse("MLFLOW_UI_URL", values.ui_url),
        policies=None if from_store or not policies else Path(policies),
        policies_from_store=from_store,
        database_url=Secret(reading.parse("FOUREYES_DATABASE_URL", values.database_url)),
        heads=Path(reading.text("FOUREYES_HEADS")),
        write_stage=reading.parse("FOUREYES_WRITE_STAGE", values.yes_or_no),
        write_alias=reading.parse("FOUREYES_WRITE_ALIAS", values.yes_or_no),
        alias=reading.parse("FOUREYES_ALIAS", values.alias),
        max_bytes=reading.parse("FOUREYES_MAX_BYTES", values.positive_int),
        health_port=reading.parse("FOUREYES_HEALTH_PORT", values.port),
        slack_grace=reading.parse("FOUREYES_SLACK_GRACE_SECONDS", values.seconds),
        rollback_click=reading.parse("FOUREYES_ROLLBACK_CLICK_SECONDS", values.seconds),
        inbox_every=reading.parse("FOUREYES_INBOX_SECONDS", values.seconds),
        push_every=reading.parse("FOUREYES_PUSH_SECONDS", values.seconds),
        look_every=reading.parse("FOUREYES_LOOK_SECONDS", values.seconds),
        watch_every=reading.parse("FOUREYES_WATCH_SECONDS", values.seconds),
        remind_after=reading.parse("FOUREYES_REMIND_HOURS", values.hours),
        working_hours=reading.parse("FOUREYES_WORKING_HOURS", working_hours),
        traffic_file=reading.path("FOUREYES_TRAFFIC_FILE"),
        webhook_url=reading.secret("FOUREYES_WEBHOOK_URL", values.webhook_url),
        webhook_secret=reading.secret("FOUREYES_WEBHOOK_SECRET", values.webhook_secret),
        allow_private=reading.parse("FOUREYES_ALLOW_PRIVATE", values.yes_or_no),
    )
    if settings.webhook_url is not None and settings.webhook_secret is None:
        reading.problems.append(
            "FOUREYES_WEBHOOK_SECRET is not set, and an unsigned webhook proves nothing. "
            f"{how_to_set('FOUREYES_WEBHOOK_SECRET')}"
        )
    if not settings.write_stage and not settings.write_alias:
        reading.problems.append(
            "FOUREYES_WRITE_STAGE and FOUREYES_WRITE_ALIAS are both off, so a promotion would "
            "change nothing. Leave one of them on."
        )
    unknown = sorted(n for n in environ if n.startswith("FOUREYES_") and n not in _BY_NAME)
    reading.problems.extend(f"{name} is no setting of Foureyes." for name in unknown)
    if reading.problems:
        raise Refused(
            "settings",
            "Foureyes cannot start with these settings:\n  " + "\n  ".join(reading.problems),
        )
    return settings


class _Reading:
    """Collects problems while reading, so that all are told at once; a malformed value is
    replaced by its default only to be able to go on looking."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip() or _BY_NAME[name].default

    def parse(self, name: str, parser: Callable[[str], _T]) -> _T:
        try:
            return parser(self.text(name))
        except ValueError as problem:
            hidden = _BY_NAME[name].secret or isinstance(problem, values.HoldsSecretError)
            shown = "" if hidden else f" ({self.text(name)!r})"
            self.problems.append(f"{name}{shown} {problem}")
            return parser(_BY_NAME[name].default)

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return Path(value) if value else None

    def secret(self, name: str, parser: Callable[[str], str]) -> Secret | None:
        value = self.parse(name, parser)
        return Secret(value) if value else None

    def token(self, name: str, prefix: str) -> Secret | None:
        value = self.text(name)
        if not value:
            return None
        if not value.startswith(prefix):
            self.problems.append(f"{name} does not start with {prefix}; is it the other token?")
        return Secret(value)
