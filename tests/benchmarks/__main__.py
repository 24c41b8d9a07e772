"""`make bench`: every figure, one line each."""

from __future__ import annotations

from tests.benchmarks import record, rollback, starting

if __name__ == "__main__":
    starting.main()
    record.main()
    rollback.main()
