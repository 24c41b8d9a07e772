"""`foureyes policy`: check the files, print their schema, record a load, show what is in force."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bot.command_tree import Commands
from bot.settings import Settings, read_settings, required
from bot.terminal import literal


def register(commands: Commands) -> None:
    """Add the group."""
    group = commands.group("policy", summary="policies and people: check, load, show, schema")
    check = group.add("check", summary="name every problem, with file, line and remedy", run=_check)
    check.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="files or folders; the folder of FOUREYES_POLICIES when left out",
    )
    schema = group.add("schema", summary="print the JSON Schema for editors", run=_schema)
    schema.add_argument("--kind", choices=("policy", "people"), default="policy")
    load = group.add(
        "load", summary="record a set, tell the channels what changes, put it in force", run=_load
    )
    load.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="FOLDER",
        help="the folder of FOUREYES_POLICIES when left out",
    )
    load.add_argument("--reason", default="", metavar="TEXT", help="goes into the record")
    load.epilog = (
        "A bot with FOUREYES_POLICIES=store takes the set within seconds; one with a folder reads "
        "it again on SIGHUP."
    )
    show = group.add("show", summary="what applies to one model, in words", run=_show)
    show.add_argument("model", metavar="MODEL", help="the registered model")


def _check(options: argparse.Namespace) -> int:
    from governance.adapters.policy_files import check_files

    paths: list[Path] = options.files or [_folder(read_settings(os.environ))]
    report = check_files(paths)
    for problem in report.problems:
        print(literal(str(problem)))
    for warning in report.warnings:
        print(literal(f"warning: {warning}"))
    count = len(report.problems)
    if count:
        print("1 problem." if count == 1 else f"{count} problems.")
        return 1
    print("These policies can be loaded.")
    return 0


def _schema(options: argparse.Namespace) -> int:
    from governance.adapters.policy_files import json_schema

    print(json_schema(options.kind), end="")
    return 0


def _load(options: argparse.Namespace) -> int:
    from bot.assembly import database, record_load
    from bot.git_commit import git_commit
    from bot.os_login import actor_for_record, current_login
    from governance.adapters.policy_files import load_folder

    settings = read_settings(os.environ)
    folder: Path = options.folder or _folder(settings)
    loaded = load_folder(folder)
    for warning in loaded.warnings:
        print(literal(f"warning: {warning}"))
    with database(settings) as store:
        actor = actor_for_record(loaded.rules.roster, current_login())
        done = record_load(
            store, loaded, actor=actor, git_commit=git_commit(folder), why=options.reason
        )
    for line in done.lines:
        print(literal(line))
    if not done.is_new:
        print("These files were loaded last; nothing was recorded.")
        return 0
    if not done.lines:
        print("No rule and no person differs, only the files themselves.")
    print("Recorded.")
    if not settings.policies_from_store:
        print("A running bot reads its folder again on SIGHUP.")
    return 0


def _show(options: argparse.Namespace) -> int:
    from bot.assembly import database, load_rules
    from governance.adapters.policy_files import load_folder
    from governance.domain.evidence import ModelName
    from governance.use_cases.naming import policy_named

    settings = read_settings(os.environ, needed=("FOUREYES_POLICIES",))
    if settings.policies_from_store:
        with database(settings) as store:
            rules = load_rules(settings, store).rules
    else:
        rules = load_folder(_folder(settings)).rules
    policy = policy_named(rules, ModelName(options.model))
    from bot.commands.policy_words import describe

    for line in describe(policy, rules.roster):
        print(literal(line))
    return 0


def _folder(settings: Settings) -> Path:
    if settings.policies_from_store:
        from governance.domain.errors import Refused

        raise Refused(
            "settings", "FOUREYES_POLICIES is `store`; name the folder: foureyes policy … FOLDER."
        )
    return required(settings.policies, "FOUREYES_POLICIES")
