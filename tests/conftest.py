"""Registers what several folders share; warnings, markers and paths are set in pyproject.toml."""

from hypothesis import settings

settings.register_profile("foureyes", deadline=None)  # how fast this machine is proves nothing
settings.load_profile("foureyes")

pytest_plugins = [
    "tests.shared_servers",
    "tests.databases",
    "tests.mlflow_server",
    "tests.stories.desk",
    "tests.stories.watching",
]
