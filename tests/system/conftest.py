"""What `make test-system` needs of the machine; what is missing is named, and nothing skipped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.demo.processes import free_port
from governance.adapters.metric_sources import IbisSources
from tests.sources.feed import ADDRESS, Feed, ParquetFeed, Scored

if TYPE_CHECKING:
    # Where Spark is not installed, a missing Java is named all the same.
    from pyspark.sql.connect.session import SparkSession

SPARK_WARNS = [
    # Ibis copies data frames as pandas 4 will not.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning"),
    # PySpark's bridge to the JVM leaves a socket of each thread that ends to the collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]


class SparkFeed(ParquetFeed):
    """The same two files, read by a real Spark on this machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environ = {ADDRESS: f"spark://local{folder}"}


class SparkConnectFeed(ParquetFeed):
    """Two tables in the catalog of a Spark Connect server. Each time they are written, the files
    are others, as when a job replaces them."""

    def __init__(self, folder: Path, server: SparkConnectServer) -> None:
        super().__init__(folder)
        self.environ = {ADDRESS: server.address}
        self._server = server
        self._root = folder
        self._written = 0

    def write(
        self, rows: Sequence[Scored], *, more_outcomes: Sequence[tuple[str, int]] = ()
    ) -> None:
        """Files in a new folder, and tables of the same names over them."""
        self._written += 1
        self.folder = self._root / f"written-{self._written}"
        self.folder.mkdir()
        super().write(rows, more_outcomes=more_outcomes)
        for name in ("predictions", "outcomes"):
            self._server.run(f"DROP TABLE IF EXISTS {name}")
            place = self.folder / name
            place.mkdir()
            (self.folder / f"{name}.parquet").rename(place / "part-0.parquet")
            self._server.run(f"CREATE TABLE {name} USING parquet LOCATION '{place}'")


@dataclass(frozen=True, kw_only=True)
class SparkConnectServer:
    """A real server on this machine, and its owner's own session."""

    address: str
    session: SparkSession

    def run(self, statement: str) -> None:
        """A statement of the owner of the data."""
        self.session.sql(statement).collect()


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


@pytest.fixture(scope="session")
def spark_connect(
    java: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkConnectServer]:
    """Started as PySpark's own program starts it; ended with all that it began."""
    import pyspark
    from pyspark.sql.connect.session import SparkSession

    folder = tmp_path_factory.mktemp("spark-connect")
    home = Path(pyspark.__file__).parent
    (jar,) = (home / "jars").glob("spark-connect_*.jar")
    port = free_port()
    conf = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                str(home / "bin" / "spark-submit"),
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
                *("--master", "local[2]"),
                *(part for name, value in conf.items() for part in ("--conf", f"{name}={value}")),
                str(jar),
            ],
            cwd=folder,
            env={**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(port, server, log)
        address = f"sc://127.0.0.1:{port}"
        session = SparkSession.builder.remote(address).create()
        yield SparkConnectServer(address=address, session=session)
        session.stop()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + 180
    while time.monotonic() < give_up_at and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    pytest.fail(f"the Spark Connect server did not start:\n{log.read_text()[-4000:]}")


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
