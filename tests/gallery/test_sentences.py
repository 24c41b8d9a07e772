"""Every sentence that a person reads stands in one package, where it can be read and changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

BOT = Path(__file__).resolve().parent.parent.parent / "bot"
SPEAKS = (
    "alert_view.py",
    "announcer.py",
    "answers.py",
    "desk.py",
    "errands.py",
    "foureyes_words.py",
    "glass_desk.py",
    "glass_form.py",
    "glass_view.py",
    "home_view.py",
    "homes.py",
    "mlflow_ui.py",
    "modals.py",
    "news_view.py",
    "promote_form.py",
    "shown.py",
    "upkeep.py",
    "views.py",
    "listeners",
)
"""What draws or answers. A refusal of the edge brings its own sentence, as every refusal does, a
label of a few words stands at its control, and what stands in a picture where it is drawn."""
LABEL_WORDS = 4


def test_no_sentence_stands_outside_the_package_of_sentences() -> None:
    """Not in what draws, nor in what answers."""
    assert list(_sentences()) == []


def test_whatever_draws_is_looked_at() -> None:
    """A module that draws messages or views, and is not named above."""
    named = set(SPEAKS)
    for path in BOT.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        draws = "-> Drawn" in text or '"type": "modal"' in text or '"type": "home"' in text
        assert not draws or path.name in named, path.name


def _sentences() -> Iterator[str]:
    for name in SPEAKS:
        path = BOT / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            unsaid = set(_never_shown(tree))
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    words = [w for w in node.value.split() if any(c.isalpha() for c in w)]
                    if len(words) > LABEL_WORDS and id(node) not in unsaid:
                        yield f"{file.name}:{node.lineno}: {node.value}"


def _never_shown(tree: ast.Module) -> Iterator[int]:
    """Docstrings, lines of the log, and sentences of refusals."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        logged = isinstance(node, ast.Call) and ast.unparse(node.func).startswith("_log.")
        if logged or isinstance(node, ast.Raise):
            yield from (id(part) for part in ast.walk(node))
