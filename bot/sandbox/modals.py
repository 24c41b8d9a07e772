"""Views that people have before them: stacks of modals, and one Home each. Knows neither triggers
nor validation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.sandbox.json_values import JsonObject, as_list, copied, flag_of, object_of, text_of


@dataclass(frozen=True, kw_only=True)
class View:
    """One modal, or one Home, at one moment. `payload` is what the app sent, ids filled in;
    `values` is what stands in its inputs: block id → action id → the element's state as Slack
    reports it."""

    id: str
    user: str
    hash: str
    root_id: str
    previous_id: str | None
    payload: JsonObject
    values: JsonObject = field(default_factory=dict)

    @property
    def is_home(self) -> bool:
        return text_of(self.payload, "type") == "home"

    @property
    def title(self) -> str:
        return text_of(object_of(self.payload, "title"), "text")

    @property
    def callback_id(self) -> str:
        return text_of(self.payload, "callback_id")

    @property
    def external_id(self) -> str:
        return text_of(self.payload, "external_id")

    @property
    def blocks(self) -> tuple[JsonObject, ...]:
        value = self.payload.get("blocks")
        blocks = value if isinstance(value, list) else []
        return tuple(block for block in blocks if isinstance(block, dict))

    def to_wire(self, *, team_id: str, app_id: str, bot_id: str) -> JsonObject:
        """The view object as responses and interaction payloads carry it."""
        wire: JsonObject = {
            "id": self.id,
            "team_id": team_id,
            "type": text_of(self.payload, "type"),
            "blocks": as_list(self.blocks),
            "private_metadata": text_of(self.payload, "private_metadata"),
            "callback_id": self.callback_id,
            "external_id": self.external_id,
            "clear_on_close": flag_of(self.payload, "clear_on_close"),
            "notify_on_close": flag_of(self.payload, "notify_on_close"),
            "state": {"values": copied(self.values)},
            "hash": self.hash,
            "root_view_id": self.root_id,
            "previous_view_id": self.previous_id,
            "app_id": app_id,
            "app_installed_team_id": team_id,
            "bot_id": bot_id,
        }
        if not self.is_home:
            wire |= {
                "title": copied(object_of(self.payload, "title")),
                "close": self.payload.get("close"),
                "submit": self.payload.get("submit"),
            }
        return wire


class Modals:
    """Each person's stack of open views; the top one is shown. The caller holds the lock."""

    def __init__(self) -> None:
        self._stacks: dict[str, list[View]] = {}

    def stack(self, user_id: str) -> tuple[View, ...]:
        return tuple(self._stacks.get(user_id, ()))

    def top(self, user_id: str) -> View | None:
        stack = self._stacks.get(user_id)
        return stack[-1] if stack else None

    def find(self, view_id: str) -> View | None:
        return next((v for stack in self._stacks.values() for v in stack if v.id == view_id), None)

    def by_external_id(self, external_id: str) -> View | None:
        return next(
            (v for s in self._stacks.values() for v in s if v.external_id == external_id), None
        )

    def open(self, view: View) -> View:
        """Show it as the only view; what was open before is gone."""
        self._stacks[view.user] = [view]
        return view

    def push(self, view: View) -> View:
        self._stacks.setdefault(view.user, []).append(view)
        return view

    def put(self, view: View) -> View:
        """Replace the view with the same id where it stands."""
        stack = self._stacks.get(view.user, [])
        self._stacks[view.user] = [view if known.id == view.id else known for known in stack]
        return view

    def set_values(self, view: View, values: JsonObject) -> View:
        return self.put(replace(view, values=values))

    def pop(self, user_id: str) -> None:
        stack = self._stacks.get(user_id)
        if stack:
            stack.pop()

    def clear(self, user_id: str) -> None:
        self._stacks.pop(user_id, None)


class Homes:
    """What the app published for each person's Home. The caller holds the lock."""

    def __init__(self) -> None:
        self._views: dict[str, View] = {}

    def of(self, user_id: str) -> View | None:
        """None before the app published anything for them."""
        return self._views.get(user_id)

    def find(self, view_id: str) -> View | None:
        return next((v for v in self._views.values() if v.id == view_id), None)

    def by_external_id(self, external_id: str) -> View | None:
        return next((v for v in self._views.values() if v.external_id == external_id), None)

    def put(self, view: View) -> View:
        """Show it to its person in place of what was there."""
        self._views[view.user] = view
        return view
