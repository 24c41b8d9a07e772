"""`make bench`: every figure, one line each."""

from __future__ import annotations

import logging

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

if __name__ == "__main__":
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    starting.main()
    record.main()
    rollback.main()
    running.main()
    home.main()
    watching.main()
    auc_at_scale.main()
    false_alarms.main()
