"""`make bench`: every figure, one line each; fails when a goal is missed."""

from __future__ import annotations

import logging
import sys

from tests.benchmarks import (
    auc_at_scale,
    copies,
    false_alarms,
    home,
    record,
    rollback,
    running,
    starting,
    watching,
)
from tests.benchmarks.goals import Goal, held

if __name__ == "__main__":
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    goals: list[Goal] = []
    told = (starting, record, rollback, running, home, copies)
    for part in (*told, watching, auc_at_scale, false_alarms):
        goals += part.main()
    sys.exit(held(goals))
