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


def test_the_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    """make play, make demo, make test."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"\bmake ([a-z-]+)\b", TEXT))
    assert {"play", "demo", "test"} <= told
    assert told <= targets


_COMMANDS = sorted(set(re.findall(r"(?<!/)foureyes ([a-z]+(?: [a-z]+)?)", TEXT)))
"""Of the command line; /foureyes is typed in Slack."""


@pytest.mark.parametrize("words", _COMMANDS)
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
    """Relative links only, and pictures."""
    shown = re.findall(r'<img src="([^"]+)"', TEXT)
    assert len(shown) >= 2
    for target in [*re.findall(r"\]\((?!http)([^)#]+)\)", TEXT), *shown]:
        assert (ROOT / target).exists(), target


def test_every_picture_of_the_readme_is_small_and_told_in_words() -> None:
    """Whoever cannot see it reads it; whoever clones the repository does not wait for it."""
    told = re.findall(r'<img src="([^"]+)" width="\d+" alt="([^"]+)">', TEXT)
    assert len(told) == TEXT.count("<img ")
    assert all(len(alt.split()) > 8 for _path, alt in told)
    assert {ROOT / path for path, _alt in told} == set((ROOT / "bot/demo/pictures").iterdir())
    assert all((ROOT / path).stat().st_size < 150_000 for path, _alt in told)
