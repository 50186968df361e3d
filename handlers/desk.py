"""The officer's desk on this machine's database: every act as one call, previewed or done, with who is told what.

A desk elsewhere offers the same calls with the same results and errors.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session, col, select

from handlers import notifications, reports
from handlers.accounts import require
from handlers.actors import Actor
from handlers.bootstrap import DeskServices
from handlers.closing import ResultDraft
from handlers.messages import reply_from_json
from handlers.office import Office
from storage import migrate, outbox, queue
from storage.database import Database
from storage.errors import ChangedMeanwhile
from storage.media import MediaStore
from storage.models import Media, OutboxMessage, Report
from storage.reader import DatabaseAway
from storage.workflow import Role, Status, UrgencyClass


@dataclass(frozen=True, slots=True)
class ChatWord:
    """Words for one follower's chat: the exact text, the buttons under it, how many pictures go along."""

    id: int  # of the outbox row; says nothing where it was only a preview
    channel: str
    text: str
    buttons: tuple[str, ...]
    photos: int
    is_held: bool  # the citizen blocked the bot: it waits until they write again


@dataclass(frozen=True, slots=True)
class Done:
    """What an act did, or would do: ``version`` is what the report has now (before the act, for a preview)."""

    code: str
    before: Status
    after: Status
    version: int
    lead_agency: str | None
    agency_name: str
    due_at: datetime | None
    urgency: UrgencyClass
    followers: int
    told: tuple[ChatWord, ...]
    is_preview: bool = False


Work = Callable[[Session, Office], Report]


class _Preview(Exception):
    """Carries the outcome out of a transaction that must not be committed."""

    def __init__(self, done: Done) -> None:
        self.done = done


class Desk:
    """The acts of one officer. Raises what the use-cases raise, and ChangedMeanwhile, DatabaseAway, SchemaMismatch."""

    def __init__(self, services: DeskServices, actor: Actor) -> None:
        self.actor = actor
        self._services = services
        self._office = services.office
        with _server_errors():
            self._database: Database = services.open_database()
            migrate.check(self._database)

    def assign(
        self,
        code: str,
        *,
        agency: str | None = None,
        subfield: str | None = None,
        commune: tuple[str, str, str] | None = None,
        urgency: UrgencyClass | None = None,
        reason: str = "",
        preview: bool = False,
        seen: int | None = None,
    ) -> Done:
        """Hand over to an agency. ``seen`` = the version that the officer looked at; also below."""

        def work(session: Session, office: Office) -> Report:
            return reports.assign(
                session,
                office,
                code,
                by=self.actor,
                agency=agency,
                subfield=subfield,
                commune=commune,
                urgency=urgency,
                reason=reason,
            )

        return self._run(code, work, preview=preview, seen=seen)

    def accept(self, code: str, *, preview: bool = False, seen: int | None = None) -> Done:
        """Take the report up."""
        return self._run(code, lambda s, o: reports.accept(s, o, code, by=self.actor), preview=preview, seen=seen)

    def ask(self, code: str, question: str, *, preview: bool = False, seen: int | None = None) -> Done:
        """Ask the citizen."""
        return self._run(
            code, lambda s, o: reports.ask(s, o, code, question, by=self.actor), preview=preview, seen=seen
        )

    def progress(
        self, code: str, text: str, *, is_public: bool, preview: bool = False, seen: int | None = None
    ) -> Done:
        """Note how the work goes."""
        return self._run(
            code,
            lambda s, o: reports.progress(s, o, code, text, by=self.actor, is_public=is_public),
            preview=preview,
            seen=seen,
        )

    def result(self, code: str, draft: ResultDraft, *, photos: tuple[Path, ...] = (), preview: bool = False) -> Done:
        """Submit the result with after-photos from files. The preview shows what the citizen gets on approval.

        Raises BadMedia, FileNotFoundError.
        """
        if not preview:
            store = self._services.open_media()
            return self._run(code, self._result_work(code, draft, photos, store), preview=False)
        with TemporaryDirectory() as folder:  # a preview leaves nothing behind, not even a picture
            submit = self._result_work(code, draft, photos, MediaStore(Path(folder)))

            def submit_and_approve(session: Session, office: Office) -> Report:
                submit(session, office)
                return reports.approve(session, office, code, by=_leader_like(self.actor))

            return self._run(code, submit_and_approve, preview=True)

    def send_back(self, code: str, reason: str, *, preview: bool = False, seen: int | None = None) -> Done:
        """Have the result done better."""
        return self._run(
            code, lambda s, o: reports.send_back(s, o, code, reason, by=self.actor), preview=preview, seen=seen
        )

    def approve(self, code: str, *, preview: bool = False, seen: int | None = None) -> Done:
        """Approve the result; the citizen gets it."""
        return self._run(code, lambda s, o: reports.approve(s, o, code, by=self.actor), preview=preview, seen=seen)

    def reject(
        self, code: str, reject_code: str, reason: str, *, preview: bool = False, seen: int | None = None
    ) -> Done:
        """Refuse the report with its TC code."""
        return self._run(
            code,
            lambda s, o: reports.reject(s, o, code, reject_code, reason, by=self.actor),
            preview=preview,
            seen=seen,
        )

    def close(self, code: str, *, preview: bool = False, seen: int | None = None) -> Done:
        """Close what waited its feedback days out."""
        return self._run(code, lambda s, o: reports.close(s, o, code, by=self.actor), preview=preview, seen=seen)

    def note(self, code: str, text: str) -> Done:
        """Leave an internal note. Raises NeedsRole."""
        require(self.actor, Role.INTAKE, Role.OFFICER, Role.LEADER, Role.ADMIN)
        return self._run(code, lambda s, o: reports.note(s, o, code, text, by=self.actor), preview=False)

    def resend(self, letter: int) -> bool:
        """Send a given-up message once more; False where it is not given up."""
        now = self._office.now()
        with _server_errors():
            return self._database.write_now(lambda session: outbox.revive(session, letter, now=now))

    def reread(self, message: int) -> bool:
        """Give a citizen's given-up message another chance; False where it is not given up."""
        now = self._office.now()
        with _server_errors():
            return self._database.write_now(lambda session: queue.revive(session, message, now=now))

    def disconnect(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _run(self, code: str, work: Work, *, preview: bool, seen: int | None = None) -> Done:
        def act(session: Session) -> Done:
            report = reports.load_report(session, code)
            if seen is not None and report.version != seen:
                raise ChangedMeanwhile("report", code)
            before, version = report.status, report.version
            newest = session.exec(select(func.max(OutboxMessage.id))).one() or 0
            report = work(session, self._office)
            session.flush()
            done = self._done(session, report, before, newest)
            if preview:
                raise _Preview(replace(done, version=version, is_preview=True))
            return done

        with _server_errors():
            try:
                return self._database.write_now(act)
            except _Preview as outcome:
                return outcome.done
            except StaleDataError as error:
                raise ChangedMeanwhile("report", code) from error

    def _done(self, session: Session, report: Report, before: Status, newest: int) -> Done:
        rows = session.exec(
            select(OutboxMessage)
            .where(OutboxMessage.report_id == report.id, col(OutboxMessage.id) > newest)
            .order_by(col(OutboxMessage.id))
        )
        return Done(
            code=report.code,
            before=before,
            after=report.status,
            version=report.version,
            lead_agency=report.lead_agency,
            agency_name=self._office.lead_name(report),
            due_at=report.due_at,
            urgency=report.urgency,
            followers=len(notifications.follower_lanes(session, report)),
            told=tuple(_word(row) for row in rows),
        )

    def _result_work(self, code: str, draft: ResultDraft, photos: tuple[Path, ...], store: MediaStore) -> Work:
        stored = [store.check_and_store(path.read_bytes()) for path in photos]
        whole = replace(draft, photos=tuple(item.hash for item in stored))

        def work(session: Session, office: Office) -> Report:
            for item in stored:
                if session.get(Media, item.hash) is None:
                    session.add(
                        Media(
                            hash=item.hash,
                            content_type=item.content_type,
                            size=item.size,
                            width=item.width,
                            height=item.height,
                            fingerprint=item.fingerprint,
                            taken_at=item.taken_at,
                            lat=item.lat,
                            lon=item.lon,
                            created_at=office.now(),
                        )
                    )
            session.flush()
            return reports.submit_result(session, office, code, whole, by=self.actor)

        return work


def _word(row: OutboxMessage) -> ChatWord:
    reply = reply_from_json(row.body)
    assert row.id is not None
    return ChatWord(
        id=row.id,
        channel=row.channel,
        text=reply.text,
        buttons=tuple(option.label for option in reply.options),
        photos=len(reply.photos),
        is_held=row.state in outbox.HELD,
    )


def _leader_like(actor: Actor) -> Actor:
    """Whoever will approve, for the preview of a result."""
    return replace(actor, account=f"{actor.account}+leader", roles=actor.roles | {Role.LEADER})


@contextmanager
def _server_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise DatabaseAway(next(iter(str(error.orig).splitlines()), "?")) from error
