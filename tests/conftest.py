"""Registers what several folders share; warnings, markers and paths are set in pyproject.toml."""

pytest_plugins = [
    "tests.databases",
    "tests.mlflow_server",
    "tests.stories.desk",
    "tests.stories.watching",
]
