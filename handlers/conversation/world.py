"""What a turn of the conversation may look at, and what it may ask to be done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.drafts import Held, Session
from handlers.messages import MediaFile, Option, Point, Reply
from handlers.province import ProvincePack
from handlers.texts import Texts
from nlp.results import Locality, Understanding, Unit
from storage.workflow import Status


@dataclass(frozen=True, slots=True)
class ReportBrief:
    """One of the citizen's reports, as far as the conversation needs it."""

    code: str
    status: Status
    subfield: str
    commune: str | None
    created_at: datetime
    is_urgent: bool
    words: str  # the beginning of its text
    asked_at: datetime | None = None  # of the open question
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    reject_code: str | None = None
    place: str = ""  # where inside the commune
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store knows about this citizen right now."""

    reports: tuple[ReportBrief, ...] = ()  # not closed for long, newest first
    replied_code: str | None = None  # the report that the message answered speaks of


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside the session; functions here are pure for the length of a turn."""

    now: datetime
    texts: Texts
    pack: ProvincePack
    facts: Facts
    understand: Callable[[str], Understanding]
    read_place: Callable[[Locality | None, Point | None, Point | None], Locality]  # text, pin, photo → together
    find_unit: Callable[[str], Unit | None]  # current commune by code
    media: MediaFile | None = None  # the picture of this message, fetched and checked
    max_photos: int = 10
    draft_life: timedelta = timedelta(hours=24)
    draft_reminder: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class CommuneView:
    """A commune as a report keeps it."""

    code: str
    valid_from: str
    name: str
    former: str = ""  # as the citizen wrote it, where that is an old name
    in_area: bool = True


@dataclass(frozen=True, slots=True)
class Filing:
    """A report ready to be filed."""

    text: str
    message_ids: tuple[str, ...]
    photos: tuple[str, ...]
    point: Point | None
    subfield: str
    is_field_by_citizen: bool
    is_field_open: bool
    commune: CommuneView | None
    is_place_by_citizen: bool
    address_text: str
    understanding: Understanding
    locality: Locality
    is_urgent: bool
    is_outside: bool = False  # another province was named


@dataclass(frozen=True, slots=True)
class Say:
    """Say this. A prompt is replaced when the citizen goes on writing before it was sent."""

    reply: Reply
    is_prompt: bool = False


@dataclass(frozen=True, slots=True)
class Submit:
    """File this report and tell the code."""

    filing: Filing
    is_danger: bool = False  # the numbers to call come first
    hotlines: tuple[str, ...] = ()  # those of the words that rang
    kind: str = ""  # of the danger


@dataclass(frozen=True, slots=True)
class Attach:
    """Put this to a report that exists; an open question counts as answered."""

    code: str
    held: Held
    is_edit: bool = False
    options: tuple[Option, ...] = ()  # offered with the receipt
    hotlines: tuple[str, ...] = ()  # it speaks of danger: the number comes first
    commune: CommuneView | None = None  # where it says the trouble is, for a report that doesn't know
    address_text: str = ""


@dataclass(frozen=True, slots=True)
class Detach:
    """What was last put to this report is about something else after all."""

    code: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """Say how a report stands."""

    code: str


@dataclass(frozen=True, slots=True)
class ListMine:
    """Say how all the citizen's reports stand."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The citizen judges a result; ``reason`` belongs to "bad"."""

    code: str
    rating: str  # good | acceptable | bad
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Erase:
    """Erase what is kept of this citizen."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take this report back, if no agency has it yet."""

    code: str


TurnStep = Say | Submit | Attach | Detach | Lookup | ListMine | Rate | Erase | Withdraw


@dataclass(frozen=True, slots=True)
class Turn:
    """The new session, and what is to be done, in order."""

    session: Session
    steps: tuple[TurnStep, ...]
