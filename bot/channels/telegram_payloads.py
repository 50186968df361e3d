"""What Telegram's updates mean: pure functions from a payload to an Update or an Incoming."""

import hashlib
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import orjson
import telegram

from bot.channels.base import Update
from handlers.messages import (
    ChoiceContent,
    Content,
    EditedContent,
    Incoming,
    LifecycleContent,
    LifecycleKind,
    LocationContent,
    Photo,
    PhotoContent,
    Point,
    PointSource,
    TextContent,
    UnsupportedContent,
    UnsupportedKind,
)

CHANNEL = "telegram"
# explicit, because the library's ALL_TYPES has kinds that an older server refuses
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")

_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>[A-Za-z0-9_-]{1,64}))?\s*")  # "/start", "/start loc-79-1"
_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".heif"})
_NO_KNOWN_TYPE = frozenset({"", "application/octet-stream"})
_LIFECYCLE = {"kicked": LifecycleKind.BLOCKED, "member": LifecycleKind.UNBLOCKED}
_SERVICE_NOTES = ("pinned_message", "message_auto_delete_timer_changed", "write_access_allowed", "chat_background_set")
# an animation carries a document too, so it is tested before the documents are
_UNSUPPORTED = (
    ("voice", UnsupportedKind.VOICE),
    ("audio", UnsupportedKind.VOICE),
    ("video", UnsupportedKind.VIDEO),
    ("video_note", UnsupportedKind.VIDEO),
    ("animation", UnsupportedKind.VIDEO),
    ("sticker", UnsupportedKind.STICKER),
    ("contact", UnsupportedKind.CONTACT),
    ("document", UnsupportedKind.FILE),
)


def envelope(account: str, payload: Mapping[str, Any], body: str) -> Update | None:
    """Dedupe key and chat of an update; None when it is not for us (groups, other kinds). Odd ones raise ValueError."""
    update_id = payload.get("update_id")
    if not isinstance(update_id, int) or isinstance(update_id, bool):
        raise ValueError("update without update_id")
    kind = next((name for name in ALLOWED_UPDATES if name in payload), None)
    if kind is None:
        return None
    holder = payload[kind]
    message = holder.get("message") if kind == "callback_query" and isinstance(holder, dict) else holder
    if message is None:  # a press under an inline-mode message, which we never send
        return None
    chat = message.get("chat") if isinstance(message, dict) else None
    if not isinstance(chat, dict) or not isinstance(chat.get("id"), int):
        raise ValueError(f"{kind} without chat")
    if chat.get("type") != "private":
        return None
    # a press has no time of its own: the date is that of the message with the buttons
    stamp = None if kind == "callback_query" else message.get("edit_date") or message.get("date")
    sent_at = None if stamp is None else _instant(stamp)
    return Update(CHANNEL, account, str(update_id), str(chat["id"]), body, sent_at)


def dead_letter(account: str, body: bytes) -> Update:
    """A body nobody can read, kept for a person to look at; the same body again is the same letter."""
    text = body.decode("utf-8", "replace").replace("\x00", "\ufffd")  # databases refuse NUL in text
    return Update(CHANNEL, account, hashlib.sha256(body).hexdigest(), "", text)


def parse(account: str, body: str) -> Incoming | None:
    """A stored payload as a message; None when there is nothing for us in it. Odd payloads raise ValueError."""
    payload = orjson.loads(body)
    if not isinstance(payload, dict):
        raise ValueError("update is not an object")
    head = envelope(account, payload, body)
    if head is None:
        return None
    try:
        update = telegram.Update.de_json(payload, None)
        content = _content(update)
        message_id, reply_to = _message_ids(update)
        sent_at = head.sent_at or _date_of_press(update)
    except (TypeError, KeyError, AttributeError, OverflowError, OSError) as error:  # the library checks no types
        raise ValueError(f"update {head.external_id} cannot be read: {error!r}") from error
    if content is None:
        return None
    return Incoming(
        channel=CHANNEL,
        account=account,
        chat=head.chat,
        external_id=head.external_id,
        sent_at=sent_at,
        content=content,
        message_id=message_id,
        reply_to=reply_to,
    )


def _content(update: telegram.Update) -> Content | None:
    if update.message is not None:
        return _message(update.message)
    if update.edited_message is not None:
        return _edited(update.edited_message)
    if update.callback_query is not None:
        token = update.callback_query.data
        return ChoiceContent(_string(token)) if token else None
    if update.my_chat_member is not None:
        kind = _LIFECYCLE.get(update.my_chat_member.new_chat_member.status)
        return LifecycleContent(kind) if kind else None
    return None


def _message(message: telegram.Message) -> Content | None:
    if message.text is not None:
        return _text(message.text)
    if message.venue is not None:  # carries a location too
        label = ", ".join(part for part in (message.venue.title, message.venue.address) if part)
        return LocationContent(_point(message.venue.location, PointSource.VENUE, label))
    if message.location is not None:
        return LocationContent(_point(message.location, PointSource.GPS))
    if message.web_app_data is not None:
        return _web_app(message.web_app_data.data)
    caption = _clean(message.caption or "")
    photo = _photo(message)
    if photo is not None:
        return PhotoContent(photo, caption)
    if any(getattr(message, name) for name in _SERVICE_NOTES):
        return None
    kind = next((kind for name, kind in _UNSUPPORTED if getattr(message, name)), UnsupportedKind.OTHER)
    return UnsupportedContent(kind, caption)


def _edited(message: telegram.Message) -> Content | None:
    if message.location is not None:
        return LocationContent(_point(message.location, PointSource.GPS), is_live_update=True)
    text = message.text if message.text is not None else message.caption
    return EditedContent(of=str(message.message_id), text=_clean(text)) if text else None


def _text(text: str) -> Content:
    start = _START.fullmatch(text)
    if start:
        return LifecycleContent(LifecycleKind.STARTED, start["payload"] or "")
    return TextContent(_clean(text))


def _photo(message: telegram.Message) -> Photo | None:
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return Photo(_string(largest.file_id), message.media_group_id, size=largest.file_size)
    document = message.document
    if document is None or message.animation is not None or not _is_image(document):
        return None
    return Photo(_string(document.file_id), message.media_group_id, is_original=True, size=document.file_size)


def _is_image(document: telegram.Document) -> bool:
    mime = (document.mime_type or "").lower()
    if mime in _NO_KNOWN_TYPE:  # HEIC often comes without a type
        return PurePosixPath(document.file_name or "").suffix.lower() in _IMAGE_SUFFIXES
    return mime.startswith("image/") and mime != "image/svg+xml"


def _web_app(data: str) -> Content:
    try:
        spot = orjson.loads(data)
        return LocationContent(_checked_point(spot["lat"], spot["lon"], PointSource.WEB))
    except (ValueError, TypeError, KeyError):  # a citizen's client made it, so it is no odd payload of Telegram's
        return UnsupportedContent(UnsupportedKind.OTHER)


def _point(location: telegram.Location, source: PointSource, label: str = "") -> Point:
    accuracy = location.horizontal_accuracy
    return _checked_point(
        location.latitude, location.longitude, source, None if accuracy is None else float(accuracy), _clean(label)
    )


def _checked_point(
    lat: object, lon: object, source: PointSource, accuracy_m: float | None = None, label: str = ""
) -> Point:
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        raise ValueError("coordinates are not numbers")
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        raise ValueError(f"coordinates {lat}, {lon} are not on this planet")
    return Point(float(lat), float(lon), source, accuracy_m, label)


def _message_ids(update: telegram.Update) -> tuple[str, str | None]:
    """The message's own id and the id of the one it answers; a press answers the message with the buttons."""
    message = update.message or update.edited_message
    if message is not None:
        answered = message.reply_to_message
        return str(message.message_id), str(answered.message_id) if answered else None
    press = update.callback_query
    return "", str(press.message.message_id) if press and press.message else None


def _date_of_press(update: telegram.Update) -> datetime:
    press = update.callback_query
    if press is None or press.message is None:
        raise ValueError("message without date")
    return press.message.date.astimezone(UTC)


def _instant(stamp: object) -> datetime:
    if not isinstance(stamp, int):
        raise ValueError("date is not a number of seconds")
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"date {stamp} is out of range") from error


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} where a text belongs")
    return value


def _clean(text: str) -> str:
    return text.replace("\x00", "")  # databases refuse NUL in text
