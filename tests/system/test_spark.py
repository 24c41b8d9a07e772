"""A real Spark passes the suite of every other engine: `feed` and `sources` are those of this
folder."""

import pytest

from tests.sources.test_sources import *  # noqa: F403  # every test of the suite, and no other

pytestmark = [
    # Ibis copies data frames as pandas 4 will not.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning"),
    # PySpark's bridge to the JVM leaves a socket of each thread that ends to the collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]
