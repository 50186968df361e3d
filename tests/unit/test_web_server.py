import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.web.body import WEBHOOK_BODY, BodyTooLarge, read_body
from bot.web.server import Metrics, create_app, serving


class ScriptedHealth:
    """Parts of the system, well or not."""

    def __init__(self, **parts: bool) -> None:
        self.parts = parts

    async def __call__(self) -> dict[str, bool]:
        return self.parts


async def length_of_body(request: web.Request) -> web.Response:
    try:
        return web.Response(text=str(len(await read_body(request))))
    except BodyTooLarge:
        return web.Response(status=413)


async def greet(request: web.Request) -> web.Response:
    return web.Response(text="Chào")


async def figures() -> str:
    return "inbox_pending 3\n"


async def ask(
    app: web.Application, path: str, *, method: str = "GET", data: object = None
) -> tuple[int, str, dict[str, str]]:
    async with (
        serving(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as client,
        client.request(method, f"http://127.0.0.1:{port}{path}", data=data) as response,
    ):
        return response.status, await response.text(), dict(response.headers)


@pytest.mark.parametrize(
    ("parts", "status", "text"),
    [
        ({}, 200, "{}"),
        ({"database": True, "redis": True}, 200, '{"database": true, "redis": true}'),
        ({"database": True, "redis": False}, 503, '{"database": true, "redis": false}'),
    ],
)
async def test_health_names_the_parts(parts: dict[str, bool], status: int, text: str) -> None:
    answered, body, _ = await ask(create_app(health=ScriptedHealth(**parts)), "/healthz")

    assert (answered, body) == (status, text)


@pytest.mark.parametrize(("metrics", "status"), [(figures, 200), (None, 404)])
async def test_figures_are_served_where_there_are_any(metrics: Metrics | None, status: int) -> None:
    answered, body, headers = await ask(create_app(health=ScriptedHealth(), metrics=metrics), "/metrics")

    assert answered == status
    if metrics:
        assert (body, headers["Content-Type"]) == ("inbox_pending 3\n", "text/plain; version=0.0.4; charset=utf-8")


async def test_webhooks_take_posts_only() -> None:
    app = create_app(health=ScriptedHealth(), webhooks={"/hooks/telegram": length_of_body})

    assert (await ask(app, "/hooks/telegram", method="POST", data=b"abc"))[:2] == (200, "3")


async def test_a_browser_on_a_webhook_is_told_so() -> None:
    app = create_app(health=ScriptedHealth(), webhooks={"/hooks/telegram": length_of_body})

    assert (await ask(app, "/hooks/telegram"))[0] == 405


async def test_further_pages_are_served() -> None:
    app = create_app(health=ScriptedHealth(), routes=[web.get("/chao", greet)])

    assert (await ask(app, "/chao"))[:2] == (200, "Chào")


async def test_answers_do_not_tell_what_serves_them() -> None:
    _, _, headers = await ask(create_app(health=ScriptedHealth()), "/healthz")

    assert headers["Server"] == "paht"
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


async def in_chunks(size: int) -> AsyncIterator[bytes]:
    while size > 0:
        yield bytes(min(size, 8192))
        size -= 8192


@pytest.mark.parametrize(("size", "status"), [(0, 200), (WEBHOOK_BODY, 200), (WEBHOOK_BODY + 1, 413)])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_bodies_are_read_up_to_the_cap(size: int, status: int, is_chunked: bool) -> None:
    app = create_app(health=ScriptedHealth(), webhooks={"/hook": length_of_body})

    answered, text, _ = await ask(app, "/hook", method="POST", data=in_chunks(size) if is_chunked else bytes(size))

    assert answered == status
    assert status != 200 or text == str(size)


async def test_the_port_is_free_again_afterwards() -> None:
    async with serving(create_app(health=ScriptedHealth()), "127.0.0.1", 0) as port:
        pass

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
