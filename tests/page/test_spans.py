"""mrkdwn as spans: what Slack would show, and nothing that a stranger could smuggle in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mrkdwn import LOOKALIKES, escaped, visible
from bot.sandbox.page.spans import Kind, Span, mrkdwn, plain

NAMES = {"U0DANA": "dana", "C1": "credit-models"}


def spans(text: str, *, tz: str = "UTC") -> list[Span]:
    return list(mrkdwn(text, names=lambda some_id: NAMES.get(some_id, some_id), tz=tz))


def looks(text: str) -> list[tuple[str, str, list[str]]]:
    """Kind, text and styles of each span."""
    return [(s.kind.value, s.text, sorted(s.styles)) for s in spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [("text", "plain", [])]),
        ("*bold* x", [("text", "bold", ["bold"]), ("text", " x", [])]),
        ("_it_ ~no~", [("text", "it", ["italic"]), ("text", " ", []), ("text", "no", ["strike"])]),
        ("*a _b_*", [("text", "a ", ["bold"]), ("text", "b", ["bold", "italic"])]),
        ("2*3*4", [("text", "2*3*4", [])]),
        ("* not bold *", [("text", "* not bold *", [])]),
        ("snake_case_name", [("text", "snake_case_name", [])]),
        ("`a*b*`", [("code", "a*b*", [])]),
        ("```x\n<@U0DANA>```", [("block", "x\n<@U0DANA>", [])]),
        ("<@U0DANA>", [("mention", "@dana", [])]),
        ("<@U0DANA|d>", [("mention", "@d", [])]),
        ("<#C1>", [("channel", "#credit-models", [])]),
        ("<!here>", [("mention", "@here", [])]),
        ("<!subteam^S1|@risk>", [("mention", "@risk", [])]),
        ("*<https://a.example|v4>*", [("link", "v4", ["bold"])]),
        ("&lt;b&gt; &amp;amp;", [("text", "<b> &amp;", [])]),
        ("<javascript:alert(1)|x>", [("text", "<javascript:alert(1)|x>", [])]),
        ("<https://a.example/?q=1&amp;r=2>", [("link", "https://a.example/?q=1&r=2", [])]),
        ("\ufffc<@U0DANA>", [("text", "\ufffc", []), ("mention", "@dana", [])]),
    ],
)
def test_what_slack_would_show(text: str, expected: list[tuple[str, str, list[str]]]) -> None:
    """Marks at the edges of words only, tokens by their names, code as it is."""
    assert looks(text) == expected


def test_a_date_is_told_in_the_readers_own_zone() -> None:
    """The fallback is for clients that cannot."""
    token = "<!date^1764297900^{date_num} {time}|unknown>"
    assert [s.text for s in spans(token)] == ["2025-11-28 02:45"]
    assert [s.text for s in spans(token, tz="Asia/Tokyo")] == ["2025-11-28 11:45"]
    assert spans(token)[0].kind is Kind.DATE


def test_only_web_addresses_become_links() -> None:
    """A link leads to http or https, whatever it is called."""
    for address in ("data:text/html,x", "file:///etc/passwd", "//evil.example", "mailto:a@b"):
        assert all(s.kind is Kind.TEXT for s in spans(f"<{address}|click>"))


@given(st.text() | st.text(alphabet="*_~`<>|&;@#! ab\n"))
def test_what_the_bot_escapes_is_shown_as_it_was_written(text: str) -> None:
    """No link, no ping, no code, no emphasis, nothing lost: whatever a person or MLflow wrote, but
    that marks are shown by what looks like them."""
    found = spans(escaped(text))
    assert all(s.kind is Kind.TEXT and not s.styles for s in found)
    shown = "".join(s.text for s in found)
    assert shown.translate(LOOKALIKES) == visible(text).translate(LOOKALIKES)


@pytest.mark.parametrize("name", ["credit_scoring", "credit__v2", "größe_2"])
def test_a_name_can_be_copied_as_it_is(name: str) -> None:
    """Its underscores are inside a word."""
    assert escaped(f"{name} v4") == f"{name} v4"


@given(st.text(alphabet="*_~`<>|&;@#! ab\n\ufffc"))
def test_no_text_is_lost_or_invented(text: str) -> None:
    """Whatever marks mean, every letter is still there, in order."""
    letters = re.sub(r"[^ab]", "", text)
    shown = re.sub(r"[^ab]", "", "".join(s.text for s in spans(text)))
    rest = iter(letters)
    assert all(letter in rest for letter in shown), (shown, letters)


@given(st.text())
def test_a_plain_text_means_nothing(text: str) -> None:
    """One span, as it is."""
    assert [s.text for s in plain(text)] == ([text] if text else [])
