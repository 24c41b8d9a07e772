"""Somebody who sits at a browser: looks by role and name, as a screen reader does, and clicks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Scheme = Literal["light", "dark"]


@dataclass(frozen=True, kw_only=True)
class Screen:
    """How large it is, and how it is lit."""

    name: str
    width: int
    height: int
    scheme: Scheme
    is_touched: bool


DESK = Screen(name="desk", width=1280, height=800, scheme="light", is_touched=False)
PHONE = Screen(name="phone", width=400, height=820, scheme="dark", is_touched=True)


@dataclass
class Seat:
    """One open tab; `trouble` is whatever the browser complained about."""

    page: Page
    screen: Screen
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on(
            "console",
            lambda said: (
                self.trouble.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        self.page.on("requestfailed", lambda asked: self.trouble.append(asked.url))

    def press(self, what: Locator) -> None:
        """Click it, or tap it."""
        if self.screen.is_touched:
            what.tap()
        else:
            what.click()

    # where

    def be(self, handle: str) -> None:
        """Sit down as somebody."""
        chosen = self.page.locator(f"#people [data-key={handle}]")
        self.press(chosen)
        self.page.locator(f"#people [data-key={handle}][aria-pressed=true]").wait_for()

    def go(self, place: str) -> None:
        """By the list of channels, which a phone opens first."""
        if self.screen is PHONE:
            self.press(self.page.get_by_role("button", name="Channels", exact=True))
        link = re.compile(rf"^\W*{re.escape(place)}\b")
        self.press(self.page.locator("#places").get_by_role("button", name=link))

    # what

    def says(self, text: str, *, timeout_seconds: float = 30.0) -> None:
        """Wait until the newest messages say this."""
        found = self.page.locator("#log .message").filter(has_text=text)
        found.last.wait_for(timeout=timeout_seconds * 1000)

    def message(self, text: str) -> Locator:
        """The newest message that says this."""
        return self.page.locator("#log .message").filter(has_text=text).last

    def button(self, label: str, message: str = "") -> Locator:
        """A button of the newest message that has it."""
        messages = self.page.locator("#log .message")
        found = messages.filter(has_text=message) if message else messages
        return found.get_by_role("button", name=label, exact=True).last

    def modal(self, title: str) -> Locator:
        """The open form of this name."""
        dialog = self.page.get_by_role("dialog", name=title)
        dialog.wait_for()
        return dialog

    def modal_is_gone(self) -> None:
        """Wait until no form is open."""
        self.page.locator("dialog[open]").wait_for(state="detached")

    def write(self, text: str) -> None:
        """Into the composer, and send it."""
        field = self.page.get_by_role("combobox", name="Message, or a command")
        field.fill(text)
        if self.screen.is_touched:
            self.press(self.page.locator("#send"))
        else:
            field.press("Enter")

    def step(self, title: str, *, timeout_seconds: float = 60.0) -> Locator:
        """Wait until the tour says that this is next."""
        step = self.page.locator("#guide li[aria-current=step]").filter(has_text=title)
        step.wait_for(timeout=timeout_seconds * 1000)
        return step

    def focused(self) -> str:
        """What the focus is on, as it is called."""
        return str(self.page.evaluate(_FOCUSED))

    def reach(self, name: str, *, from_start: bool = False) -> None:
        """Press Tab until this has the focus, and see that it shows."""
        if from_start:
            self.page.evaluate("() => document.activeElement?.blur()")
            self.page.mouse.move(0, 0)
            self.page.evaluate(_TO_THE_START)
        for _ in range(200):
            self.page.keyboard.press("Tab")
            if self.focused().startswith(name):
                style = "e => getComputedStyle(e).outlineStyle"
                assert self.page.locator(":focus").evaluate(style) != "none", name
                return
        raise AssertionError(f"Tab never reaches {name!r}")

    # how it looks

    def picture(self, folder: Path, name: str) -> Path:
        """What is on the screen, as a file."""
        path = folder / f"{name}-{self.screen.name}.png"
        self.page.screenshot(path=path, animations="disabled")
        return path

    def too_wide(self) -> list[str]:
        """What reaches out of the screen at its side, or scrolls there."""
        return [str(found) for found in self.page.evaluate(_TOO_WIDE)]

    def too_faint(self) -> list[str]:
        """Text with less than 4.5:1 against what is behind it (WCAG 1.4.3)."""
        return [str(found) for found in self.page.evaluate(_TOO_FAINT)]

    def too_faint_in_any_light(self) -> list[str]:
        """The same by day and by night, whichever it is at this screen."""
        found: list[str] = []
        for scheme in get_args(Scheme):
            self.page.emulate_media(color_scheme=scheme)
            found += [f"{scheme}: {what}" for what in self.too_faint()]
        self.page.emulate_media(color_scheme=self.screen.scheme)
        return found

    def nameless(self) -> list[str]:
        """What a screen reader would call by its role alone, from the accessibility tree."""
        line = self.page.context.new_cdp_session(self.page)
        tree = line.send("Accessibility.getFullAXTree")
        line.detach()
        return [
            json.dumps(node["role"]["value"])
            for node in tree["nodes"]
            if not node.get("ignored")
            and node.get("role", {}).get("value") in _NAMED
            and not str(node.get("name", {}).get("value", "")).strip()
        ]


_NAMED = frozenset(
    {
        "article",
        "button",
        "checkbox",
        "combobox",
        "dialog",
        "image",
        "link",
        "listbox",
        "log",
        "main",
        "menu",
        "menuitem",
        "navigation",
        "option",
        "progressbar",
        "radio",
        "tab",
        "tablist",
        "tabpanel",
        "textbox",
    }
)

_FOCUSED = """() => {
  const e = document.activeElement;
  if (e === document.body) return "";
  const shown = (e.getAttribute("aria-label") ?? e.innerText ?? "").trim();
  return e.classList.contains("person") ? e.querySelector("b").textContent : shown;
}"""

_TO_THE_START = """() => {
  const start = document.querySelector(".skip");
  start.focus();
  start.blur();
  getSelection().setPosition(document.body, 0);
}"""

_TOO_WIDE = """() => {
  const found = [];
  const wide = (e) => e.scrollWidth > e.clientWidth + 1;
  for (const e of [document.documentElement, document.body]) if (wide(e)) found.push(e.tagName);
  const rooms = "#log, #home, #guide, #places, #thread-log, dialog[open]";
  for (const e of document.querySelectorAll(rooms))
    if (e.offsetParent !== null && wide(e)) found.push("#" + e.id);
  for (const e of document.querySelectorAll("body *:not(option)")) {
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height || e.closest("#people, pre, .hidden, .skip, [hidden]")) continue;
    if (box.right > innerWidth + 1 || box.left < -1)
      found.push(`${e.tagName}.${e.className} ${Math.round(box.left)}–${Math.round(box.right)}`);
  }
  return found;
}"""

_TOO_FAINT = """() => {
  const numbers = (c) => (c.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    const box = e.getBoundingClientRect();
    if (!texts.currentNode.data.trim() || box.width < 2 || box.height < 2) continue;
    if (e.closest("option, noscript, [hidden]") || getComputedStyle(e).opacity < 1) continue;
    const [one, other] = [light(numbers(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const what = `${e.tagName}.${e.className}: ${e.textContent.slice(0, 30)}`;
    if (ratio < 4.5) found.add(`${ratio.toFixed(2)} ${what}`);
  }
  return [...found];
}"""
