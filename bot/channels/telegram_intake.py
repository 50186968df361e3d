"""How Telegram's updates come in: polled, or posted to our webhook; both store first and answer afterwards."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import structlog
import telegram
from aiohttp import web
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.accept import NotStored
from bot.channels.base import Accept, Update
from bot.channels.telegram_errors import as_timedelta, describe
from bot.channels.telegram_payloads import ALLOWED_UPDATES, dead_letter, envelope
from bot.web.body import BodyTooLarge, read_body

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
LONGEST_PAUSE = timedelta(seconds=30)

MayPoll = Callable[[], Awaitable[bool]]
"""True while this process holds the right to poll; asked before every poll, which lasts ``poll_timeout`` at most."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Telegram:
    """One bot account and how to reach it."""

    token: str = field(repr=False)
    account: str = "main"
    api: str = "https://api.telegram.org"
    webhook_url: str = ""  # public HTTPS address of our webhook; empty = polling
    webhook_secret: str = field(default="", repr=False)
    poll_timeout: timedelta = timedelta(seconds=25)
    read_timeout: timedelta = timedelta(seconds=10)
    first_pause: timedelta = timedelta(seconds=1)  # doubles with every failure in a row

    def __post_init__(self) -> None:
        if self.webhook_url and not self.webhook_secret:
            raise ValueError("a Telegram webhook needs a secret; without one anybody could post updates")


class RawUpdates(HTTPXRequest):
    """The transport of getUpdates: keeps the batch as it came.

    The library reads a whole batch or nothing, so one odd update would hold up all others.
    """

    def __init__(self, read_timeout: timedelta) -> None:
        super().__init__(connection_pool_size=1, read_timeout=read_timeout.total_seconds())
        self.batch: list[Any] = []

    def parse_json_payload(self, payload: bytes) -> dict[str, Any]:  # type: ignore[override]  # static up there
        """Take the updates out of the answer."""
        answer = HTTPXRequest.parse_json_payload(payload)
        updates = answer.get("result")
        if not isinstance(updates, list):
            return answer
        self.batch = updates
        return {**answer, "result": []}


class Intake:
    """Takes updates, has them stored, and stops the waiting sign on pressed buttons."""

    def __init__(self, bot: telegram.Bot, raw: RawUpdates, settings: Telegram, may_poll: MayPoll) -> None:
        self._bot, self._raw, self._settings, self._may_poll = bot, raw, settings, may_poll
        self._answers: set[asyncio.Task[None]] = set()

    async def poll(self, accept: Accept) -> None:
        """Ask for updates until cancelled; they are confirmed to Telegram only after they are stored."""
        offset: int | None = None
        is_clear = False  # a webhook that is set would make every poll a conflict
        pause = _Pause(self._settings.first_pause)
        while True:
            try:
                if not await self._may_poll():
                    await asyncio.sleep(self._settings.first_pause.total_seconds())
                    continue
                if not is_clear:
                    is_clear = await self._bot.delete_webhook(drop_pending_updates=False)
                offset = await self._poll_once(offset, accept)
                pause.reset()
            except NotStored as error:
                log.warning("updates_not_stored", channel="telegram", error=str(error))
                await pause.sleep()
            except TelegramError as error:
                await self._rest_after(error, pause)
            except Exception:  # a poller that dies silently is worse than one that complains
                log.exception("polling_failed", channel="telegram")
                await pause.sleep()

    async def set_webhook(self) -> None:
        """Tell Telegram where to post; tries until it works."""
        pause = _Pause(self._settings.first_pause)
        while True:
            try:
                await self._bot.set_webhook(
                    self._settings.webhook_url,
                    secret_token=self._settings.webhook_secret,
                    allowed_updates=ALLOWED_UPDATES,
                )
                return
            except TelegramError as error:
                await self._rest_after(error, pause)

    async def handle(self, request: web.Request, accept: Accept) -> web.Response:
        """The webhook: secret, then body, then store, then 200. Telegram repeats whatever gets no 200."""
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not self._settings.webhook_secret or not hmac.compare_digest(given, self._settings.webhook_secret.encode()):
            return web.Response(status=401)
        try:
            body = await read_body(request)
        except BodyTooLarge:
            return web.Response(status=413)
        update, press = self._read(body)
        try:
            if update is not None:
                await accept([update])
        except NotStored as error:
            log.warning("update_not_stored", channel="telegram", error=str(error))
            return web.Response(status=503)
        self._answer([press])
        return web.Response()

    async def close(self) -> None:
        """Let the last answers go out, for a moment."""
        if self._answers:
            _, late = await asyncio.wait(self._answers, timeout=2)
            for task in late:
                task.cancel()

    async def _poll_once(self, offset: int | None, accept: Accept) -> int | None:
        await self._bot.get_updates(offset=offset, timeout=self._settings.poll_timeout, allowed_updates=ALLOWED_UPDATES)
        batch = self._raw.batch
        read = [self._read(_as_bytes(item)) for item in batch]
        updates = [update for update, _ in read if update is not None]
        if updates:
            await accept(updates)
        self._answer([press for _, press in read])
        # once confirmed, no offset: after a quiet week ids start anew, maybe lower, and an old offset would skip them
        ids = [item["update_id"] for item in batch if isinstance(item, dict) and isinstance(item.get("update_id"), int)]
        return max(ids) + 1 if ids else None

    def _read(self, body: bytes) -> tuple[Update | None, str | None]:
        """The update to store, and the press to answer."""
        try:
            payload = orjson.loads(body)
            if not isinstance(payload, dict):
                raise ValueError("update is not an object")
            return envelope(self._settings.account, payload, body.decode()), _press_id(payload)
        except ValueError as error:
            log.error("update_unreadable", channel="telegram", error=str(error))
            return dead_letter(self._settings.account, body), None

    def _answer(self, presses: Sequence[str | None]) -> None:
        for press in presses:
            if press is not None:
                task = asyncio.create_task(self._answer_one(press))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def _answer_one(self, press: str) -> None:
        try:
            await self._bot.answer_callback_query(press)
        except TelegramError as error:  # only the waiting sign on the button hangs on it
            log.debug("press_not_answered", channel="telegram", error=describe(error, self._settings.token))

    async def _rest_after(self, error: TelegramError, pause: "_Pause") -> None:
        reason = describe(error, self._settings.token)
        match error:
            case Conflict():  # a second process outside the lease, or one with a webhook
                log.error("polled_by_somebody_else", channel="telegram", error=reason)
            case InvalidToken():
                log.error("token_refused", channel="telegram", error=reason)
            case _:
                log.warning("telegram_unreachable", channel="telegram", error=reason)
        await pause.sleep(as_timedelta(error.retry_after) if isinstance(error, RetryAfter) else None)


class _Pause:
    """Longer and longer rests while things fail."""

    def __init__(self, first: timedelta) -> None:
        self._first = self._next = first

    async def sleep(self, told: timedelta | None = None) -> None:
        rest = told or self._next
        self._next = min(self._next * 2, LONGEST_PAUSE)
        await asyncio.sleep(rest.total_seconds())

    def reset(self) -> None:
        self._next = self._first


def _press_id(payload: Mapping[str, Any]) -> str | None:
    press = payload.get("callback_query")
    identity = press.get("id") if isinstance(press, dict) else None
    return identity if isinstance(identity, str) else None


def _as_bytes(item: object) -> bytes:
    try:
        return orjson.dumps(item)
    except TypeError:  # half a surrogate pair, a number over 64 bits: kept escaped, refused when it is read
        return json.dumps(item).encode()
