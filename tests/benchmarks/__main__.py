"""`make bench`: every figure, one line each; fails when a goal is missed."""

from __future__ import annotations

import logging
import sys

from tests.benchmarks import (
    auc_at_scale,
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
    parts = (starting, record, rollback, running, home, watching, auc_at_scale, false_alarms)
    for part in parts:
        goals += part.main()
    sys.exit(held(goals))
