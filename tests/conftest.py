"""Holds nothing of its own: warnings, markers and paths are set in pyproject.toml."""
