"""The closing gate: what a result must have before a leader and then the citizen see it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from handlers.errors import Incomplete
from storage.models import History, Media, Report, ReportPhoto
from storage.workflow import MIN_ANSWER, Need, NoPhotoReason, Outcome


@dataclass(frozen=True, slots=True)
class ResultDraft:
    """What an officer submits to close a report."""

    answer: str
    outcome: Outcome
    photos: tuple[str, ...] = ()  # hashes of stored after-photos
    no_photo: NoPhotoReason | None = None
    no_photo_why: str = ""
    data: dict[str, Any] = field(
        default_factory=dict
    )  # planned: head, on; not_found: visited_at; handed_over: document


def check_closing_gate(session: Session, report: Report, result: ResultDraft) -> None:
    """Answer, outcome and after-photo, or why there is none. Raises Incomplete."""
    need_text(Need.CLOSING_GATE, result.answer, MIN_ANSWER, "answer_short")
    if result.photos:
        _check_after_photos(session, report, result.photos)
    elif result.no_photo is None:
        raise Incomplete(Need.CLOSING_GATE, "no_after_photo", known=", ".join(NoPhotoReason))
    else:
        need_text(Need.CLOSING_GATE, result.no_photo_why, MIN_ANSWER, "no_photo_why_short")
    wanted = {
        Outcome.PLANNED: ("head", "on"),
        Outcome.NOT_FOUND: ("visited_at",),
        Outcome.HANDED_OVER: ("document",),
    }.get(result.outcome, ())
    missing = [name for name in wanted if not result.data.get(name)]
    if missing:
        raise Incomplete(Need.CLOSING_GATE, f"outcome_{result.outcome.value}", missing=", ".join(missing))


def stored_result(report: Report) -> ResultDraft:
    """The submitted result as it stands in the report; the leader's gate looks at it again.

    Its photos are those of this submission, not of one that was sent back or led to a reopening.
    """
    data = dict(report.outcome_data)
    photos = tuple(data.pop("photos", ()))
    reason = data.pop("no_photo", None)
    why = data.pop("no_photo_why", "") or ""
    outcome = Outcome(report.outcome or Outcome.FIXED)
    return ResultDraft(report.answer or "", outcome, photos, NoPhotoReason(reason) if reason else None, why, data)


def need_text(need: Need, text: str, length: int, why: str) -> None:
    """Raise Incomplete where the text is shorter than ``length`` characters."""
    if len(text.strip()) < length:
        raise Incomplete(need, why, minimum=length, length=len(text.strip()))


def photo_hashes(session: Session, report: Report, kind: str) -> tuple[str, ...]:
    """The report's photos of a kind, in order."""
    query = select(ReportPhoto.media_hash).where(ReportPhoto.report_id == report.id, ReportPhoto.kind == kind)
    return tuple(session.exec(query.order_by(col(ReportPhoto.id))))


def _check_after_photos(session: Session, report: Report, hashes: Sequence[str]) -> None:
    before = set(photo_hashes(session, report, "before"))
    if set(hashes) & before:
        raise Incomplete(Need.CLOSING_GATE, "after_photo_is_before")
    start = _round_started_at(session, report)
    for item in session.exec(select(Media).where(col(Media.hash).in_(hashes))):
        if item.taken_at is not None and start is not None and item.taken_at < start:
            raise Incomplete(Need.CLOSING_GATE, "after_photo_old", taken=item.taken_at.strftime("%d/%m/%Y %H:%M"))


def _round_started_at(session: Session, report: Report) -> datetime | None:
    """When the agency got the report, last: T18 if it was reopened, else T8."""
    reopened = select(History.at).where(History.report_id == report.id, History.transition == "T18")
    return session.exec(reopened.order_by(col(History.id).desc())).first() or report.assigned_at
