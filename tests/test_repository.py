"""The repository keeps its own promises: rings, types, wheel, lock and what it must not name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
LOCKS = sorted(ROOT.glob("requirements*.lock"))

# What a pure rule cannot need: each reads a clock, a disk, a network, chance or a process.
IMPURE_MODULES = frozenset(
    {
        "asyncio",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
    }
)
CLOCK_READS = frozenset({"now", "today", "utcnow"})

# Spelled in pieces, so that this file does not name what it forbids.
PLACES = {
    "a path of one machine": re.compile(
        r"(?<![\w.])/(?:" + "|".join(("ro" + "ot/", "wo" + "rk/", "Use" + "rs/")) + ")"
        r"|/ho" + r"me/(?!foureyes)" + r"|/o" + r"pt/(?!foureyes)"
    ),
    "a package registry": re.compile(
        "|".join(
            (
                "py" + r"pi\.(?:org|io)",
                "python" + "hosted",
                "registry" + r"\.npm",
                "index" + "-url ?=",
            )
        )
    ),
}
# Packages that are imported by another name than they are installed by.
DISTRIBUTIONS = {
    "ibis": "ibis-framework",
    "mlflow": "mlflow-skinny",
    "pydantic_core": "pydantic",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}

UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "Not" + "ImplementedError")))
SILENCED = re.compile(
    r"# (?:type: ig" + r"nore(?:\[[\w, -]+\])?|no" + r"qa(?:: ?[A-Z]+\d+(?:, ?[A-Z]+\d+)*)?)"
)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """What a program of this environment answers, run at the root of the repository."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def tracked_files() -> list[PurePosixPath]:
    """What git keeps, without what somebody has just deleted."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [PurePosixPath(name) for name in listing.stdout.split("\0") if name]
    assert names, "git lists no file at all"
    return [name for name in names if (ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    """Every module below these folders; never none."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found, f"no Python file below {folders}"
    return found


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, also inside its functions."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*start, *([node.module] if node.module else [])))
            for name in node.names:
                yield node.lineno, f"{base}.{name.name}"


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def declared(requirements: list[str]) -> set[str]:
    """Names of distributions, without bounds and extras, as the lock spells them."""
    return {re.split(r"[\[<>=!~; ]", one)[0].lower().replace("_", "-") for one in requirements}


def strays(folder: str, *allowed: str) -> list[str]:
    """Imports below a folder that are neither the standard library nor allowed."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in python_files(folder)
        for line, name in imports_of(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not within(name, *allowed)
    ]


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    """Lines of tracked text files that hold the pattern, as `file:line: text`."""
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in tracked_files()
        for number, line in enumerate(
            (ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if pattern.search(line)
    ]


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The names inside a wheel built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run("hatchling", "build", "--target", "wheel", "--directory", str(folder))
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("foureyes-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def locked() -> dict[str, list[str]]:
    """Each `name==version` that is locked for the tests, with its hashes."""
    return hashes_in(LOCK)


def hashes_in(lock: Path) -> dict[str, list[str]]:
    """Each locked `name==version` with its hashes."""
    requirements: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        text = line.strip().rstrip("\\").strip()
        if text.startswith("--hash="):
            current.append(text.removeprefix("--hash="))
        elif text and not text.startswith("#"):
            assert re.match(r"[a-z0-9][a-z0-9.-]*(?:\[[a-z,-]+\])?==[^\s;]+", text), text
            current = requirements.setdefault(text, [])
    assert requirements, "the lock is empty"
    return requirements


def test_types_hold_strictly() -> None:
    """mypy in its strict mode finds nothing in the packages or in their tests."""
    checked = run("mypy")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_lint_finds_nothing() -> None:
    """ruff finds no fault in any file."""
    checked = run("ruff", "check", "--output-format=concise", ".")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_code_is_formatted() -> None:
    """ruff would change the layout of no file."""
    checked = run("ruff", "format", "--check", ".")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_import_contracts_hold() -> None:
    """Imports point inward, each vendor has one place, and nothing imports in a circle."""
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_domain_imports_the_standard_library_alone() -> None:
    """The rules need no vendor, no port and no adapter."""
    assert strays("governance/domain", "governance.domain") == []


def test_domain_reads_no_clock_and_touches_no_file() -> None:
    """The rules take time, bytes and chance as arguments."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in python_files("governance/domain")
        for line, name in imports_of(path)
        if name.split(".")[0] in IMPURE_MODULES
    ]
    found += [
        f"{path.relative_to(ROOT)}:{node.lineno}: .{node.func.attr}()"
        for path in python_files("governance/domain")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCK_READS
    ]
    assert found == []


def test_ports_speak_of_the_domain_alone() -> None:
    """What the use cases need of the world is said without any vendor's words."""
    named = [
        name
        for path in python_files("governance/ports")
        for _, name in imports_of(path)
        if name.split(".")[0] not in sys.stdlib_module_names
    ]
    assert [n for n in named if not within(n, "governance.domain", "governance.ports")] == []


def test_use_cases_know_the_domain_and_the_ports_alone() -> None:
    """No use case can tell which database, registry or messenger it works with."""
    allowed = ("governance.domain", "governance.ports", "governance.use_cases")
    assert strays("governance/use_cases", *allowed) == []


def test_sandbox_imports_nothing_of_what_it_tests() -> None:
    """The workspace shares no code with the bot, governance or Slack's own clients."""
    shared = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in python_files("bot/sandbox")
        for line, name in imports_of(path)
        if within(name, "bot", "governance", "slack_bolt", "slack_sdk")
        and not within(name, "bot.sandbox")
    ]
    assert shared == []


def test_wheel_carries_every_file_of_the_packages(wheel_names: frozenset[str]) -> None:
    """What the checkout runs with, an installation has too; the policies lie in the demo."""
    expected = set()
    for name in tracked_files():
        if name.parts[:3] == ("bot", "demo", "pictures"):
            continue  # the README's
        if name.parts[0] in {"bot", "governance"}:
            expected.add(str(name))
        elif name.parts[0] == "policies":
            expected.add(f"bot/demo/{name}")
    assert expected - wheel_names == set()


@pytest.mark.parametrize(
    "pattern",
    [
        "bot/py.typed",
        "governance/py.typed",
        "bot/demo/policies/people.yaml",
        "bot/demo/policies/credit_scoring.yaml",
        "bot/demo/data/*.csv",
        "governance/adapters/sql_store/migrations/env.py",
        "governance/adapters/sql_store/migrations/versions/*.py",
        "foureyes-*.dist-info/licenses/LICENSE",
    ],
)
def test_wheel_carries_what_the_demo_needs(wheel_names: frozenset[str], pattern: str) -> None:
    """Types, policies, data, migrations and the licence are in it, by name."""
    assert [name for name in wheel_names if PurePosixPath(name).match(pattern)]


def test_wheel_carries_nothing_else(wheel_names: frozenset[str]) -> None:
    """No test, database or cache is shipped."""
    folders = {"bot", "governance"}
    others = {name for name in wheel_names if name.split("/")[0] not in folders}
    assert all(".dist-info/" in name for name in others)
    assert not [name for name in wheel_names if name.endswith((".db", ".pyc"))]
    assert not [name for name in wheel_names if name.startswith("bot/demo/pictures/")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_has_a_hash_for_each_requirement(lock: Path) -> None:
    """Nothing is installed that could have been exchanged on the way."""
    bare = [
        requirement
        for requirement, hashes in hashes_in(lock).items()
        if not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)
    ]
    assert bare == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_names_no_address(lock: Path) -> None:
    """Any mirror can serve it: no host, no index, no link, no path."""
    text = lock.read_text(encoding="utf-8")
    options = re.findall(r"^\s*(-[a-z]|--(?!hash=)\S+)", text, flags=re.MULTILINE)
    assert "://" not in text
    assert " @ " not in text
    assert options == []


def test_lock_covers_every_declared_requirement(locked: dict[str, list[str]]) -> None:
    """What pyproject.toml asks for, the build backend included, is locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        asked += extra
    everything = {**locked, **hashes_in(ROOT / "requirements-system.lock")}
    have = {re.split(r"[\[=]", one)[0] for one in everything}
    assert declared(asked) - {"foureyes"} - have == set()


def test_every_import_is_declared() -> None:
    """The base installation runs the bot; monitors and pictures, and the demo with its workspace,
    need more. PySpark belongs to whoever names a Spark."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = declared(project["dependencies"])
    monitors = base | declared(project["optional-dependencies"]["monitors"]) | {"pyspark"}
    demo = monitors | declared(project["optional-dependencies"]["demo"])

    def allowed(module: str) -> set[str]:
        if within(module, "bot.demo", "bot.sandbox"):
            return demo
        charts = ("bot.chart", "bot.comparison_chart", "bot.timeline_chart")
        eyes = (*charts, "governance.adapters.metric_sources")
        return monitors if within(module, *eyes) else base

    missing = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in python_files("bot", "governance")
        for line, name in imports_of(path)
        if (root := name.split(".")[0]) not in sys.stdlib_module_names
        and root not in {"bot", "governance"}
        and DISTRIBUTIONS.get(root, root.replace("_", "-")) not in allowed(module_of(path))
    ]
    assert missing == []


def test_both_mlflows_are_locked_to_one_version(locked: dict[str, list[str]]) -> None:
    """`mlflow` and `mlflow-skinny` share files; two versions would overwrite each other."""
    versions = {
        name: version
        for name, _, version in (one.split(" ")[0].partition("==") for one in locked)
        if name in {"mlflow", "mlflow-skinny", "mlflow-tracing"}
    }
    assert len(versions) == 3
    assert len(set(versions.values())) == 1


@pytest.mark.parametrize("place", PLACES)
def test_no_file_names_a_place_of_its_makers(place: str) -> None:
    """What is in the repository is true on every machine."""
    assert lines_matching(PLACES[place]) == []


def test_nothing_is_left_unfinished() -> None:
    """No file holds a note to come back to, or a body that only raises."""
    assert lines_matching(UNFINISHED) == []


def test_every_silenced_warning_says_why() -> None:
    """A checker is overruled with a reason beside it, never in silence."""
    mute = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in python_files("bot", "governance", "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (silenced := SILENCED.search(line)) and len(line[silenced.end() :].strip(" #:-–—")) < 8
    ]
    assert mute == []


def test_make_help_lists_every_target() -> None:
    """Whoever types `make help` sees each thing there is to make, with a sentence."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    assert phony is not None
    told = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listed = dict(line.split(maxsplit=1) for line in told.splitlines())
    assert set(phony[1].split()) == set(listed)
    assert all(len(sentence.split()) > 2 for sentence in listed.values())


def test_ci_makes_what_a_person_makes() -> None:
    """The build installs system packages, runs both suites and nothing beside them, so that it can
    be repeated by hand."""
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line.strip() and not line.startswith("#")]
    assert lines[0] == "#!/usr/bin/env bash"
    assert commands == [
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        ".ci/install-system-packages",
        "make test",
        "make test-system",
    ]


@pytest.mark.parametrize(
    ("only", "package"),
    [
        ("test_spark.py::test_approvals_are_counted", "openjdk-17-jre-headless"),
        ("page/test_drawing.py::test_strange_text_is_text", "chromium"),
    ],
)
def test_system_tests_fail_by_name_where_a_package_is_missing(
    tmp_path: Path, only: str, package: str
) -> None:
    """Never skipped: each of them says what to install."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"{ROOT}/tests/system/{only}"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1
    assert f"install the system package {package}" in ran.stdout
    assert package in (ROOT / ".ci/install-system-packages").read_text(encoding="utf-8")
    assert "skipped" not in ran.stdout


def test_what_runs_is_locked_as_it_is_tested_and_brings_no_test_along(
    locked: dict[str, list[str]],
) -> None:
    """The lock of the container holds the bot and its monitors alone."""
    runs = {re.split(r"[ ;]", one)[0] for one in hashes_in(ROOT / "requirements-run.lock")}
    assert runs < {re.split(r"[ ;]", one)[0] for one in locked}
    names = {one.split("==")[0] for one in runs}
    assert {"mlflow-skinny", "slack-bolt", "sqlalchemy", "matplotlib"} <= names
    assert not names & {"mlflow", "scikit-learn", "pytest", "hypothesis", "mypy", "hatchling"}
    assert "-r /src/requirements-run.lock" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_both_locks_agree(locked: dict[str, list[str]]) -> None:
    """The lock for system tests adds to the other one, and changes nothing in it."""
    text = (ROOT / "requirements-system.lock").read_text(encoding="utf-8")
    wider = set(re.findall(r"^([a-z0-9.-]+==[^\s;]+)", text, flags=re.MULTILINE))
    narrower = {re.split(r"[ ;]", one)[0] for one in locked}
    assert narrower < wider
    assert {one.split("==")[0] for one in wider - narrower} == {
        "googleapis-common-protos",
        "greenlet",
        "grpcio",
        "grpcio-status",
        "playwright",
        "py4j",
        "pyspark",
    }
