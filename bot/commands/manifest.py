"""`foureyes manifest`: the Slack app as Slack reads it when an app is made. Asks nobody."""

from __future__ import annotations

import argparse
import json
import re

from bot.command_tree import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "manifest", summary="print the app manifest to paste into Slack", run=_print
    )
    parser.add_argument(
        "--prefix",
        default="",
        type=_prefix,
        metavar="TEXT",
        help="put before each command's name, such as fe- for /fe-model, where a workspace has "
        "a /model already; the bot takes either",
    )
    parser.add_argument(
        "--user-groups",
        action="store_true",
        help="ask for the scope usergroups:read too, for a people.yaml in which a role names a "
        "user_group",
    )
    parser.epilog = "https://api.slack.com/apps → Create New App → From a manifest."


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{0,20}", text):
        raise argparse.ArgumentTypeError(
            "at most 20 small letters, digits, hyphens and underscores"
        )
    return text


def _print(options: argparse.Namespace) -> int:
    from bot.manifest import app_manifest

    manifest = app_manifest(options.prefix, user_groups=options.user_groups)
    print(json.dumps(manifest, indent=2, ensure_ascii=False))
    return 0
