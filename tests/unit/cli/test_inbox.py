"""``paht inbox``: filters, order, shapes, and what an agency may see."""

import csv
import io
from datetime import timedelta

import pytest
from sqlmodel import Session

from storage.workflow import OPEN, Role, Status, UrgencyClass
from tests.desk_factories import NOW, a_report, an_officer
from tests.unit.cli.conftest import CommandLine


def codes(paht: CommandLine, *words: str) -> list[str]:
    run = paht("inbox", *words, "--json")
    assert run.code == 0, run.stderr
    return [line["code"] for line in run.json]


@pytest.fixture
def office(paht: CommandLine) -> CommandLine:
    """A handful of reports that differ."""

    def fill(session: Session) -> None:
        an_officer(session)
        a_report(session, code="PA-AAAAAA", text="Ổ gà to trước chợ", created_at=NOW - timedelta(hours=5))
        a_report(
            session,
            Status.ASSIGNED,
            code="PA-BBBBBB",
            text="Đèn đường tắt cả tuần",
            subfield="ha_tang.chieu_sang",
            lead_agency="dt",
            commune_code="03006",
            commune_name="Phường Sa Pa",
            due_at=NOW - timedelta(hours=3),
        )
        a_report(session, Status.IN_PROGRESS, code="PA-CCCCCC", officer="an", urgency=UrgencyClass.URGENT)
        a_report(
            session, Status.PENDING_APPROVAL, code="PA-DDDDDD", subfield="du_lich.cheo_keo", lead_agency="cx@03006"
        )
        a_report(session, code="PA-EEEEEE", commune_code=None, commune_name="", text="100% mất nước_sạch")
        a_report(session, Status.CLOSED, code="PA-FFFFFF")
        a_report(session, Status.NEED_INFO, code="PA-GGGGGG", due_at=NOW - timedelta(days=9))

    paht.fill(fill)
    return paht


def test_what_is_open_is_listed_urgent_first_then_by_deadline(office: CommandLine) -> None:
    assert codes(office) == ["PA-CCCCCC", "PA-GGGGGG", "PA-EEEEEE", "PA-AAAAAA", "PA-BBBBBB", "PA-DDDDDD"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--status", "assigned"], "B"),
        (["--status", "assigned", "--status", "received"], "EAB"),
        (["--status", "assigned,closed"], "BF"),
        (["--status", "đã đóng"], "F"),
        (["--status", "cho duyet"], "D"),
        (["--status", "open"], "CGEABD"),
        (["--field", "du_lich"], "D"),
        (["--field", "ha_tang.chieu_sang"], "B"),
        (["--field", "chiếu sáng"], "B"),
        (["--commune", "03006"], "B"),
        (["--commune", "sa pa"], "B"),
        (["--commune", "none"], "E"),
        (["--agency", "dt"], "B"),
        (["--agency", "cx"], "D"),
        (["--agency", "môi trường đô thị"], "B"),
        (["--agency", "none"], "GEA"),
        (["--overdue"], "B"),
        (["--text", "o ga"], "CGAD"),
        (["--text", "Ổ GÀ trước"], "CGAD"),
        (["--text", "den duong"], "B"),
        (["--text", "cccccc"], "C"),
        (["--text", "100%"], "E"),
        (["--text", "nuoc_sach"], "E"),
        (["--text", "nuoc%sach"], ""),
        (["--sort", "code"], "ABCDEG"),
        (["--sort", "due"], "GBCDAE"),
        (["--sort", "code", "--limit", "2"], "AB"),
        (["--status", "all", "--sort", "code"], "ABCDEFG"),
        (["--text", "không có gì như thế"], ""),
    ],
)
def test_filters_and_order(office: CommandLine, words: list[str], expected: str) -> None:
    assert codes(office, *words) == [f"PA-{letter * 6}" for letter in expected]


def test_a_question_to_the_citizen_stops_the_clock(office: CommandLine) -> None:
    lines = {line["code"]: line for line in office("inbox", "--json").json}

    assert lines["PA-BBBBBB"]["is_overdue"] is True
    assert lines["PA-GGGGGG"]["is_overdue"] is False


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([Role.INTAKE], "CEA"),
        ([Role.OFFICER], "CB"),
        ([Role.LEADER], "CD"),
        ([Role.AUDITOR], "C"),
    ],
)
def test_mine_is_what_waits_for_these_roles_and_what_one_took_up(
    office: CommandLine, roles: list[Role], expected: str
) -> None:
    from storage.models import Officer

    def change(session: Session) -> None:
        officer = session.get(Officer, 1)
        assert officer is not None
        officer.roles = [role.value for role in roles]

    office.fill(change)

    assert codes(office, "--mine") == [f"PA-{letter * 6}" for letter in expected]


def test_an_agency_sees_only_its_own(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session, [Role.OFFICER], agency="ht")
        a_report(session, Status.ASSIGNED, code="PA-AAAAAA", lead_agency="ht@02647")
        a_report(session, Status.ASSIGNED, code="PA-BBBBBB", lead_agency="gt")
        a_report(session, code="PA-CCCCCC")

    paht.fill(fill)

    assert codes(paht) == ["PA-AAAAAA"]
    assert paht("show", "PA-BBBBBB").code == 4
    assert paht("show", "BBB").code == 3


def test_a_pipe_gets_one_line_a_report_without_a_header(office: CommandLine) -> None:
    cells = office("inbox", "--sort", "code", "--limit", "2").cells

    assert [row[0] for row in cells] == ["PA-AAAAAA", "PA-BBBBBB"]
    assert cells[0][1:3] == ["mới", "đợi 5 giờ"]
    assert cells[1][1:3] == ["đã chuyển", "quá 3 giờ"]
    assert cells[1][5] == "Công ty CP Môi trường đô thị tỉnh Lào Cai"


def test_line_breaks_in_a_text_do_not_break_lines(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, text="Một\nhai\tba")))

    assert paht("inbox").cells[0][-1] == "Một hai ba"


def test_csv_has_a_header_and_program_words(office: CommandLine) -> None:
    rows = list(csv.DictReader(io.StringIO(office("inbox", "--csv", "--sort", "code").stdout)))

    assert rows[1]["code"] == "PA-BBBBBB"
    assert rows[1]["status"] == "assigned"
    assert rows[1]["lead_agency"] == "dt"
    assert rows[1]["due_at"] == (NOW - timedelta(hours=3)).isoformat()


def test_columns_are_chosen(office: CommandLine) -> None:
    assert office("inbox", "--columns", "code, photos", "--limit", "1").cells == [["PA-CCCCCC", "0"]]
    assert office("inbox", "--columns", "code", "--limit", "1", "--json").json == [{"code": "PA-CCCCCC"}]


def test_a_cut_list_says_so_beside_the_data(office: CommandLine) -> None:
    run = office("inbox", "--limit", "2")

    assert len(run.cells) == 2
    assert run.stderr == "Hiện 2 trong 6 phản ánh; thêm --limit 0 để xem hết.\n"


def test_an_empty_list_is_no_failure(paht: CommandLine) -> None:
    paht.fill(lambda s: an_officer(s))

    run = paht("inbox", "--overdue")

    assert (run.code, run.stdout) == (0, "")
    assert "Không có phản ánh nào khớp" in run.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--status", "lạ"], "Không có tình trạng «lạ»"),
        (["--field", "vũ trụ"], "Không có lĩnh vực hay nhóm vấn đề «vũ trụ»"),
        (["--field", "đường"], "ha_tang"),
        (["--commune", "xã"], "khớp nhiều nơi"),
        (["--commune", "Hà Nội"], "Không có xã, phường «Hà Nội»"),
        (["--sort", "lạ"], "Không có thứ tự «lạ»"),
        (["--columns", "mã"], "Không có cột «mã»"),
        (["--limit", "nhiều"], "--limit"),
        (["--khong-co"], "Không có tuỳ chọn --khong-co"),
    ],
)
def test_what_fits_nothing_is_named_in_one_line(office: CommandLine, words: list[str], said: str) -> None:
    run = office("inbox", *words)

    assert run.code == 2
    assert run.stdout == ""
    assert said in run.stderr and run.stderr.count("\n") == 1


def test_an_unknown_agency_is_not_found(office: CommandLine) -> None:
    run = office("inbox", "--agency", "xx")

    assert run.code == 3
    assert "Không có đơn vị «xx»" in run.stderr


def test_open_is_what_the_workflow_calls_open(office: CommandLine) -> None:
    statuses = {line["status"] for line in office("inbox", "--json").json}

    assert statuses <= {status.value for status in OPEN}
