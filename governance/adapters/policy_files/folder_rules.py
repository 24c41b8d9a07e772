"""The rules of one folder, read when told to and at no other time."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from governance.adapters.policy_files.loader import Loaded, load_folder
from governance.ports import Rules


class FolderRules:
    """A RuleSource. What is in force changes only through `reload`, and whole."""

    def __init__(self, folder: Path) -> None:
        """Load once. Raises PolicyProblems, Unavailable `policies_unreadable`."""
        self._folder = folder
        self._reloading = Lock()
        self._loaded = load_folder(folder)

    def current(self) -> Rules:
        """The rules in force in this process; never touches the disk."""
        return self._loaded.rules

    def loaded(self) -> Loaded:
        """The rules in force with their texts and warnings."""
        return self._loaded

    def reload(self) -> tuple[Rules, Rules]:
        """Read the folder again; returns the rules before and after.

        Raises as the first load does, and then the rules before stay in force.
        """
        with self._reloading:
            before = self._loaded
            self._loaded = load_folder(self._folder)
            return before.rules, self._loaded.rules
