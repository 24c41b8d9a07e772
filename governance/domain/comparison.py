"""What changed between two versions, as values; whoever shows it chooses the words.

Pure: no clock, no IO, no vendor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from governance.domain.evidence import Column, Content, Metric, Snapshot


class Topic(StrEnum):
    """What a change is about, in the order in which people should read it."""

    METRIC = "metric"
    THRESHOLD = "decision threshold"
    INPUT = "input column"
    DATA = "data set"
    PARAMETER = "parameter"
    CODE = "git commit"
    TAG = "tag"
    OUTPUT = "output column"
    FILES = "files"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference. `before` or `after` is None where there was, or is, nothing."""

    topic: Topic
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class MetricPair:
    """One metric on both sides, with the run each came from."""

    name: str
    before: Metric | None
    after: Metric | None

    @property
    def difference(self) -> float | None:
        """after − before, or None when either is missing or not finite."""
        if self.before is None or self.after is None:
            return None
        old, new = self.before.number, self.after.number
        return None if old is None or new is None else new - old


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that differs, and every metric whether it differs or not."""

    metrics: tuple[MetricPair, ...]
    changes: tuple[Change, ...]

    def about(self, topic: Topic) -> tuple[Change, ...]:
        """The changes of one topic, in order of their names."""
        return tuple(c for c in self.changes if c.topic is topic)


class _Add(Protocol):
    """The shape of the collector above, for the type checker."""

    def __call__(self, topic: Topic, name: str, old: str | None, new: str | None) -> None: ...


def compare(
    before: Snapshot,
    after: Snapshot,
    *,
    tags: Iterable[str] = (),
    threshold: str | None = None,
    files: tuple[Content, Content] | None = None,
) -> Comparison:
    """Compare two versions; `tags` are those a policy names, `threshold` is the parameter or tag
    that holds the decision threshold, `files` the content of both where it is known."""
    changes: list[Change] = []

    def add(topic: Topic, name: str, old: str | None, new: str | None) -> None:
        if old != new:
            changes.append(Change(topic=topic, name=name, before=old, after=new))

    names = sorted({m.name for m in before.metrics} | {m.name for m in after.metrics})
    pairs = tuple(MetricPair(name=n, before=before.metric(n), after=after.metric(n)) for n in names)
    for pair in pairs:
        add(Topic.METRIC, pair.name, _text(pair.before), _text(pair.after))
    if threshold is not None:
        add(
            Topic.THRESHOLD,
            threshold,
            before.parameters.get(threshold, before.tags.get(threshold)),
            after.parameters.get(threshold, after.tags.get(threshold)),
        )
    _compare_columns(Topic.INPUT, before.inputs, after.inputs, add)
    old_data = {d.name: d.digest for d in before.datasets}
    new_data = {d.name: d.digest for d in after.datasets}
    for name in sorted(old_data.keys() | new_data.keys()):
        add(Topic.DATA, name, old_data.get(name), new_data.get(name))
    for name in sorted(before.parameters.keys() | after.parameters.keys()):
        if name != threshold:
            add(Topic.PARAMETER, name, before.parameters.get(name), after.parameters.get(name))
    add(Topic.CODE, "git commit", before.git_commit or None, after.git_commit or None)
    for name in sorted(set(tags) - {threshold}):
        add(Topic.TAG, name, before.tags.get(name), after.tags.get(name))
    _compare_columns(Topic.OUTPUT, before.outputs, after.outputs, add)
    if files is not None:
        old_files = {f.path: f.sha256 for f in files[0].files}
        new_files = {f.path: f.sha256 for f in files[1].files}
        for path in sorted(old_files.keys() | new_files.keys()):
            add(Topic.FILES, path, old_files.get(path), new_files.get(path))
    order = list(Topic)
    changes.sort(key=lambda c: (order.index(c.topic), c.name))
    return Comparison(metrics=pairs, changes=tuple(changes))


def _text(metric: Metric | None) -> str | None:
    return metric.text if metric else None


def _compare_columns(
    topic: Topic,
    before: tuple[Column, ...] | None,
    after: tuple[Column, ...] | None,
    add: _Add,
) -> None:
    old = {c.name: c.type for c in before or ()}
    new = {c.name: c.type for c in after or ()}
    for name in sorted(old.keys() | new.keys()):
        add(topic, name, old.get(name), new.get(name))
