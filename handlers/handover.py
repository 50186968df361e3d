"""Handing a report over: which agency, under which field and commune, and whose part it is."""

from datetime import datetime

from sqlmodel import Session, col, select

from handlers.actors import Actor
from handlers.errors import Incomplete, UnknownAgency
from handlers.folding import fold
from handlers.office import Office
from storage.deadlines import LOCAL
from storage.models import Assignment, Prediction, Report
from storage.workflow import Need, UrgencyClass


def resolve_agency(office: Office, report: Report, typed: str | None) -> str:
    """The id of the agency that was typed, or that routing names. Raises Incomplete, UnknownAgency."""
    day = office.now().astimezone(LOCAL).date()
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


def correct_field(session: Session, office: Office, report: Report, subfield: str, by: Actor, reason: str) -> None:
    """Another subfield, with its class; the prediction keeps what a person made of it. Raises Incomplete."""
    if subfield not in office.pack.subfields:
        raise Incomplete(Need.FIELD, "subfield_unknown", typed=subfield)
    _record_human_label(session, office, report, "field", subfield, by, reason)
    info = office.pack.subfields[subfield]
    report.field, report.subfield, report.is_restricted = info.field, subfield, info.is_restricted
    report.urgency = info.urgency(is_danger=report.urgency is UrgencyClass.URGENT)


def correct_commune(
    session: Session, office: Office, report: Report, commune: tuple[str, str, str], by: Actor, reason: str
) -> None:
    """Another commune; the prediction keeps what a person made of it."""
    _record_human_label(session, office, report, "locality", commune[0], by, reason)
    report.commune_code, report.commune_valid_from, report.commune_name = commune
    report.folded = fold(f"{report.text} {report.address_text} {report.commune_name}")
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


def replace_assignments(session: Session, report: Report, lead: str, now: datetime) -> None:
    """The report's agencies from now on."""
    assert report.id is not None
    for row in session.exec(select(Assignment).where(Assignment.report_id == report.id)):
        if row.state in ("sent", "accepted"):
            row.state, row.changed_at = "cancelled", now
    session.add(Assignment(report_id=report.id, agency=lead, is_lead=True, created_at=now, changed_at=now))


def set_lead_assignment(session: Session, report: Report, state: str, now: datetime) -> None:
    """How far the lead agency is."""
    query = select(Assignment).where(Assignment.report_id == report.id, col(Assignment.is_lead).is_(True))
    row = session.exec(query.order_by(col(Assignment.id).desc())).first()
    if row is not None:
        row.state, row.changed_at = state, now
