"""The Telegram channel: says replies, fetches pictures, takes updates; python-telegram-bot carries them."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import telegram
from aiohttp import web
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.error import BadRequest, InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.channels.base import Accept, Capabilities, ChannelError, RetryLater, Sent, TooLarge, Undeliverable
from bot.channels.telegram_errors import cannot_edit, classify, describe, is_unchanged
from bot.channels.telegram_intake import Intake, MayPoll, RawUpdates, Telegram
from bot.channels.telegram_payloads import CHANNEL, parse
from bot.rendering import Rendered, render
from handlers.messages import Ask, Incoming, Option, Photo, Reply

MAX_DOWNLOAD = 20 * 1024 * 1024  # bytes; the limit of Telegram's own servers, a self-hosted one has none
ALBUM = 10  # photos at most
UNSENT = 200  # half-sent replies remembered

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove
Step = Callable[[], Awaitable[telegram.Message]]
T = TypeVar("T")

_FILENAME = "photo.jpg"
_NO_PREVIEW = telegram.LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class Wording:
    """The words a channel needs for what platforms lack; they come from the text catalogue."""

    choice_hint: str  # how to answer numbered lines; "{count}" becomes their number
    share_location: str  # label of the button that sends the phone's position


class TelegramChannel:
    """One bot account. Polls, or serves ``webhook`` when the settings name an address."""

    name = CHANNEL
    capabilities = Capabilities(
        max_text=4096,
        max_caption=1024,
        has_buttons=True,
        max_buttons=12,  # the platform allows 100, nobody reads so many
        max_label=40,  # about what a phone shows before it cuts
        has_location_request=True,
        has_edit=True,
    )

    def __init__(self, settings: Telegram, wording: Wording, may_poll: MayPoll) -> None:
        _keep_token_out_of_logs()
        # the library warns at every retry_after until told which of its two types is wanted
        os.environ.setdefault("PTB_TIMEDELTA", "true")
        self.account = settings.account
        self._settings, self._wording = settings, wording
        self._calls = HTTPXRequest(connection_pool_size=64, read_timeout=settings.read_timeout.total_seconds())
        self._polls = RawUpdates(settings.read_timeout)
        # not Application: it wants Telegram's answer before it starts, and we only need its bot
        self._bot = telegram.Bot(
            settings.token,
            base_url=f"{settings.api}/bot",
            base_file_url=f"{settings.api}/file/bot",
            request=self._calls,
            get_updates_request=self._polls,
        )
        self._intake = Intake(self._bot, self._polls, settings, may_poll)
        # hints that may be lost with the process: who sees the location keyboard, what is left of a half-sent reply
        self._keyboards: set[str] = set()
        self._unsent: dict[tuple[str, Reply], list[Step]] = {}

    def parse(self, body: str) -> Incoming | None:
        """The stored payload as a message; None when there is nothing for us in it. Odd payloads raise ValueError."""
        return parse(self.account, body)

    async def send(self, chat: str, reply: Reply, photos: Sequence[bytes]) -> Sent:
        """Deliver once. A reply of several parts goes on where it failed. Raises ChannelError."""
        steps = self._unsent.pop((chat, reply), None)
        if steps is not None:
            return await self._perform(chat, reply, steps, is_rest=True)
        rendered = render(
            replace(reply, photos=reply.photos[: len(photos)]), self.capabilities, hint=self._wording.choice_hint
        )
        if reply.edit_of and len(rendered.texts) == 1 and not photos:
            edited = await self._edit(chat, reply.edit_of, rendered)
            if edited:
                return edited
        steps = self._steps(chat, reply, rendered, photos)
        if not steps:
            raise Undeliverable("nothing to say")
        return await self._perform(chat, reply, steps, is_rest=False)

    async def fetch(self, photo: Photo) -> bytes:
        """The bytes of a picture, at most 20 MB. Raises TooLarge, RetryLater, Undeliverable, Hold."""
        if (photo.size or 0) > MAX_DOWNLOAD:
            raise TooLarge(f"{photo.size} bytes")
        file = await self._call(self._bot.get_file(photo.ref), is_repeatable=True)
        if (file.file_size or 0) > MAX_DOWNLOAD:
            raise TooLarge(f"{file.file_size} bytes")
        try:
            data = await file.download_as_bytearray()
        except InvalidToken as error:  # 404: the link went stale; the next try asks for a new one
            raise RetryLater(describe(error, self._settings.token)) from None
        except TelegramError as error:
            raise self._translated(error, is_repeatable=True) from None
        if len(data) > MAX_DOWNLOAD:
            raise TooLarge(f"{len(data)} bytes")
        return bytes(data)

    async def run(self, accept: Accept) -> None:
        """Poll until cancelled; or set the webhook and return."""
        if self._settings.webhook_url:
            await self._intake.set_webhook()
        else:
            await self._intake.poll(accept)

    def webhook(self, accept: Accept) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The handler behind the webhook's address."""
        return partial(self._intake.handle, accept=accept)

    async def close(self) -> None:
        """Let go of connections."""
        await self._intake.close()
        await asyncio.gather(self._calls.shutdown(), self._polls.shutdown())

    async def _perform(self, chat: str, reply: Reply, steps: list[Step], *, is_rest: bool) -> Sent:
        for number, step in enumerate(steps):
            try:
                message = await self._call(step())
            except RetryLater:
                if number or is_rest:
                    self._remember(chat, reply, steps[number:])
                raise
        return Sent(str(message.message_id))

    def _remember(self, chat: str, reply: Reply, rest: list[Step]) -> None:
        self._unsent[chat, reply] = rest
        if len(self._unsent) > UNSENT:  # replies that are never tried again would pile up
            self._unsent.pop(next(iter(self._unsent)))

    def _steps(self, chat: str, reply: Reply, rendered: Rendered, photos: Sequence[bytes]) -> list[Step]:
        """The calls that make up a reply, in order: albums, then texts; keyboards hang on the last."""
        buttons = _inline(rendered.buttons)
        albums = [photos[start : start + ALBUM] for start in range(0, len(photos), ALBUM)]
        steps: list[Step] = [
            partial(self._show, chat, album, "" if number else rendered.caption, None if rendered.texts else buttons)
            for number, album in enumerate(albums)
        ]
        texts = self._around_keyboard(chat, reply, rendered)
        for text in texts[:-1]:
            steps.append(partial(self._say, chat, text, ReplyKeyboardRemove()))
        if texts:
            steps.append(partial(self._say, chat, texts[-1], self._markup(reply, rendered, buttons)))
        return steps

    def _markup(self, reply: Reply, rendered: Rendered, buttons: InlineKeyboardMarkup | None) -> Markup:
        if reply.ask is Ask.LOCATION:
            return _location_keyboard(self._wording.share_location, rendered.buttons)
        return buttons or ReplyKeyboardRemove()  # a reply keyboard stays until it is taken away

    def _around_keyboard(self, chat: str, reply: Reply, rendered: Rendered) -> tuple[str, ...]:
        # a message has room for one markup: buttons can't also take the location keyboard away,
        # so where one stands, the first paragraph goes ahead and does it
        if chat not in self._keyboards or len(rendered.texts) != 1 or not rendered.buttons or reply.ask is Ask.LOCATION:
            return rendered.texts
        head, _, tail = rendered.texts[0].partition("\n\n")
        return (head, tail) if tail else rendered.texts

    async def _say(self, chat: str, text: str, markup: Markup) -> telegram.Message:
        message = await self._bot.send_message(int(chat), text, reply_markup=markup, link_preview_options=_NO_PREVIEW)
        match markup:
            case ReplyKeyboardMarkup():
                self._keyboards.add(chat)
            case ReplyKeyboardRemove():
                self._keyboards.discard(chat)
        return message

    async def _show(
        self, chat: str, photos: Sequence[bytes], caption: str, buttons: InlineKeyboardMarkup | None
    ) -> telegram.Message:
        if len(photos) == 1:
            return await self._bot.send_photo(
                int(chat), photos[0], caption=caption or None, reply_markup=buttons, filename=_FILENAME
            )
        media = [telegram.InputMediaPhoto(photo, filename=_FILENAME) for photo in photos]
        return (await self._bot.send_media_group(int(chat), media, caption=caption or None))[-1]

    async def _edit(self, chat: str, message_id: str, rendered: Rendered) -> Sent | None:
        """Replace a message's text; None when it can't be edited. Editing twice does no harm."""
        try:
            await self._bot.edit_message_text(
                rendered.texts[0],
                int(chat),
                int(message_id),
                reply_markup=_inline(rendered.buttons),
                link_preview_options=_NO_PREVIEW,
            )
        except BadRequest as error:
            if cannot_edit(error):
                return None
            if not is_unchanged(error):
                raise self._translated(error) from None
        except TelegramError as error:
            raise self._translated(error, is_repeatable=True) from None
        return Sent(message_id)

    async def _call(self, call: Awaitable[T], *, is_repeatable: bool = False) -> T:
        try:
            return await call
        except TelegramError as error:
            # from None: the texts further down may hold the token
            raise self._translated(error, is_repeatable=is_repeatable) from None

    def _translated(self, error: TelegramError, *, is_repeatable: bool = False) -> ChannelError:
        return classify(error, self._settings.token, is_repeatable=is_repeatable)


def _inline(buttons: Sequence[Option]) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(option.label, callback_data=option.token)] for option in buttons]
    return InlineKeyboardMarkup(rows) if rows else None


def _location_keyboard(label: str, options: Sequence[Option]) -> ReplyKeyboardMarkup:
    # the options come back as typed labels, which are accepted everywhere
    rows = [[KeyboardButton(label, request_location=True)], *([KeyboardButton(option.label)] for option in options)]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)


def _keep_token_out_of_logs() -> None:
    # URLs hold the token: httpx logs them at INFO, the library at DEBUG, and unreadable answers with their text
    for name, level in (
        ("httpx", logging.WARNING),
        ("httpcore", logging.WARNING),
        ("telegram", logging.WARNING),
        ("telegram.request.BaseRequest", logging.CRITICAL),
    ):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, level))
