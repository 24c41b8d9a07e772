"""What `make test-system` needs of the machine; what is missing is named, and nothing skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.adapters.metric_sources import IbisSources
from tests.sources.feed import ADDRESS, Feed, ParquetFeed


class SparkFeed(ParquetFeed):
    """The same two files, read by a real Spark on this machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environ = {ADDRESS: f"spark://local{folder}"}


@pytest.fixture(scope="session")
def java() -> str:
    """Java 17 or newer, as PySpark finds it; a failure that names the package, if there is none."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which(f"{home}/bin/java" if home else "java")
    needed = "Spark needs Java 17: install the system package openjdk-17-jre-headless"
    if program is None:
        pytest.fail(f"{needed}.", pytrace=False)
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    number = said.partition('"')[2].partition(".")[0]
    if not number.isdigit() or int(number) < 17:
        pytest.fail(f"{needed}. {program} says: {said.strip()}", pytrace=False)
    return program


@pytest.fixture
def feed(java: str, tmp_path: Path) -> Feed:
    """As in tests/sources, with Spark as the engine."""
    return SparkFeed(tmp_path)


@pytest.fixture(scope="session")
def spark_sources() -> Iterator[list[IbisSources]]:
    """Closed at the end of the run, as is the JVM."""
    opened: list[IbisSources] = []
    yield opened
    for sources in opened:
        sources.close()


@pytest.fixture
def sources(feed: Feed, spark_sources: list[IbisSources]) -> IbisSources:
    """With the patience that a cold JVM needs."""
    spark_sources.append(IbisSources(feed.environ, timeout_seconds=120.0))
    return spark_sources[-1]
