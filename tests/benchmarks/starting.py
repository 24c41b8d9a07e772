"""How long `foureyes --help` takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.benchmarks.goals import Goal

ROUNDS = 7
MOST_SECONDS = 0.4


def main() -> list[Goal]:
    """Print the median against a bare interpreter."""
    ours = [_timed("-m", "bot.cli", "--help") for _ in range(ROUNDS)]
    bare = [_timed("-c", "pass") for _ in range(ROUNDS)]
    print(
        f"foureyes --help: median {statistics.median(ours):.3f} s, bare Python "
        f"{statistics.median(bare):.3f} s"
    )
    share = statistics.median(ours) / MOST_SECONDS
    return [Goal(name=f"foureyes --help, share of {MOST_SECONDS} s", measured=share, at_most=1.0)]


def _timed(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - began
