"""One report as a desk shows it: everything that is known, and whether its citizen knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from handlers.actors import Actor
from handlers.errors import NotYours
from storage.errors import NotFound
from storage.reader import Reader, Row, as_instant, as_json
from storage.workflow import Status, UrgencyClass


class Knows(StrEnum):
    """Whether the citizen got the newest word on their report."""

    NOTHING_SAID = "nothing_said"  # chưa có gì để báo
    SENT = "sent"  # đã nhận
    CARD = "card"  # thấy trên thẻ trạng thái
    QUEUED = "queued"  # đang chờ gửi
    WAITING = "waiting"  # chờ người dân nhắn lại
    UNCERTAIN = "uncertain"  # không chắc đã tới
    FAILED = "failed"  # không gửi được


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A photo by its content hash."""

    hash: str
    kind: str  # before | after
    caption: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryView:
    """A line of the history."""

    at: datetime
    transition: str
    act: str
    from_status: str | None
    to_status: str | None
    role: str
    actor: str
    door: str
    agency: str | None
    text: str
    is_public: bool
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PredictionView:
    """What the machine concluded, and what people made of it."""

    kind: str  # field | locality
    label: str | None
    confidence: float
    action: str
    top: tuple[Any, ...]
    evidence: tuple[Any, ...]
    model_version: str
    human_label: str | None
    human_by: str | None
    human_reason: str | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """Something said, or to be said, to a citizen about the report; never in which chat."""

    id: int
    key: str
    chat_number: int  # 1, 2, … of the chats told, so that several followers can be told apart
    channel: str
    purpose: str
    state: str
    text: str
    created_at: datetime
    sent_at: datetime | None
    next_at: datetime
    tries: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Awareness:
    """Whether one chat knows, and since when or what for."""

    chat_number: int
    channel: str
    knows: Knows
    at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """The whole report. ``version`` names what was seen: an act may insist that nothing changed since."""

    id: int
    code: str
    version: int
    status: Status
    resume_status: Status | None
    urgency: UrgencyClass
    text: str
    field: str
    subfield: str
    is_restricted: bool
    redirect: str | None
    commune_code: str | None
    commune_name: str
    former_name: str
    in_area: bool
    address_text: str
    lat: float | None
    lon: float | None
    point_source: str | None
    lead_agency: str | None
    officer: str | None
    created_at: datetime
    assigned_at: datetime | None
    due_original: datetime | None
    due_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    answer: str | None
    outcome: str | None
    outcome_data: Mapping[str, Any]
    result_by: str | None
    rating: str | None
    reopen_count: int
    return_count: int
    question_count: int
    asked_at: datetime | None
    reject_code: str | None
    is_overdue: bool
    followers: int
    photos: tuple[PhotoView, ...]
    history: tuple[HistoryView, ...]
    predictions: tuple[PredictionView, ...]
    messages: tuple[MessageView, ...]
    awareness: tuple[Awareness, ...]

    @property
    def map_link(self) -> str | None:
        """The point on a map that needs no account; short enough for one line of a terminal."""
        if self.lat is None or self.lon is None:
            return None
        return f"https://osm.org/?mlat={self.lat:.5f}&mlon={self.lon:.5f}&zoom=18"


_OF_REPORT = (
    "id, code, version, status, resume_status, urgency, text, field, subfield, is_restricted, redirect, commune_code,"
    " commune_name, former_name, in_area, address_text, lat, lon, point_source, lead_agency, officer, created_at,"
    " assigned_at, due_original, due_at, resolved_at, closed_at, answer, outcome, outcome_data, result_by, rating,"
    " reopen_count, return_count, question_count, asked_at, reject_code"
)
_INSTANTS = ("created_at", "assigned_at", "due_original", "due_at", "resolved_at", "closed_at", "asked_at")
_LATE = (Status.ASSIGNED, Status.IN_PROGRESS, Status.PENDING_APPROVAL)


def load_dossier(reader: Reader, actor: Actor, code: str, *, now: datetime) -> Dossier:
    """Everything about a report by its whole code. Raises NotFound, NotYours."""
    row = reader.first(f"SELECT {_OF_REPORT} FROM report WHERE code = ?", code)
    if row is None:
        raise NotFound("report", code)
    if not actor.may_see(row["lead_agency"]):
        raise NotYours(code, row["lead_agency"])
    report = row["id"]
    messages = messages_of(reader, report)
    instants = {name: as_instant(row[name]) for name in _INSTANTS}
    values: dict[str, Any] = dict(row) | instants
    values["status"], due_at = Status(row["status"]), instants["due_at"]
    values["resume_status"] = Status(row["resume_status"]) if row["resume_status"] else None
    values["urgency"] = UrgencyClass(row["urgency"])
    values["is_restricted"], values["in_area"] = bool(row["is_restricted"]), bool(row["in_area"])
    values["outcome_data"] = as_json(row["outcome_data"]) or {}
    return Dossier(
        **values,
        is_overdue=due_at is not None and due_at < now and values["status"] in _LATE,
        followers=reader.number("SELECT count(*) AS n FROM follower WHERE report_id = ?", report),
        photos=_photos(reader, report),
        history=_history(reader, report),
        predictions=_predictions(reader, report),
        messages=messages,
        awareness=awareness_of(messages),
    )


def messages_of(reader: Reader, report: int) -> tuple[MessageView, ...]:
    """What was said or is to be said about a report, oldest first."""
    rows = reader.rows(
        "SELECT id, key, lane, channel, purpose, state, body, created_at, sent_at, next_at, tries, error"
        " FROM outbox WHERE report_id = ? ORDER BY id",
        report,
    )
    chats: dict[str, int] = {}
    return tuple(_message(row, chats.setdefault(row["lane"], len(chats) + 1)) for row in rows)


def awareness_of(messages: tuple[MessageView, ...]) -> tuple[Awareness, ...]:
    """Of each chat the newest word: did it arrive? An edited status card counts as arrived."""
    newest: dict[int, Awareness] = {}
    for message in messages:
        if message.purpose == "reminder" or (message.state == "expired" and "superseded" in (message.error or "")):
            continue
        known = newest.get(message.chat_number)
        if message.purpose == "card" and message.state != "sent" and known is not None:
            continue  # the card only repeats; until it is edited the message it stands for decides
        newest[message.chat_number] = Awareness(
            message.chat_number, message.channel, _knows(message), message.sent_at or message.next_at, message.error
        )
    return tuple(newest.values())


def _knows(message: MessageView) -> Knows:
    match message.state:
        case "sent":
            return Knows.CARD if message.purpose == "card" else Knows.SENT
        case "queued" | "sending" | "retry":
            return Knows.QUEUED
        case "waiting" | "blocked":
            return Knows.WAITING
        case "uncertain":
            return Knows.UNCERTAIN
        case _:
            return Knows.FAILED


def _message(row: Row, chat_number: int) -> MessageView:
    created_at, next_at = as_instant(row["created_at"]), as_instant(row["next_at"])
    assert created_at is not None and next_at is not None
    return MessageView(
        id=row["id"],
        key=row["key"],
        chat_number=chat_number,
        channel=row["channel"],
        purpose=row["purpose"],
        state=row["state"],
        text=str(as_json(row["body"])["text"]),
        created_at=created_at,
        sent_at=as_instant(row["sent_at"]),
        next_at=next_at,
        tries=row["tries"],
        error=row["error"],
    )


def _photos(reader: Reader, report: int) -> tuple[PhotoView, ...]:
    rows = reader.rows(
        "SELECT media_hash, kind, caption, added_at FROM report_photo WHERE report_id = ? ORDER BY id", report
    )
    return tuple(PhotoView(row["media_hash"], row["kind"], row["caption"], _at(row["added_at"])) for row in rows)


def _history(reader: Reader, report: int) -> tuple[HistoryView, ...]:
    rows = reader.rows(
        "SELECT at, transition, act, from_status, to_status, role, actor, door, agency, text, is_public, data"
        " FROM history WHERE report_id = ? ORDER BY id",
        report,
    )
    return tuple(
        HistoryView(
            **(dict(row) | {"at": _at(row["at"]), "is_public": bool(row["is_public"]), "data": as_json(row["data"])})
        )
        for row in rows
    )


def _predictions(reader: Reader, report: int) -> tuple[PredictionView, ...]:
    rows = reader.rows(
        "SELECT kind, label, confidence, action, top, evidence, model_version, human_label, human_by, human_reason"
        " FROM prediction WHERE report_id = ? ORDER BY id",
        report,
    )
    return tuple(
        PredictionView(**(dict(row) | {"top": tuple(as_json(row["top"])), "evidence": tuple(as_json(row["evidence"]))}))
        for row in rows
    )


def _at(value: object) -> datetime:
    instant = as_instant(value)
    assert instant is not None
    return instant
