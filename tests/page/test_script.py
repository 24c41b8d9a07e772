"""The page's own script makes text nodes of text: nothing turns a string into markup or code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bot.sandbox.page

STATIC = Path(bot.sandbox.page.__file__).parent / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
MARKUP = (
    r"\binnerHTML\b",
    r"\bouterHTML\b",
    r"\binsertAdjacentHTML\b",
    r"\bcreateContextualFragment\b",
    r"\bDOMParser\b",
    r"\bsetHTML\w*\b",
    r"\bsrcdoc\b",
    r"\bdocument\.write",
    r"\beval\b",
    r"\bnew Function\b",
    r"\bimport\(",
    r"\bset(?:Timeout|Interval)\(\s*[\"'`]",
    r"javascript:",
    r"\bcreatePolicy\b",
)


def test_there_are_scripts_to_look_at() -> None:
    """So that the tests below cannot pass over nothing."""
    assert {"app.js", "blocks.js", "dom.js", "log.js", "spans.js"} <= {p.name for p in SCRIPTS}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
@pytest.mark.parametrize("way", MARKUP)
def test_no_script_makes_markup_or_code_of_a_string(script: Path, way: str) -> None:
    """Whatever a person or MLflow wrote stays text."""
    assert re.search(way, script.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_loads_from_elsewhere(script: Path) -> None:
    """Imports are relative; nothing is fetched."""
    text = script.read_text(encoding="utf-8")
    assert all(name.startswith("./") for name in re.findall(r'from "([^"]+)"', text))
    assert not re.search(r"\bfetch\(|XMLHttpRequest|sendBeacon|importScripts|https?://", text)


def test_the_page_has_no_script_or_style_inside_it() -> None:
    """The policy of the page forbids both, and a browser would leave them out."""
    html = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script([^>]*)>(.*?)</script>", html) == [
        (' type="module" src="app.js"', "")
    ]
    assert "<style" not in html
    assert not re.search(r"\s(?:on\w+|style)=", html)


@pytest.mark.parametrize("sheet", sorted(STATIC.glob("*.css")), ids=lambda path: path.name)
def test_no_style_loads_anything(sheet: Path) -> None:
    """No font, no picture, no other sheet."""
    text = sheet.read_text(encoding="utf-8")
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_each_script_is_of_a_size_that_can_be_read(script: Path) -> None:
    """One concept, one file."""
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 400
