"""The only words shared with channels: what comes in, what goes out."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson


class PointSource(StrEnum):
    """Where a point comes from."""

    GPS = "gps"  # shared by the phone
    PIN = "pin"  # set by hand on a map
    VENUE = "venue"  # a named place of the platform
    EXIF = "exif"  # from a photo's metadata
    WEB = "web"  # from the place page


class UnsupportedKind(StrEnum):
    """What the bot cannot read; each has its friendly answer."""

    STICKER = "sticker"
    VOICE = "voice"
    VIDEO = "video"
    CONTACT = "contact"
    FILE = "file"
    OTHER = "other"


class LifecycleKind(StrEnum):
    """Changes of the chat itself."""

    STARTED = "started"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    WITHDRAWN = "withdrawn"  # the platform asks us to delete this person's data


@dataclass(frozen=True, slots=True)
class Point:
    """A place in WGS 84 degrees; ``accuracy_m`` in metres where the phone says so."""

    lat: float
    lon: float
    source: PointSource = PointSource.GPS
    accuracy_m: float | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture on the platform; ``ref`` is what the channel needs to fetch its bytes."""

    ref: str
    group: str | None = None  # album key
    is_original: bool = False  # bytes unchanged, metadata may survive
    size: int | None = None  # bytes, where the platform says so


@dataclass(frozen=True, slots=True)
class TextContent:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class ChoiceContent:
    """A pressed button; ``token`` is the one we sent."""

    token: str


@dataclass(frozen=True, slots=True)
class LocationContent:
    """A shared location or venue. ``is_live_update`` marks later fixes of a live location."""

    point: Point
    is_live_update: bool = False


@dataclass(frozen=True, slots=True)
class PhotoContent:
    """One photo, with its caption."""

    photo: Photo
    caption: str = ""


@dataclass(frozen=True, slots=True)
class UnsupportedContent:
    """Something that can't be read; its ``caption`` still can."""

    kind: UnsupportedKind
    caption: str = ""


@dataclass(frozen=True, slots=True)
class EditedContent:
    """An earlier message got a new text."""

    of: str  # the platform's id of the message
    text: str


@dataclass(frozen=True, slots=True)
class LifecycleContent:
    """The chat was started, blocked, …; ``payload`` of a deep link."""

    kind: LifecycleKind
    payload: str = ""


@dataclass(frozen=True, slots=True)
class TickContent:
    """Time passed for a draft: remind or expire. Made by the scheduler, never by a channel."""

    draft_id: str


Content = (
    TextContent
    | ChoiceContent
    | LocationContent
    | PhotoContent
    | UnsupportedContent
    | EditedContent
    | LifecycleContent
    | TickContent
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of a citizen, the same whatever the platform."""

    channel: str
    account: str
    chat: str
    external_id: str  # dedupe key of the update
    sent_at: datetime
    content: Content
    message_id: str = ""  # the platform's id of the message, for replies and edits
    reply_to: str | None = None  # message_id of ours or theirs that this answers

    @property
    def lane(self) -> str:
        return lane_key(self.channel, self.account, self.chat)


def lane_key(channel: str, account: str, chat: str) -> str:
    """Key of a conversation; a chat id may hold colons, channel and account may not."""
    return f"{channel}:{account}:{chat}"


class Ask(StrEnum):
    """What a reply invites the citizen to send; a channel shows it as its platform can."""

    LOCATION = "location"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Option:
    """A button, or a numbered line where there are no buttons. ``token`` ≤ 64 bytes, ASCII."""

    token: str
    label: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Something to say. ``photos`` are hashes of stored media."""

    text: str
    options: tuple[Option, ...] = ()
    ask: Ask | None = None
    photos: tuple[str, ...] = ()
    is_card: bool = False  # from now on this message is the report's status card
    card_status: str = ""  # with is_card or edit_of: the status shown
    edit_of: str | None = None  # replace this message of ours

    def to_json(self) -> str:
        """For the outbox row."""
        return orjson.dumps(self).decode()


def reply_from_json(body: str) -> Reply:
    """The other way round."""
    data: dict[str, Any] = orjson.loads(body)
    options = tuple(Option(**option) for option in data.pop("options"))
    ask = data.pop("ask")
    photos = tuple(data.pop("photos"))
    return Reply(options=options, ask=Ask(ask) if ask else None, photos=photos, **data)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A picture after it was fetched and checked; ``problem`` is set, ``hash`` empty, where it could not be kept."""

    hash: str = ""
    problem: str = ""  # key of the text catalogue under media.
    point: Point | None = None  # from its metadata
    taken_at: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)
