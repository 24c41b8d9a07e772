"""Plain YAML with the place of every value; knows nothing of policies.

Stricter than YAML 1.1 on purpose: nothing that two YAML readers read differently is accepted (a
key twice, `yes`, `010`, dates, tags, anchors), and neither is an absent value, so that what a
reviewer sees is what is in force.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import yaml
from yaml.resolver import Resolver

from governance.adapters.policy_files.problems import Finding

LARGEST_FILE_BYTES = 256 * 1024
DEEPEST_NESTING = 20

Path = tuple[str | int, ...]
Plain = str | int | float | bool | tuple["Plain", ...] | dict[str, "Plain"]
REFUSED = "\x00refused"
"""Stands where a value was refused already; `Document.refused` names the path."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})


@dataclass(frozen=True, kw_only=True)
class Place:
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(kw_only=True)
class Document:
    """One file: its value, where each part stands, and what was wrong already."""

    file: str
    value: Plain = REFUSED
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    refused: set[Path] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def real_path(self, loc: Path) -> Path:
        """The longest path of this document that follows `loc`, leaving out parts that are
        names of the schema rather than of the file."""
        path: Path = ()
        for part in loc:
            if (*path, part) in self.values:
                path = (*path, part)
        return path

    def finding(self, loc: Path, what: str, instead: str, *, at_key: bool = False) -> Finding:
        """Something to change at `loc`, or at the nearest part that is there."""
        path = self.real_path(loc)
        place = self.keys.get(path) if at_key else None
        place = place or self.values.get(path) or Place(line=1, column=1)
        return Finding(
            file=self.file, line=place.line, column=place.column, what=what, instead=instead
        )

    def refuse(self, place: Place, path: Path, what: str, instead: str) -> None:
        """Add a problem and remember that the value at `path` is settled."""
        self.refused.add(path)
        self.findings.append(
            Finding(
                file=self.file, line=place.line, column=place.column, what=what, instead=instead
            )
        )


def read_document(file: str, text: str) -> Document:
    """Read one file; what is wrong with it stands in `findings`, and nothing is raised."""
    document = Document(file=file)
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_FILE_BYTES:
        document.refuse(
            Place(line=1, column=1),
            (),
            f"this file is larger than {LARGEST_FILE_BYTES // 1024} kB",
            "Split it: one policy a file",
        )
        return document
    try:
        beyond = list(_beyond_plain(text))
        for place, what, instead in beyond:
            document.refuse(place, (), what, instead)
        if beyond:
            return document
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(mark) if mark else Place(line=1, column=1)
        document.refuse(place, (), f"this is not YAML: {_said(error)}", _advice(text, place))
        return document
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.refuse(
            Place(line=line, column=1),
            (),
            f"the character U+{int(error.character):04X} may not stand in YAML",
            "Delete it",
        )
        return document
    if node is None:
        document.refuse(Place(line=1, column=1), (), "this file is empty", "Write it or delete it")
        return document
    document.value = _value(document, text, node, ())
    return document


class _Mark(Protocol):
    """What PyYAML's marks, in Python and in C, have in common; both count from 0."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


def _place(mark: _Mark) -> Place:
    return Place(line=mark.line + 1, column=mark.column + 1)


def _said(error: yaml.MarkedYAMLError) -> str:
    return (error.problem or error.context or "it cannot be parsed").replace("\n", " ")


def _advice(text: str, place: Place) -> str:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if re.search(r"(^|[\s\[,])\*", line):
        return 'Put the pattern in quotes: "*"'
    if "\t" in line:
        return "Indent with spaces; tabs are not allowed there"
    if "single document" in text or line.startswith("---"):
        return "Write one document a file, without a second ---"
    return "Check the indentation, quotes and brackets of this line and the one above"


def _beyond_plain(text: str) -> Iterator[tuple[Place, str, str]]:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if event.start_mark is None:
            continue
        place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            yield (
                place,
                "anchors and aliases (& and *) are not allowed",
                "Write the value out; put a word that starts with & or * in quotes",
            )
        elif isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
            yield place, "tags (!) are not allowed", "Write plain YAML without !"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST_NESTING:
                yield place, "this is nested too deeply", "A policy needs six levels at most"
                return
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _value(document: Document, text: str, node: yaml.Node, path: Path) -> Plain:
    place = _place(node.start_mark)
    document.values[path] = place
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, text, node, path)
    if isinstance(node, yaml.SequenceNode):
        return tuple(
            _value(document, text, item, (*path, number)) for number, item in enumerate(node.value)
        )
    if not isinstance(node, yaml.ScalarNode):
        raise TypeError(f"YAML has no {type(node).__name__}")
    return _scalar(document, text, node, path)


def _mapping(document: Document, text: str, node: yaml.MappingNode, path: Path) -> dict[str, Plain]:
    result: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        place = _place(key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            document.refuse(place, path, "a key has to be one word", "Write `key: value`")
            continue
        key = key_node.value
        if key in result:
            first = document.keys[(*path, key)].line
            document.refuse(
                place,
                (*path, key),
                f"the key `{key}` stands here twice, first in line {first}",
                "Keep one of the two; YAML would silently take the last",
            )
            continue
        if key_node.style is None and not isinstance(_plain(key), str):
            document.refuse(place, path, f"`{key}` is no word", f'Put it in quotes: "{key}":')
            continue
        document.keys[(*path, key)] = place
        result[key] = _value(document, text, value_node, (*path, key))
    return result


def _scalar(document: Document, text: str, node: yaml.ScalarNode, path: Path) -> Plain:
    if node.style is not None:
        return str(node.value)
    value = _plain(node.value)
    place = document.values[path]
    if value is not None and not isinstance(value, _Doubtful):
        return value
    if value is None:
        key = document.keys.get(path)
        lines = text.splitlines()
        line = lines[key.line - 1] if key and key.line <= len(lines) else ""
        instead = "Write a value, or delete the line"
        if "#" in line:
            instead = 'A # starts a comment; put the value in quotes, such as "#name"'
        if not node.value and key is not None:
            place = key
        document.refuse(place, path, f"nothing stands for {_called(path)}", instead)
    else:
        document.refuse(place, path, value.what, value.instead)
    return REFUSED


def _called(path: Path) -> str:
    if path and isinstance(path[-1], str):
        return f"`{path[-1]}`"
    return "this part of the list" if path else "this file"


@dataclass(frozen=True, kw_only=True)
class _Doubtful:
    what: str
    instead: str


def _plain(word: str) -> str | int | float | bool | _Doubtful | None:
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if _INTEGER.fullmatch(word):
        # Python refuses to convert endless digits; nothing here needs more than twenty.
        return int(word) if len(word) <= 20 else float(word)
    if _DECIMAL.fullmatch(word):
        return float(word)
    if _NOT_FINITE.fullmatch(word):
        return float(word.replace(".", "", 1).lower())
    tag = _resolved(word)
    if tag == "null":
        return None
    if tag == "str":
        return word
    if tag == "bool":
        return _Doubtful(
            what=f"`{word}` is a yes or no to some readers of YAML and a word to others",
            instead=f'Write true or false, or put the word in quotes: "{word}"',
        )
    return _Doubtful(
        what=f"`{word}` is not the same to every reader of YAML",
        instead=f'Write a plain decimal number, or put the word in quotes: "{word}"',
    )


_RESOLVER = Resolver()


def _resolved(word: str) -> str:
    resolve: Callable[[type[yaml.Node], str, tuple[bool, bool]], str] = _RESOLVER.resolve
    tag = resolve(yaml.ScalarNode, word, (True, False))
    return tag.rpartition(":")[2]


def as_mapping(value: Plain) -> Mapping[str, Plain]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}
