"""What a conversation remembers between two messages: the draft, what was asked, what may be chosen."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter

from handlers.messages import Point


class Step(StrEnum):
    """What the last prompt was about."""

    NONE = "none"
    WHAT = "what"  # kể chuyện gì
    PLACE = "place"  # ở đâu
    FIELD = "field"  # lĩnh vực nào
    CONFIRM = "confirm"  # đúng thì gửi
    MORE = "more"  # gửi thêm
    WRONG = "wrong"  # chỗ nào chưa đúng
    SECOND = "second"  # việc khác hay cùng việc
    ATTACH = "attach"  # thuộc phản ánh nào
    DISCARD = "discard"  # bỏ bản nháp hay viết tiếp
    RESTORE = "restore"  # lấy lại bản nháp
    RATE_WHY = "rate_why"  # chưa hài lòng ở đâu
    REOPEN = "reopen"  # chuyển lại để làm tiếp
    ERASE = "erase"  # xoá dữ liệu
    WITHDRAW = "withdraw"  # rút phản ánh
    ATTACHED = "attached"  # vừa bổ sung; có thể là việc khác


@dataclass(frozen=True, slots=True)
class TextPart:
    """One message's words; the id lets an edit find them."""

    message_id: str
    text: str
    is_place: bool = False  # says only where: an address must not sway what the trouble is


@dataclass(frozen=True, slots=True)
class PhotoPart:
    """One stored photo; ``point`` where its metadata had one."""

    hash: str
    message_id: str
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A report being told. What the citizen chose stands above what the machine reads."""

    id: str
    started_at: datetime
    touched_at: datetime
    texts: tuple[TextPart, ...] = ()
    photos: tuple[PhotoPart, ...] = ()
    point: Point | None = None
    subfield: str | None = None  # chosen; "ha_tang" alone when only the field was
    commune: str | None = None  # chosen, current code
    former: str = ""  # the old name behind the choice
    place_words: str | None = None  # chosen or corrected words of the place; None = as read
    is_place_unknown: bool = False
    denied: frozenset[str] = frozenset()  # communes that were read and are wrong; they never come back unsaid
    is_field_open: bool = False  # the citizen doesn't know either
    asked: frozenset[str] = frozenset()  # nothing is asked twice
    is_reminded: bool = False

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.texts)

    @property
    def story(self) -> str:
        """The texts that say what happened."""
        return "\n".join(part.text for part in self.texts if not part.is_place)

    @property
    def places(self) -> str:
        """The texts that say only where."""
        return "\n".join(part.text for part in self.texts if part.is_place)

    @property
    def is_empty(self) -> bool:
        return not (self.texts or self.photos or self.point)


@dataclass(frozen=True, slots=True)
class ChoiceOption:
    """A choice on offer: what the citizen reads and what it means to us."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ChoiceSet:
    """The options of the last question; ``nonce`` tells its buttons from those of older questions."""

    nonce: str
    options: tuple[ChoiceOption, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Something said that waits for a decision: which report it belongs to."""

    texts: tuple[TextPart, ...] = ()
    photos: tuple[PhotoPart, ...] = ()
    point: Point | None = None
    code: str = ""  # the report it was put to, or that is being rated


@dataclass(frozen=True, slots=True)
class Question:
    """What lay before the citizen when a prompt was put; it lies there again if that prompt is never said."""

    step: Step
    choices: ChoiceSet | None
    draft_id: str
    asked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Session:
    """All that one conversation remembers; JSON in its lane."""

    turns: int = 0  # counted up by every message: makes nonces and draft ids
    is_known: bool = False  # the first-contact notice was given
    step: Step = Step.NONE
    draft: Draft | None = None
    kept_draft: Draft | None = None  # cancelled or expired; may be taken back
    choices: ChoiceSet | None = None
    held: Held | None = None
    later: tuple[Held, ...] = ()  # further troubles, told while the first was being written
    asked_at: datetime | None = None  # when the last question was put
    question: str = ""  # its words, to repeat it
    before: Question | None = None  # in case that question is never said
    is_question_due: bool = False  # the last one was not said
    sent_nonce: str = ""  # of the summary that was sent off: its button may be pressed again
    filed: tuple[tuple[str, str], ...] = ()  # (message id, report code), newest last


SAID = frozenset({"too_many", "calm"})  # of ``Draft.asked``: no questions, said at once
UNDECIDED = (Step.ATTACH, Step.SECOND, Step.REOPEN)  # ``Session.held`` waits for the citizen to decide
DRAFT_STEPS = (Step.WHAT, Step.PLACE, Step.FIELD, Step.CONFIRM, Step.MORE, Step.WRONG)


def take_back_question(session: Session) -> Session:
    """The last prompt was not said, because the citizen went on writing: nothing was asked by it."""
    before, draft = session.before, session.draft
    if before is None or session.step not in DRAFT_STEPS:
        return session
    if draft is not None:
        asked = before.asked if before.draft_id == draft.id else frozenset()
        draft = replace(draft, asked=asked | (draft.asked & SAID))
    return replace(
        session, step=before.step, choices=before.choices, draft=draft, before=None, is_question_due=draft is not None
    )


_ADAPTER: TypeAdapter[Session] = TypeAdapter(Session)
FILED_KEPT = 60  # message ids remembered after filing, for edits and replies


def session_to_json(session: Session) -> str:
    """For the lane row."""
    return _ADAPTER.dump_json(session, exclude_defaults=True).decode()


def session_from_json(body: str | None) -> Session:
    """The other way round; None = a new conversation."""
    return _ADAPTER.validate_json(body) if body else Session()
