"""The life of a report: every act in every status by every role, against a table written by hand from the rules."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from handlers import reports
from handlers.actors import SYSTEM, Actor
from handlers.bootstrap import build_office
from handlers.closing import ResultDraft
from handlers.errors import Incomplete, NotYours, TooSoon, UnknownAgency
from handlers.office import Office
from handlers.settings import Settings
from storage.database import Database
from storage.errors import ChangedMeanwhile, InvalidTransition, NotAllowed, NotFound
from storage.models import History, Media, OutboxMessage, Report, ReportPhoto
from storage.workflow import (
    CITIZEN_GROUPS,
    FINAL,
    TRANSITIONS,
    Act,
    NoPhotoReason,
    Outcome,
    Role,
    Status,
    UrgencyClass,
    acts_from,
    find_transition,
)
from tests.desk_factories import ANSWER, NO_PHOTO_WHY, NOW, QUESTION, REASON, a_report

# from the rules, by hand: id, act, from, to, who ("=" the remembered status, "-" a draft)
TABLE = """
T1   submit    -                                             received          citizen
T2   ask       received                                      need_info         intake
T3   ask       assigned,in_progress                          need_info         officer
T4   resume    need_info                                     =                 system
T5   reject    received                                      rejected          intake
T6   withdraw  received,need_info                            rejected          citizen
T7   merge     received,need_info,assigned,in_progress       merged            intake
T8   assign    received                                      assigned          intake,system
T9   accept    assigned                                      in_progress       officer
T10  return    assigned,in_progress                          received          officer,leader
T11  reroute   assigned,in_progress                          assigned          intake
T12  progress  in_progress                                   in_progress       officer
T13a extend    assigned                                      assigned          intake
T13b extend    in_progress                                   in_progress       intake
T14  result    in_progress                                   pending_approval  officer
T15  send_back pending_approval                              in_progress       leader
T16  approve   pending_approval                              resolved          leader
T17  close     resolved                                      closed            citizen,system
T18  reopen    resolved                                      assigned          citizen,intake
T19  contest   rejected                                      received          citizen,intake
T20  unmerge   merged                                        received          intake,citizen
"""


@dataclass(frozen=True)
class Expected:
    """A line of the table."""

    id: str
    target: str
    who: frozenset[str]


def _read_table() -> dict[tuple[str, str], Expected]:
    found = {}
    for line in TABLE.strip().splitlines():
        id, act, sources, target, who = line.split()
        for source in sources.split(","):
            assert (act, source) not in found, f"two rows for {act} from {source}"
            found[act, source] = Expected(id, target, frozenset(who.split(",")))
    return found


EXPECTED = _read_table()
EVERY_PAIR = [(act, status) for act in Act for status in (None, *Status)]


@pytest.mark.parametrize(("act", "status"), EVERY_PAIR, ids=lambda value: str(value or "draft"))
def test_each_act_is_listed_in_exactly_the_statuses_of_the_rules(act: Act, status: Status | None) -> None:
    expected = EXPECTED.get((act.value, status.value if status else "-"))

    found = find_transition(act, status)

    if expected is None:
        assert found is None
        return
    assert found is not None
    assert found.id == expected.id
    assert (found.target.value if found.target else "=") == expected.target
    assert {role.value for role in found.who} == expected.who


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("role", Role)
def test_each_role_is_offered_exactly_its_acts(status: Status, role: Role) -> None:
    expected = {act for (act, source), row in EXPECTED.items() if source == status.value and role.value in row.who}

    assert set(acts_from(status, [role])) == expected


def test_no_act_has_two_rows_in_one_status() -> None:
    pairs = [(row.act, source) for row in TRANSITIONS for source in row.sources]

    assert len(pairs) == len(set(pairs))


def test_every_status_is_reached_and_only_closed_is_final() -> None:
    targets = {row.target for row in TRANSITIONS if row.target}
    left = {source for row in TRANSITIONS for source in row.sources}

    assert targets == set(Status)
    assert set(Status) - left == FINAL == {Status.CLOSED}


def test_every_status_has_a_group_that_citizens_know() -> None:
    assert set(CITIZEN_GROUPS) == set(Status)
    assert set(CITIZEN_GROUPS.values()) == {"waiting", "working", "done", "rejected", "merged"}


# The use-cases on a real database


GOOD_RESULT = ResultDraft(ANSWER, Outcome.FIXED, no_photo=NoPhotoReason.NOT_NEEDED, no_photo_why=NO_PHOTO_WHY)
USE_CASES: dict[str, Callable[[Session, Office, str, Actor], object]] = {
    "assign": lambda s, o, code, by: reports.assign(s, o, code, by=by, reason=REASON),
    "accept": lambda s, o, code, by: reports.accept(s, o, code, by=by),
    "ask": lambda s, o, code, by: reports.ask(s, o, code, QUESTION, by=by),
    "progress": lambda s, o, code, by: reports.progress(s, o, code, "Đã khảo sát", by=by, is_public=True),
    "result": lambda s, o, code, by: reports.submit_result(s, o, code, GOOD_RESULT, by=by),
    "send_back": lambda s, o, code, by: reports.send_back(s, o, code, REASON, by=by),
    "approve": lambda s, o, code, by: reports.approve(s, o, code, by=by),
    "reject": lambda s, o, code, by: reports.reject(s, o, code, "TC05", REASON, by=by),
}


class _Undo(Exception):
    """Ends a transaction without a commit."""


@dataclass(frozen=True)
class World:
    """A database with one report in each status, and the office."""

    database: Database
    office: Office
    codes: dict[Status, str]

    def trying(self, work: Callable[[Session], Any]) -> Any:
        """What the work returns or raises; nothing of it stays."""
        result: list[Any] = []

        def run(session: Session) -> None:
            result.append(work(session))
            raise _Undo

        try:
            self.database.write_now(run)
        except _Undo:
            return result[0]
        raise AssertionError("unreachable")

    def at(self, moment: datetime) -> "World":
        return replace(self, office=replace(self.office, clock=lambda: moment))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[World]:
    path = tmp_path_factory.mktemp("workflow") / "paht.db"
    path.write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    office = build_office(Settings(), clock=lambda: NOW)
    codes = {status: f"PA-{status.value.upper()}" for status in Status}

    def fill(session: Session) -> None:
        for status, code in codes.items():
            a_report(session, status, code=code)

    database.write_now(fill)
    yield World(database, office, codes)
    database.close()


def an_actor(*roles: Role, agency: str | None = None, account: str = "an") -> Actor:
    return Actor(account, account.title(), frozenset(roles), agency)


@pytest.mark.parametrize("command", USE_CASES)
@pytest.mark.parametrize("status", Status)
def test_each_use_case_is_done_or_refused_as_the_rules_say(world: World, command: str, status: Status) -> None:
    # handing over is a reroute wherever it is not the first time
    act = "reroute" if command == "assign" and status is not Status.RECEIVED else command
    expected = EXPECTED.get((act, status.value))
    outcomes = {}
    for role in Role:
        try:
            world.trying(lambda s, role=role: USE_CASES[command](s, world.office, world.codes[status], an_actor(role)))
            outcomes[role] = "done"
        except InvalidTransition as error:
            assert (error.act.value, error.status) == (act, status)
            outcomes[role] = "invalid"
        except NotAllowed as error:
            assert error.act.value == act
            outcomes[role] = "refused"

    if expected is None:
        assert set(outcomes.values()) == {"invalid"}
    else:
        assert outcomes == {role: "done" if role.value in expected.who else "refused" for role in Role}


@pytest.mark.parametrize("command", USE_CASES)
def test_a_done_act_changes_the_status_raises_the_version_and_writes_one_line_of_history(
    world: World, command: str
) -> None:
    sources = [source for (act, source) in EXPECTED if act == command and source in set(Status)]
    source = Status(sources[0])
    expected = EXPECTED[command, source.value]
    by = an_actor(*(Role(role) for role in expected.who))

    def work(session: Session) -> tuple[Report, int, list[History]]:
        before = reports.load_report(session, world.codes[source]).version
        USE_CASES[command](session, world.office, world.codes[source], by)
        report = reports.load_report(session, world.codes[source])
        rows = session.exec(select(History).where(History.report_id == report.id).order_by(col(History.id))).all()
        return report, before, list(rows)

    report, before, rows = world.trying(work)
    assert report.status.value == expected.target
    assert report.version == before + 1
    assert len(rows) == 2
    line = rows[-1]
    assert (line.transition, line.act, line.from_status, line.to_status) == (
        expected.id,
        command,
        source.value,
        expected.target,
    )
    assert line.actor == "an" and line.role in expected.who


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.RESOLVED])
def test_only_a_resolved_report_can_be_closed(world: World, status: Status) -> None:
    late = world.at(NOW + timedelta(days=30))

    with pytest.raises(InvalidTransition):
        late.trying(lambda s: reports.close(s, late.office, world.codes[status], by=an_actor(Role.INTAKE)))


@pytest.mark.parametrize("role", Role)
def test_closing_is_set_off_by_intake_or_the_system_once_the_feedback_days_are_over(world: World, role: Role) -> None:
    late = world.at(NOW + timedelta(days=9, seconds=1))
    code = world.codes[Status.RESOLVED]
    if role in (Role.INTAKE, Role.ADMIN, Role.SYSTEM):
        assert late.trying(lambda s: reports.close(s, late.office, code, by=an_actor(role)).status) is Status.CLOSED
    else:
        with pytest.raises(NotAllowed):
            late.trying(lambda s: reports.close(s, late.office, code, by=an_actor(role)))


def test_closing_before_the_feedback_days_are_over_is_too_soon(world: World) -> None:
    with pytest.raises(TooSoon) as refused:
        world.trying(lambda s: reports.close(s, world.office, world.codes[Status.RESOLVED], by=an_actor(Role.INTAKE)))

    assert refused.value.detail["on"] == "02/12/2026"


def test_an_unknown_code_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.trying(lambda s: reports.accept(s, world.office, "PA-NOBODY", by=an_actor(Role.OFFICER)))


@pytest.mark.parametrize("command", ["accept", "ask", "progress", "result", "send_back", "approve"])
def test_an_agency_works_only_on_its_own_reports(world: World, command: str) -> None:
    source = next(
        status
        for status in (Status.ASSIGNED, Status.IN_PROGRESS, Status.PENDING_APPROVAL)
        if (command, status.value) in EXPECTED
    )
    code = world.codes[source]
    roles = (Role.OFFICER, Role.LEADER)

    for own in ("ht", "ht@02647"):
        world.trying(lambda s, own=own: USE_CASES[command](s, world.office, code, an_actor(*roles, agency=own)))
    for other in ("tt", "ht@03006"):
        with pytest.raises(NotYours):
            world.trying(
                lambda s, other=other: USE_CASES[command](s, world.office, code, an_actor(*roles, agency=other))
            )


# What cannot be missing


@pytest.mark.parametrize(
    ("why", "source", "act"),
    [
        ("question_short", Status.RECEIVED, lambda s, o, c, by: reports.ask(s, o, c, "Ở đâu?", by=by)),
        ("reason_short", Status.RECEIVED, lambda s, o, c, by: reports.reject(s, o, c, "TC05", "ngắn", by=by)),
        ("reject_code", Status.RECEIVED, lambda s, o, c, by: reports.reject(s, o, c, "TC99", REASON, by=by)),
        ("reroute_reason", Status.ASSIGNED, lambda s, o, c, by: reports.assign(s, o, c, by=by, reason=" ngắn ")),
        ("subfield_unknown", Status.RECEIVED, lambda s, o, c, by: reports.assign(s, o, c, by=by, subfield="gi.do")),
        ("note_empty", Status.IN_PROGRESS, lambda s, o, c, by: reports.progress(s, o, c, " ", by=by, is_public=False)),
        ("note_empty", Status.CLOSED, lambda s, o, c, by: reports.note(s, o, c, "", by=by)),
        ("reason_short", Status.PENDING_APPROVAL, lambda s, o, c, by: reports.send_back(s, o, c, "ngắn", by=by)),
    ],
)
def test_what_an_act_cannot_go_without_is_named(world: World, why: str, source: Status, act: Any) -> None:
    everybody = an_actor(*Role)

    with pytest.raises(Incomplete) as refused:
        world.trying(lambda s: act(s, world.office, world.codes[source], everybody))

    assert refused.value.why == why


@pytest.mark.parametrize(
    ("why", "draft"),
    [
        ("answer_short", replace(GOOD_RESULT, answer="Đã xong.")),
        ("no_after_photo", ResultDraft(ANSWER, Outcome.FIXED)),
        ("no_photo_why_short", replace(GOOD_RESULT, no_photo_why="không cần")),
        ("outcome_planned", replace(GOOD_RESULT, outcome=Outcome.PLANNED, data={"head": "Ông Nam"})),
        ("outcome_not_found", replace(GOOD_RESULT, outcome=Outcome.NOT_FOUND)),
        ("outcome_handed_over", replace(GOOD_RESULT, outcome=Outcome.HANDED_OVER)),
    ],
)
def test_the_closing_gate_refuses_vague_results(world: World, why: str, draft: ResultDraft) -> None:
    with pytest.raises(Incomplete) as refused:
        world.trying(
            lambda s: reports.submit_result(
                s, world.office, world.codes[Status.IN_PROGRESS], draft, by=an_actor(Role.OFFICER)
            )
        )

    assert refused.value.why == why


@pytest.mark.parametrize(
    ("outcome", "data"),
    [
        (Outcome.PLANNED, {"head": "Ông Nam", "on": "2026-12-31"}),
        (Outcome.NOT_FOUND, {"visited_at": "8 giờ 20/11"}),
        (Outcome.HANDED_OVER, {"document": "12/CV-UBND"}),
        (Outcome.PARTLY, {}),
        (Outcome.LAWFUL, {}),
    ],
)
def test_a_complete_result_of_every_outcome_passes_both_gates(
    world: World, outcome: Outcome, data: dict[str, str]
) -> None:
    code = world.codes[Status.IN_PROGRESS]

    def work(session: Session) -> Status:
        draft = replace(GOOD_RESULT, outcome=outcome, data=data)
        reports.submit_result(session, world.office, code, draft, by=an_actor(Role.OFFICER))
        return reports.approve(session, world.office, code, by=an_actor(Role.LEADER, account="binh")).status

    assert world.trying(work) is Status.RESOLVED


def a_photo(session: Session, name: str, *, taken_at: datetime | None = None) -> str:
    row = Media(hash=name * 64, content_type="image/jpeg", size=1, width=1, height=1, taken_at=taken_at, created_at=NOW)
    session.add(row)
    session.flush()
    return row.hash


def test_an_after_photo_must_be_newer_than_the_handing_over(world: World) -> None:
    code = world.codes[Status.IN_PROGRESS]

    def work(session: Session, taken_at: datetime) -> Status:
        photo = a_photo(session, "a", taken_at=taken_at)
        draft = ResultDraft(ANSWER, Outcome.FIXED, photos=(photo,))
        return reports.submit_result(session, world.office, code, draft, by=an_actor(Role.OFFICER)).status

    assert world.trying(lambda s: work(s, NOW - timedelta(hours=1))) is Status.PENDING_APPROVAL
    with pytest.raises(Incomplete) as refused:
        world.trying(lambda s: work(s, NOW - timedelta(days=3)))
    assert refused.value.why == "after_photo_old"


def test_an_after_photo_of_before_the_reopening_is_too_old(world: World) -> None:
    code = world.codes[Status.RESOLVED]

    def work(session: Session) -> None:
        report = reports.load_report(session, code)
        reports.rate(session, world.office, report, "bad", "Làm chưa xong")
        reports.accept(session, world.office, code, by=an_actor(Role.OFFICER))
        photo = a_photo(session, "b", taken_at=NOW - timedelta(hours=1))
        draft = ResultDraft(ANSWER, Outcome.FIXED, photos=(photo,))
        reports.submit_result(session, world.office, code, draft, by=an_actor(Role.OFFICER))

    with pytest.raises(Incomplete) as refused:
        world.trying(work)
    assert refused.value.why == "after_photo_old"


def test_the_citizens_own_photo_is_no_after_photo(world: World) -> None:
    code = world.codes[Status.IN_PROGRESS]

    def work(session: Session) -> None:
        photo = a_photo(session, "c")
        report = reports.load_report(session, code)
        assert report.id is not None
        session.add(ReportPhoto(report_id=report.id, media_hash=photo, kind="before", added_at=NOW))
        draft = ResultDraft(ANSWER, Outcome.FIXED, photos=(photo,))
        reports.submit_result(session, world.office, code, draft, by=an_actor(Role.OFFICER))

    with pytest.raises(Incomplete) as refused:
        world.trying(work)
    assert refused.value.why == "after_photo_is_before"


def test_the_citizen_gets_only_the_photos_of_the_approved_submission(world: World) -> None:
    code = world.codes[Status.IN_PROGRESS]
    officer, leader = an_actor(Role.OFFICER), an_actor(Role.LEADER, account="binh")

    def work(session: Session) -> str:
        first, second = a_photo(session, "d"), a_photo(session, "e")
        reports.submit_result(session, world.office, code, ResultDraft(ANSWER, Outcome.FIXED, (first,)), by=officer)
        reports.send_back(session, world.office, code, REASON, by=leader)
        reports.submit_result(session, world.office, code, ResultDraft(ANSWER, Outcome.FIXED, (second,)), by=officer)
        reports.approve(session, world.office, code, by=leader)
        return session.exec(select(OutboxMessage.body).order_by(col(OutboxMessage.id).desc())).first() or ""

    body = world.trying(work)
    assert "e" * 64 in body and "d" * 64 not in body


def test_an_agency_asks_at_most_twice_and_intake_does_not_count(world: World) -> None:
    code = world.codes[Status.RECEIVED]
    intake, officer = an_actor(Role.INTAKE), an_actor(Role.OFFICER)

    def ask_and_answer(session: Session, by: Actor) -> None:
        reports.ask(session, world.office, code, QUESTION, by=by)
        reports.resume(session, world.office, reports.load_report(session, code))

    def work(session: Session) -> None:
        ask_and_answer(session, intake)
        reports.assign(session, world.office, code, by=intake)
        ask_and_answer(session, officer)
        ask_and_answer(session, officer)
        ask_and_answer(session, officer)

    with pytest.raises(Incomplete) as refused:
        world.trying(work)
    assert refused.value.why == "too_many_questions"


def test_a_question_goes_back_to_the_status_it_interrupted(world: World) -> None:
    for source, by in (
        (Status.RECEIVED, Role.INTAKE),
        (Status.ASSIGNED, Role.OFFICER),
        (Status.IN_PROGRESS, Role.OFFICER),
    ):
        code = world.codes[source]

        def work(session: Session, code: str = code, by: Role = by) -> Status:
            reports.ask(session, world.office, code, QUESTION, by=an_actor(by))
            report = reports.load_report(session, code)
            assert report.status is Status.NEED_INFO
            reports.resume(session, world.office, report, marker="no_reply")
            return report.status

        assert world.trying(work) is source


def test_nobody_approves_their_own_result_unless_the_pack_lets_them(world: World) -> None:
    code = world.codes[Status.PENDING_APPROVAL]  # submitted by binh
    own = an_actor(Role.LEADER, account="binh")
    strict_pack = replace(world.office.pack, self_approve=frozenset({"K"}))
    strict = replace(world, office=replace(world.office, pack=strict_pack))

    assert world.trying(lambda s: reports.approve(s, world.office, code, by=own).status) is Status.RESOLVED
    with pytest.raises(Incomplete) as refused:
        strict.trying(lambda s: reports.approve(s, strict.office, code, by=own))
    assert refused.value.why == "own_result"


def test_a_self_approved_result_is_marked_in_the_history(world: World) -> None:
    def work(session: Session) -> dict[str, Any]:
        own = an_actor(Role.LEADER, account="binh")
        report = reports.approve(session, world.office, world.codes[Status.PENDING_APPROVAL], by=own)
        row = session.exec(
            select(History).where(History.report_id == report.id).order_by(col(History.id).desc())
        ).first()
        assert row is not None
        return row.data

    assert world.trying(work)["self_approved"] is True


# Handing over


def test_handing_over_names_agency_and_deadline_and_keeps_both_deadlines(world: World) -> None:
    report = world.trying(
        lambda s: reports.assign(s, world.office, world.codes[Status.RECEIVED], by=an_actor(Role.INTAKE))
    )

    assert report.lead_agency == "ht@02647"
    # seven working days after Monday 23 November, at closing time
    assert report.due_at == report.due_original == datetime(2026, 12, 2, 10, 0, tzinfo=UTC)


def test_rerouting_keeps_the_deadline(world: World) -> None:
    code = world.codes[Status.IN_PROGRESS]

    def work(session: Session) -> tuple[datetime | None, Report]:
        due = reports.load_report(session, code).due_at
        return due, reports.assign(session, world.office, code, by=an_actor(Role.INTAKE), agency="gt", reason=REASON)

    due, report = world.trying(work)
    assert (report.lead_agency, report.status, report.due_at, report.officer) == ("gt", Status.ASSIGNED, due, None)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"subfield": "khac.khong_ro"}, "field_unknown"),
        ({"subfield": "ha_tang"}, "field_unknown"),
        ({"commune_code": None, "commune_name": ""}, "place_unknown"),
    ],
)
def test_a_report_without_field_or_place_is_not_handed_over(
    sqlite_database: Database, world: World, values: dict[str, Any], why: str
) -> None:
    code = sqlite_database.write_now(lambda s: a_report(s, **values).code)

    with pytest.raises(Incomplete) as refused:
        sqlite_database.write_now(lambda s: reports.assign(s, world.office, code, by=an_actor(Role.INTAKE)))
    assert refused.value.why == why


def test_a_dissolved_or_unknown_agency_is_refused(world: World) -> None:
    for typed in ("ht_old", "khong_co"):
        with pytest.raises(UnknownAgency):
            world.trying(
                lambda s, typed=typed: reports.assign(
                    s, world.office, world.codes[Status.RECEIVED], by=an_actor(Role.INTAKE), agency=typed
                )
            )


def test_a_corrected_field_brings_its_own_class_and_stands_beside_the_prediction(world: World) -> None:
    report = world.trying(
        lambda s: reports.assign(
            s,
            world.office,
            world.codes[Status.RECEIVED],
            by=an_actor(Role.INTAKE),
            subfield="ha_tang.xay_dung_lan_chiem",
        )
    )

    assert (report.field, report.subfield, report.urgency) == (
        "ha_tang",
        "ha_tang.xay_dung_lan_chiem",
        UrgencyClass.COMPLEX,
    )
    assert report.due_at == datetime(2026, 12, 7, 10, 0, tzinfo=UTC)  # ten working days


# The citizen's side


def test_good_and_acceptable_close_and_the_first_bad_reopens_once(world: World) -> None:
    code = world.codes[Status.RESOLVED]

    def rating(session: Session, *marks: str) -> Status:
        report = reports.load_report(session, code)
        for mark in marks:
            reports.rate(session, world.office, report, mark, "Chưa làm")
        return report.status

    assert world.trying(lambda s: rating(s, "good")) is Status.CLOSED
    assert world.trying(lambda s: rating(s, "acceptable")) is Status.CLOSED
    assert world.trying(lambda s: rating(s, "bad")) is Status.ASSIGNED


def test_a_second_bad_rating_is_noted_and_reopens_nothing(world: World) -> None:
    def work(session: Session) -> tuple[Status, int]:
        report = reports.load_report(session, world.codes[Status.RESOLVED])
        report.reopen_count = 1
        reports.rate(session, world.office, report, "bad", "Chưa làm")
        return report.status, report.reopen_count

    assert world.trying(work) == (Status.RESOLVED, 1)


def test_on_the_eleventh_day_nothing_is_reopened(world: World) -> None:
    late = world.at(NOW + timedelta(days=9, minutes=1))  # resolved a day ago

    def work(session: Session) -> Status:
        report = reports.load_report(session, world.codes[Status.RESOLVED])
        reports.rate(session, late.office, report, "bad", "Chưa làm")
        return report.status

    assert late.trying(work) is Status.RESOLVED


def test_a_refusal_is_contested_once_and_in_time(world: World) -> None:
    code = world.codes[Status.REJECTED]

    def contest(session: Session, office: Office, times: int = 1, text: str = REASON) -> list[bool]:
        report = reports.load_report(session, code)
        results = []
        for _ in range(times):
            report.status = Status.REJECTED
            report.closed_at = NOW
            results.append(reports.contest(session, office, report, text))
        return results

    late = world.at(NOW + timedelta(days=11))
    assert world.trying(lambda s: contest(s, world.office, 2)) == [True, False]
    assert world.trying(lambda s: contest(s, world.office, text="sai")) == [False]
    assert late.trying(lambda s: contest(s, late.office)) == [False]


@pytest.mark.parametrize("status", Status)
def test_a_citizen_withdraws_only_before_the_handing_over(world: World, status: Status) -> None:
    is_possible = status in (Status.RECEIVED, Status.NEED_INFO)

    assert (
        world.trying(lambda s: reports.withdraw(s, world.office, reports.load_report(s, world.codes[status])))
        is is_possible
    )


# Any order of acts


STEPS = st.lists(st.tuples(st.sampled_from(sorted(USE_CASES)), st.sampled_from(list(Role))), max_size=25)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_is_tried_the_history_is_an_unbroken_walk_through_the_table(
    world: World, steps: list[tuple[str, Role]]
) -> None:
    code = world.codes[Status.RECEIVED]

    def walk(session: Session) -> tuple[Report, int, list[History]]:
        before = reports.load_report(session, code).version
        for command, role in steps:
            with contextlib.suppress(InvalidTransition, NotAllowed, Incomplete):
                USE_CASES[command](session, world.office, code, an_actor(role))
        report = reports.load_report(session, code)
        rows = session.exec(select(History).where(History.report_id == report.id).order_by(col(History.id)))
        return report, before, list(rows)

    report, before, rows = world.trying(walk)

    assert report.version == before + len(rows) - 1
    assert rows[-1].to_status == report.status.value
    for earlier, later in itertools.pairwise(rows):
        assert later.from_status == earlier.to_status
        expected = EXPECTED[later.act, later.from_status or ""]
        assert (later.transition, later.role in expected.who) == (expected.id, True)
        assert later.to_status == expected.target


# Two at once


@pytest.mark.parametrize("command", ["assign", "accept", "approve", "reject"])
def test_of_two_at_once_one_wins_and_the_other_is_told(sqlite_database: Database, world: World, command: str) -> None:
    database = sqlite_database
    source = Status(next(source for act, source in EXPECTED if act == command))
    code = database.write_now(lambda s: a_report(s, source).code)
    if command == "assign":  # a second handing over is a reroute, which its reason would make possible
        act: Any = lambda s: reports.assign(s, world.office, code, by=an_actor(Role.INTAKE, Role.LEADER))  # noqa: E731
    else:
        act = lambda s: USE_CASES[command](s, world.office, code, an_actor(*Role))  # noqa: E731

    def attempt(_: int) -> str:
        try:
            database.write_now(act)
        except (InvalidTransition, ChangedMeanwhile, Incomplete) as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(4)))

    assert outcomes.count("done") == 1
    rows = database.read_now(lambda s: s.exec(select(History).where(History.act == command)).all())
    assert len(rows) == 1


def test_the_system_resumes_what_a_question_stopped(world: World) -> None:
    def work(session: Session) -> Status:
        report = reports.load_report(session, world.codes[Status.NEED_INFO])
        reports.resume(session, world.office, report, marker="no_reply")
        return report.status

    assert SYSTEM.roles == {Role.SYSTEM}
    assert world.trying(work) is Status.RECEIVED
