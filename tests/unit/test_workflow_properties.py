"""Whatever officers and citizens do in whatever order, the life of a report stays one that the table allows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel, col, select

from handlers import reports
from handlers.actors import CITIZEN, SYSTEM, Actor
from handlers.bootstrap import build_office
from handlers.errors import HandlerError
from handlers.office import Office
from handlers.settings import load_settings
from storage.database import Database
from storage.errors import StorageError
from storage.models import Citizen, Follower, History, Lane, OutboxMessage, Report
from storage.workflow import FINAL, TRANSITIONS, NoPhotoReason, Outcome, Role, Status

ALL = Actor("ca.lan", "Lan", frozenset({Role.INTAKE, Role.OFFICER, Role.LEADER}))
OTHER = Actor("ca.minh", "Minh", frozenset({Role.LEADER}))
STRANGER = Actor("ht.ba", "Ba", frozenset({Role.OFFICER, Role.LEADER}), agency="dt")
WORDS = "Đã cử tổ công tác tới nơi và dọn sạch toàn bộ khu vực."
RESULT = reports.ResultDraft(WORDS, Outcome.FIXED, no_photo=NoPhotoReason.NOT_NEEDED, no_photo_why=WORDS)
LISTED = {(source, row.target) for row in TRANSITIONS for source in row.sources}
ACTS = (
    "assign", "reroute", "accept", "ask", "answer", "no_answer", "progress", "result", "send_back", "approve",
    "approve_other", "reject", "close", "good", "bad", "contest", "withdraw", "note", "stranger", "short_reason",
    "wait",
)  # fmt: skip


class Life:
    """One report, a clock that moves on, and every act with arguments that are good enough."""

    def __init__(self, session: Session, office: Office) -> None:
        self.session, self.office = session, office
        self.now = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
        self.office = Office(office.pack, office.texts, lambda: self.now)
        citizen = Citizen(created_at=self.now)
        session.add(citizen)
        session.flush()
        session.add(Lane(key="x:y:1", channel="x", account="y", chat="1", citizen_id=citizen.id, last_seen_at=self.now))
        self.report = Report(
            code="PA-TEST22",
            citizen_id=citizen.id or 0,
            lane="x:y:1",
            pack="lao_cai",
            text="rác",
            folded="rac",
            field="thien_tai_moi_truong",
            subfield="thien_tai_moi_truong.rac",
            commune_code="03006",
            commune_name="Phường Sa Pa",
            created_at=self.now,
        )
        session.add(self.report)
        session.flush()
        session.add(Follower(report_id=self.report.id or 0, citizen_id=citizen.id or 0, since=self.now))
        session.flush()

    def do(self, act: str) -> None:
        """Raises what the use-case raises."""
        session, office, report, code = self.session, self.office, self.report, self.report.code
        match act:
            case "assign" | "reroute":
                reports.assign(session, office, code, by=ALL, reason=WORDS, agency="dt" if act == "assign" else "cx")
            case "accept":
                reports.accept(session, office, code, by=ALL)
            case "ask":
                reports.ask(session, office, code, WORDS, by=ALL)
            case "answer":
                reports.add_material(session, office, report, texts=[WORDS])
            case "no_answer":
                reports.resume(session, office, report, marker="no_reply")
            case "progress":
                reports.progress(session, office, code, WORDS, by=ALL, is_public=True)
            case "result":
                reports.submit_result(session, office, code, RESULT, by=ALL)
            case "send_back":
                reports.send_back(session, office, code, WORDS, by=OTHER)
            case "approve":
                reports.approve(session, office, code, by=ALL)
            case "approve_other":
                reports.approve(session, office, code, by=OTHER)
            case "reject":
                reports.reject(session, office, code, "TC05", WORDS, by=ALL)
            case "close":
                reports.close(session, office, code, by=SYSTEM)
            case "good" | "bad":
                reports.rate(session, office, report, act, WORDS)
            case "contest":
                reports.contest(session, office, report, WORDS)
            case "withdraw":
                reports.withdraw(session, office, report)
            case "note":
                reports.note(session, office, code, WORDS, by=ALL)
            case "stranger":
                reports.accept(session, office, code, by=STRANGER if report.lead_agency != "dt" else CITIZEN)
            case "short_reason":
                reports.reject(session, office, code, "TC05", "no", by=ALL)
            case "wait":
                self.now += timedelta(days=4)


@pytest.fixture(scope="module")
def life_database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Tables in a file; every example rolls its work back."""
    path: Path = tmp_path_factory.mktemp("lives") / "lives.db"
    database = Database(f"sqlite:///{path}")
    SQLModel.metadata.create_all(database.engine)
    return database


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=3, max_size=25))
def test_any_sequence_of_acts_leaves_a_life_that_the_table_allows(life_database: Database, acts: list[str]) -> None:
    with Session(life_database.engine, expire_on_commit=False) as session:
        life = Life(session, build_office(load_settings({})))
        for act in acts:
            before = (life.report.status, life.report.version, _rows(session))
            try:
                with session.begin_nested():
                    life.do(act)
            except (HandlerError, StorageError):
                session.refresh(life.report)
                assert (life.report.status, life.report.version, _rows(session)) == before, f"{act} half done"
            assert _rows(session)[0] >= before[2][0]
            if before[0] in FINAL:
                assert life.report.status is before[0], f"{act} left {before[0]}"
        _check_history(session, life.report)
        session.rollback()


def _rows(session: Session) -> tuple[int, int]:
    return len(session.exec(select(History.id)).all()), len(session.exec(select(OutboxMessage.id)).all())


def _check_history(session: Session, report: Report) -> None:
    steps = session.exec(select(History).order_by(col(History.id))).all()
    status = Status.RECEIVED.value
    for step in steps:
        assert step.from_status == status, "history has a gap"
        if step.transition.startswith("T"):
            source, target = Status(step.from_status or ""), Status(step.to_status or "")
            assert (source, target) in LISTED or (source, None) in LISTED
        else:
            assert step.to_status == step.from_status
        status = step.to_status or ""
    assert report.status.value == status
    if report.status in (Status.ASSIGNED, Status.IN_PROGRESS):
        assert report.lead_agency is not None
        assert report.due_at is not None
