"""The tables: entities of the report's life, and the queue that lives beside them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Enum, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import relationship
from sqlmodel import Field, SQLModel

from storage.ids import new_id
from storage.workflow import Status, UrgencyClass

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite's INTEGER holds 63 bits, and is its row id


def _by_value(kind: type[StrEnum]) -> Enum:
    # SQLAlchemy stores an enum's name by default; the value is what programs and SQL read
    return Enum(kind, values_callable=lambda members: [m.value for m in members], native_enum=False, length=20)


class InboxMessage(SQLModel, table=True):
    """One update of a platform, stored before the platform gets its 200."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "account", "external_id"),
        Index(
            "ix_inbox_pending",
            "lane",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index("ix_inbox_dead", "id", sqlite_where=text("is_dead = 1"), postgresql_where=text("is_dead")),
    )

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    account: str
    external_id: str
    lane: str  # conversation key, "telegram:main:777"
    sent_at: datetime | None = None  # the platform's clock
    received_at: datetime
    body: str = Field(sa_column=Column(Text, nullable=False))  # the payload as it came
    tries: int = 0
    error: str | None = None
    done_at: datetime | None = None
    is_dead: bool = False  # given up after too many tries, kept for `paht system dead-letters`


class Lane(SQLModel, table=True):
    """A conversation: where to answer, what it holds, and who works on it now."""

    __tablename__ = "lane"
    __table_args__ = (
        Index(
            "ix_lane_ready",
            "ready_at",
            sqlite_where=text("ready_at IS NOT NULL"),
            postgresql_where=text("ready_at IS NOT NULL"),
        ),
        Index(
            "ix_lane_remind",
            "remind_at",
            sqlite_where=text("remind_at IS NOT NULL"),
            postgresql_where=text("remind_at IS NOT NULL"),
        ),
    )

    key: str = Field(primary_key=True)  # "channel:account:chat"
    channel: str
    account: str
    chat: str
    citizen_id: int | None = Field(sa_type=BIG, default=None, foreign_key="citizen.id", index=True)
    ready_at: datetime | None = None  # None = nothing to work on
    lease_until: datetime | None = None
    owner: str | None = None
    seq: int = 0  # raised by every accepted message, so that a release sees what came meanwhile
    session: str | None = Field(default=None, sa_column=Column(Text))  # the draft and what was asked, JSON
    remind_at: datetime | None = None  # when the draft wants attention
    blocked_at: datetime | None = None  # the citizen blocked the bot
    last_seen_at: datetime | None = None


class OutboxMessage(SQLModel, table=True):
    """Something to say to a citizen, written in the same commit as the state it speaks of."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "channel",
            "account",
            "purpose",
            "id",
            sqlite_where=text("state IN ('queued','retry')"),
            postgresql_where=text("state IN ('queued','retry')"),
        ),
        Index("ix_outbox_lane", "lane", "state"),
        Index("ix_outbox_state", "state", "next_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # "status:<history id>:<lane>", "turn:<inbox id>:<n>": nothing is queued twice
    lane: str
    channel: str
    account: str
    chat: str
    report_id: int | None = Field(sa_type=BIG, default=None, foreign_key="report.id", index=True)
    purpose: str = "reply"  # reply | status_update | reminder | card
    body: str = Field(sa_column=Column(Text, nullable=False))  # handlers.messages.Reply as JSON
    state: str = "queued"  # queued sending sent retry uncertain waiting blocked failed expired
    tries: int = 0
    was_repeated: bool = False  # an uncertain status is said once more, or shown on its card, and then never again
    next_at: datetime
    lease_until: datetime | None = None
    owner: str | None = None
    created_at: datetime
    sent_at: datetime | None = None
    external_id: str | None = None  # the platform's id of the message
    error: str | None = None


class StatusCard(SQLModel, table=True):
    """The one message of a chat that always shows a report's newest status; editing it is idempotent."""

    __tablename__ = "status_card"

    lane: str = Field(primary_key=True)
    report_id: int = Field(sa_type=BIG, primary_key=True, foreign_key="report.id")
    external_id: str
    shown_at: datetime
    shown_status: str


class Lease(SQLModel, table=True):
    """A named right that one process holds for a while: migration, poller, ingress leader, sender."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    owner: str
    until: datetime


class Citizen(SQLModel, table=True):
    """A person who writes; who they are stays with the channel. One citizen may have several lanes."""

    __tablename__ = "citizen"

    id: int = Field(default_factory=new_id, primary_key=True, sa_type=BIG)
    created_at: datetime
    consent_version: str | None = None
    consent_at: datetime | None = None
    last_commune: str | None = None
    has_reported: bool = False  # spares most chats the look at their reports
    erased_at: datetime | None = None


class Report(SQLModel, table=True):
    """A field report (phản ánh)."""

    __tablename__ = "report"
    __table_args__ = (
        Index("ix_report_status", "status", "due_at"),
        Index("ix_report_commune", "commune_code", "field"),
        Index("ix_report_lead", "lead_agency", "status"),
    )

    id: int = Field(default_factory=new_id, primary_key=True, sa_type=BIG)
    code: str = Field(unique=True)
    version: int = 1  # optimistic lock: raised by every change
    status: Status = Field(default=Status.RECEIVED, sa_column=Column(_by_value(Status), nullable=False))
    resume_status: Status | None = Field(
        default=None, sa_column=Column(_by_value(Status))
    )  # where a question interrupted
    citizen_id: int = Field(sa_type=BIG, foreign_key="citizen.id", index=True)
    lane: str  # where it was sent from
    pack: str  # province pack in force
    text: str = Field(sa_column=Column(Text, nullable=False))
    folded: str = Field(sa_column=Column(Text, nullable=False))  # lower case without marks: what search reads
    field: str
    subfield: str
    urgency: UrgencyClass = Field(
        default=UrgencyClass.NORMAL, sa_column=Column(_by_value(UrgencyClass), nullable=False)
    )
    is_restricted: bool = False  # never public
    redirect: str | None = None  # TCxx that the text suggests
    commune_code: str | None = None  # None = không rõ
    commune_valid_from: str | None = None  # with the code: the unit's version
    commune_name: str = ""
    former_name: str = ""  # as the citizen wrote it, where that is an old name
    in_area: bool = True
    address_text: str = ""
    lat: float | None = None
    lon: float | None = None
    point_source: str | None = None
    lead_agency: str | None = None
    officer: str | None = None  # who accepted it (internal)
    created_at: datetime = Field(index=True)
    assigned_at: datetime | None = None
    due_original: datetime | None = None
    due_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    answer: str | None = Field(default=None, sa_column=Column(Text))
    outcome: str | None = None
    outcome_data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    result_by: str | None = None  # who submitted the result: may not approve it
    rating: str | None = None
    reopen_count: int = 0
    return_count: int = 0
    question_count: int = 0
    asked_at: datetime | None = None
    reject_code: str | None = None
    merged_into: int | None = Field(default=None, foreign_key="report.id", sa_type=BIG)
    recurs_of: int | None = Field(default=None, foreign_key="report.id", sa_type=BIG)


class Follower(SQLModel, table=True):
    """Who is told of a report's changes."""

    __tablename__ = "follower"

    report_id: int = Field(sa_type=BIG, primary_key=True, foreign_key="report.id")
    citizen_id: int = Field(sa_type=BIG, primary_key=True, foreign_key="citizen.id", index=True)
    since: datetime


class Assignment(SQLModel, table=True):
    """One agency's part in a report."""

    __tablename__ = "assignment"

    id: int = Field(default_factory=new_id, primary_key=True, sa_type=BIG)
    report_id: int = Field(sa_type=BIG, foreign_key="report.id", index=True)
    agency: str
    is_lead: bool = True
    state: str = "sent"  # sent accepted done returned cancelled
    created_at: datetime
    changed_at: datetime


class Media(SQLModel, table=True):
    """A picture kept by content; what was in its metadata is read first and kept here only."""

    __tablename__ = "media"

    hash: str = Field(primary_key=True)  # SHA-256 of the original bytes
    content_type: str
    size: int
    width: int
    height: int
    fingerprint: str = ""  # 64-bit difference hash, hex
    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    created_at: datetime


class ReportPhoto(SQLModel, table=True):
    """A photo of a report: the citizen's or the after-photo."""

    __tablename__ = "report_photo"
    __table_args__ = (UniqueConstraint("report_id", "media_hash", "kind"),)

    id: int = Field(default_factory=new_id, primary_key=True, sa_type=BIG)
    report_id: int = Field(sa_type=BIG, foreign_key="report.id", index=True)
    media_hash: str = Field(foreign_key="media.hash")
    kind: str = "before"  # before | after
    caption: str = ""
    added_at: datetime


class History(SQLModel, table=True):
    """What happened to a report; appended, never edited."""

    __tablename__ = "history"

    id: int = Field(default_factory=new_id, primary_key=True, sa_type=BIG)
    report_id: int = Field(sa_type=BIG, foreign_key="report.id", index=True)
    at: datetime
    transition: str  # T1…T20, or "note", "addition"
    act: str
    from_status: str | None = None
    to_status: str | None = None
    role: str
    actor: str  # officer's account, "citizen", "system"
    door: str  # bot | cli | desk | scheduler
    agency: str | None = None
    text: str = Field(default="", sa_column=Column(Text, nullable=False))
    is_public: bool = False
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Prediction(SQLModel, table=True):
    """What the machine concluded about a report; never overwritten, corrections stand beside it."""

    __tablename__ = "prediction"

    id: int = Field(default_factory=new_id, primary_key=True, sa_type=BIG)
    report_id: int = Field(sa_type=BIG, foreign_key="report.id", index=True)
    kind: str  # field | locality
    model_version: str
    label: str | None  # subfield or commune code
    confidence: float
    action: str
    top: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    evidence: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    text_hash: str
    human_label: str | None = None
    human_by: str | None = None  # "citizen" or the officer
    human_at: datetime | None = None
    human_reason: str | None = None
    created_at: datetime


class Officer(SQLModel, table=True):
    """An account of the desk."""

    __tablename__ = "officer"

    id: int | None = Field(default=None, primary_key=True)
    account: str = Field(unique=True)
    name: str
    agency: str | None = None  # None = the whole province (intake, admin)
    roles: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    os_user: str | None = Field(default=None, unique=True)
    is_active: bool = True
    created_at: datetime


def _write_parents_first() -> None:
    """Tell the mapper which rows must be there before which: it doesn't look at foreign keys, only at relations.

    With ids made by us (``storage.ids``) the rows of many conversations then go out table by table in one flush.
    """
    targets = {mapper.local_table: mapper for mapper in SQLModel._sa_registry.mappers}
    for table, mapper in list(targets.items()):
        for key in table.foreign_keys:
            if key.column.table is not table:
                # never read: what it points to is looked up by its id where it is needed
                relation = relationship(targets[key.column.table], foreign_keys=[key.parent], lazy="raise")
                mapper.add_property(f"_{key.parent.name}_row", relation)


_write_parents_first()
