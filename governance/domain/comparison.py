"""What changed between two versions, as values; whoever shows it chooses the words.

Pure: no clock, no IO, no vendor. What is not recorded on one of the two sides is never called
equal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from governance.domain.evidence import (
    Column,
    ColumnProfile,
    Content,
    Dataset,
    Metric,
    Named,
    Snapshot,
)


class Topic(StrEnum):
    """What a change is about, in the order in which people should read it."""

    METRIC = "metric"
    THRESHOLD = "decision threshold"
    INPUT = "input column"
    RANGE = "range of"
    DATA = "data set"
    ROWS = "rows of"
    SCHEMA = "column of"
    PARAMETER = "parameter"
    CODE = "git commit"
    REQUIREMENT = "requirement"
    TAG = "tag"
    OUTPUT = "output column"
    MAKER = "made by"
    FILES = "file"


class Aspect(StrEnum):
    """What somebody asks for first when a model goes bad: which of these changed?"""

    CODE = "code"
    DATA = "data"
    THRESHOLD = "threshold"
    FEATURES = "features"
    PARAMETERS = "parameters"
    REQUIREMENTS = "requirements"


TOPICS: Mapping[Aspect, frozenset[Topic]] = {
    Aspect.CODE: frozenset({Topic.CODE}),
    Aspect.DATA: frozenset({Topic.DATA, Topic.ROWS, Topic.SCHEMA}),
    Aspect.THRESHOLD: frozenset({Topic.THRESHOLD}),
    Aspect.FEATURES: frozenset({Topic.INPUT, Topic.RANGE}),
    Aspect.PARAMETERS: frozenset({Topic.PARAMETER}),
    Aspect.REQUIREMENTS: frozenset({Topic.REQUIREMENT}),
}


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
    higher_is_better: bool | None = None
    """By the policy's checks; None when none of them says so."""

    @property
    def difference(self) -> float | None:
        """after − before, or None when either is missing or not finite."""
        if self.before is None or self.after is None:
            return None
        old, new = self.before.number, self.after.number
        return None if old is None or new is None else new - old

    @property
    def is_equal(self) -> bool:
        """Whether both sides say the same."""
        both = self.before is not None and self.after is not None
        return both and _text(self.before) == _text(self.after)

    @property
    def is_better(self) -> bool | None:
        """Whether the difference is to the good; None when nobody can tell, or it is none."""
        if self.higher_is_better is None or not self.difference:
            return None
        return (self.difference > 0) is self.higher_is_better


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that differs, and every metric whether it differs or not."""

    metrics: tuple[MetricPair, ...]
    """Those that a check of the policy names first, then by name."""
    changes: tuple[Change, ...]
    not_recorded: frozenset[Aspect] = frozenset()
    """Nobody can tell whether these changed."""
    equal: Mapping[Topic, int] = field(default_factory=dict)
    """How many of a topic are the same on both sides."""

    def about(self, topic: Topic) -> tuple[Change, ...]:
        """The changes of one topic, in order of their names."""
        return tuple(c for c in self.changes if c.topic is topic)

    @property
    def changed(self) -> tuple[Aspect, ...]:
        """What certainly changed."""
        topics = {c.topic for c in self.changes}
        return tuple(a for a in Aspect if a not in self.not_recorded and TOPICS[a] & topics)

    @property
    def unchanged(self) -> tuple[Aspect, ...]:
        """What is recorded on both sides and the same."""
        changed = self.changed
        return tuple(a for a in Aspect if a not in self.not_recorded and a not in changed)


def _text(metric: Metric | None) -> str | None:
    return metric.text if metric else None


class Side(NamedTuple):
    """One version, and what is known of it beside its snapshot."""

    snapshot: Snapshot
    content: Content | None = None
    makers: frozenset[str] = frozenset()
    """The names of its authors."""


def compare(
    before: Side,
    after: Side,
    *,
    tags: Iterable[str] = (),
    threshold: str | None = None,
    directions: Mapping[str, bool] | None = None,
) -> Comparison:
    """Compare two versions; `tags` are those a policy names, `threshold` is the parameter or tag
    that holds the decision threshold, `directions` says of metrics whether higher is better."""
    old, new = before.snapshot, after.snapshot
    found = _Collector()
    names = {m.name for m in old.metrics} | {m.name for m in new.metrics}
    pairs = tuple(
        MetricPair(
            name=name,
            before=old.metric(name),
            after=new.metric(name),
            higher_is_better=(directions or {}).get(name),
        )
        for name in sorted(names, key=lambda name: (name not in (directions or {}), name))
    )
    found.both(
        Topic.METRIC,
        {p.name: p.before.text for p in pairs if p.before},
        {p.name: p.after.text for p in pairs if p.after},
    )
    if threshold is not None:
        found.both(Topic.THRESHOLD, _stated(old, threshold), _stated(new, threshold))
    found.both(Topic.INPUT, _columns(old.inputs), _columns(new.inputs))
    if old.profile is not None and new.profile is not None:
        found.both(Topic.RANGE, _ranges(old.profile), _ranges(new.profile), only_common=True)
    _compare_data(old.datasets, new.datasets, found)
    left_out = {threshold}
    found.both(
        Topic.PARAMETER, _without(old.parameters, left_out), _without(new.parameters, left_out)
    )
    found.both(Topic.CODE, _commit(old), _commit(new))
    if old.requirements is not None and new.requirements is not None:
        found.both(Topic.REQUIREMENT, _packages(old.requirements), _packages(new.requirements))
    shown = set(tags) - left_out
    found.both(Topic.TAG, _only(old.tags, shown), _only(new.tags, shown))
    found.both(Topic.OUTPUT, _columns(old.outputs), _columns(new.outputs))
    found.both(Topic.MAKER, _makers(before), _makers(after))
    if before.content is not None and after.content is not None:
        found.both(Topic.FILES, _files(before.content), _files(after.content))
    return Comparison(
        metrics=pairs,
        changes=found.sorted(),
        not_recorded=frozenset(_not_recorded(old, new, threshold)),
        equal=found.equal,
    )


class _Collector:
    """Differences and how many of each topic are equal."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.equal: dict[Topic, int] = {}

    def both(
        self,
        topic: Topic,
        old: Mapping[str, str],
        new: Mapping[str, str],
        *,
        only_common: bool = False,
    ) -> None:
        names = old.keys() & new.keys() if only_common else old.keys() | new.keys()
        for name in names:
            before, after = old.get(name), new.get(name)
            if before != after:
                self.changes.append(Change(topic=topic, name=name, before=before, after=after))
            else:
                self.equal[topic] = self.equal.get(topic, 0) + 1

    def sorted(self) -> tuple[Change, ...]:
        order = list(Topic)
        return tuple(sorted(self.changes, key=lambda c: (order.index(c.topic), c.name)))


def _not_recorded(before: Snapshot, after: Snapshot, threshold: str | None) -> Iterator[Aspect]:
    both = (before, after)
    if not all(s.git_commit for s in both):
        yield Aspect.CODE
    if not all(s.datasets for s in both):
        yield Aspect.DATA
    if threshold is None or not any(_stated(s, threshold) for s in both):
        yield Aspect.THRESHOLD
    if any(s.inputs is None for s in both):
        yield Aspect.FEATURES
    if not any(s.parameters for s in both):
        yield Aspect.PARAMETERS
    if any(s.requirements is None for s in both):
        yield Aspect.REQUIREMENTS


def _stated(snapshot: Snapshot, name: str) -> Mapping[str, str]:
    value = snapshot.parameters.get(name, snapshot.tags.get(name))
    return {} if value is None else {name: value}


def _columns(columns: tuple[Column, ...] | None) -> Mapping[str, str]:
    return {c.name: c.type if c.required else f"{c.type}, optional" for c in columns or ()}


def _ranges(profile: tuple[ColumnProfile, ...]) -> Mapping[str, str]:
    return {p.name: p.words for p in profile}


def _compare_data(old: tuple[Dataset, ...], new: tuple[Dataset, ...], found: _Collector) -> None:
    found.both(Topic.DATA, _digests(old), _digests(new))
    before, after = {d.name: d for d in old}, {d.name: d for d in new}
    for name in before.keys() & after.keys():
        one, other = before[name], after[name]
        if one.rows is not None and other.rows is not None:
            found.both(Topic.ROWS, {name: str(one.rows)}, {name: str(other.rows)})
        if one.columns is not None and other.columns is not None:
            found.both(
                Topic.SCHEMA,
                {f"{name}: {column}": type_ for column, type_ in _columns(one.columns).items()},
                {f"{name}: {column}": type_ for column, type_ in _columns(other.columns).items()},
            )


def _digests(datasets: tuple[Dataset, ...]) -> Mapping[str, str]:
    named: dict[str, list[str]] = {}
    for dataset in datasets:
        named.setdefault(dataset.name, []).append(dataset.digest)
    return {name: ", ".join(sorted(digests)) for name, digests in named.items()}


def _without(values: Mapping[str, str], names: set[str | None]) -> Mapping[str, str]:
    return {name: value for name, value in values.items() if name not in names}


def _only(values: Mapping[str, str], names: set[str]) -> Mapping[str, str]:
    return {name: value for name, value in values.items() if name in names}


def _commit(snapshot: Snapshot) -> Mapping[str, str]:
    return {"": snapshot.git_commit} if snapshot.git_commit else {}


def _packages(requirements: tuple[str, ...]) -> Mapping[str, str]:
    """Each requirement by its package's name, spelled as PEP 503 normalises it."""
    named: dict[str, str] = {}
    for line in requirements:
        package = re.split(r"[\s\[=<>!~;@]", line, maxsplit=1)[0]
        named[re.sub(r"[-_.]+", "-", package).lower()] = line
    return named


def _makers(side: Side) -> Mapping[str, str]:
    return {"": ", ".join(sorted(side.makers))} if side.makers else {}


def _files(content: Content) -> Mapping[str, str]:
    return {f.path: f.sha256 for f in content.files}


def evidence_changes(before: Snapshot, after: Snapshot, named: Named) -> tuple[Change, ...]:
    """What differs in the part of a snapshot that an approval binds.

    Empty exactly when both have the same evidence digest.
    """
    found = _Collector()
    metrics = sorted(named.metrics)
    found.both(Topic.METRIC, _texts(before, metrics), _texts(after, metrics))
    _unordered(Topic.DATA, before.datasets, after.datasets, found)
    found.both(Topic.PARAMETER, before.parameters, after.parameters)
    found.both(Topic.TAG, _only(before.tags, set(named.tags)), _only(after.tags, set(named.tags)))
    for topic, old, new in (
        (Topic.INPUT, before.inputs, after.inputs),
        (Topic.OUTPUT, before.outputs, after.outputs),
    ):
        found.both(topic, _columns(old), _columns(new))
        if old != new and not any(c.topic is topic for c in found.changes):
            found.changes.append(
                Change(topic=topic, name="order", before=_listed(old), after=_listed(new))
            )
    return found.sorted()


def _texts(snapshot: Snapshot, names: Iterable[str]) -> Mapping[str, str]:
    metrics = {name: snapshot.metric(name) for name in names}
    return {name: metric.text for name, metric in metrics.items() if metric is not None}


def _unordered(
    topic: Topic, old: tuple[Dataset, ...], new: tuple[Dataset, ...], found: _Collector
) -> None:
    before = Counter((d.name, d.digest, d.context) for d in old)
    after = Counter((d.name, d.digest, d.context) for d in new)
    gone, come = sorted((before - after).elements()), sorted((after - before).elements())
    for name in sorted({d[0] for d in [*gone, *come]}):
        found.changes.append(
            Change(
                topic=topic,
                name=name,
                before=_dataset_words([d for d in gone if d[0] == name]),
                after=_dataset_words([d for d in come if d[0] == name]),
            )
        )


def _dataset_words(datasets: list[tuple[str, str, str]]) -> str | None:
    words = [f"{digest} ({context})" if context else digest for _, digest, context in datasets]
    return ", ".join(words) or None


def _listed(columns: tuple[Column, ...] | None) -> str:
    """The order of columns, or whether they are named at all, when nothing else differs."""
    return "no signature" if columns is None else f"[{', '.join(c.name for c in columns)}]"


def in_words(change: Change) -> str:
    """One change in one line, for people and for the record."""
    what = f"{change.topic.value} {change.name}".rstrip()
    if change.before is None:
        return f"{what}: added ({change.after})"
    if change.after is None:
        return f"{what}: gone (was {change.before})"
    return f"{what}: {change.before} → {change.after}"


_LISTED = 5
_LONGEST_VALUE = 200


def summed_up(changes: Iterable[Change]) -> str:
    """A few changes in one sentence without its full stop; long values are folded."""
    words = [_short(in_words(change)) for change in changes]
    more = f" and {len(words) - _LISTED} more" if len(words) > _LISTED else ""
    return "; ".join(words[:_LISTED]) + more


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
