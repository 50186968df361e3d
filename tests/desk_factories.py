"""Reports, citizens and officers for tests of the desk; a test states only what matters to it."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from handlers.accounts import os_user
from handlers.codes import new_code
from handlers.folding import fold
from handlers.messages import Reply
from storage.models import Assignment, Citizen, Follower, History, Lane, Officer, OutboxMessage, Report
from storage.workflow import Role, Status, UrgencyClass

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # Monday, 10:00 in Việt Nam
TEXT = "Ổ gà to trước chợ Cốc Lếu, xe máy ngã suốt"
QUESTION = "Ổ gà nằm ở làn đường nào vậy bạn?"
ANSWER = "Đã vá mặt đường đoạn trước chợ Cốc Lếu trong ngày 20/11."
REASON = "Ảnh chụp chưa thấy toàn đoạn đường"
NO_PHOTO_WHY = "Việc nhắc nhở bằng lời nói nên không có gì để chụp lại."
ALL_ROLES = (Role.INTAKE, Role.OFFICER, Role.LEADER, Role.ADMIN)
_WITH_AGENCY = (Status.ASSIGNED, Status.IN_PROGRESS, Status.PENDING_APPROVAL, Status.RESOLVED, Status.CLOSED)
_WITH_ANSWER = (Status.PENDING_APPROVAL, Status.RESOLVED, Status.CLOSED)


def an_officer(
    session: Session,
    roles: Collection[Role] = ALL_ROLES,
    *,
    account: str = "an",
    agency: str | None = None,
    user: str | None = None,
    is_active: bool = True,
) -> Officer:
    """An account for who runs the tests."""
    officer = Officer(
        account=account,
        name=account.title(),
        agency=agency,
        roles=[role.value for role in roles],
        os_user=os_user() if user is None else user,
        is_active=is_active,
        created_at=NOW,
    )
    session.add(officer)
    session.flush()
    return officer


def a_citizen(session: Session, chat: str = "1", *, channel: str = "console", is_blocked: bool = False) -> Citizen:
    """Somebody with one chat."""
    citizen = Citizen(created_at=NOW)
    session.add(citizen)
    session.flush()
    session.add(
        Lane(
            key=f"{channel}:main:{chat}",
            channel=channel,
            account="main",
            chat=chat,
            citizen_id=citizen.id,
            blocked_at=NOW if is_blocked else None,
            last_seen_at=NOW,
        )
    )
    session.flush()
    return citizen


def a_report(
    session: Session,
    status: Status = Status.RECEIVED,
    *,
    code: str | None = None,
    citizen: Citizen | None = None,
    text: str = TEXT,
    is_followed: bool = True,
    **values: Any,
) -> Report:
    """A report as it stands in this status."""
    citizen = citizen or a_citizen(session, chat=new_code("C"))
    assert citizen.id is not None
    commune = values.get("commune_name", "Phường Lào Cai")
    defaults: dict[str, Any] = {
        "code": code or new_code("PA"),
        "status": status,
        "citizen_id": citizen.id,
        "lane": "console:main:1",
        "pack": "lao_cai",
        "text": text,
        "folded": fold(f"{text} {commune}"),
        "field": values.get("subfield", "ha_tang.mat_duong").partition(".")[0],
        "subfield": "ha_tang.mat_duong",
        "urgency": UrgencyClass.NORMAL,
        "commune_code": "02647",
        "commune_valid_from": "2025-07-01",
        "commune_name": "Phường Lào Cai",
        "created_at": NOW - timedelta(hours=20),
        **_of_status(status),
    }
    report = Report(**(defaults | values))
    session.add(report)
    session.flush()
    assert report.id is not None
    if is_followed:
        session.add(Follower(report_id=report.id, citizen_id=citizen.id, since=NOW))
    session.add(_first_history(report))
    if report.lead_agency:
        session.add(Assignment(report_id=report.id, agency=report.lead_agency, created_at=NOW, changed_at=NOW))
    session.flush()
    return report


def a_message(
    session: Session,
    report: Report,
    state: str = "sent",
    *,
    chat: str = "1",
    text: str = "Tin cho bạn",
    purpose: str = "status_update",
    **values: Any,
) -> OutboxMessage:
    """Something said, or to be said, about the report."""
    row = OutboxMessage(
        key=f"test:{new_code('M')}",
        lane=f"console:main:{chat}",
        channel="console",
        account="main",
        chat=chat,
        report_id=report.id,
        purpose=purpose,
        body=Reply(text).to_json(),
        state=state,
        sent_at=NOW if state == "sent" else None,
        next_at=NOW,
        created_at=NOW,
    )
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


def _of_status(status: Status) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if status in _WITH_AGENCY:
        due = NOW + timedelta(days=5)
        values |= {
            "lead_agency": "ht@02647",
            "assigned_at": NOW - timedelta(hours=18),
            "due_at": due,
            "due_original": due,
        }
    if status in _WITH_ANSWER:
        outcome_data = {"no_photo": "khong_can_anh", "no_photo_why": NO_PHOTO_WHY}
        values |= {"answer": ANSWER, "outcome": "fixed", "outcome_data": outcome_data, "result_by": "binh"}
    if status is Status.NEED_INFO:
        values |= {"resume_status": Status.RECEIVED, "asked_at": NOW - timedelta(hours=2)}
    if status in (Status.RESOLVED, Status.CLOSED):
        values["resolved_at"] = NOW - timedelta(days=1)
    if status in (Status.CLOSED, Status.REJECTED):
        values["closed_at"] = NOW - timedelta(hours=1)
    if status is Status.REJECTED:
        values["reject_code"] = "TC05"
    return values


def _first_history(report: Report) -> History:
    assert report.id is not None
    return History(
        report_id=report.id,
        at=report.created_at,
        transition="T1",
        act="submit",
        to_status="received",
        role="citizen",
        actor="citizen",
        door="bot",
    )
