"""Everything that is wrong with a set of files, at once, and where; knows nothing of YAML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from governance.domain.errors import Refused


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One thing to change: where it stands, what is wrong, and what to write instead."""

    file: str
    line: int
    """From 1."""
    column: int
    """From 1."""
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}. {self.instead}"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The answer of a check. Problems refuse the files; warnings do not."""

    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


class PolicyProblems(Refused):
    """The files were refused whole; the sentence lists every problem, one a line."""

    def __init__(self, problems: Iterable[Finding]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        title = "1 problem" if count == 1 else f"{count} problems"
        lines = "\n".join(str(p) for p in self.problems)
        super().__init__("policy_refused", f"The policies were refused: {title}.\n{lines}")
