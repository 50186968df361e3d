"""The report's life: each act of the table as one use-case on a session, without a commit of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from handlers import notifications
from handlers.actors import CITIZEN, SYSTEM, Actor
from handlers.errors import Incomplete, NotYours, TooSoon, UnknownAgency
from handlers.office import Office
from storage.deadlines import add_working_days, add_working_hours, working_time_between
from storage.errors import InvalidTransition, NotAllowed, NotFound
from storage.models import Assignment, Follower, History, Media, Prediction, Report, ReportPhoto
from storage.workflow import (
    MAX_QUESTIONS,
    MIN_ANSWER,
    MIN_REASON,
    REJECT_CODES,
    Act,
    Need,
    NoPhotoReason,
    Outcome,
    Role,
    Status,
    Told,
    Transition,
    UrgencyClass,
    find_transition,
)


@dataclass(frozen=True, slots=True)
class ResultDraft:
    """What an officer submits to close a report (``domain.md`` §3.5)."""

    answer: str
    outcome: Outcome
    photos: tuple[str, ...] = ()  # hashes of stored after-photos
    no_photo: NoPhotoReason | None = None
    no_photo_why: str = ""
    data: dict[str, Any] = field(
        default_factory=dict
    )  # planned: head, on; not_found: visited_at; handed_over: document


def load_report(session: Session, code: str) -> Report:
    """The report by its whole code, locked until the end of the transaction. Raises NotFound."""
    report = session.exec(select(Report).where(Report.code == code).with_for_update()).first()
    if report is None:
        raise NotFound("report", code)
    return report


def assign(
    session: Session,
    office: Office,
    code: str,
    *,
    by: Actor,
    agency: str | None = None,
    subfield: str | None = None,
    commune: tuple[str, str, str] | None = None,
    urgency: UrgencyClass | None = None,
    reason: str = "",
) -> Report:
    """Hand the report to its lead agency: T8, or T11 where it already has one. ``agency`` None = as routed.

    ``commune`` = (code, valid_from, name) corrects the place. Raises Incomplete, UnknownAgency, InvalidTransition, …
    """
    report = load_report(session, code)
    act = Act.ASSIGN if report.status is Status.RECEIVED else Act.REROUTE
    transition = _permit(report, act, by)
    if act is Act.REROUTE:
        _need_text(Need.REASON, reason, MIN_REASON, "reroute_reason")
    if subfield is not None:
        _correct_field(session, office, report, subfield, by, reason)
    if commune is not None:
        _correct_commune(session, office, report, commune, by, reason)
    if "." not in report.subfield or report.subfield == "khac.khong_ro":
        raise Incomplete(Need.FIELD, "field_unknown", code=code)
    if report.commune_code is None and report.lat is None:
        raise Incomplete(Need.PLACE, "place_unknown", code=code)
    lead = _resolve_agency(office, report, agency)
    if urgency is not None:
        report.urgency = urgency
    now = office.now()
    if report.assigned_at is None or report.due_at is None:
        report.assigned_at = now
        report.due_original = report.due_at = due_for(office, report, now)
    report.lead_agency, report.officer = lead, None
    _replace_assignments(session, report, lead, now)
    row = _move(session, office, report, transition, by, text=reason, data={"agency": lead})
    name = office.pack.agency_name(lead, report.commune_name)
    key = "push.assigned" if act is Act.ASSIGN else "push.rerouted"
    _tell(session, office, report, row, transition, key, agency=name, due=office.show_due(report.due_at))
    return report


def accept(session: Session, office: Office, code: str, *, by: Actor) -> Report:
    """The lead agency takes the report up: T9."""
    report = load_report(session, code)
    transition = _permit(report, Act.ACCEPT, by)
    report.officer = by.account
    _set_lead_assignment(session, report, "accepted", office.now())
    row = _move(session, office, report, transition, by)
    _tell(session, office, report, row, transition, "push.accepted", agency=office.lead_name(report))
    return report


def ask(session: Session, office: Office, code: str, question: str, *, by: Actor) -> Report:
    """Ask the citizen: T2 by intake, T3 by the agency, at most two questions by agencies."""
    report = load_report(session, code)
    transition = _permit(report, Act.ASK, by)
    _need_text(Need.QUESTION, question, MIN_REASON, "question_short")
    is_agency = report.status is not Status.RECEIVED
    if is_agency and report.question_count >= MAX_QUESTIONS:
        raise Incomplete(Need.QUESTION, "too_many_questions", limit=MAX_QUESTIONS)
    report.resume_status = report.status
    report.question_count += int(is_agency)
    report.asked_at = office.now()
    row = _move(session, office, report, transition, by, text=question, is_public=True)
    asker = office.lead_name(report) if is_agency else office.pack.contacts["intake_name"]
    days = office.pack.sla["question_days"]
    _tell(session, office, report, row, transition, "push.ask", agency=asker, question=question, days=days)
    return report


def resume(session: Session, office: Office, report: Report, *, marker: str = "", is_told: bool = True) -> None:
    """The question is answered, or its time is over (``marker`` "no_reply"): T4. Pauses lengthen the deadline."""
    transition = _permit(report, Act.RESUME, SYSTEM)
    now = office.now()
    if report.asked_at is not None and report.due_at is not None and report.urgency is not UrgencyClass.URGENT:
        report.due_at = _after_pause(office, report.due_at, report.asked_at, now)
    row = _move(session, office, report, transition, SYSTEM, data={"marker": marker} if marker else {})
    report.resume_status = report.asked_at = None
    if is_told:
        _tell(session, office, report, row, transition, "push.resumed_silent" if marker else "push.resumed")


def progress(session: Session, office: Office, code: str, text: str, *, by: Actor, is_public: bool) -> Report:
    """A note on the work: T12; told to the citizen only when public."""
    report = load_report(session, code)
    transition = _permit(report, Act.PROGRESS, by)
    _need_text(Need.NOTE, text, 1, "note_empty")
    row = _move(session, office, report, transition, by, text=text, is_public=is_public)
    _tell(session, office, report, row, transition, "push.progress", agency=office.lead_name(report), note=text)
    return report


def submit_result(session: Session, office: Office, code: str, result: ResultDraft, *, by: Actor) -> Report:
    """The officer's result goes to the leader: T14, after the closing gate."""
    report = load_report(session, code)
    transition = _permit(report, Act.RESULT, by)
    check_closing_gate(session, report, result)
    report.answer, report.outcome = result.answer.strip(), result.outcome.value
    report.outcome_data = {
        **result.data,
        "no_photo": result.no_photo.value if result.no_photo else None,
        "no_photo_why": result.no_photo_why,
        "photos": list(result.photos),
    }
    report.result_by = by.account
    _add_photos(session, report, result.photos, "after", office.now())
    _move(session, office, report, transition, by, text=report.answer, data={"outcome": report.outcome})
    return report


def send_back(session: Session, office: Office, code: str, reason: str, *, by: Actor) -> Report:
    """The leader wants it done better: T15."""
    report = load_report(session, code)
    transition = _permit(report, Act.SEND_BACK, by)
    _need_text(Need.REASON, reason, MIN_REASON, "reason_short")
    _move(session, office, report, transition, by, text=reason)
    return report


def approve(session: Session, office: Office, code: str, *, by: Actor) -> Report:
    """The leader approves and the citizen gets the result: T16. Nobody approves their own, but where the pack lets."""
    report = load_report(session, code)
    transition = _permit(report, Act.APPROVE, by)
    is_own = report.result_by == by.account
    if is_own and report.urgency.value not in office.pack.self_approve:
        raise Incomplete(Need.CLOSING_GATE, "own_result", code=code)
    stored = stored_result(report)
    check_closing_gate(session, report, stored)
    report.resolved_at = office.now()
    _set_lead_assignment(session, report, "done", report.resolved_at)
    data = {"outcome": report.outcome, "self_approved": is_own}
    row = _move(session, office, report, transition, by, text=report.answer or "", data=data, is_public=True)
    outcome = office.texts.say(f"outcome.{report.outcome}")
    notifications.tell(
        session,
        office,
        report,
        row,
        office.texts.say(
            "push.resolved",
            code=report.code,
            agency=office.lead_name(report),
            outcome=outcome,
            answer=report.answer,
        ),
        photos=stored.photos,
        options=notifications.rating_options(office, report),
    )
    return report


def reject(session: Session, office: Office, code: str, reject_code: str, reason: str, *, by: Actor) -> Report:
    """Not taken on, with its code, a reason and where to go instead: T5."""
    report = load_report(session, code)
    transition = _permit(report, Act.REJECT, by)
    if reject_code not in REJECT_CODES:
        raise Incomplete(Need.REJECT_CODE, "reject_code", known=", ".join(REJECT_CODES))
    _need_text(Need.REASON, reason, MIN_REASON, "reason_short")
    report.reject_code, report.closed_at = reject_code, office.now()
    row = _move(session, office, report, transition, by, text=reason, data={"code": reject_code}, is_public=True)
    gist = office.texts.say(f"reject.{reject_code}", **office.pack.contacts)
    days = office.pack.sla["feedback_days"]
    _tell(session, office, report, row, transition, "push.rejected", gist=gist, reason=reason, days=days)
    return report


def close(session: Session, office: Office, code: str, *, by: Actor) -> Report:
    """Close what waited its feedback days out: T17 by the system; an officer may only set it off. Raises TooSoon."""
    report = load_report(session, code)
    if not by.roles & {Role.INTAKE, Role.ADMIN, Role.SYSTEM}:
        raise NotAllowed(Act.CLOSE, by.roles, frozenset({Role.INTAKE, Role.ADMIN}))
    transition = _permit(report, Act.CLOSE, SYSTEM)
    days = office.pack.sla["feedback_days"]
    over_at = (report.resolved_at or report.created_at) + timedelta(days=days)
    if office.now() < over_at:
        raise TooSoon("close_too_soon", code=code, on=office.show_day(over_at), days=days)
    report.closed_at = office.now()
    row = _move(session, office, report, transition, by if by.door != "scheduler" else SYSTEM)
    _tell(session, office, report, row, transition, "push.closed_auto", days=days)
    return report


def rate(session: Session, office: Office, report: Report, rating: str, reason: str = "") -> None:
    """The citizen's judgement: good and acceptable close (T17), the first "bad" in time reopens (T18)."""
    now = office.now()
    report.rating = rating
    if report.status is not Status.RESOLVED:
        _append(session, office, report, "rating", CITIZEN, text=reason, data={"rating": rating})
        return
    if rating in ("good", "acceptable"):
        report.closed_at = now
        transition = _permit(report, Act.CLOSE, CITIZEN)
        row = _move(session, office, report, transition, CITIZEN, data={"rating": rating})
        _tell(session, office, report, row, transition, "push.closed_good")
        return
    window = timedelta(days=office.pack.sla["feedback_days"])
    may_reopen = report.reopen_count == 0 and report.resolved_at is not None and now <= report.resolved_at + window
    if not may_reopen:
        row = _append(session, office, report, "rating", CITIZEN, text=reason, data={"rating": rating})
        notifications.tell(session, office, report, row, office.texts.say("rate.noted", code=report.code))
        return
    transition = _permit(report, Act.REOPEN, CITIZEN)
    report.reopen_count += 1
    report.resolved_at = None
    report.due_at = _half_clock(office, report, now)
    row = _move(session, office, report, transition, CITIZEN, text=reason, data={"rating": rating}, is_public=True)
    due = office.show_due(report.due_at)
    _tell(session, office, report, row, transition, "push.reopened", agency=office.lead_name(report), due=due)


def contest(session: Session, office: Office, report: Report, text: str) -> bool:
    """The citizen answers a refusal within its days, once: T19. False where it is only noted."""
    window = timedelta(days=office.pack.sla["feedback_days"])
    contested = select(History).where(History.report_id == report.id, History.transition == "T19")
    is_late = report.closed_at is None or office.now() > report.closed_at + window
    if report.status is not Status.REJECTED or is_late or session.exec(contested).first() is not None:
        return False
    if len(text.strip()) < MIN_REASON:
        return False
    transition = _permit(report, Act.CONTEST, CITIZEN)
    report.closed_at = report.reject_code = None
    _move(session, office, report, transition, CITIZEN, text=text)
    return True


def withdraw(session: Session, office: Office, report: Report) -> bool:
    """The citizen takes it back before it went to an agency: T6. False where it has gone already."""
    if report.assigned_at is not None or find_transition(Act.WITHDRAW, report.status) is None:
        return False
    transition = _permit(report, Act.WITHDRAW, CITIZEN)
    report.reject_code, report.closed_at = "TC13", office.now()
    _move(session, office, report, transition, CITIZEN)
    return True


def note(session: Session, office: Office, code: str, text: str, *, by: Actor) -> Report:
    """An internal note; changes nothing else, nobody is told."""
    report = load_report(session, code)
    _check_scope(report, by)
    _need_text(Need.NOTE, text, 1, "note_empty")
    _append(session, office, report, "note", by, text=text)
    return report


def add_material(
    session: Session,
    office: Office,
    report: Report,
    *,
    texts: Sequence[str] = (),
    photos: Sequence[str] = (),
    is_edit: bool = False,
) -> None:
    """What the citizen sent after filing; an open question counts as answered."""
    kind = "edit" if is_edit else "addition"
    _append(session, office, report, kind, CITIZEN, text="\n".join(texts), data={"photos": list(photos)})
    _add_photos(session, report, photos, "before", office.now())
    report.version += 1
    if report.status is Status.NEED_INFO:
        resume(session, office, report, is_told=False)


def append_citizen_note(session: Session, office: Office, report: Report, kind: str) -> None:
    """A line of history by the citizen that changes nothing."""
    _append(session, office, report, kind, CITIZEN)


def check_closing_gate(session: Session, report: Report, result: ResultDraft) -> None:
    """Answer, outcome and after-photo, or why there is none (``domain.md`` §3.5). Raises Incomplete."""
    _need_text(Need.CLOSING_GATE, result.answer, MIN_ANSWER, "answer_short")
    if result.photos:
        _check_after_photos(session, report, result.photos)
    elif result.no_photo is None:
        raise Incomplete(Need.CLOSING_GATE, "no_after_photo", known=", ".join(NoPhotoReason))
    else:
        _need_text(Need.CLOSING_GATE, result.no_photo_why, MIN_ANSWER, "no_photo_why_short")
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


def due_for(office: Office, report: Report, start: datetime) -> datetime:
    """The deadline of the handling clock that starts now (``domain.md`` §4)."""
    sla, calendar = office.pack.sla, office.pack.calendar
    if report.urgency is UrgencyClass.URGENT:
        return start + timedelta(hours=sla["urgent_result_hours"])
    if report.urgency is UrgencyClass.COMPLEX:
        return add_working_days(calendar, start, sla["complex_days"])
    return add_working_days(calendar, start, office.days_of(report.subfield))


def expected_answer(office: Office, report: Report) -> datetime:
    """What a citizen is told at filing: intake's hours, then the handling clock."""
    if report.urgency is UrgencyClass.URGENT:
        return due_for(office, report, report.created_at)
    intake = timedelta(hours=office.pack.sla["intake_hours"])
    return due_for(office, report, add_working_hours(office.pack.calendar, report.created_at, intake))


def end_of_working_day(office: Office, moment: datetime) -> datetime:
    """Closing time of that day, or of the next working day."""
    return add_working_days(office.pack.calendar, moment - timedelta(days=1), 1)


def _half_clock(office: Office, report: Report, now: datetime) -> datetime:
    if report.urgency is UrgencyClass.URGENT:
        return now + timedelta(hours=office.pack.sla["urgent_result_hours"] / 2)
    complex_days = office.pack.sla["complex_days"]
    days = complex_days if report.urgency is UrgencyClass.COMPLEX else office.days_of(report.subfield)
    return add_working_days(office.pack.calendar, now, max(1, (days + 1) // 2))


def _after_pause(office: Office, due_at: datetime, start: datetime, end: datetime) -> datetime:
    """The deadline with the office time of a question added, at most its days, rounded up to closing time."""
    calendar = office.pack.calendar
    end = min(end, start + timedelta(days=office.pack.sla["question_days"]))
    paused = working_time_between(calendar, start, end)
    if not paused:
        return due_at
    return end_of_working_day(office, add_working_hours(calendar, due_at, paused))


def _permit(report: Report, act: Act, by: Actor) -> Transition:
    transition = find_transition(act, report.status)
    if transition is None:
        raise InvalidTransition(act, report.status)
    if not by.roles & transition.who:
        raise NotAllowed(act, by.roles, transition.who)
    if by.roles & transition.who <= {Role.OFFICER, Role.LEADER}:
        _check_scope(report, by)
    return transition


def _check_scope(report: Report, by: Actor) -> None:
    if not by.may_see(report.lead_agency):
        raise NotYours(report.code, report.lead_agency)


def _need_text(need: Need, text: str, length: int, why: str) -> None:
    if len(text.strip()) < length:
        raise Incomplete(need, why, minimum=length, length=len(text.strip()))


def _move(
    session: Session,
    office: Office,
    report: Report,
    transition: Transition,
    by: Actor,
    *,
    text: str = "",
    data: dict[str, Any] | None = None,
    is_public: bool = False,
) -> History:
    """Change the status and append the history row; the version rises, so that a stale change is noticed."""
    before = report.status
    target = transition.target or report.resume_status
    assert target is not None
    report.status = target
    report.version += 1
    # close is set off by an officer in the system's place: nobody's role fits, and the actor's own is written
    acting = replace(by, roles=by.roles & transition.who or by.roles)
    row = _history(office, report, transition.id, transition.act.value, acting, text, data or {}, is_public)
    row.from_status, row.to_status = before.value, target.value
    session.add(row)
    session.flush()
    return row


def _append(
    session: Session,
    office: Office,
    report: Report,
    kind: str,
    by: Actor,
    *,
    text: str = "",
    data: dict[str, Any] | None = None,
) -> History:
    row = _history(office, report, kind, kind, by, text, data or {}, False)
    row.from_status = row.to_status = report.status.value
    session.add(row)
    session.flush()
    return row


def _history(
    office: Office,
    report: Report,
    transition: str,
    act: str,
    by: Actor,
    text: str,
    data: dict[str, Any],
    is_public: bool,
) -> History:
    assert report.id is not None
    role = min((role.value for role in by.roles), default="system")
    return History(
        report_id=report.id,
        at=office.now(),
        transition=transition,
        act=act,
        role=role,
        actor=by.account,
        door=by.door,
        agency=by.agency,
        text=text.strip(),
        data=data,
        is_public=is_public,
    )


def _tell(
    session: Session,
    office: Office,
    report: Report,
    row: History,
    transition: Transition,
    key: str,
    **values: object,
) -> None:
    is_told = {
        Told.ALWAYS: True,
        Told.SILENT: False,
        Told.IF_URGENT: report.urgency is UrgencyClass.URGENT,
        Told.IF_PUBLIC: row.is_public,
        Told.FROM_SECOND: report.return_count >= 2,
    }[transition.told]
    if is_told:
        notifications.tell(session, office, report, row, office.texts.say(key, code=report.code, **values))


def _resolve_agency(office: Office, report: Report, typed: str | None) -> str:
    day = office.now().date()
    if typed is None:
        route = office.pack.route(report.subfield, report.commune_code, day)
        if route is None:
            raise Incomplete(Need.LEAD, "no_route", subfield=report.subfield)
        typed = route.lead
    key, _, commune = typed.partition("@")
    known = office.pack.agencies.get(key)
    if known is None or not known.is_valid_on(day):
        names = tuple(agency.key for agency in office.pack.agencies.values() if agency.is_valid_on(day))
        raise UnknownAgency(typed, names)
    agency = office.pack.agency_id(key, commune or report.commune_code)
    if agency is None:
        raise UnknownAgency(typed, (), needs_commune=True)
    return agency


def _correct_field(session: Session, office: Office, report: Report, subfield: str, by: Actor, reason: str) -> None:
    if subfield not in office.pack.subfields:
        raise Incomplete(Need.FIELD, "subfield_unknown", typed=subfield)
    _record_human_label(session, office, report, "field", subfield, by, reason)
    info = office.pack.subfields[subfield]
    report.field, report.subfield, report.is_restricted = info.field, subfield, info.is_restricted
    report.urgency = info.urgency(is_danger=report.urgency is UrgencyClass.URGENT)


def _correct_commune(
    session: Session, office: Office, report: Report, commune: tuple[str, str, str], by: Actor, reason: str
) -> None:
    _record_human_label(session, office, report, "locality", commune[0], by, reason)
    report.commune_code, report.commune_valid_from, report.commune_name = commune
    served = office.pack.served_communes
    report.in_area = commune[0] in served if served else report.in_area


def _record_human_label(
    session: Session, office: Office, report: Report, kind: str, label: str, by: Actor, reason: str
) -> None:
    query = select(Prediction).where(Prediction.report_id == report.id, Prediction.kind == kind)
    prediction = session.exec(query.order_by(col(Prediction.id).desc())).first()
    if prediction is not None:
        prediction.human_label, prediction.human_by = label, by.account
        prediction.human_at, prediction.human_reason = office.now(), reason or None


def _replace_assignments(session: Session, report: Report, lead: str, now: datetime) -> None:
    assert report.id is not None
    for row in session.exec(select(Assignment).where(Assignment.report_id == report.id)):
        if row.state in ("sent", "accepted"):
            row.state, row.changed_at = "cancelled", now
    session.add(Assignment(report_id=report.id, agency=lead, is_lead=True, created_at=now, changed_at=now))


def _set_lead_assignment(session: Session, report: Report, state: str, now: datetime) -> None:
    query = select(Assignment).where(Assignment.report_id == report.id, col(Assignment.is_lead).is_(True))
    row = session.exec(query.order_by(col(Assignment.id).desc())).first()
    if row is not None:
        row.state, row.changed_at = state, now


def _add_photos(session: Session, report: Report, hashes: Sequence[str], kind: str, now: datetime) -> None:
    assert report.id is not None
    known = set(_photo_hashes(session, report, kind))
    for item in dict.fromkeys(hashes):
        if item not in known:
            session.add(ReportPhoto(report_id=report.id, media_hash=item, kind=kind, added_at=now))


def _photo_hashes(session: Session, report: Report, kind: str) -> tuple[str, ...]:
    query = select(ReportPhoto.media_hash).where(ReportPhoto.report_id == report.id, ReportPhoto.kind == kind)
    return tuple(session.exec(query.order_by(col(ReportPhoto.id))))


def _check_after_photos(session: Session, report: Report, hashes: Sequence[str]) -> None:
    before = set(_photo_hashes(session, report, "before"))
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


def follow(session: Session, report: Report, citizen_id: int, now: datetime) -> None:
    """This citizen is told of the report's changes from now on."""
    assert report.id is not None
    if session.get(Follower, (report.id, citizen_id)) is None:
        session.add(Follower(report_id=report.id, citizen_id=citizen_id, since=now))
