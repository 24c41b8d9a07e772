"""What the database refuses by itself: the log is append-only, decisions end once and stay.

Source of the SQLite guard: REPLACE INTO deletes without firing a delete trigger, so the insert
itself is checked to be the next record.
"""

from __future__ import annotations

_SQLITE = (
    """CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
       BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER ledger_next_only BEFORE INSERT ON ledger
       WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM ledger)
       BEGIN SELECT RAISE(ABORT, 'the log takes only its next record'); END""",
    """CREATE TRIGGER decisions_no_replace BEFORE INSERT ON decisions
       WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id OR (ended_at IS NULL
                    AND request_id = NEW.request_id AND person = NEW.person
                    AND NEW.ended_at IS NULL))
       BEGIN SELECT RAISE(ABORT, 'decisions are never deleted'); END""",
    """CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions
       BEGIN SELECT RAISE(ABORT, 'decisions are never deleted'); END""",
    """CREATE TRIGGER decisions_end_once BEFORE UPDATE ON decisions
       WHEN OLD.ended_at IS NOT NULL OR NEW.body IS NOT OLD.body
            OR NEW.request_id IS NOT OLD.request_id OR NEW.person IS NOT OLD.person
            OR NEW.verdict IS NOT OLD.verdict OR NEW.id IS NOT OLD.id
       BEGIN SELECT RAISE(ABORT, 'a decision can only be ended, once'); END""",
)

_POSTGRESQL = (
    """CREATE FUNCTION foureyes_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0]; END $$""",
    """CREATE FUNCTION foureyes_next_record() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN
            IF NEW.seq IS DISTINCT FROM (SELECT COALESCE(MAX(seq), 0) + 1 FROM ledger) THEN
              RAISE EXCEPTION 'the log takes only its next record';
            END IF;
            RETURN NEW;
          END $$""",
    """CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
       FOR EACH ROW EXECUTE FUNCTION foureyes_refuse('the log is append-only')""",
    """CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
       FOR EACH ROW EXECUTE FUNCTION foureyes_refuse('the log is append-only')""",
    """CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger
       FOR EACH STATEMENT EXECUTE FUNCTION foureyes_refuse('the log is append-only')""",
    """CREATE TRIGGER ledger_next_only BEFORE INSERT ON ledger
       FOR EACH ROW EXECUTE FUNCTION foureyes_next_record()""",
    """CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions
       FOR EACH ROW EXECUTE FUNCTION foureyes_refuse('decisions are never deleted')""",
    """CREATE TRIGGER decisions_no_truncate BEFORE TRUNCATE ON decisions
       FOR EACH STATEMENT EXECUTE FUNCTION foureyes_refuse('decisions are never deleted')""",
    """CREATE TRIGGER decisions_end_once BEFORE UPDATE ON decisions FOR EACH ROW
       WHEN (OLD.ended_at IS NOT NULL OR NEW.body IS DISTINCT FROM OLD.body
             OR NEW.request_id IS DISTINCT FROM OLD.request_id
             OR NEW.person IS DISTINCT FROM OLD.person
             OR NEW.verdict IS DISTINCT FROM OLD.verdict
             OR NEW.id IS DISTINCT FROM OLD.id)
       EXECUTE FUNCTION foureyes_refuse('a decision can only be ended, once')""",
    *(
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"
        for table, name in (
            ("ledger", "ledger_no_update"),
            ("ledger", "ledger_no_delete"),
            ("ledger", "ledger_no_truncate"),
            ("ledger", "ledger_next_only"),
            ("decisions", "decisions_no_delete"),
            ("decisions", "decisions_no_truncate"),
            ("decisions", "decisions_end_once"),
        )
    ),
)

STATEMENTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}

NAMES = {
    "sqlite": frozenset(
        {
            "ledger_no_update",
            "ledger_no_delete",
            "ledger_next_only",
            "decisions_no_replace",
            "decisions_no_delete",
            "decisions_end_once",
        }
    ),
    "postgresql": frozenset(
        {
            "ledger_no_update",
            "ledger_no_delete",
            "ledger_no_truncate",
            "ledger_next_only",
            "decisions_no_delete",
            "decisions_no_truncate",
            "decisions_end_once",
        }
    ),
}
"""What must be there after every migration."""
