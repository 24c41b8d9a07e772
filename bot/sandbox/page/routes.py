"""The page over HTTP and WebSocket, on loopback and behind a token in its address.

Refuses other hosts' names (DNS rebinding) and other pages' scripts (Origin); nothing is cached,
nothing is loaded from elsewhere, and no script runs but the package's own.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.json_values import JsonObject
from bot.sandbox.page.guide import Guide, NoGuide
from bot.sandbox.page.live import LivePage
from bot.sandbox.page.screen import CommandHint, Reading
from bot.sandbox.state import State

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_GESTURES_AT_ONCE = 8
_LONGEST_GESTURE = 200_000


@dataclass(frozen=True, kw_only=True)
class Page:
    """How the page is served: its secret, who one is at first, and what stands beside."""

    first_person: str
    guide: Guide = field(default_factory=NoGuide)
    hints: Sequence[CommandHint] = ()
    token: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    @property
    def path(self) -> str:
        """Where it stands below the workspace's address."""
        return f"/w/{self.token}/"


def page_routes(state: State, page: Page) -> list[BaseRoute]:
    """The routes of the page; another token's address is not there at all."""
    reading = Reading()

    async def static(request: Request) -> Response:
        if not _is_ours(state, page, request):
            return _absent()
        return _file(request.path_params.get("name") or "index.html", state)

    async def picture(request: Request) -> Response:
        if not _is_ours(state, page, request):
            return _absent()
        with state.changed:
            file = state.files.by_id(request.path_params["file_id"])
            if file is None or not file.is_shown_as_image or file.data is None:
                return _absent()
            kind, data = file.mimetype, file.data
        return Response(data, media_type=kind, headers=_headers(state))

    async def live(websocket: WebSocket) -> None:
        if not _is_ours(state, page, websocket):
            await websocket.close(code=1008)
            return
        await _serve_page(websocket, state, page, reading)

    return [
        Route("/w/{token}/", static),
        Route("/w/{token}/files/{file_id}", picture),
        Route("/w/{token}/{name}", static),
        WebSocketRoute("/w/{token}/live", live),
    ]


def _is_ours(state: State, page: Page, asked: Request | WebSocket) -> bool:
    """The right token, our own name for ourselves, and no other page's script."""
    given = asked.path_params["token"].encode()
    if not secrets.compare_digest(given, page.token.encode()):
        return False
    port = state.origin.rpartition(":")[2]
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    if asked.headers.get("host") not in hosts:
        return False
    origin = asked.headers.get("origin")
    if isinstance(asked, WebSocket) and origin is None:
        return False
    return origin is None or origin.removeprefix("http://") in hosts


def _file(name: str, state: State) -> Response:
    path = _STATIC / name
    kind = _TYPES.get(path.suffix)
    if "/" in name or name.startswith(".") or kind is None or not path.is_file():
        return _absent()
    return Response(path.read_bytes(), media_type=kind, headers=_headers(state))


def _absent() -> Response:
    return Response("There is nothing at this address.", 404, media_type="text/plain")


def _headers(state: State) -> dict[str, str]:
    port = state.origin.rpartition(":")[2]
    live = f"ws://127.0.0.1:{port} ws://localhost:{port}"
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self' {live}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'; require-trusted-types-for 'script'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


async def _serve_page(websocket: WebSocket, state: State, page: Page, reading: Reading) -> None:
    await websocket.accept()
    loop = asyncio.get_running_loop()
    outbox: asyncio.Queue[str] = asyncio.Queue()
    with state.changed:
        user = state.people.get(page.first_person).id
    shown = LivePage(
        state,
        user,
        reading=reading,
        hints=page.hints,
        guide=page.guide,
        send=_sender(loop, outbox),
    )
    showing = threading.Thread(target=shown.keep_showing, name="sandbox-page", daemon=True)
    showing.start()
    writer = asyncio.create_task(_write(websocket, outbox))
    hands = ThreadPoolExecutor(_GESTURES_AT_ONCE, thread_name_prefix="sandbox-hand")
    try:
        while True:
            text = await websocket.receive_text()
            if len(text) <= _LONGEST_GESTURE:
                hands.submit(shown.receive, text)
    except WebSocketDisconnect:
        return
    finally:
        shown.close()
        writer.cancel()
        hands.shutdown(wait=False, cancel_futures=True)


def _sender(
    loop: asyncio.AbstractEventLoop, outbox: asyncio.Queue[str]
) -> Callable[[JsonObject], None]:
    def send(message: JsonObject) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(outbox.put_nowait, json.dumps(message))

    return send


async def _write(websocket: WebSocket, outbox: asyncio.Queue[str]) -> None:
    while True:
        await websocket.send_text(await outbox.get())
