"""Text of people and of MLflow, safe to print: shown literally, never obeyed by the terminal."""

from __future__ import annotations


def literal(text: str) -> str:
    """Control, escape and direction characters as `\\x1b`; line breaks stay."""
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
