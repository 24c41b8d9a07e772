"""AUC with its interval from Parquet, counted where the data are, against scikit-learn.

Each figure is one new process, from the file to the result: wall seconds and the largest memory of
the process. Ours asks as a monitor does, by day, with every check of what arrived; scikit-learn
reads the two columns and gives no interval. 10⁸ rows: `make bench-large`.
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

import duckdb

SIZES = (1_000_000, 10_000_000)
LARGE = (1_000_000, 10_000_000, 100_000_000)
ADDRESS = "CREDIT_DATABASE_URL"
MOST_ERROR = 1e-5
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
            SELECT range AS n, hash(range, 1) / 18446744073709551616.0 AS u,
                   (hash(range, 2) + 1) / 18446744073709551617.0 AS v,
                   hash(range, 3) / 18446744073709551616.0 AS w
            FROM range({rows})
        )
    )
) TO '{file}' (FORMAT parquet)
"""
"""Normal scores behind a logit, AUC 0.78, 8 % bads, thirty days."""


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print the table, and fail where ours is not the same AUC."""
    print("\nAUC from Parquet: seconds and largest memory of a process, file to result")
    print(f"{'rows':>12}{'scikit-learn':>20}{'ours (DuckDB)':>20}{'ratio':>16}{'error':>10}  Spark")
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as folder:
            file = Path(folder) / "predictions.parquet"
            with duckdb.connect() as connection:
                connection.execute("SET enable_progress_bar = false")
                connection.execute(_WRITE.format(rows=rows, file=file))
            theirs = _measure("scikit-learn", folder)
            ours = _measure("duckdb", folder)
            error = abs(theirs["auc"] - ours["auc"])
            print(
                f"{rows:>12,}{_shown(theirs):>20}{_shown(ours):>20}"
                f"{theirs['seconds'] / ours['seconds']:>8.1f} x"
                f"{ours['memory'] / theirs['memory']:>5.2f}{error:>10.1e}  {_spark(folder, ours)}",
                flush=True,
            )
            if error > MOST_ERROR or not ours["low"] < ours["auc"] < ours["high"]:
                raise SystemExit(f"ours is {ours}, scikit-learn's is {theirs}")


def _spark(folder: str, ours: Mapping[str, float]) -> str:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        return "not here; make test-system installs PySpark, and Java 17 is needed"
    found = _measure("spark", folder)
    if found["auc"] != ours["auc"] or found["low"] != ours["low"]:
        raise SystemExit(f"Spark counts otherwise than DuckDB: {found}, {ours}")
    return f"{found['seconds']:.1f} s with its start, same counts"


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
        found = auc(sum((day.counts for day in days), ScoreCounts.empty()))
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
    if method == "scikit-learn":
        figures = _by_scikit_learn(folder)
    else:
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        scheme = "parquet://" if method == "duckdb" else "spark://local"
        figures = _by_us(f"{scheme}{folder}")
    print(json.dumps(figures))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _child(*sys.argv[1:])
    else:
        main(LARGE)
