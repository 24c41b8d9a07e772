"""The command line itself: what it says, how fast it says it, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import GROUPS, build_parser
from tests.cli.program import POLICIES, ROOT, TIMEOUT_SECONDS, environment, foureyes

HELP = Path(__file__).with_name("help.txt")
COMMANDS: tuple[tuple[str, ...], ...] = (
    (),
    ("run",),
    ("doctor",),
    ("rollback",),
    ("drill",),
    ("monitor",),
    ("monitor", "list"),
    ("monitor", "plan"),
    ("monitor", "backtest"),
    ("diff",),
    ("audit",),
    ("audit", "show"),
    ("audit", "verify"),
    ("audit", "resume"),
    ("policy",),
    ("policy", "check"),
    ("policy", "load"),
    ("policy", "show"),
    ("policy", "schema"),
    ("db",),
    ("db", "upgrade"),
    ("manifest",),
    ("demo",),
)
HEAVY = ("mlflow", "slack_bolt", "slack_sdk", "sqlalchemy", "alembic", "pydantic", "apscheduler")


def help_of_everything(capsys: pytest.CaptureFixture[str]) -> str:
    """What `--help` prints for every command, one after the other."""
    parts: list[str] = []
    for words in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            build_parser().parse_args([*words, "--help"])
        assert ended.value.code == 0
        parts.append(f"$ {' '.join(('foureyes', *words, '--help'))}\n{capsys.readouterr().out}")
    return "\n".join(parts)


@pytest.mark.parametrize(("chosen", "found"), [(None, False), ("false", True)])
def test_mlflow_tells_its_makers_nothing_unless_somebody_wants_it(
    chosen: str | None, found: bool
) -> None:
    """Whatever the command: what MLflow itself makes of the process is looked at."""
    program = (
        "import bot.cli, sys; bot.cli.main(['policy', 'schema']); "
        "from mlflow.telemetry.utils import is_telemetry_disabled as is_off; "
        "sys.exit(0 if is_off() else 9)"
    )
    own = {} if chosen is None else {"MLFLOW_DISABLE_TELEMETRY": chosen}
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(own), capture_output=True
    )
    assert ended.returncode == (9 if found else 0), ended.stderr


def test_help_text_is_the_one_that_is_documented(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command cannot change without its documentation. Write it again with
    `python -m tests.cli.write_help`."""
    monkeypatch.setenv("COLUMNS", "80")
    assert help_of_everything(capsys) == HELP.read_text(encoding="utf-8")


def test_a_percent_sign_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Only some texts of a command are formatted, and in those alone it is written twice."""
    assert "%%" not in help_of_everything(capsys)


def test_every_group_of_commands_is_documented() -> None:
    """The list above leaves none out."""
    assert {words[0] for words in COMMANDS if words} == set(GROUPS)


def test_help_is_readable_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 50 columns, whatever is laid out by the program stays within them."""
    monkeypatch.setenv("COLUMNS", "50")
    with pytest.raises(SystemExit):
        build_parser().parse_args(["rollback", "--help"])
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 50


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """`foureyes --help` answers without MLflow, Slack, or a database library."""
    program = (
        "import sys\nfrom bot.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as ended:\n    assert ended.code == 0\n"
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_reading_policies_loads_neither_mlflow_nor_slack_nor_a_database(tmp_path: Path) -> None:
    """A check in a git hook is quick."""
    wanted = ("mlflow", "slack_bolt", "slack_sdk", "sqlalchemy", "alembic")
    program = (
        "import sys\nfrom bot.cli import main\n"
        f"assert main(['policy', 'check', {str(POLICIES)!r}]) == 0\n"
        f"print('LOADED', [m for m in {wanted!r} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize(
    "words",
    [(), ("nonsense",), ("audit",), ("rollback", "m"), ("diff", "m", "1"), ("diff", "m", "0", "2")],
)
def test_wrong_arguments_end_with_two(words: tuple[str, ...], tmp_path: Path) -> None:
    """The exit code tells a wrong call from a refusal."""
    ended = foureyes(*words, folder=tmp_path)
    assert ended.code == 2
    assert "usage: foureyes" in ended.err


def test_an_argument_that_is_not_utf_8_is_a_wrong_call(tmp_path: Path) -> None:
    """Else a rollback that is refused would end with a traceback, and be recorded nowhere."""
    ended = foureyes("rollback", "credit\udcff", "--reason", "it is bad", folder=tmp_path)
    assert ended.code == 2
    assert "an argument is not UTF-8" in ended.err


def test_a_refusal_is_one_sentence_and_ends_with_one(tmp_path: Path) -> None:
    """No traceback reaches a person."""
    ended = foureyes("audit", "verify", folder=tmp_path)
    assert ended.code == 1
    assert ended.err.startswith("foureyes: There is no database at foureyes-state/foureyes.db.")
    assert not (tmp_path / "foureyes-state").exists()


def test_a_wrong_policy_is_named_with_file_and_line(tmp_path: Path) -> None:
    """`policy check` ends with 1 and says where."""
    (tmp_path / "people.yaml").write_text((POLICIES / "people.yaml").read_text())
    text = (POLICIES / "credit_scoring.yaml").read_text()
    (tmp_path / "credit_scoring.yaml").write_text(f"surprise: 1\n{text}")
    ended = foureyes("policy", "check", ".", folder=tmp_path)
    assert ended.code == 1
    assert "credit_scoring.yaml:1:1: unknown key `surprise`" in ended.out


def test_the_shipped_policy_is_shown_in_words(tmp_path: Path) -> None:
    """`policy show` says what applies to one model."""
    ended = foureyes(
        "policy",
        "show",
        "credit_scoring",
        folder=tmp_path,
        settings={"FOUREYES_POLICIES": str(POLICIES)},
    )
    assert ended.code == 0
    assert "  approvals: 1 × validator, 1 × risk\n" in ended.out
    assert "outcomes outcomes, counted at once\n" in ended.out
    for part in ("Source ", "Monitor auc: measures AUC, ", "Alerts: repeated to ", "Drill: every "):
        assert f"\n{part}" in ended.out


def test_a_model_without_policy_is_named_as_such(tmp_path: Path) -> None:
    """The answer lists what is governed."""
    settings = {"FOUREYES_POLICIES": str(POLICIES)}
    ended = foureyes("policy", "show", "\x1b[2Jother", folder=tmp_path, settings=settings)
    assert ended.code == 1
    assert "No policy governs a model named \\x1b[2Jother." in ended.err
    ended = foureyes("policy", "show", "credit_scorin", folder=tmp_path, settings=settings)
    assert "Did you mean credit_scoring?" in ended.err


def test_the_schema_is_json(tmp_path: Path) -> None:
    """Editors read it as it is printed."""
    ended = foureyes("policy", "schema", "--kind", "people", folder=tmp_path)
    assert "people" in json.loads(ended.out)["properties"]


def test_the_manifest_carries_the_prefix(tmp_path: Path) -> None:
    """What is pasted into Slack is JSON, with each command renamed."""
    ended = foureyes("manifest", "--prefix", "fe-", folder=tmp_path)
    commands = json.loads(ended.out)["features"]["slash_commands"]
    assert all(c["command"].startswith("/fe-") for c in commands)
    assert foureyes("manifest", "--prefix", "Fe /", folder=tmp_path).code == 2


def test_the_manifest_asks_for_a_home_and_hears_when_it_is_opened(tmp_path: Path) -> None:
    """Without either, Home stays empty; without a scope more than before."""
    manifest = json.loads(foureyes("manifest", folder=tmp_path).out)
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened"]
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert "usergroups:read" not in scopes
    more = json.loads(foureyes("manifest", "--user-groups", folder=tmp_path).out)
    assert set(more["oauth_config"]["scopes"]["bot"]) - set(scopes) == {"usergroups:read"}


def test_policies_are_those_of_this_tree() -> None:
    """The tests above look at the shipped files, not at copies."""
    assert POLICIES.parent == ROOT
