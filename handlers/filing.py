"""What a conversation does to reports: file one, add to one, rate one; each with what is said to its citizen."""

import hashlib
import math
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from handlers import reports
from handlers.actors import CITIZEN
from handlers.codes import new_code
from handlers.conversation import Attach, Filing, Rate, Submit
from handlers.folding import fold
from handlers.messages import Reply
from handlers.office import Office
from nlp.results import Locality
from storage.models import Citizen, Follower, History, Lane, Prediction, Report, ReportPhoto
from storage.workflow import OPEN, Status, UrgencyClass

IDS_KEPT = 60  # message ids a conversation remembers, for edits and replies


def file_report(session: Session, office: Office, citizen: Citizen, lane: Lane, step: Submit) -> tuple[Report, Reply]:
    """The report with its code, history, photos and predictions (T1), and what the citizen is told."""
    filing, now = step.filing, office.now()
    report = _new_report(session, office, citizen, lane, filing, now)
    session.add(report)
    session.add(Follower(report_id=report.id, citizen_id=citizen.id, since=now))
    for media_hash in filing.photos:
        session.add(ReportPhoto(report_id=report.id, media_hash=media_hash, added_at=now))
    session.add(_first_history(office, report, now))
    session.add_all(_predictions(filing, report, now))
    citizen.has_reported = True
    citizen.last_commune = report.commune_code or citizen.last_commune
    if citizen.consent_version != office.pack.consent_version:
        citizen.consent_version, citizen.consent_at = office.pack.consent_version, now
    return report, _receipt(office, report, step)


def attach(session: Session, office: Office, citizen: Citizen, step: Attach) -> tuple[int | None, Reply]:
    """Put what was sent to a report of this citizen; a refused report may be contested this way."""
    say = office.texts.say
    report = _own_report(session, citizen, step.code)
    if report is None:
        return None, Reply(say("lookup.unknown", code=step.code, prefix=office.pack.code_prefix))
    before = report.status
    _place(report, step)
    texts = [part.text for part in step.held.texts]
    point = step.held.point
    told = [*texts, say("attach.point_note", lat=f"{point.lat:.6f}", lon=f"{point.lon:.6f}")] if point else texts
    photos = tuple(photo.hash for photo in step.held.photos)
    reports.add_material(session, office, report, texts=told, photos=photos, is_edit=step.is_edit)
    is_contested = reports.contest(session, office, report, "\n".join(texts))
    key = _receipt_key(step, before, is_contested=is_contested, is_urgent=report.urgency is UrgencyClass.URGENT)
    lines = [hotline_line(step.hotlines, office)] if step.hotlines else []
    days = office.pack.sla["feedback_days"]
    return report.id, Reply("\n".join([*lines, say(key, code=report.code, days=days)]), step.options)


def _place(report: Report, step: Attach) -> None:
    """A report that didn't know where gets to know it."""
    point, commune = step.held.point, step.commune
    if point is not None and report.lat is None:
        report.lat, report.lon, report.point_source = point.lat, point.lon, point.source.value
    if commune is not None and report.commune_code is None:
        report.commune_code, report.commune_valid_from = commune.code, commune.valid_from
        report.commune_name, report.former_name, report.in_area = commune.name, commune.former, commune.in_area
    if step.address_text and not report.address_text:
        report.address_text = step.address_text
        report.folded = fold(f"{report.text} {report.address_text} {report.commune_name}")


def _receipt_key(step: Attach, before: Status, *, is_contested: bool, is_urgent: bool) -> str:
    if step.is_edit:
        return "attach.edited"
    if before is Status.NEED_INFO:
        return "attach.answered"
    if before is Status.REJECTED:
        return "attach.contested" if is_contested else "attach.not_contested"
    if before not in OPEN:
        return "attach.noted"
    if is_urgent:
        return "attach.urgent"
    if step.held.texts:
        return "attach.added"
    return "attach.added_photo" if step.held.photos else "attach.added_point"


def detach(session: Session, office: Office, citizen: Citizen, code: str) -> None:
    """Note that the last addition speaks of something else; nothing is taken out of the history."""
    report = _own_report(session, citizen, code)
    if report is not None:
        reports.append_citizen_note(session, office, report, "detached")


def rate(session: Session, office: Office, citizen: Citizen, step: Rate) -> None:
    """The citizen's judgement of a result; what it leads to is told by the report's own news."""
    report = _own_report(session, citizen, step.code)
    if report is not None:
        reports.rate(session, office, report, step.rating, step.reason)


def withdraw(session: Session, office: Office, citizen: Citizen, code: str) -> Reply:
    """Take a report back; only its own citizen can, and only before an agency has it."""
    report = _own_report(session, citizen, code)
    is_own = report is not None and report.citizen_id == citizen.id
    is_done = report is not None and is_own and reports.withdraw(session, office, report)
    return Reply(office.texts.say("withdraw.done" if is_done else "withdraw.too_late", code=code))


def hotline_line(hotlines: tuple[str, ...], office: Office) -> str:
    """The number to call, others behind it."""
    first, *others = hotlines or ("112",)
    line = office.texts.say(f"danger.h{first}")
    return f"{line} {office.texts.say('danger.also', numbers=', '.join(others))}" if others else line


def _receipt(office: Office, report: Report, step: Submit) -> Reply:
    if step.is_danger and step.kind == "suicide":
        text = office.texts.say("filed.suicide", code=report.code)
    elif step.is_danger:
        is_placed = report.commune_code or report.address_text or report.lat is not None
        text = hotline_line(step.hotlines or step.filing.understanding.danger.hotlines, office) + "\n"
        text += office.texts.say("filed.urgent" if is_placed else "filed.urgent_where", code=report.code)
    else:
        due = office.show_due(reports.expected_answer(office, report))
        text = office.texts.say("filed.text", code=report.code, due=due)
    return Reply(text, is_card=True, card_status=report.status.value)


def _new_report(
    session: Session, office: Office, citizen: Citizen, lane: Lane, filing: Filing, now: datetime
) -> Report:
    pack = office.pack
    subfield = pack.subfields.get(filing.subfield)
    commune, point = filing.commune, filing.point
    is_danger = filing.is_urgent
    urgency = subfield.urgency(is_danger=is_danger) if subfield else _plain_urgency(is_danger=is_danger)
    assert citizen.id is not None
    redirect = filing.understanding.redirect
    return Report(
        code=new_code(pack.code_prefix),  # the unique key refuses one that is taken, and the turn is taken again
        citizen_id=citizen.id,
        lane=lane.key,
        pack=pack.id,
        text=filing.text,
        folded=fold(f"{filing.text} {filing.address_text} {commune.name if commune else ''}"),
        field=filing.subfield.partition(".")[0],
        subfield=filing.subfield,
        urgency=urgency,
        is_restricted=bool(subfield and subfield.is_restricted),
        redirect=redirect.value if redirect else None,
        commune_code=commune.code if commune else None,
        commune_valid_from=commune.valid_from if commune else None,
        commune_name=commune.name if commune else "",
        former_name=commune.former if commune else "",
        in_area=commune.in_area if commune else not filing.is_outside,
        address_text=filing.address_text,
        lat=point.lat if point else None,
        lon=point.lon if point else None,
        point_source=point.source.value if point else None,
        created_at=now,
    )


def _plain_urgency(*, is_danger: bool) -> UrgencyClass:
    return UrgencyClass.URGENT if is_danger else UrgencyClass.NORMAL


def _first_history(office: Office, report: Report, now: datetime) -> History:
    assert report.id is not None
    return History(
        report_id=report.id,
        at=now,
        transition="T1",
        act="submit",
        to_status=Status.RECEIVED.value,
        role="citizen",
        actor=CITIZEN.account,
        door="bot",
        data={"consent": office.pack.consent_version},
    )


def _predictions(filing: Filing, report: Report, now: datetime) -> list[Prediction]:
    assert report.id is not None
    read = filing.understanding
    text_hash = hashlib.sha256(read.normalized.text.encode()).hexdigest()
    field = Prediction(
        report_id=report.id,
        kind="field",
        model_version=read.field.model_version,
        label=read.field.subfield,
        confidence=read.field.confidence,
        action=read.field.action.value,
        top=[list(pair) for pair in read.field.top],
        evidence=[asdict(item) for item in read.field.evidence[:8]],
        text_hash=text_hash,
        created_at=now,
    )
    if filing.is_field_by_citizen:
        field.human_label, field.human_by, field.human_at = filing.subfield, "citizen", now
    place = _place_prediction(filing.locality, report.id, text_hash, now)
    if filing.is_place_by_citizen and filing.commune is not None:
        place.human_label, place.human_by, place.human_at = filing.commune.code, "citizen", now
    return [field, place]


def _place_prediction(locality: Locality, report_id: int, text_hash: str, now: datetime) -> Prediction:
    best = locality.best
    top: list[Any] = [[item.current.code, item.current.name, round(item.score, 3)] for item in locality.candidates[:5]]
    return Prediction(
        report_id=report_id,
        kind="locality",
        model_version="gazetteer",
        label=best.current.code if best else None,
        confidence=_certainty(locality),
        action=locality.action.value,
        top=top,
        evidence=list(best.evidence) if best else [],
        text_hash=text_hash,
        created_at=now,
    )


def _certainty(locality: Locality) -> float:
    """The lead of the best candidate over the next as a share of one; a ranking aid, not a calibrated probability."""
    scores = [candidate.score for candidate in locality.candidates[:2]]
    if not scores:
        return 0.0
    lead = scores[0] - (scores[1] if len(scores) > 1 else 0.0)
    return 1 / (1 + math.exp(-2 * lead))


def _own_report(session: Session, citizen: Citizen, code: str) -> Report | None:
    query = (
        select(Report)
        .join(Follower, col(Follower.report_id) == col(Report.id))
        .where(Report.code == code, Follower.citizen_id == citizen.id)
        .with_for_update(of=Report)
    )
    return session.exec(query).first()
