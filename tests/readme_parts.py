"""The parts of the README that are made from the code: `python -m tests.readme_parts` writes them
again, and a test compares them."""

from __future__ import annotations

import re
from pathlib import Path

from bot.settings import settings_table
from governance.domain.promotion import diagram

README = Path(__file__).parent.parent / "README.md"


def parts() -> dict[str, str]:
    """Marker to text."""
    return {
        "settings": settings_table().rstrip("\n"),
        "lifecycle": f"```mermaid\n{diagram()}\n```",
    }


def with_parts(text: str) -> str:
    """The README with its generated parts as the code has them now."""
    for marker, made in parts().items():
        found = re.findall(rf"<!-- {marker} -->\n.*?<!-- /{marker} -->", text, flags=re.DOTALL)
        if len(found) != 1:
            raise ValueError(f"the README has {len(found)} parts marked {marker}")
        text = text.replace(found[0], f"<!-- {marker} -->\n{made}\n<!-- /{marker} -->")
    return text


if __name__ == "__main__":
    README.write_text(with_parts(README.read_text(encoding="utf-8")), encoding="utf-8")
