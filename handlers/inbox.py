"""A citizen's messages: understood outside any transaction, acted on inside the one that marks them done."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import text
from sqlmodel import Session, col, select

from handlers import filing, lookups
from handlers.commands import match_choice, parse_command
from handlers.conversation import (
    KEPT_LIVES,
    Attach,
    Detach,
    Erase,
    Facts,
    ListMine,
    Lookup,
    Rate,
    ReportBrief,
    Say,
    Submit,
    TurnStep,
    Withdraw,
    World,
    advance,
)
from handlers.drafts import Session as Talk
from handlers.drafts import Step, session_from_json, session_to_json, take_back_question
from handlers.messages import (
    ChoiceContent,
    EditedContent,
    Incoming,
    LifecycleContent,
    LifecycleKind,
    MediaFile,
    Photo,
    PhotoContent,
    Point,
    PointSource,
    Reply,
    TextContent,
    UnsupportedContent,
)
from handlers.office import Office
from handlers.privacy import erase_citizen
from handlers.reading import Reader
from handlers.settings import Settings
from storage import outbox
from storage.database import Database
from storage.errors import BadMedia
from storage.media import MediaStore, StoredMedia
from storage.models import Citizen, Lane, Media, OutboxMessage

log = structlog.get_logger(__name__)

_DROP_PROMPTS = text(  # plain SQL: the mapper takes ten times as long to say it
    "UPDATE outbox SET state = 'expired', error = 'superseded: the citizen went on writing' "
    "WHERE lane = :lane AND state = 'queued' AND key LIKE 'prompt:%'"
)


class ArrivedMessage(Protocol):
    """A message with the means to fetch its photo."""

    @property
    def inbox_id(self) -> int: ...
    @property
    def incoming(self) -> Incoming: ...
    @property
    def fetch(self) -> Callable[[Photo], Awaitable[bytes]]: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found out before the transaction."""

    media: MediaFile | None = None
    stored: StoredMedia | None = None


class InboxHandler:
    """What the bot does with messages: implements the lanes' handler."""

    def __init__(
        self,
        database: Database,
        office: Office,
        reader: Reader,
        media: MediaStore,
        settings: Settings,
        *,
        executor: Executor,
        fetch_failures: tuple[type[Exception], ...] = (OSError,),
        too_large: tuple[type[Exception], ...] = (),
    ) -> None:
        """``executor`` runs reading and pictures; ``fetch_failures`` = what channels raise when bytes can't be had."""
        self._database, self._office, self._reader, self._media = database, office, reader, media
        self._settings, self._executor = settings, executor
        self._fetch_failures, self._too_large = fetch_failures, too_large

    async def prepare(self, batch: Sequence[ArrivedMessage]) -> Sequence[Prepared]:
        """Fetch and check the photos, read the texts; nothing is changed yet."""
        photos = await asyncio.gather(*(self._fetch_photo(message) for message in batch))
        lanes = sorted({message.incoming.lane for message in batch})
        sessions = await self._database.read(partial(_load_sessions, lanes=lanes))
        texts = _texts_to_read(batch, sessions, self._office.pack.code_prefix)
        if texts:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._executor, self._reader.understand_all, texts)
        return photos

    def prime(self, session: Session, lanes: Sequence[Lane]) -> None:
        """Look up for many lanes at once what ``perform`` would ask lane by lane."""
        ids = [lane.citizen_id for lane in lanes if lane.citizen_id is not None]
        if ids:  # kept alive for the session's identity map, where perform finds them
            session.info["citizens"] = list(session.exec(select(Citizen).where(col(Citizen.id).in_(ids))))
        open_states = ("queued", *outbox.HELD, outbox.State.UNCERTAIN)
        query = (
            select(OutboxMessage.lane, OutboxMessage.state, OutboxMessage.key)
            .where(col(OutboxMessage.lane).in_([lane.key for lane in lanes]))
            .where(col(OutboxMessage.state).in_(open_states))
        )
        pending: dict[str, _Pending] = {lane.key: _Pending() for lane in lanes}
        for key, state, row_key in session.exec(query):
            pending[key].note(state, row_key)
        session.info["pending"] = pending

    def perform(self, session: Session, lane: Lane, messages: Sequence[tuple[ArrivedMessage, Prepared]]) -> None:
        """All effects of one lane's messages, inside the transaction that marks them done."""
        _Performance(session, lane, self._office, self._reader, self._settings).run(messages)

    async def _fetch_photo(self, message: ArrivedMessage) -> Prepared:
        content = message.incoming.content
        if not isinstance(content, PhotoContent):
            return Prepared()
        try:
            data = await message.fetch(content.photo)
            loop = asyncio.get_running_loop()
            stored = await loop.run_in_executor(self._executor, self._media.check_and_store, data)
        except BadMedia as error:
            log.info("bad_media", inbox=message.inbox_id, reason=error.reason)
            return Prepared(MediaFile(problem=error.reason))
        except self._too_large:
            return Prepared(MediaFile(problem="too_large"))
        except self._fetch_failures as error:
            log.warning("photo_not_fetched", inbox=message.inbox_id, error=type(error).__name__)
            return Prepared(MediaFile(problem="unreachable"))
        point = None
        if stored.lat is not None and stored.lon is not None:
            point = Point(stored.lat, stored.lon, PointSource.EXIF)
        return Prepared(MediaFile(stored.hash, point=point, taken_at=stored.taken_at), stored)


@dataclass(slots=True)
class _Pending:
    """What still waits to be said in a chat; supposed to be there where nobody looked."""

    has_prompt: bool = False
    is_held: bool = False

    def note(self, state: str, key: str) -> None:
        self.has_prompt = self.has_prompt or (state == "queued" and key.startswith("prompt:"))
        self.is_held = self.is_held or state != "queued"


class _Performance:
    """The messages of one lane in one transaction."""

    def __init__(self, session: Session, lane: Lane, office: Office, reader: Reader, settings: Settings) -> None:
        self.session, self.lane, self.office = session, lane, office
        self.reader, self.settings = reader, settings
        self.now = office.now()
        self.citizen = session.get(Citizen, lane.citizen_id) if lane.citizen_id is not None else None
        self.pending: _Pending = session.info.get("pending", {}).get(lane.key, _Pending(True, True))
        self.talk = session_from_json(lane.session)
        self.reports: tuple[ReportBrief, ...] | None = None  # read when first asked for, and again after a change
        self.rows: list[tuple[Reply, int | None, bool, datetime]] = []  # reply, report, is prompt, not before

    def run(self, messages: Sequence[tuple[ArrivedMessage, Prepared]]) -> None:
        is_fresh = self.lane.last_seen_at is None
        self._note_presence(messages)
        if not is_fresh and self.pending.has_prompt:
            self._drop_unsent_prompts()
        for message, prepared in messages:
            if any(row[2] for row in self.rows):  # the citizen went on writing: that question is moot
                self.rows = [row for row in self.rows if not row[2]]
                self.talk = take_back_question(self.talk)
            self._take(message.incoming, prepared)
        self._write_rows(messages[-1][0].inbox_id)
        self.lane.session = session_to_json(self.talk)
        self.lane.remind_at = self._next_attention()

    def _take(self, incoming: Incoming, prepared: Prepared) -> None:
        if prepared.stored is not None:
            self._keep_media(prepared.stored)
        if isinstance(incoming.content, LifecycleContent) and incoming.content.kind is LifecycleKind.BLOCKED:
            self.lane.blocked_at = self.now
            return
        turn = advance(self.talk, incoming, self._world(incoming, prepared))
        self.talk = turn.session
        not_before = self.now + self._debounce(incoming)
        for step in turn.steps:
            self._carry_out(step, incoming, not_before)

    def _carry_out(self, step: TurnStep, incoming: Incoming, not_before: datetime) -> None:
        match step:
            case Say():
                self.rows.append((step.reply, None, step.is_prompt, not_before if step.is_prompt else self.now))
            case Submit():
                self.reports = None
                report, reply = filing.file_report(self.session, self.office, self._known_citizen(), self.lane, step)
                ids = tuple((message_id, report.code) for message_id in step.filing.message_ids)
                self.talk = replace(self.talk, filed=(self.talk.filed + ids)[-filing.IDS_KEPT :])
                self._say(reply, report.id)
            case Attach():
                self.reports = None
                report_id, reply = filing.attach(self.session, self.office, self._known_citizen(), step)
                ids = tuple((part.message_id, step.code) for part in step.held.texts if part.message_id)
                self.talk = replace(self.talk, filed=(self.talk.filed + ids)[-filing.IDS_KEPT :])
                self._say(reply, report_id)
            case Detach():
                filing.detach(self.session, self.office, self._known_citizen(), step.code)
            case Lookup():
                self._say(lookups.look_up(self.session, self.office, self._known_citizen(), step.code))
            case ListMine():
                self._say(lookups.list_mine(self.session, self.office, self._known_citizen()))
            case Rate():
                self.reports = None
                filing.rate(self.session, self.office, self._known_citizen(), step)
            case Withdraw():
                self.reports = None
                self._say(filing.withdraw(self.session, self.office, self._known_citizen(), step.code))
            case Erase():
                erase_citizen(self.session, self.office, self._known_citizen(), self.lane)
                self._say(Reply(self.office.texts.say("erase.done")))
                self.talk = Talk(turns=self.talk.turns)
                self.citizen = self.reports = None

    def _say(self, reply: Reply, report_id: int | None = None) -> None:
        self.rows.append((reply, report_id, False, self.now))

    def _world(self, incoming: Incoming, prepared: Prepared) -> World:
        last_commune = (self.citizen.last_commune if self.citizen else None) or ""
        return World(
            now=self.now,
            texts=self.office.texts,
            pack=self.office.pack,
            facts=self._facts(incoming),
            understand=lambda text: self.reader.understand(text, last_commune),
            read_place=self.reader.read_place,
            find_unit=self.reader.find_unit,
            media=prepared.media,
            max_photos=self.settings.max_photos,
            draft_life=self.settings.draft_life,
            draft_reminder=self.settings.draft_reminder,
        )

    def _facts(self, incoming: Incoming) -> Facts:
        citizen = self.citizen
        if citizen is None or not citizen.has_reported:
            return Facts()
        if self.reports is None:
            since = self.now - lookups.REMEMBERED_FOR
            self.reports = lookups.briefs(self.session, citizen, since=since)
        code = None
        if incoming.reply_to is not None:
            code = dict(self.talk.filed).get(incoming.reply_to)
            code = code or lookups.code_of_message(self.session, self.lane.key, incoming.reply_to)
        return Facts(self.reports, code)

    def _known_citizen(self) -> Citizen:
        """The citizen of this chat; a row is made when there is something to remember of them."""
        if self.citizen is None:
            self.citizen = Citizen(created_at=self.now)
            self.session.add(self.citizen)
            self.lane.citizen_id = self.citizen.id
        return self.citizen

    def _note_presence(self, messages: Sequence[tuple[ArrivedMessage, Prepared]]) -> None:
        if all(message.incoming.channel == "system" for message, _ in messages):
            return
        self.lane.last_seen_at = self.now
        if self.pending.is_held or self.lane.blocked_at is not None:
            outbox.wake(self.session, self.lane, now=self.now)

    def _drop_unsent_prompts(self) -> None:
        if self.session.connection().execute(_DROP_PROMPTS, {"lane": self.lane.key}).rowcount:
            self.talk = take_back_question(self.talk)

    def _write_rows(self, inbox_id: int) -> None:
        # SQLite gives the numbers of forgotten messages out again: the second keeps their answers apart
        turn = f"{inbox_id}.{int(self.now.timestamp())}"
        for number, (reply, report_id, is_prompt, not_before) in enumerate(self.rows):
            kind = "prompt" if is_prompt else "turn"
            row = OutboxMessage(
                key=f"{kind}:{turn}:{number}",
                lane=self.lane.key,
                channel=self.lane.channel,
                account=self.lane.account,
                chat=self.lane.chat,
                report_id=report_id,
                body=reply.to_json(),
                created_at=self.now,
                next_at=not_before,
            )
            if reply.is_card:  # holds the code: of all answers the one that may not stay in doubt
                row.purpose = outbox.Purpose.STATUS_UPDATE
            self.session.add(row)

    def _keep_media(self, stored: StoredMedia) -> None:
        if self.session.get(Media, stored.hash) is None:
            self.session.add(
                Media(
                    hash=stored.hash,
                    content_type=stored.content_type,
                    size=stored.size,
                    width=stored.width,
                    height=stored.height,
                    fingerprint=stored.fingerprint,
                    taken_at=stored.taken_at,
                    lat=stored.lat,
                    lon=stored.lon,
                    created_at=self.now,
                )
            )
            self.session.flush()

    def _debounce(self, incoming: Incoming) -> timedelta:
        content = incoming.content
        if isinstance(content, PhotoContent):  # of an album or one by one: more of them tend to follow
            return self.settings.album_debounce
        return self.settings.reply_debounce

    def _next_attention(self) -> datetime | None:
        draft, kept = self.talk.draft, self.talk.kept_draft
        if draft is None:
            return kept.touched_at + KEPT_LIVES * self.settings.draft_life if kept else None
        after = self.settings.draft_life if draft.is_reminded else self.settings.draft_reminder
        return draft.touched_at + after


def _load_sessions(session: Session, *, lanes: Sequence[str]) -> dict[str, tuple[Talk, str]]:
    query = (
        select(Lane.key, Lane.session, Citizen.last_commune)
        .join(Citizen, col(Citizen.id) == col(Lane.citizen_id), isouter=True)
        .where(col(Lane.key).in_(lanes))
    )
    return {key: (session_from_json(body), commune or "") for key, body, commune in session.exec(query)}


def _texts_to_read(
    batch: Iterable[ArrivedMessage], sessions: dict[str, tuple[Talk, str]], prefix: str
) -> list[tuple[str, str]]:
    """The texts that the turns will most likely ask for; what is missed is read when it is asked for."""
    told: dict[str, str] = {}
    wanted: list[tuple[str, str]] = []
    for message in batch:
        incoming = message.incoming
        talk, commune = sessions.get(incoming.lane, (Talk(), ""))
        draft_text = told.get(incoming.lane, talk.draft.story if talk.draft else "")
        text = _words_of(incoming)
        if text and _is_short_answer(text, talk, prefix):
            continue
        if text:
            wanted.append((text, commune))
            if talk.step is Step.PLACE and incoming.lane not in told:
                continue  # most answers to "where?" are an address and leave the story as it was
            told[incoming.lane] = f"{draft_text}\n{text}" if draft_text else text
            wanted.append((told[incoming.lane], commune))
        elif draft_text and not isinstance(incoming.content, ChoiceContent):
            wanted.append((draft_text, commune))
    return list(dict.fromkeys(wanted))


def _is_short_answer(text: str, talk: Talk, prefix: str) -> bool:
    if parse_command(text, prefix) is not None:
        return True
    return talk.choices is not None and match_choice(text, talk.choices) is not None


def _words_of(incoming: Incoming) -> str:
    content = incoming.content
    match content:
        case TextContent() | EditedContent():
            return content.text
        case PhotoContent() | UnsupportedContent():
            return content.caption
        case _:
            return ""
