"""Puts the ports together from settings; the only place besides `bot.app` that names adapters.

Imports each adapter where it is built, so that a command loads only what it uses. Decides nothing.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.settings import STORE_WORD, Settings, required
from governance.domain.errors import IntegrityViolation, Refused, Unavailable
from governance.domain.identity import Actor, Standing, UserGroup
from governance.domain.ledger import Head, KeptHead
from governance.ports import (
    NOT_ASKED,
    Accounts,
    KeptHeads,
    MetricSources,
    Registry,
    Rules,
    RuleSource,
    ServingProbe,
    Traffic,
    Webhook,
)
from governance.use_cases.world import World

if TYPE_CHECKING:
    from governance.adapters.head_file import HeadFile
    from governance.adapters.policy_files import Loaded
    from governance.adapters.sql_store import SqlStore


class RulesInForce:
    """A RuleSource whose owner switches it after the load was recorded, never before."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def current(self) -> Rules:
        """The rules in force in this process."""
        return self._rules

    def switch(self, rules: Rules) -> None:
        """From now on these, whole: one assignment, so no reader sees half of each."""
        self._rules = rules


class StoppableHeads:
    """The kept heads as transitions ask for them: once the record as a whole was found wrong, the
    newest head answers with that, even where it matches by itself."""

    def __init__(self, heads: KeptHeads) -> None:
        self._heads = heads
        self._problem: IntegrityViolation | None = None

    def stop(self, problem: IntegrityViolation | None) -> None:
        """Let transitions fail with `problem`; None lets them go on."""
        self._problem = problem

    def append(self, head: Head, *, resumed: bool = False) -> None:
        """As of the file."""
        self._heads.append(head, resumed=resumed)

    def all(self) -> Sequence[KeptHead]:
        """As of the file."""
        return self._heads.all()

    def newest(self) -> KeptHead | None:
        """As of the file. Raises IntegrityViolation while stopped."""
        if self._problem is not None:
            raise self._problem
        return self._heads.newest()


class NoWorkspace:
    """Accounts where Slack is not asked: every question is refused, none is answered by guess."""

    def standing(self, account: str) -> Standing:
        """Raises Unavailable, always."""
        raise Unavailable(
            NOT_ASKED, f"SLACK_BOT_TOKEN is not set, so Slack was not asked about {account}."
        )

    def time_zone(self, account: str) -> str:
        """Raises Unavailable, always."""
        raise Unavailable(
            NOT_ASKED, f"SLACK_BOT_TOKEN is not set, so Slack was not asked about {account}."
        )

    def members(self, group: UserGroup) -> frozenset[str]:
        """Raises Unavailable, always."""
        raise Unavailable(NOT_ASKED, f"This command does not ask Slack who is in {group}.")

    def members_shown(self, group: UserGroup) -> frozenset[str] | None:
        """Nobody knows."""
        return None

    def verify_channel(self, channel: str) -> None:
        """Raises Unavailable, always."""
        raise Unavailable(
            NOT_ASKED,
            f"SLACK_BOT_TOKEN is not set, so Slack was not asked about {channel}.",
        )


def open_heads(settings: Settings) -> HeadFile:
    """The file of kept heads; its folder is made when it is missing.

    Raises:
        Unavailable: the folder cannot be made.
    """
    from governance.adapters.head_file import HeadFile

    _make_parent(settings.heads.parent, "FOUREYES_HEADS")
    return HeadFile(settings.heads)


def open_new_database(settings: Settings) -> SqlStore:
    """The store, whether or not its tables are there; an SQLite file is made when missing."""
    from governance.adapters.sql_store import open_store

    path = settings.sqlite_path
    if path is not None:
        _make_parent(path.parent, "FOUREYES_DATABASE_URL")
    return open_store(settings.database_url.reveal(), open_heads(settings))


def open_database_to_run(settings: Settings) -> SqlStore:
    """The store for the bot. An embedded SQLite is made or brought to this version; a database
    server is upgraded by its operator, because other replicas still use it.

    Raises:
        Refused: `migrations_pending`. Unavailable.
    """
    store = open_new_database(settings)
    try:
        if settings.sqlite_path is not None:
            store.upgrade()
        elif not store.is_current():
            raise _pending()
    except BaseException:
        store.close()
        raise
    return store


def _pending() -> Refused:
    return Refused(
        "migrations_pending",
        "The database is not at this version of Foureyes. Stop the bot, keep a copy of the "
        "database, then run `foureyes db upgrade`.",
    )


@contextmanager
def database(settings: Settings) -> Iterator[SqlStore]:
    """The store of a deployment that exists, closed at the end of the block.

    Raises:
        Refused: `no_database` when there is none at that place (so that a wrong working folder
        is told, not answered with an empty record), `migrations_pending`. Unavailable.
    """
    path = settings.sqlite_path
    if path is not None and not path.is_file():
        raise Refused(
            "no_database",
            f"There is no database at {path}. Change to the folder where Foureyes runs or set "
            "FOUREYES_DATABASE_URL. Where none was made yet, `foureyes run` makes one.",
        )
    store = open_new_database(settings)
    try:
        if not store.is_current():
            raise _pending()
        yield store
    finally:
        store.close()


def load_rules(settings: Settings, store: SqlStore) -> Loaded:
    """The policies that the settings name: of the folder, or those that were recorded last.

    Raises:
        Refused: they are wrong, or none was recorded yet. Unavailable: the folder is not there.
    """
    from governance.adapters.policy_files import load_folder, load_texts

    if not settings.policies_from_store:
        return load_folder(required(settings.policies, "FOUREYES_POLICIES"))
    with store.read() as tx:
        newest = tx.policy_load()
    if newest is None:
        raise Refused(
            "no_policies",
            f"FOUREYES_POLICIES is `{STORE_WORD}`, and nothing was loaded yet. Run `foureyes "
            "policy load FOLDER` once.",
        )
    return load_texts(newest.texts)


def recorded_rules(store: SqlStore) -> Rules | None:
    """The rules that were recorded last, for commands that only read; None before the first load
    and for a load that this version can no longer read."""
    from governance.adapters.policy_files import PolicyProblems, rules_from_texts

    with store.read() as tx:
        newest = tx.policy_load()
    if newest is None:
        return None
    try:
        return rules_from_texts(newest.texts)
    except PolicyProblems:
        # The record must be readable and resumable whatever the policies are; `policy check`
        # and `run` are the ones to refuse them.
        return None


@dataclass(frozen=True, kw_only=True)
class LoadRecorded:
    """What became of a load. `lines` say what it changes; a comment in a file changes nothing."""

    is_new: bool
    lines: tuple[str, ...]


def record_load(
    store: SqlStore, loaded: Loaded, *, actor: Actor, git_commit: str, why: str
) -> LoadRecorded:
    """Record a load with what it changes against the one before, unless it is the same.

    Raises:
        Unavailable: the store; then the rules must not be put in force.
    """
    from governance.use_cases.load_policies import load_policies

    with store.read() as tx:
        newest = tx.policy_load()
    changes = load_policies(
        store,
        previous=recorded_rules(store),
        new=loaded.rules,
        texts=loaded.texts,
        actor=actor,
        git_commit=git_commit,
        why=why,
    )
    return LoadRecorded(
        is_new=newest is None or newest.digest != loaded.rules.policies.digest,
        lines=tuple(change.words for change in changes),
    )


def open_registry(settings: Settings) -> Registry:
    """MLflow, as the settings say; nothing is asked of it yet."""
    from governance.adapters.mlflow_registry import MlflowRegistry

    return MlflowRegistry(
        required(settings.mlflow_tracking_uri, "MLFLOW_TRACKING_URI"),
        write_stage=settings.write_stage,
        write_alias=settings.write_alias,
        alias=settings.alias,
        max_bytes=settings.max_bytes,
    )


def open_traffic(settings: Settings) -> Traffic | None:
    """The file that says which version is served; None where none is set."""
    if settings.traffic_file is None:
        return None
    from governance.adapters.traffic_file import TrafficFile

    return TrafficFile(settings.traffic_file)


@cache
def open_sources() -> MetricSources:
    """Predictions and outcomes, by the addresses in the environment; imported when first needed.

    Raises:
        Refused: `monitors_not_installed`.
    """
    try:
        from governance.adapters.metric_sources import IbisSources
    except ModuleNotFoundError as missing:
        raise Refused(
            "monitors_not_installed",
            f"A policy has monitors, and {missing.name} is not installed. In a checkout: "
            "pip install '.[monitors]'.",
        ) from missing
    return IbisSources(os.environ)


def source_secrets(rules: Rules, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Passwords in the addresses that policies name, and the tokens of Spark Connect, which no log
    line may hold."""
    names = {s.url for p in rules.policies.policies.values() for s in p.watching.sources}
    found: list[str | None] = []
    for name in sorted(names):
        parts = urlsplit(environ.get(name, ""))
        found.append(parts.password)
        found += [p.removeprefix("token=") for p in parts.path.split(";") if p[:6] == "token="]
    return tuple(secret for secret in found if secret)


def open_probe(settings: Settings) -> ServingProbe:
    """What the serving platform says."""
    from governance.adapters.http_edges import HttpProbe

    return HttpProbe(allow_private=settings.allow_private)


def open_webhook(settings: Settings) -> Webhook | None:
    """Who hears of transitions and alerts outside; None where nobody does."""
    if settings.webhook_url is None:
        return None
    from governance.adapters.http_edges import SignedWebhook

    secret = required(settings.webhook_secret, "FOUREYES_WEBHOOK_SECRET")
    return SignedWebhook(
        settings.webhook_url.reveal(), secret.reveal(), allow_private=settings.allow_private
    )


def open_accounts(settings: Settings) -> Accounts:
    """Slack where a token is set, for commands that can do without."""
    if settings.slack_bot_token is None:
        return NoWorkspace()
    from slack_sdk import WebClient

    from bot.directory import SlackAccounts

    token = settings.slack_bot_token.reveal()
    return SlackAccounts(WebClient(token=token, base_url=settings.slack_api_url, timeout=10))


def build_world(
    store: SqlStore,
    *,
    registry: Registry,
    rules: RuleSource,
    accounts: Accounts,
    heads: KeptHeads,
    settings: Settings | None = None,
) -> World:
    """Everything that a use case needs; without settings nothing is watched and nothing follows
    the traffic."""
    return World(
        traffic=open_traffic(settings) if settings else None,
        sources=open_sources if settings else None,
        probe=open_probe(settings) if settings else None,
        store=store,
        registry=registry,
        rules=rules,
        accounts=accounts,
        heads=heads,
        elapsed=time.monotonic,
        holder=f"{socket.gethostname()}:{os.getpid()}",
        pause=time.sleep,
    )


@contextmanager
def world_without_slack(settings: Settings) -> Iterator[World]:
    """A world for one command; works while Slack is down and while the bot runs.

    Raises:
        Refused, Unavailable: as `database` and `load_rules` do.
    """
    with database(settings) as store:
        rules = RulesInForce(load_rules(settings, store).rules)
        yield build_world(
            store,
            registry=open_registry(settings),
            rules=rules,
            accounts=open_accounts(settings),
            heads=open_heads(settings),
            settings=settings,
        )


def _make_parent(folder: os.PathLike[str], setting: str) -> None:
    try:
        os.makedirs(folder, mode=0o770, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            "folder_unwritable",
            f"{setting} needs the folder {os.fspath(folder)}, which cannot be made: "
            f"{error.strerror}.",
        ) from error
