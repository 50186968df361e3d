"""``paht show``: the whole report, whether its citizen knows, and what comes next."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from storage.models import Media, Prediction, ReportPhoto
from storage.workflow import Role, Status
from tests.desk_factories import ANSWER, NOW, a_message, a_report, an_officer
from tests.unit.cli.conftest import CommandLine

CODE = "PA-AAAAAA"


def page(paht: CommandLine, code: str = CODE) -> dict[str, str]:
    """What stands beside each label; lines without a label go with the one above."""
    run = paht("show", code)
    assert run.code == 0, run.stderr
    found: dict[str, str] = {}
    label = ""
    for cells in run.cells:
        if len(cells) == 2:
            label = cells[0]
        found[label] = f"{found[label]}\n{cells[-1]}" if label in found else cells[-1]
    return found


def test_a_new_report_is_shown_with_what_routing_suggests(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        a_report(session, code=CODE, lat=22.4856, lon=103.9707, address_text="trước chợ Cốc Lếu", former_name="Cốc Lếu")

    paht.fill(fill)

    shown = page(paht)
    assert shown[CODE] == "Mới tiếp nhận · bình thường"
    assert shown["Nơi xảy ra"] == "trước chợ Cốc Lếu · Phường Lào Cai · người dân viết: Cốc Lếu"
    assert shown["Bản đồ"] == "https://osm.org/?mlat=22.48560&mlon=103.97070&zoom=18"
    assert shown["Đơn vị xử lý"].startswith("chưa chuyển; gợi ý: Phòng Kinh tế, Hạ tầng và Đô thị Phường Lào Cai")
    assert shown["Hạn trả lời"] == "chưa tính, vì chưa chuyển"
    assert "gửi phản ánh → Mới tiếp nhận (người phản ánh)" in shown["Diễn biến"]
    assert shown["Người dân đã biết?"] == "chưa có gì để báo"


@pytest.mark.parametrize(
    ("state", "values", "line"),
    [
        ("sent", {}, "đã nhận, 10:00 (console)"),
        ("queued", {}, "chưa, tin đang chờ gửi từ 10:00 (console)"),
        ("sending", {}, "chưa, tin đang chờ gửi từ 10:00 (console)"),
        ("retry", {}, "chưa, tin đang chờ gửi từ 10:00 (console)"),
        ("waiting", {}, "chưa, người dân đang chặn bot; tin sẽ tới khi họ nhắn lại (console)"),
        ("blocked", {}, "chưa, người dân đang chặn bot; tin sẽ tới khi họ nhắn lại (console)"),
        ("uncertain", {}, "chưa chắc, mạng đứt lúc đang gửi 10:00 (console)"),
        (
            "failed",
            {"error": "Undeliverable: chat not found"},
            "chưa, không gửi được: Undeliverable: chat not found (console)",
        ),
        (
            "expired",
            {"error": "not delivered within 24 hours"},
            "chưa, không gửi được: not delivered within 24 hours (console)",
        ),
    ],
)
def test_one_line_says_whether_the_citizen_knows(
    paht: CommandLine, state: str, values: dict[str, Any], line: str
) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        a_message(session, a_report(session, code=CODE), state, **values)

    paht.fill(fill)

    assert page(paht)["Người dân đã biết?"] == line


def test_the_newest_word_decides_whether_the_citizen_knows(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        report = a_report(session, code=CODE)
        a_message(session, report, "sent")
        a_message(session, report, "expired", error="superseded by a newer status")
        a_message(session, report, "queued")

    paht.fill(fill)

    run = paht("show", CODE, "--json").json
    assert run["citizen_knows"] is False
    assert [item["knows"] for item in run["awareness"]] == ["queued"]


def test_an_edited_status_card_tells_what_a_doubtful_message_may_not_have(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        report = a_report(session, code=CODE)
        a_message(session, report, "uncertain")
        a_message(session, report, "sent", purpose="card")

    paht.fill(fill)

    assert page(paht)["Người dân đã biết?"].startswith("đã thấy trên thẻ trạng thái")


def test_a_card_that_is_not_edited_yet_tells_nothing(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        report = a_report(session, code=CODE)
        a_message(session, report, "uncertain")
        a_message(session, report, "queued", purpose="card")

    paht.fill(fill)

    assert page(paht)["Người dân đã biết?"].startswith("chưa chắc")


def test_of_several_followers_each_is_counted(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        report = a_report(session, code=CODE)
        a_message(session, report, "sent", chat="1")
        a_message(session, report, "failed", chat="2", error="gone")

    paht.fill(fill)

    assert page(paht)["Người dân đã biết?"].splitlines()[0] == "1/2 người theo dõi đã nhận"


def test_nobody_sees_in_which_chat_a_citizen_writes(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        a_message(session, a_report(session, code=CODE), "sent", chat="778899")

    paht.fill(fill)

    for words in (
        ["show", CODE],
        ["show", CODE, "--json"],
        ["outbox", "list", "--all"],
        ["outbox", "show", "1", "--json"],
    ):
        run = paht(*words)
        assert run.code == 0
        assert "778899" not in run.stdout + run.stderr


def test_a_prediction_is_shown_with_reasons_and_corrections(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        report = a_report(session, code=CODE)
        assert report.id is not None
        session.add(
            Prediction(
                report_id=report.id,
                kind="field",
                model_version="v1",
                label="ha_tang.mat_duong",
                confidence=0.91,
                action="accept",
                top=[["ha_tang", 0.91], ["van_tai", 0.05]],
                evidence=[{"words": "ổ gà", "weight": 1.2}],
                text_hash="x",
                human_label="ha_tang.dien",
                human_by="an",
                created_at=NOW,
            )
        )

    paht.fill(fill)

    assert page(paht)["Máy đọc"] == (
        "lĩnh vực: Mặt đường (91%), tự tin; cũng có thể: Vận tải; căn cứ: ổ gà; người sửa thành Điện lực (an)"
    )


def test_photos_are_paths_of_files_without_metadata(paht: CommandLine) -> None:
    photo = "ab" * 32

    def fill(session: Session) -> None:
        an_officer(session)
        report = a_report(session, code=CODE)
        assert report.id is not None
        session.add(Media(hash=photo, content_type="image/jpeg", size=1, width=1, height=1, created_at=NOW))
        session.flush()
        session.add(ReportPhoto(report_id=report.id, media_hash=photo, caption="chỗ này", added_at=NOW))

    paht.fill(fill)

    path = paht.folder / "media" / "ab" / "ab" / f"{photo}-shown.jpg"
    assert page(paht)["Ảnh hiện trường"] == f"{path} chỗ này"
    assert paht("show", CODE, "--json").json["photos"][0]["path"] == str(path)


def test_a_result_is_shown_with_outcome_answer_and_why_there_is_no_photo(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.RESOLVED, code=CODE, rating="good")))

    shown = page(paht)
    assert shown["Kết luận"] == "đã khắc phục"
    assert shown["Kết quả"].startswith(ANSWER)
    assert "Không có ảnh (không cần ảnh)" in shown["Kết quả"]
    assert shown["Đánh giá"] == "hài lòng"


def test_a_moved_deadline_shows_both(paht: CommandLine) -> None:
    due = NOW + timedelta(days=5)
    paht.fill(
        lambda s: (
            an_officer(s),
            a_report(s, Status.ASSIGNED, code=CODE, due_at=due + timedelta(days=2), due_original=due),
        )
    )

    assert page(paht)["Hạn trả lời"] == ("10:00 thứ Hai 30/11/2026 (còn 7 ngày) · hạn ban đầu 10:00 thứ Bảy 28/11/2026")


@pytest.mark.parametrize(
    ("status", "roles", "commands", "remark"),
    [
        (Status.RECEIVED, [Role.INTAKE], ["assign", "ask", "reject"], ""),
        (Status.RECEIVED, [Role.OFFICER], [], "Bước tiếp theo thuộc về tổ tiếp nhận."),
        (Status.NEED_INFO, [Role.INTAKE], [], "Đang chờ người dân trả lời"),
        (Status.ASSIGNED, [Role.OFFICER], ["accept", "ask"], ""),
        (Status.ASSIGNED, [Role.INTAKE], ["assign"], ""),
        (Status.IN_PROGRESS, [Role.OFFICER], ["result", "progress", "ask"], ""),
        (Status.PENDING_APPROVAL, [Role.LEADER], ["approve", "send-back"], ""),
        (Status.PENDING_APPROVAL, [Role.OFFICER], [], "Bước tiếp theo thuộc về lãnh đạo."),
        (Status.RESOLVED, [Role.INTAKE], [], "Đang chờ người dân đánh giá"),
        (Status.CLOSED, [Role.INTAKE], [], "Không còn việc gì"),
    ],
)
def test_the_next_commands_fit_status_and_role(
    paht: CommandLine, status: Status, roles: list[Role], commands: list[str], remark: str
) -> None:
    paht.fill(lambda s: (an_officer(s, roles), a_report(s, status, code=CODE)))

    run = paht("show", CODE)

    lines = [line.split() for line in run.stderr.splitlines() if line.startswith("  paht ")]
    assert [line[1] for line in lines] == commands
    assert remark in run.stderr
    assert [text.split()[1] for text in paht("show", CODE, "--json").json["next_commands"]] == commands


def test_closing_is_offered_once_the_feedback_days_are_over(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.RESOLVED, code=CODE)))

    assert "paht close" not in paht("show", CODE).stderr
    assert f"paht close {CODE}" in paht.at(NOW + timedelta(days=10))("show", CODE).stderr


@pytest.mark.parametrize("typed", ["PA-7K3M9Q", "pa-7k3m9q", "pa7k3m9q", "7K3", "7k3m", "M9Q", "9q", "PA-7K"])
def test_a_code_is_found_by_its_beginning_or_end(paht: CommandLine, typed: str) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code="PA-7K3M9Q"), a_report(s, code="PA-BBBBBB")))

    assert paht("show", typed, "--json").json["code"] == "PA-7K3M9Q"


def test_an_ambiguous_code_lists_what_fits(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code="PA-7K3M9Q"), a_report(s, code="PA-7K4444")))

    run = paht("show", "7K")

    assert run.code == 3
    assert "PA-7K3M9Q" in run.stderr and "PA-7K4444" in run.stderr


@pytest.mark.parametrize("typed", ["ZZZ", "", "%", "🙂"])
def test_an_unknown_code_says_how_to_search(paht: CommandLine, typed: str) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code="PA-7K3M9Q"), a_report(s, code="PA-7K4444")))

    run = paht("show", typed)

    assert run.code == 3
    assert run.stderr.count("\n") == 1
