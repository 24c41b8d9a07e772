"""Files to rules: everything or nothing, and every problem at once.

Knows nothing of who loads, when, or what was in force before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from pydantic import ValidationError

from governance.adapters.policy_files.document import LARGEST_FILE_BYTES, Document, read_document
from governance.adapters.policy_files.people import (
    declared,
    own_stand_ins,
    roster_of,
    shared_accounts,
)
from governance.adapters.policy_files.policies import (
    Passable,
    late_escalations,
    policy_of,
    repeated_checks,
    ties,
)
from governance.adapters.policy_files.problems import Finding, PolicyProblems, Report
from governance.adapters.policy_files.refusals import refusals
from governance.adapters.policy_files.schema import PeopleFile, PolicyFile
from governance.adapters.policy_files.watching import WatchingProblems
from governance.adapters.policy_files.words import Known
from governance.domain.canonical import digest_of
from governance.domain.errors import Unavailable
from governance.domain.identity import Roster
from governance.domain.policy import ModelPolicy, PolicySet
from governance.ports import Rules

PEOPLE = "people.yaml"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """One load: the rules, the very texts they came from, and what is worth a second look."""

    rules: Rules
    texts: Mapping[str, str]
    warnings: tuple[Finding, ...]


def load_folder(folder: Path) -> Loaded:
    """Read every `*.yaml` directly in `folder`; hidden files are not read.

    Raises PolicyProblems with everything that is wrong, Unavailable `policies_unreadable` when
    the folder or a file cannot be read.
    """
    texts, findings = _read(_files_in(folder))
    findings += _misnamed(folder)
    return _loaded({PurePath(n).name: t for n, t in texts.items()}, findings)


def load_rules(folder: Path) -> Rules:
    """The rules of a folder. Raises as `load_folder` does."""
    return load_folder(folder).rules


def load_texts(texts: Mapping[str, str]) -> Loaded:
    """As `load_folder`, from file name → content. Raises PolicyProblems."""
    return _loaded(texts, [])


def rules_from_texts(texts: Mapping[str, str]) -> Rules:
    """The rules of stored texts, file name → content. Raises PolicyProblems."""
    return load_texts(texts).rules


def check_files(paths: Iterable[Path]) -> Report:
    """Everything that is wrong with some files or folders, without loading them.

    When people.yaml is not among them, the one beside the first is read with them, so that
    roles and people can be looked up. Raises Unavailable `policies_unreadable`.
    """
    files: list[Path] = []
    findings: list[Finding] = []
    for path in paths:
        if path.is_dir():
            files += _files_in(path)
            findings += _misnamed(path)
        else:
            files.append(path)
    if files and not any(f.name == PEOPLE for f in files):
        beside = files[0].parent / PEOPLE
        if beside.is_file():
            files.append(beside)
    texts, unreadable = _read(dict.fromkeys(files))
    examined = _examine(texts)
    return Report(
        problems=tuple(sorted({*findings, *unreadable, *examined.problems})),
        warnings=tuple(sorted(examined.warnings)),
    )


# --- reading ------------------------------------------------------------------------------------


def _files_in(folder: Path) -> list[Path]:
    try:
        names = sorted(p for p in folder.iterdir() if p.suffix == ".yaml" and p.is_file())
    except OSError as error:
        raise Unavailable(
            "policies_unreadable",
            f"The policies in {folder} cannot be read: {error.strerror}. Check that the folder "
            "exists and that Foureyes may read it.",
        ) from error
    return [p for p in names if not p.name.startswith(".")]


def _misnamed(folder: Path) -> list[Finding]:
    """A policy that is silently not read is worse than one that is refused."""
    return [
        Finding(
            file=path.name,
            line=1,
            column=1,
            what=f"{path.name} would not be read",
            instead=f"Rename it to {path.stem}.yaml",
        )
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in {".yml", ".yaml"}
        and path.suffix != ".yaml"
        and not path.name.startswith(".")
    ]


def _read(files: Iterable[Path]) -> tuple[dict[str, str], list[Finding]]:
    texts: dict[str, str] = {}
    findings: list[Finding] = []
    for file in files:
        try:
            with file.open("rb") as opened:
                raw = opened.read(LARGEST_FILE_BYTES + 1)
        except OSError as error:
            raise Unavailable(
                "policies_unreadable",
                f"{file} cannot be read: {error.strerror}. Check the path and its permissions.",
            ) from error
        try:
            texts[str(file)] = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if len(raw) > LARGEST_FILE_BYTES:
                texts[str(file)] = raw.decode("utf-8-sig", "replace")
                continue
            findings.append(
                Finding(
                    file=str(file),
                    line=raw.count(b"\n", 0, error.start) + 1,
                    column=1,
                    what="this is not UTF-8",
                    instead="Save the file as UTF-8",
                )
            )
    return texts, findings


# --- judging ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Examined:
    policies: Mapping[str, ModelPolicy]
    roster: Roster | None
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class _Policy:
    policy: ModelPolicy | None = None
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def _loaded(texts: Mapping[str, str], findings: Iterable[Finding]) -> Loaded:
    examined = _examine(texts)
    problems = sorted({*findings, *examined.problems})
    if problems or examined.roster is None:
        raise PolicyProblems(problems)
    files = [[name, hashlib.sha256(texts[name].encode()).hexdigest()] for name in sorted(texts)]
    return Loaded(
        rules=Rules(
            policies=PolicySet(
                policies={p.pattern: p for p in examined.policies.values()},
                digest=digest_of({"files": files}),
            ),
            roster=examined.roster,
        ),
        texts=dict(texts),
        warnings=examined.warnings,
    )


def _examine(texts: Mapping[str, str]) -> _Examined:
    documents = {file: read_document(file, texts[file]) for file in sorted(texts)}
    problems = [finding for document in documents.values() for finding in document.findings]
    people_files = [file for file in documents if PurePath(file).name == PEOPLE]
    known = Known(roles=None, people=None)
    roster: Roster | None = None
    problems += _wrong_files(list(documents), people_files)
    for file in people_files[:1]:
        known = declared(documents[file])
        roster, found = _people(documents[file], known)
        problems += found
    policies: dict[str, ModelPolicy] = {}
    warnings: list[Finding] = []
    for file, document in documents.items():
        if file in people_files:
            continue
        read = _policy(document, known)
        policy = read.policy
        problems += read.problems
        warnings += read.warnings
        if policy is None:
            continue
        policies[file] = policy
        problems += repeated_checks(document, policy)
        problems += late_escalations(document, policy)
        if roster is not None:
            passable = Passable(document, policy, roster)
            problems += passable.problems()
            warnings += passable.warnings()
    problems += ties(documents, policies)
    return _Examined(
        policies=policies,
        roster=roster,
        problems=tuple(sorted(set(problems))),
        warnings=tuple(sorted(set(warnings))),
    )


def _wrong_files(files: list[str], people_files: list[str]) -> list[Finding]:
    def about(file: str, what: str, instead: str) -> Finding:
        return Finding(file=file, line=1, column=1, what=what, instead=instead)

    found: list[Finding] = []
    if not people_files:
        what = "there is no people.yaml, so nobody could ask or approve"
        found.append(about(PEOPLE, what, "Write it beside the policies"))
    for file in people_files[1:]:
        what = f"people are in {people_files[0]} already"
        found.append(about(file, what, "Keep one people.yaml"))
    if len(files) == len(people_files):
        what = "there is no policy, so no model would be governed"
        found.append(about("*.yaml", what, "Write one file for each model or pattern"))
    return found


def _people(document: Document, known: Known) -> tuple[Roster | None, list[Finding]]:
    found = [*shared_accounts(document), *own_stand_ins(document)]
    try:
        file = PeopleFile.model_validate(document.value, context=known)
    except ValidationError as error:
        return None, found + list(refusals(document, error, PeopleFile))
    return (None if document.refused else roster_of(file)), found


def _policy(document: Document, known: Known) -> _Policy:
    try:
        file = PolicyFile.model_validate(document.value, context=known)
    except ValidationError as error:
        return _Policy(problems=tuple(refusals(document, error, PolicyFile)))
    if document.refused:
        return _Policy()
    watching = WatchingProblems(document, file)
    return _Policy(
        policy=policy_of(file),
        problems=tuple(watching.problems()),
        warnings=tuple(watching.warnings()),
    )
