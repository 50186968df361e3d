"""What an error of the Bot API means for the sender: surely not delivered, perhaps delivered, or never."""

from datetime import timedelta

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.channels.base import Blocked, ChannelError, Hold, RetryLater, TooLarge, Uncertain, Undeliverable

# the request never left: no connection, no free place in the pool, no such scheme
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_UNCHANGED = ("message is not modified",)
# "there is no text …": the message is a photo with a caption, its text can't be replaced
_CANNOT_EDIT = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message to edit",
)


def classify(error: TelegramError, token: str, *, is_repeatable: bool = False) -> ChannelError:
    """The channel's error for one of the library's; never uncertain where doing it twice does no harm."""
    reason = describe(error, token)
    match error:
        case RetryAfter():
            return RetryLater(reason, as_timedelta(error.retry_after))
        case Forbidden():
            return Blocked(reason)
        case InvalidToken() | Conflict():
            return Hold(reason)
        case ChatMigrated():  # only groups migrate, and we talk to persons
            return Undeliverable(reason)
        case BadRequest():
            return TooLarge(reason) if "file is too big" in reason.lower() else Undeliverable(reason)
    if isinstance(error.__cause__, _NEVER_SENT):
        return RetryLater(reason)
    if isinstance(error, NetworkError) and "entity too large" in reason.lower():  # 413 has no class of its own
        return Undeliverable(reason)
    if is_repeatable or _was_refused(error, reason):
        return RetryLater(reason)
    return Uncertain(reason)


def is_unchanged(error: BadRequest) -> bool:
    """The message already shows what the edit wants: success."""
    return any(text in error.message.lower() for text in _UNCHANGED)


def cannot_edit(error: BadRequest) -> bool:
    """The message to edit is gone, too old or no text: send a new one."""
    return any(text in error.message.lower() for text in _CANNOT_EDIT)


def describe(error: TelegramError, token: str) -> str:
    """Class, text and cause without the token, which is part of every URL and of some of the library's texts."""
    cause = error.__cause__
    origin = f" ({type(cause).__name__})" if cause is not None else ""
    return redact(f"{type(error).__name__}: {error.message}{origin}", token)


def redact(text: str, token: str) -> str:
    """The text without the bot's token and without the secret half of it."""
    secret = token.partition(":")[2] or token
    return text.replace(token, "<token>").replace(secret, "<token>")


def as_timedelta(value: float | timedelta) -> timedelta:
    """The library is on its way from one to the other."""
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


def _was_refused(error: TelegramError, reason: str) -> bool:
    """Did the server answer with an error status (5xx, 429 without a time)? A gateway's timeout tells nothing."""
    is_answer = isinstance(error, NetworkError) and not isinstance(error, TimedOut)
    has_transport_cause = error.__cause__ is not None and not isinstance(error.__cause__, TelegramError)
    return is_answer and not has_transport_cause and "gateway time" not in reason.lower()
