"""The wire: HTTP and WebSocket on 127.0.0.1 in front of a workspace. Holds no rule of Slack's."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import InvalidState

from bot.sandbox.file_methods import receive
from bot.sandbox.page import Page, page_routes
from bot.sandbox.response_urls import respond
from bot.sandbox.socket_mode import Connection
from bot.sandbox.state import State
from bot.sandbox.web_api import Request, answer
from bot.sandbox.workspace import Workspace

START_TIMEOUT_SECONDS = 10.0
_CLOSING_TRIES = 20


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A workspace that answers. `api_url` is what the SDK calls `base_url`."""

    workspace: Workspace
    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/"

    @property
    def bot_token(self) -> str:
        return self.workspace.bot_token

    @property
    def app_token(self) -> str:
        return self.workspace.app_token


@contextmanager
def serve(
    workspace: Workspace, port: int = 0, *, page: Page | None = None
) -> Iterator[RunningServer]:
    """Run the workspace in a thread for as long as the block lasts; port 0 takes a free one. With
    a page, people use it in a browser, at `RunningServer.origin` and the page's path.

    The workspace keeps its state: it can be served again, on the same port too.

    Raises: OSError when the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        running = RunningServer(workspace=workspace, port=listener.getsockname()[1])
        workspace.state.origin = running.origin
        with _listening(workspace, listener, page):
            yield running
    finally:
        listener.close()


@contextmanager
def _listening(workspace: Workspace, listener: socket.socket, page: Page | None) -> Iterator[None]:
    state = workspace.state
    config = uvicorn.Config(
        build_app(state, page),
        loop="asyncio",
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )
    server = PromptServer(config)
    web = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="sandbox-web", daemon=True
    )
    stopping = threading.Event()
    timekeeper = threading.Thread(
        target=_keep_time, args=(state, stopping), name="sandbox-time", daemon=True
    )
    web.start()
    timekeeper.start()
    try:
        _wait_until_started(server, web)
        yield
    finally:
        stopping.set()
        state.socket_mode.drop_all()
        state.wake()
        server.stop()
        web.join()
        timekeeper.join()


class PromptServer(uvicorn.Server):
    """Stops when told, where uvicorn looks ten times a second whether it should."""

    loop: asyncio.AbstractEventLoop | None = None
    """Set while it runs."""
    _stopping: asyncio.Event

    def stop(self) -> None:
        """Have it stop, from any thread."""
        self.should_exit = True
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._stopping.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, and leave nobody waiting who had come."""
        await self._take_nobody_more(sockets or [])
        for _ in range(_CLOSING_TRIES):
            try:
                return await super().shutdown(sockets)
            except InvalidState:
                # A browser was closing its line just when it was to be told that it closes.
                await asyncio.sleep(0.05)
        return None

    async def _take_nobody_more(self, listeners: list[socket.socket]) -> None:
        """asyncio forgets whom it accepts in the turn in which its server closes: neither served
        nor hung up on. So accepting ends first, and whoever was accepted gets their two turns."""
        for listener in listeners:
            asyncio.get_running_loop().remove_reader(listener)
        for _ in range(2):
            await asyncio.sleep(0)

    async def main_loop(self) -> None:
        self._stopping = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        await self.on_tick(0)
        if not self.should_exit:
            await self._stopping.wait()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    waiter = threading.Event()
    for _ in range(int(START_TIMEOUT_SECONDS / 0.01)):
        if server.started:
            return
        if not thread.is_alive():
            break
        waiter.wait(0.01)
    raise RuntimeError("the workspace's server did not start")


def _keep_time(state: State, stopping: threading.Event) -> None:
    """Send events again when they are due."""
    hub = state.socket_mode
    with state.changed:
        while not stopping.is_set():
            hub.redeliver_due()
            due = hub.next_due_seconds()
            state.changed.wait(None if due is None else state.clock.seconds_to_wait(due))


def build_app(state: State, page: Page | None = None) -> Starlette:
    """The ASGI application over a workspace's state."""

    async def web_api(request: HttpRequest) -> Response:
        result = answer(
            state,
            Request(
                method=request.path_params["method"],
                query=request.url.query,
                body=await request.body(),
                content_type=request.headers.get("content-type", ""),
                authorization=request.headers.get("authorization", ""),
            ),
        )
        return JSONResponse(result.body, result.http_status, headers=result.headers)

    async def response_url(request: HttpRequest) -> Response:
        refused = respond(
            state,
            request.path_params["token"],
            await request.body(),
            request.headers.get("content-type", ""),
        )
        if refused is None:
            return PlainTextResponse("ok")
        return JSONResponse(refused.to_wire(), refused.http_status)

    async def upload(request: HttpRequest) -> Response:
        body = await request.body()
        with state.changed:
            status, said = receive(state.files.by_pass(request.path_params["token"]), body)
            state.changed.notify_all()
        return PlainTextResponse(said, status)

    async def link(websocket: WebSocket) -> None:
        await _serve_connection(state, websocket)

    made = Starlette(
        routes=[
            Route("/api/{method}", web_api, methods=["GET", "POST"]),
            Route("/response/{token}", response_url, methods=["POST"]),
            Route("/upload/{token}", upload, methods=["POST"]),
            WebSocketRoute("/link/", link),
            *([] if page is None else page_routes(state, page)),
        ],
        exception_handlers={ClientDisconnect: _nobody_listens},
    )
    made.router.redirect_slashes = False  # nothing is answered by a way to something else
    return made


async def _nobody_listens(request: HttpRequest, error: Exception) -> Response:
    """Answer a client that left in the middle of its request, as a stopped bot does."""
    return Response(status_code=400)


async def _serve_connection(state: State, websocket: WebSocket) -> None:
    """One Socket Mode connection, from ticket to close."""
    hub = state.socket_mode
    if not hub.redeem_ticket(websocket.query_params.get("ticket", "")):
        await websocket.close(code=1008)
        return
    await websocket.accept()
    loop = asyncio.get_running_loop()
    # None asks the writer to close the socket.
    outbox: asyncio.Queue[str | None] = asyncio.Queue()
    connection = Connection(
        id=secrets.token_hex(4),
        send=lambda text: _put(loop, outbox, text),
        close=lambda: _put(loop, outbox, None),
    )
    writer = asyncio.create_task(_write(websocket, outbox))
    try:
        if not hub.attach(connection, app_id=state.identity.app_id):
            connection.close()
            await writer
            return
        while True:
            hub.receive(await websocket.receive_text())
    except WebSocketDisconnect:
        # The app has gone, or we closed: either way the connection is over.
        return
    finally:
        hub.detach(connection)
        writer.cancel()


def _put(
    loop: asyncio.AbstractEventLoop, outbox: asyncio.Queue[str | None], text: str | None
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(outbox.put_nowait, text)


async def _write(websocket: WebSocket, outbox: asyncio.Queue[str | None]) -> None:
    while (text := await outbox.get()) is not None:
        await websocket.send_text(text)
    await websocket.close()
