"""Looks at everything that Foureyes needs, and says what is wrong and what to do.

Changes nothing, and shows no secret. What cannot be looked at because something before it is
wrong is left out, not guessed.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bot.assembly import database, load_rules, open_heads, open_registry
from bot.finding import Finding, fine, warning, wrong
from bot.settings import FOR_RUN, Settings, read_settings
from governance.domain.errors import FoureyesError, IntegrityViolation, Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.policy import policy_for
from governance.ports import Registry, Rules

if TYPE_CHECKING:
    from governance.adapters.sql_store import SqlStore

_NO_SUCH_VERSION = Version(2**31 - 1)
"""Moving it is allowed or forbidden like any other, and changes nothing either way."""
_NOT_THERE = ("no_such_version", "no_such_model")


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Everything, in the order in which it should be repaired."""
    settings = yield from _settings(environ)
    if settings is None:
        return
    rules = yield from _store_and_policies(settings)
    yield from _heads(settings)
    if settings.mlflow_tracking_uri is not None:
        yield from _mlflow(settings, rules)
    from bot.doctor_slack import examine_slack

    yield from examine_slack(
        api_url=settings.slack_api_url,
        bot_token=settings.slack_bot_token,
        app_token=settings.slack_app_token,
        rules=rules,
    )


def _settings(environ: Mapping[str, str]) -> Generator[Finding, None, Settings | None]:
    """Returns the settings as far as they can be used, for what comes after."""
    try:
        settings = read_settings(environ, needed=FOR_RUN)
    except Refused as problem:
        for line in problem.sentence.splitlines()[1:]:
            yield _setting(line.strip())
    else:
        yield fine("settings", "complete")
        return settings
    try:
        # Those that are only missing leave the rest to be looked at.
        return read_settings(environ)
    except Refused:
        return None


def _setting(problem: str) -> Finding:
    found, is_missing, remedy = problem.partition(" is not set. ")
    if is_missing:
        return wrong("settings", f"{found} is not set", remedy)
    return wrong("settings", problem, "The README's table lists every setting.")


# --- the database, policies, heads ----------------------------------------------------------


def _store_and_policies(settings: Settings) -> Generator[Finding, None, Rules | None]:
    """Returns the rules, if there are any."""
    path = settings.sqlite_path
    if path is not None and not path.is_file():
        yield warning(
            "database",
            f"{path} is not there yet",
            "`foureyes run` makes it in the working folder; is this the right one?",
        )
        if settings.policies_from_store or settings.policies is None:
            return None
        return (yield from _policies(settings, None))
    try:
        with database(settings) as store:
            yield fine("database", "at this version")
            yield from _triggers(store)
            yield from _record(settings, store)
            if settings.policies is None and not settings.policies_from_store:
                return None
            return (yield from _policies(settings, store))
    except FoureyesError as problem:
        yield wrong("database", problem.sentence, "See FOUREYES_DATABASE_URL.")
        return None


def _triggers(store: SqlStore) -> Iterator[Finding]:
    missing = store.missing_triggers()
    if missing:
        yield wrong(
            "record",
            f"the database does not refuse changes to it any more: {', '.join(missing)} gone",
            "Find out who removed them, compare with `foureyes audit verify`, and restore the "
            "database from a copy.",
        )
    else:
        yield fine("record", "append-only, enforced by the database")


def _record(settings: Settings, store: SqlStore) -> Iterator[Finding]:
    from governance.use_cases.audit import verify

    try:
        found = verify(store, open_heads(settings))
    except IntegrityViolation as problem:
        yield wrong("record", problem.sentence, "Look at `foureyes audit verify`.")
        return
    if found.ok:
        yield fine("record", f"{found.head.size} records match every kept head")
    else:
        yield wrong(
            "record", "; ".join(found.problems), "Promotions stop. Look at `foureyes audit verify`."
        )


def _policies(settings: Settings, store: SqlStore | None) -> Generator[Finding, None, Rules | None]:
    """Returns the rules, or None when they are wrong."""
    from governance.adapters.policy_files import load_folder

    try:
        if store is not None:
            loaded = load_rules(settings, store)
        elif settings.policies is not None:
            loaded = load_folder(settings.policies)
        else:
            return None
    except FoureyesError as problem:
        yield wrong("policies", problem.sentence, "`foureyes policy check` names every problem.")
        return None
    for finding in loaded.warnings:
        yield warning("policies", finding.what, finding.instead)
    count = len(loaded.rules.policies.policies)
    yield fine("policies", f"{count} for {len(loaded.rules.roster.people)} people")
    return loaded.rules


def _heads(settings: Settings) -> Iterator[Finding]:
    heads = settings.heads
    folder = heads.parent
    if not folder.is_dir():
        yield warning(
            "heads", f"{folder} is not there yet", "`foureyes run` makes it; check FOUREYES_HEADS."
        )
        return
    target = heads if heads.exists() else folder
    if not os.access(target, os.W_OK):
        yield wrong(
            "heads",
            f"{target} cannot be written",
            "Without a kept head nothing is recorded, and so nothing is done: let the bot's "
            "login write there.",
        )
        return
    path = settings.sqlite_path
    if path is not None and path.parent.is_dir() and _device(path.parent) == _device(folder):
        yield warning(
            "heads",
            f"{heads} is on the same disk as the database",
            "Whoever can rewrite one can rewrite both: put it on another disk, best one that "
            "only appends, and name it in FOUREYES_HEADS.",
        )
    else:
        yield fine("heads", f"kept in {heads}")


def _device(path: Path) -> int:
    return os.stat(path).st_dev


# --- MLflow ----------------------------------------------------------------------------------


def _mlflow(settings: Settings, rules: Rules | None) -> Iterator[Finding]:
    registry = open_registry(settings)
    try:
        version = registry.server_version()
        major = version.partition(".")[0]
        if major != "3":
            yield wrong(
                "MLflow", f"the server is {version}", "Foureyes works with MLflow ≥ 3.0 and < 4."
            )
            return
        yield fine("MLflow", f"the server is {version}")
        models = registry.models()
    except FoureyesError as problem:
        yield wrong(
            "MLflow",
            problem.sentence,
            "Check MLFLOW_TRACKING_URI and MLFLOW_TRACKING_USERNAME, _PASSWORD or _TOKEN.",
        )
        return
    governed = [m for m in models if rules is not None and policy_for(rules.policies, m)]
    if not governed:
        yield warning(
            "MLflow",
            f"none of its {len(models)} models has a policy",
            "Name one in FOUREYES_POLICIES, or register it; what has no policy is left alone.",
        )
    for model in governed:
        yield _may_move(registry, model)
        yield from _readable(registry, model)


def _may_move(registry: Registry, model: ModelName) -> Finding:
    """Ask for a move that cannot happen: MLflow checks the permission first, and then says that
    there is no such version."""
    try:
        registry.set_staging(model, _NO_SUCH_VERSION)
    except Refused as answer:
        if answer.code in _NOT_THERE:
            return fine(f"model {model}", "may be moved")
        return _not_allowed(model, answer)
    except FoureyesError as answer:
        return _not_allowed(model, answer)
    return fine(f"model {model}", "may be moved")


def _not_allowed(model: ModelName, answer: FoureyesError) -> Finding:
    return wrong(
        f"model {model}",
        f"MLflow would not move it: {answer.sentence}",
        "Give the bot's MLflow user MANAGE on this model, or EDIT where it may move stages.",
    )


def _readable(registry: Registry, model: ModelName) -> Iterator[Finding]:
    """Whether the newest version can be read; a source that needs a missing client package says
    so here instead of at the first request."""
    try:
        versions = registry.versions(model)
        if versions:
            registry.content(model, versions[-1].version, progress=_enough)
    except _EnoughReadError:
        pass
    except FoureyesError as problem:
        yield wrong(f"model {model}", problem.sentence, "Requests for it are refused until then.")


class _EnoughReadError(Exception):
    """The first bytes were read, which is all that was asked."""


def _enough(_done: int, _total: int) -> None:
    raise _EnoughReadError
