"""A real Spark passes the suite of every other engine: `feed` and `sources` are those of this
folder."""

from tests.sources.test_sources import *  # noqa: F403  # every test of the suite, and no other
from tests.system.conftest import SPARK_WARNS

pytestmark = SPARK_WARNS
