"""What the database refuses by itself: the log is append-only, decisions and stays end once and
are never deleted.

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
"""For the tables of the first version."""

_SQLITE_STAYS = (
    """CREATE TRIGGER tenures_no_replace BEFORE INSERT ON tenures
       WHEN EXISTS (SELECT 1 FROM tenures WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'stays are never deleted'); END""",
    """CREATE TRIGGER tenures_no_delete BEFORE DELETE ON tenures
       BEGIN SELECT RAISE(ABORT, 'stays are never deleted'); END""",
    """CREATE TRIGGER tenures_end_once BEFORE UPDATE ON tenures
       WHEN OLD.ended_at IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.model IS NOT OLD.model
            OR NEW.version IS NOT OLD.version OR NEW.stage IS NOT OLD.stage
            OR NEW.started_at IS NOT OLD.started_at OR NEW.origin IS NOT OLD.origin
            OR NEW.request_id IS NOT OLD.request_id
       BEGIN SELECT RAISE(ABORT, 'a stay can only be ended, once'); END""",
)

_POSTGRESQL_STAYS = (
    """CREATE TRIGGER tenures_no_delete BEFORE DELETE ON tenures
       FOR EACH ROW EXECUTE FUNCTION foureyes_refuse('stays are never deleted')""",
    """CREATE TRIGGER tenures_no_truncate BEFORE TRUNCATE ON tenures
       FOR EACH STATEMENT EXECUTE FUNCTION foureyes_refuse('stays are never deleted')""",
    """CREATE TRIGGER tenures_end_once BEFORE UPDATE ON tenures FOR EACH ROW
       WHEN (OLD.ended_at IS NOT NULL OR NEW.id IS DISTINCT FROM OLD.id
             OR NEW.model IS DISTINCT FROM OLD.model
             OR NEW.version IS DISTINCT FROM OLD.version
             OR NEW.stage IS DISTINCT FROM OLD.stage
             OR NEW.started_at IS DISTINCT FROM OLD.started_at
             OR NEW.origin IS DISTINCT FROM OLD.origin
             OR NEW.request_id IS DISTINCT FROM OLD.request_id)
       EXECUTE FUNCTION foureyes_refuse('a stay can only be ended, once')""",
    *(
        f"ALTER TABLE tenures ENABLE ALWAYS TRIGGER {name}"
        for name in ("tenures_no_delete", "tenures_no_truncate", "tenures_end_once")
    ),
)

STAYS = {"sqlite": _SQLITE_STAYS, "postgresql": _POSTGRESQL_STAYS}
"""For the stays, since the fourth version of the tables."""

_SQLITE_REVIEWS = (
    """CREATE TRIGGER reviews_no_replace BEFORE INSERT ON reviews
       WHEN EXISTS (SELECT 1 FROM reviews WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'reviews are never deleted'); END""",
    """CREATE TRIGGER reviews_no_delete BEFORE DELETE ON reviews
       BEGIN SELECT RAISE(ABORT, 'reviews are never deleted'); END""",
    """CREATE TRIGGER reviews_end_once BEFORE UPDATE ON reviews
       WHEN OLD.is_open IS NOT 1 OR NEW.id IS NOT OLD.id OR NEW.model IS NOT OLD.model
            OR NEW.person IS NOT OLD.person OR NEW.due_at IS NOT OLD.due_at
       BEGIN SELECT RAISE(ABORT, 'a review can only be ended, once'); END""",
)

_POSTGRESQL_REVIEWS = (
    """CREATE TRIGGER reviews_no_delete BEFORE DELETE ON reviews
       FOR EACH ROW EXECUTE FUNCTION foureyes_refuse('reviews are never deleted')""",
    """CREATE TRIGGER reviews_no_truncate BEFORE TRUNCATE ON reviews
       FOR EACH STATEMENT EXECUTE FUNCTION foureyes_refuse('reviews are never deleted')""",
    """CREATE TRIGGER reviews_end_once BEFORE UPDATE ON reviews FOR EACH ROW
       WHEN (NOT OLD.is_open OR NEW.id IS DISTINCT FROM OLD.id
             OR NEW.model IS DISTINCT FROM OLD.model
             OR NEW.person IS DISTINCT FROM OLD.person
             OR NEW.due_at IS DISTINCT FROM OLD.due_at)
       EXECUTE FUNCTION foureyes_refuse('a review can only be ended, once')""",
    *(
        f"ALTER TABLE reviews ENABLE ALWAYS TRIGGER {name}"
        for name in ("reviews_no_delete", "reviews_no_truncate", "reviews_end_once")
    ),
)

REVIEWS = {"sqlite": _SQLITE_REVIEWS, "postgresql": _POSTGRESQL_REVIEWS}
"""For the reviews of break-glass."""

_OF_A_REVIEW = ("model", "version", "from_version", "request_id", "opened_at", "due_at")
_OF_ITS_GLASS = ("id", "bypass", "person", "account", "reason", "incident", "at", "barred")
_PATHS = (*_OF_A_REVIEW, *(f"glass.{name}" for name in _OF_ITS_GLASS))
"""What a review's body says for good. Sets are left to the comparison with the record: their order
in the text is any."""

_SQLITE_REVIEWED = (
    f"""CREATE TRIGGER reviews_stay_about BEFORE UPDATE ON reviews
       WHEN {
        " OR ".join(
            f"json_extract(NEW.body, '$.{p}') IS NOT json_extract(OLD.body, '$.{p}')"
            for p in _PATHS
        )
    }
       BEGIN SELECT RAISE(ABORT, 'what a review is about stays'); END""",
)

_POSTGRESQL_REVIEWED = (
    f"""CREATE TRIGGER reviews_stay_about BEFORE UPDATE ON reviews FOR EACH ROW
       WHEN ({
        " OR ".join(
            f"NEW.body::jsonb #> '{{{p.replace('.', ',')}}}' IS DISTINCT FROM "
            f"OLD.body::jsonb #> '{{{p.replace('.', ',')}}}'"
            for p in _PATHS
        )
    })
       EXECUTE FUNCTION foureyes_refuse('what a review is about stays')""",
    "ALTER TABLE reviews ENABLE ALWAYS TRIGGER reviews_stay_about",
)

REVIEWED = {"sqlite": _SQLITE_REVIEWED, "postgresql": _POSTGRESQL_REVIEWED}
"""For what a review is about, since the tenth version of the tables."""

_ABSENCE_FIELDS = ("id", "person", "stand_in", "account", "began_at", "last_day", "ends_at")

_SQLITE_ABSENCES = (
    """CREATE TRIGGER absences_no_replace BEFORE INSERT ON absences
       WHEN EXISTS (SELECT 1 FROM absences WHERE id = NEW.id OR (ended_at IS NULL
                    AND person = NEW.person AND NEW.ended_at IS NULL))
       BEGIN SELECT RAISE(ABORT, 'absences are never deleted'); END""",
    """CREATE TRIGGER absences_no_delete BEFORE DELETE ON absences
       BEGIN SELECT RAISE(ABORT, 'absences are never deleted'); END""",
    f"""CREATE TRIGGER absences_end_once BEFORE UPDATE ON absences
       WHEN OLD.ended_at IS NOT NULL
            OR {" OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _ABSENCE_FIELDS)}
       BEGIN SELECT RAISE(ABORT, 'an absence can only be ended, once'); END""",
)

_POSTGRESQL_ABSENCES = (
    """CREATE TRIGGER absences_no_delete BEFORE DELETE ON absences
       FOR EACH ROW EXECUTE FUNCTION foureyes_refuse('absences are never deleted')""",
    """CREATE TRIGGER absences_no_truncate BEFORE TRUNCATE ON absences
       FOR EACH STATEMENT EXECUTE FUNCTION foureyes_refuse('absences are never deleted')""",
    f"""CREATE TRIGGER absences_end_once BEFORE UPDATE ON absences FOR EACH ROW
       WHEN (OLD.ended_at IS NOT NULL
             OR {" OR ".join(f"NEW.{n} IS DISTINCT FROM OLD.{n}" for n in _ABSENCE_FIELDS)})
       EXECUTE FUNCTION foureyes_refuse('an absence can only be ended, once')""",
    *(
        f"ALTER TABLE absences ENABLE ALWAYS TRIGGER {name}"
        for name in ("absences_no_delete", "absences_no_truncate", "absences_end_once")
    ),
)

ABSENCES = {"sqlite": _SQLITE_ABSENCES, "postgresql": _POSTGRESQL_ABSENCES}
"""For those who are away."""

NAMES = {
    "sqlite": frozenset(
        {
            "ledger_no_update",
            "ledger_no_delete",
            "ledger_next_only",
            "decisions_no_replace",
            "decisions_no_delete",
            "decisions_end_once",
            "tenures_no_replace",
            "tenures_no_delete",
            "tenures_end_once",
            "reviews_no_replace",
            "absences_no_replace",
            "absences_no_delete",
            "absences_end_once",
            "reviews_no_delete",
            "reviews_end_once",
            "reviews_stay_about",
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
            "tenures_no_delete",
            "tenures_no_truncate",
            "tenures_end_once",
            "absences_no_delete",
            "absences_no_truncate",
            "absences_end_once",
            "reviews_no_delete",
            "reviews_no_truncate",
            "reviews_end_once",
            "reviews_stay_about",
        }
    ),
}
"""What must be there when all migrations are done."""
