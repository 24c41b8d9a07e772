"""The gallery as one HTML page that needs nothing else: each exhibit at a phone's width."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from bot.block_kit import Block
from bot.views import Drawn

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1rem; color-scheme: light dark; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr));
  gap: 1rem; align-items: start; }
article { border: 1px solid #8886; border-radius: 8px; padding: .75rem; overflow-wrap: anywhere;
  max-height: 32rem; overflow: auto; }
article > h3 { margin: 0 0 .5rem; font-size: .8rem; color: #777; }
h2 { grid-column: 1 / -1; margin: 1.5rem 0 0; }
p { white-space: pre-wrap; margin: .4rem 0; }
.header { font-weight: 700; font-size: 1.1rem; }
.context, .hint { color: #777; font-size: .85rem; }
.button { display: inline-block; border: 1px solid #888; border-radius: 4px;
  padding: .2rem .6rem; margin: .15rem; }
.primary { background: #007a5a; color: #fff; } .danger { background: #c01343; color: #fff; }
.text { border-top: 1px dashed #8886; }
"""


def page(halls: Iterable[tuple[str, Iterable[tuple[str, Drawn | Block]]]]) -> str:
    """Every hall with its exhibits."""
    parts = []
    for title, exhibits in halls:
        parts.append(f"<h2>{escape(title)}</h2>")
        parts += [
            f"<article><h3>{escape(caption)}</h3>{_surface(made)}</article>"
            for caption, made in exhibits
        ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Messages of Foureyes</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style><h1>Every message and modal</h1><main>{''.join(parts)}</main>"
    )


def _surface(made: Drawn | Block) -> str:
    if isinstance(made, Drawn):
        return _blocks(made.blocks) + f'<p class="text context">text: {escape(made.text)}</p>'
    foot = [
        _button(made[key], "primary" if key == "submit" else "")
        for key in ("submit", "close")
        if key in made
    ]
    title = f'<p class="header">{_text(made["title"])}</p>' if "title" in made else ""
    return title + _blocks(made["blocks"]) + "".join(foot)


def _blocks(blocks: object) -> str:
    return "".join(_block(b) for b in blocks) if isinstance(blocks, list) else ""


def _block(block: Mapping[str, object]) -> str:
    match block.get("type"):
        case "header":
            return f'<p class="header">{_text(block["text"])}</p>'
        case "section":
            accessory = block.get("accessory")
            return f"<p>{_text(block.get('text'))}</p>" + (_element(accessory) if accessory else "")
        case "context" | "actions" as kind:
            elements = block["elements"]
            drawn = [_element(e) for e in elements] if isinstance(elements, list) else []
            return f'<div class="{kind}">{"".join(drawn)}</div>'
        case "image":
            return f"<p>🖼 {escape(str(block['alt_text']))}</p>"
        case "input":
            hint = f'<p class="hint">{_text(block["hint"])}</p>' if "hint" in block else ""
            return f"<p><b>{_text(block['label'])}</b></p>{_element(block['element'])}{hint}"
        case "divider":
            return "<hr>"
        case other:
            raise ValueError(f"the gallery cannot hang a block {other}")


def _element(element: object) -> str:
    if not isinstance(element, Mapping):
        raise ValueError("an element has to be an object")
    match element.get("type"):
        case "button":
            return _button(element["text"], str(element.get("style", "")))
        case "mrkdwn" | "plain_text":
            return f"<p>{_text(element)}</p>"
        case "overflow":
            options = element["options"]
            shown = [_text(o["text"]) for o in options] if isinstance(options, list) else []
            return f'<span class="button">⋯ {" · ".join(shown)}</span>'
        case "plain_text_input":
            lines = 3 if element.get("multiline") else 1
            return f'<textarea rows="{lines}" style="width: 100%"></textarea>'
        case other:
            chosen = element.get("initial_option")
            said = _text(chosen["text"]) if isinstance(chosen, Mapping) else escape(str(other))
            return f'<span class="button">{said} ▾</span>'


def _button(label: object, style: str) -> str:
    return f'<span class="button {escape(style)}">{_text(label)}</span>'


def _text(text: object) -> str:
    return escape(str(text["text"])) if isinstance(text, Mapping) else ""
