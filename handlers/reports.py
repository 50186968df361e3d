"""The report's life: each act of the table as one use-case on a session, without a commit of its own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from handlers import notifications
from handlers.actors import CITIZEN, SYSTEM, Actor
from handlers.clocks import after_pause, due_for, half_clock
from handlers.clocks import expected_answer as expected_answer  # told at filing: callers find it beside the acts
from handlers.closing import ResultDraft as ResultDraft
from handlers.closing import check_closing_gate, need_text, photo_hashes, stored_result
from handlers.errors import Incomplete, NotYours, TooSoon
from handlers.handover import (
    correct_commune,
    correct_field,
    replace_assignments,
    resolve_agency,
    set_lead_assignment,
)
from handlers.office import Office
from storage.errors import InvalidTransition, NotAllowed, NotFound
from storage.models import Follower, History, Report, ReportPhoto
from storage.workflow import (
    MAX_QUESTIONS,
    MIN_REASON,
    REJECT_CODES,
    Act,
    Need,
    Role,
    Status,
    Told,
    Transition,
    UrgencyClass,
    find_transition,
)


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
        need_text(Need.REASON, reason, MIN_REASON, "reroute_reason")
    if subfield is not None:
        correct_field(session, office, report, subfield, by, reason)
    if commune is not None:
        correct_commune(session, office, report, commune, by, reason)
    if "." not in report.subfield or report.subfield == "khac.khong_ro":
        raise Incomplete(Need.FIELD, "field_unknown", code=code)
    if report.commune_code is None and report.lat is None:
        raise Incomplete(Need.PLACE, "place_unknown", code=code)
    lead = resolve_agency(office, report, agency)
    if urgency is not None:
        report.urgency = urgency
    now = office.now()
    if report.assigned_at is None or report.due_at is None:
        report.assigned_at = now
        report.due_original = report.due_at = due_for(office, report, now)
    report.lead_agency, report.officer = lead, None
    replace_assignments(session, report, lead, now)
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
    set_lead_assignment(session, report, "accepted", office.now())
    row = _move(session, office, report, transition, by)
    _tell(session, office, report, row, transition, "push.accepted", agency=office.lead_name(report))
    return report


def ask(session: Session, office: Office, code: str, question: str, *, by: Actor) -> Report:
    """Ask the citizen: T2 by intake, T3 by the agency, at most two questions by agencies."""
    report = load_report(session, code)
    transition = _permit(report, Act.ASK, by)
    need_text(Need.QUESTION, question, MIN_REASON, "question_short")
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
        report.due_at = after_pause(office, report.due_at, report.asked_at, now)
    row = _move(session, office, report, transition, SYSTEM, data={"marker": marker} if marker else {})
    report.resume_status = report.asked_at = None
    if is_told:
        _tell(session, office, report, row, transition, "push.resumed_silent" if marker else "push.resumed")


def progress(session: Session, office: Office, code: str, text: str, *, by: Actor, is_public: bool) -> Report:
    """A note on the work: T12; told to the citizen only when public."""
    report = load_report(session, code)
    transition = _permit(report, Act.PROGRESS, by)
    need_text(Need.NOTE, text, 1, "note_empty")
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
    need_text(Need.REASON, reason, MIN_REASON, "reason_short")
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
    set_lead_assignment(session, report, "done", report.resolved_at)
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
    need_text(Need.REASON, reason, MIN_REASON, "reason_short")
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
    report.due_at = half_clock(office, report, now)
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
    need_text(Need.NOTE, text, 1, "note_empty")
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


def _add_photos(session: Session, report: Report, hashes: Sequence[str], kind: str, now: datetime) -> None:
    assert report.id is not None
    known = set(photo_hashes(session, report, kind))
    for item in dict.fromkeys(hashes):
        if item not in known:
            session.add(ReportPhoto(report_id=report.id, media_hash=item, kind=kind, added_at=now))


def follow(session: Session, report: Report, citizen_id: int, now: datetime) -> None:
    """This citizen is told of the report's changes from now on."""
    assert report.id is not None
    if session.get(Follower, (report.id, citizen_id)) is None:
        session.add(Follower(report_id=report.id, citizen_id=citizen_id, since=now))
