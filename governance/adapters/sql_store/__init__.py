"""The store over SQLAlchemy: SQLite embedded, PostgreSQL for several replicas."""

from governance.adapters.sql_store.store import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
