"""Reading a request's body with a cap, so that a stranger can't fill the memory."""

from aiohttp import web

WEBHOOK_BODY = 256 * 1024  # bytes; platforms send a few KiB


class BodyTooLarge(Exception):
    """The body is longer than allowed."""


async def read_body(request: web.Request, limit: int = WEBHOOK_BODY) -> bytes:
    """The raw bytes of the body. Raises BodyTooLarge, at once where the header says so."""
    if request.content_length is not None and request.content_length > limit:
        raise BodyTooLarge
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge
    return bytes(body)
