"""Nothing written may drift: the README against the code and the commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli import main
from bot.settings import SETTINGS
from tests.readme_parts import README, with_parts

ROOT = Path(__file__).parent.parent
TEXT = README.read_text(encoding="utf-8")


def test_generated_parts_of_the_readme_are_those_of_the_code() -> None:
    """The settings table and the lifecycle; `python -m tests.readme_parts` writes them."""
    assert with_parts(TEXT) == TEXT


def test_both_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    """make demo, make test."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"\bmake ([a-z-]+)\b", TEXT))
    assert {"demo", "test"} <= told
    assert told <= targets


@pytest.mark.parametrize("words", sorted(set(re.findall(r"foureyes ([a-z]+(?: [a-z]+)?)", TEXT))))
def test_every_command_that_the_readme_names_exists(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its help can be asked for."""
    arguments = words.split()
    groups = {"audit", "policy", "db", "monitor"}
    asked = arguments if arguments[0] in groups else arguments[:1]
    with pytest.raises(SystemExit) as ended:
        main([*asked, "--help"])
    assert ended.value.code == 0
    assert "usage: foureyes" in capsys.readouterr().out


def test_every_setting_that_the_readme_names_exists() -> None:
    """No name of the past, none invented."""
    known = {setting.name for setting in SETTINGS}
    named = set(re.findall(r"\b(?:FOUREYES|SLACK)_[A-Z_]+\b", TEXT))
    assert named <= known


def test_every_file_that_the_readme_links_to_exists() -> None:
    """Relative links only."""
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
