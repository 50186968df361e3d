"""What a citizen may read about reports: their own whole, others' the public part."""

from datetime import timedelta

from sqlmodel import Session, col, or_, select

from handlers import reports
from handlers.conversation import ReportBrief
from handlers.conversation.assess import UNCLEAR
from handlers.messages import Point, PointSource, Reply
from handlers.office import Office
from storage.models import Citizen, Follower, History, OutboxMessage, Report
from storage.workflow import OPEN, Act, Status

REMEMBERED_FOR = timedelta(days=60)  # finished reports that a message may still speak of
LISTED = 10


def briefs(session: Session, citizen: Citizen, *, since: object) -> tuple[ReportBrief, ...]:
    """The citizen's open and recent reports, newest first."""
    is_alive = or_(col(Report.status).in_(list(OPEN)), col(Report.created_at) >= since)
    query = (
        select(Report)
        .join(Follower, col(Follower.report_id) == col(Report.id))
        .where(Follower.citizen_id == citizen.id, is_alive)
        .order_by(col(Report.id).desc())
        .limit(30)
    )
    return tuple(_brief(report) for report in session.exec(query))


def code_of_message(session: Session, lane: str, external_id: str) -> str | None:
    """The report that a message of ours spoke of."""
    query = (
        select(Report.code)
        .join(OutboxMessage, col(OutboxMessage.report_id) == col(Report.id))
        .where(OutboxMessage.lane == lane, OutboxMessage.external_id == external_id)
    )
    return session.exec(query).first()


def look_up(session: Session, office: Office, citizen: Citizen, code: str) -> Reply:
    """How a report stands: all of it for who follows it, the public part for others."""
    report = session.exec(select(Report).where(Report.code == code)).first()
    say = office.texts.say
    if report is None:
        return Reply(say("lookup.unknown", code=code, prefix=office.pack.code_prefix))
    status = say(f"status.{report.status.value}")
    assert report.id is not None and citizen.id is not None
    is_own = session.get(Follower, (report.id, citizen.id)) is not None
    if not is_own and report.is_restricted:
        return Reply(say("lookup.restricted", code=code, status=status))
    values = {
        "code": code,
        "status": status,
        "field": _field(office, report),
        "commune": _commune(office, report),
        "due": office.show_due(report.due_at or reports.expected_answer(office, report)),
    }
    if not is_own:
        return Reply(say("lookup.public", **values))
    if report.status is Status.REJECTED:
        return Reply(say("lookup.refused", reason=_refusal(office, report), **values))
    agency = office.lead_name(report) if report.lead_agency else say("lookup.no_agency")
    return Reply(say("lookup.own", agency=agency, **values) + _news(session, office, report))


def list_mine(session: Session, office: Office, citizen: Citizen) -> Reply:
    """The citizen's reports, a line each, newest first."""
    query = (
        select(Report)
        .join(Follower, col(Follower.report_id) == col(Report.id))
        .where(Follower.citizen_id == citizen.id)
        .order_by(col(Report.id).desc())
        .limit(LISTED)
    )
    lines = [_line(office, report) for report in session.exec(query)]
    say = office.texts.say
    return Reply(say("lookup.mine", lines="\n".join(lines)) if lines else say("lookup.mine_none"))


def _field(office: Office, report: Report) -> str:
    return office.texts.say("lookup.no_field") if report.subfield == UNCLEAR else office.pack.label(report.subfield)


def _commune(office: Office, report: Report) -> str:
    say, name, former = office.texts.say, report.commune_name, report.former_name
    if not name:
        return say("lookup.no_commune")
    return say("lookup.commune_former", commune=name, former=former) if former and former != name else name


def _refusal(office: Office, report: Report) -> str:
    return office.texts.say(f"reject.{report.reject_code}", **office.pack.contacts) if report.reject_code else ""


def _news(session: Session, office: Office, report: Report) -> str:
    """What the citizen is waited for, or has got."""
    say = office.texts.say
    if report.status is Status.NEED_INFO:
        query = select(History.text).where(History.report_id == report.id, History.act == Act.ASK.value)
        return say("lookup.question", question=session.exec(query.order_by(col(History.id).desc())).first() or "")
    is_answered = report.answer and report.status in (Status.RESOLVED, Status.CLOSED)
    return say("lookup.answer", answer=report.answer) if is_answered else ""


def _line(office: Office, report: Report) -> str:
    return office.texts.say(
        "lookup.line",
        code=report.code,
        status=office.texts.say(f"status.{report.status.value}"),
        field=_field(office, report),
        date=office.show_day(report.created_at),
    )


def _brief(report: Report) -> ReportBrief:
    return ReportBrief(
        code=report.code,
        status=report.status,
        subfield=report.subfield,
        commune=report.commune_code,
        created_at=report.created_at,
        is_urgent=report.urgency == "K",
        words=report.text[:60],
        asked_at=report.asked_at,
        resolved_at=report.resolved_at,
        closed_at=report.closed_at,
        reject_code=report.reject_code,
        place=report.address_text,
        point=_point(report),
    )


def _point(report: Report) -> Point | None:
    if report.lat is None or report.lon is None:
        return None
    return Point(report.lat, report.lon, PointSource(report.point_source or PointSource.PIN))
