"""AUC with its interval from Parquet, counted where the data are, against scikit-learn.

Each figure is one new process, from the file to the result: wall seconds and the largest memory of
the process. Ours counts as a monitor does, by day, and checks every score, moment and outcome;
scikit-learn reads the two columns and gives no interval. A whole look of a monitor compares ids
too, a part of them in turn, which has a column of its own. 10⁸ rows: `make bench-large`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import duckdb

from tests.benchmarks.goals import Goal, held

SIZES = (1_000_000, 10_000_000)
ADDRESS = "CREDIT_DATABASE_URL"
MOST_ERROR = 1e-5
LARGEST = 100_000_000
LARGE = (*SIZES, LARGEST)
LEAST_FASTER, MOST_MEMORY = 15.0, 0.1
"""Of scikit-learn's time and memory, at 10⁸ rows."""
_WRITE = """
COPY (
    SELECT n AS application_id,
           TIMESTAMP '2026-03-01 00:00:00' + to_seconds(n * 2592000 // {rows}) AS scored_at,
           3 AS model_version,
           1 / (1 + exp(-(-2.4 + 1.1 * (z + CASE WHEN bad = 1 THEN 1.0921 ELSE 0 END)))) AS score,
           bad AS is_bad
    FROM (
        SELECT n, CAST(u < 0.08 AS TINYINT) AS bad, sqrt(-2 * ln(v)) * cos(2 * pi() * w) AS z
        FROM (
            SELECT range AS n, hash(3 * range) / 18446744073709551616.0 AS u,
                   (hash(3 * range + 1) + 1) / 18446744073709551617.0 AS v,
                   hash(3 * range + 2) / 18446744073709551616.0 AS w
            FROM range({rows})
        )
    )
) TO '{file}' (FORMAT parquet)
"""
"""Normal scores behind a logit, AUC 0.78, 8 % bads, thirty days."""


def main(sizes: tuple[int, ...] = SIZES) -> list[Goal]:
    """Print the table: how cost grows, and that it is the same AUC."""
    print("\nAUC from Parquet: seconds and largest memory of a process, file to result")
    print(
        f"{'rows':>12}{'scikit-learn':>20}{'ours (DuckDB)':>20}{'faster':>9}{'memory':>8}"
        f"{'error':>9}{'with ids':>10}  a whole look by Spark in local mode"
    )
    goals: list[Goal] = []
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as folder:
            _write(rows, Path(folder) / "predictions.parquet")
            theirs = _measure("scikit-learn", folder)
            ours, look = _measure("duckdb", folder), _measure("duckdb look", folder)
            goals += _compare(rows, theirs, ours, look, _spark(folder, ours))
    return goals


def _write(rows: int, file: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(_WRITE.format(rows=rows, file=file))


def _compare(
    rows: int,
    theirs: Mapping[str, float],
    ours: Mapping[str, float],
    look: Mapping[str, float],
    spark: str,
) -> list[Goal]:
    error = abs(theirs["auc"] - ours["auc"])
    faster = theirs["seconds"] / ours["seconds"]
    memory = ours["memory"] / theirs["memory"]
    print(
        f"{rows:>12,}{_shown(theirs):>20}{_shown(ours):>20}{faster:>7.1f} x{memory:>8.2f}"
        f"{error:>9.0e}{look['seconds']:>8.2f} s  {spark}",
        flush=True,
    )
    if not ours["low"] < ours["auc"] < ours["high"]:
        raise SystemExit(f"the interval does not hold its own value: {ours}")
    at = f"AUC of {rows:,} rows"
    goals = [Goal(name=f"{at}, error", measured=error, at_most=MOST_ERROR)]
    if rows == LARGEST:
        goals += [
            Goal(
                name=f"{at}, time against scikit-learn",
                measured=1 / faster,
                at_most=1 / LEAST_FASTER,
            ),
            Goal(name=f"{at}, memory against scikit-learn", measured=memory, at_most=MOST_MEMORY),
        ]
    return goals


def _spark(folder: str, ours: Mapping[str, float]) -> str:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        return "not here; make test-system installs PySpark, and Java 17 is needed"
    found = _measure("spark", folder)
    if found["auc"] != ours["auc"] or found["low"] != ours["low"]:
        raise SystemExit(f"Spark counts otherwise than DuckDB: {found}, {ours}")
    return f"{found['seconds']:.1f} s with its start, the same counts"


def _shown(figures: Mapping[str, float]) -> str:
    return f"{figures['seconds']:.2f} s {figures['memory'] / 1e9:.2f} GB"


def _measure(method: str, folder: str) -> dict[str, float]:
    began = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.auc_at_scale", method, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise SystemExit(ran.stderr)
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    figures["whole"] = time.perf_counter() - began
    return figures


# --- in the process that is measured --------------------------------------------------------------


def _by_scikit_learn(folder: str) -> dict[str, float]:
    import pyarrow.parquet as pq
    from sklearn.metrics import roc_auc_score

    def work() -> dict[str, float]:
        table = pq.read_table(Path(folder) / "predictions.parquet", columns=["is_bad", "score"])
        labels, scores = (table[name].to_numpy() for name in ("is_bad", "score"))
        return {"auc": float(roc_auc_score(labels, scores))}

    return _timed(work)


def _by_us(address: str) -> dict[str, float]:
    import pandas as pd  # noqa: F401  # opened with the engine; no import is measured on any side

    from governance.adapters.metric_sources import IbisSources
    from governance.domain.evidence import ModelName, Version
    from governance.domain.monitoring.measures import auc
    from governance.domain.monitoring.score_counts import ScoreCounts
    from governance.domain.monitoring.spec import Outcomes, Predictions, TableSource

    source = TableSource(
        name="applications",
        url=ADDRESS,
        predictions=Predictions(
            table="predictions",
            id="application_id",
            at="scored_at",
            version="model_version",
            score="score",
        ),
        outcomes=Outcomes(table="predictions", id="application_id", bad="is_bad"),
        matured_after=timedelta(),
    )

    def work() -> dict[str, float]:
        sources = IbisSources({ADDRESS: address}, timeout_seconds=1800)
        model, version = ModelName("credit_scoring"), Version(3)
        days = sources.outcomes(source, model, version, since=None, until=None)
        found = auc(ScoreCounts.total(day.counts for day in days))
        sources.close()
        if found is None:
            raise SystemExit("nothing was counted")
        return {"auc": found.value, "low": found.lower(0.975), "high": found.upper(0.975)}

    return _timed(work)


def _timed(work: Callable[[], dict[str, float]]) -> dict[str, float]:
    began = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    return {**found, "seconds": seconds, "memory": memory}


def _child(method: str, folder: str) -> None:
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    match method:
        case "scikit-learn":
            figures = _by_scikit_learn(folder)
        case "duckdb":
            from governance.adapters.metric_sources import sources

            with patch.object(sources, "refuse_twice"):
                figures = _by_us(f"parquet://{folder}")
        case "duckdb look":
            figures = _by_us(f"parquet://{folder}")
        case _:
            figures = _by_us(f"spark://local{folder}")
    print(json.dumps(figures))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _child(*sys.argv[1:])
    else:
        sys.exit(held(main(LARGE)))
