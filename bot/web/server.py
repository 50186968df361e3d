"""The HTTP server: webhooks of the channels, whether we are well, and figures for monitoring."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Health = Callable[[], Awaitable[Mapping[str, bool]]]
"""The parts of the system and whether each is well."""
Metrics = Callable[[], Awaitable[str]]
"""Figures in Prometheus' text format."""


def create_app(
    *,
    health: Health,
    webhooks: Mapping[str, Handler] | None = None,
    routes: Iterable[web.AbstractRouteDef] = (),
    metrics: Metrics | None = None,
) -> web.Application:
    """Webhooks by path (POST), further pages as routes, ``/healthz``, and ``/metrics`` where figures are given."""
    app = web.Application(client_max_size=1024 * 1024)
    for path, handler in (webhooks or {}).items():
        app.router.add_post(path, handler)
    app.add_routes(routes)
    app.router.add_get("/healthz", _health_page(health))
    if metrics is not None:
        app.router.add_get("/metrics", _metrics_page(metrics))
    app.on_response_prepare.append(_harden)
    return app


@contextlib.asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block is left; gives the port, which is free to be 0 for any."""
    # no access log: webhook paths may hold secrets, and the proxy in front keeps one
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _health_page(health: Health) -> Handler:
    async def page(request: web.Request) -> web.Response:
        parts = await health()
        return web.json_response(dict(parts), status=200 if all(parts.values()) else 503)

    return page


def _metrics_page(metrics: Metrics) -> Handler:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=await metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return page


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers["Server"] = "paht"  # not which software in which version
