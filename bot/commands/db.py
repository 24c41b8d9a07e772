"""`foureyes db`: bring the database to this version. Changes tables, never the record."""

from __future__ import annotations

import argparse
import os

from bot.command_tree import Commands
from bot.settings import read_settings


def register(commands: Commands) -> None:
    """Add the group."""
    group = commands.group("db", summary="the database: bring its tables to this version")
    parser = group.add(
        "upgrade", summary="make the tables, or bring them to this version", run=_upgrade
    )
    parser.epilog = (
        "Stop the bot and keep a copy of the database first. With PostgreSQL this is done by hand "
        "before a new version starts; the embedded SQLite is upgraded by `foureyes run` itself."
    )


def _upgrade(_options: argparse.Namespace) -> int:
    from bot.assembly import open_new_database

    settings = read_settings(os.environ)
    store = open_new_database(settings)
    try:
        if store.is_current():
            print("The database is at this version already.")
            return 0
        store.upgrade()
        print("The database is at this version now.")
        return 0
    finally:
        store.close()
