"""The acts at the command line: done, previewed, refused, told."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlmodel import Session, col, select

from admin_cli.failures import describe
from admin_cli.seat import Seat
from storage.errors import ChangedMeanwhile
from storage.models import History, OutboxMessage, Report, ReportPhoto
from storage.workflow import Role, Status
from tests.desk_factories import ANSWER, NO_PHOTO_WHY, NOW, QUESTION, REASON, a_citizen, a_report, an_officer
from tests.unit.cli.conftest import CommandLine

CODE = "PA-AAAAAA"
RESULT = [
    "result",
    CODE,
    "--outcome",
    "fixed",
    "--answer",
    ANSWER,
    "--no-photo",
    "khong_can_anh",
    "--why",
    NO_PHOTO_WHY,
]


def report_of(paht: CommandLine) -> Report:
    return paht.read(lambda s: s.exec(select(Report).where(Report.code == CODE)).one())


def words_of(paht: CommandLine) -> list[str]:
    return list(paht.read(lambda s: s.exec(select(OutboxMessage.body).order_by(col(OutboxMessage.id))).all()))


@pytest.mark.parametrize(
    ("status", "words", "after", "is_told"),
    [
        (Status.RECEIVED, ["assign", CODE], Status.ASSIGNED, True),
        (Status.RECEIVED, ["assign", CODE, "gt"], Status.ASSIGNED, True),
        (Status.RECEIVED, ["assign", CODE, "Sở Y tế"], Status.ASSIGNED, True),
        (Status.RECEIVED, ["assign", CODE, "--class", "K", "--field", "cấp nước"], Status.ASSIGNED, True),
        (Status.IN_PROGRESS, ["assign", CODE, "gt", "--reason", REASON], Status.ASSIGNED, True),
        (Status.ASSIGNED, ["accept", CODE], Status.IN_PROGRESS, False),
        (Status.RECEIVED, ["ask", CODE, QUESTION], Status.NEED_INFO, True),
        (Status.IN_PROGRESS, ["progress", CODE, "Đã khảo sát"], Status.IN_PROGRESS, False),
        (Status.IN_PROGRESS, ["progress", CODE, "Mai vá đường", "--public"], Status.IN_PROGRESS, True),
        (Status.IN_PROGRESS, RESULT, Status.PENDING_APPROVAL, False),
        (Status.PENDING_APPROVAL, ["approve", CODE], Status.RESOLVED, True),
        (Status.PENDING_APPROVAL, ["send-back", CODE, REASON], Status.IN_PROGRESS, False),
        (Status.RECEIVED, ["reject", CODE, "tc05", REASON], Status.REJECTED, True),
        (Status.CLOSED, ["note", CODE, "Đã gọi trưởng thôn"], Status.CLOSED, False),
    ],
)
def test_an_act_is_done_and_says_whether_the_citizen_is_told(
    paht: CommandLine, status: Status, words: list[str], after: Status, is_told: bool
) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, status, code=CODE)))

    run = paht(*words)

    assert run.code == 0, run.stderr
    assert report_of(paht).status is after
    assert len(words_of(paht)) == int(is_told)
    assert ("đã xếp hàng gửi (1 cuộc chat)" if is_told else "không nhận tin") in run.stdout
    line = paht.read(lambda s: s.exec(select(History).order_by(col(History.id).desc())).first())
    assert line is not None and (line.actor, line.door) == ("an", "cli")


def test_closing_is_done_when_its_time_has_come(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.RESOLVED, code=CODE)))

    assert paht("close", CODE).code == 5
    assert paht.at(NOW + timedelta(days=10))("close", CODE).code == 0
    assert report_of(paht).status is Status.CLOSED


@pytest.mark.parametrize(
    ("status", "words", "said"),
    [
        (Status.RECEIVED, ["assign", CODE], "đã được chuyển tới Phòng Kinh tế, Hạ tầng và Đô thị Phường Lào Cai"),
        (Status.RECEIVED, ["ask", CODE, QUESTION], QUESTION),
        (Status.IN_PROGRESS, ["progress", CODE, "Mai vá đường", "--public"], "Mai vá đường"),
        (Status.IN_PROGRESS, RESULT, f"đã khắc phục.\n{ANSWER}"),
        (Status.PENDING_APPROVAL, ["approve", CODE], "[Hài lòng] [Chấp nhận] [Không hài lòng]"),
        (Status.RECEIVED, ["reject", CODE, "TC05", REASON], REASON),
    ],
)
def test_a_preview_shows_the_exact_words_and_writes_nothing(
    paht: CommandLine, status: Status, words: list[str], said: str
) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, status, code=CODE)))
    before = report_of(paht)

    run = paht(*words, "--preview")

    assert run.code == 0, run.stderr
    assert said in run.stdout
    assert "Sẽ gửi tới 1 cuộc chat" in run.stderr
    after = report_of(paht)
    assert (after.status, after.version, words_of(paht)) == (status, before.version, [])
    if words[0] != "result":  # its words go out on approval
        preview = paht(*words, "--preview", "--json").json
        assert paht(*words).code == 0
        assert preview["told"][0]["text"] in words_of(paht)[0].encode().decode().replace("\\n", "\n")


def test_a_preview_of_a_silent_act_says_so(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.ASSIGNED, code=CODE)))

    run = paht("accept", CODE, "--dry-run")

    assert "Người dân không nhận tin về bước này." in run.stdout
    assert report_of(paht).status is Status.ASSIGNED


def test_a_blocked_chat_is_named_and_its_message_waits(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        a_report(session, code=CODE, citizen=a_citizen(session, is_blocked=True))

    paht.fill(fill)

    assert "1 cuộc chat đang chặn bot" in paht("assign", CODE).stdout


def test_a_report_without_followers_says_that_nobody_is_told(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code=CODE, is_followed=False)))

    assert "không còn ai theo dõi" in paht("assign", CODE).stdout


def test_an_answer_for_programs_speaks_english(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code=CODE)))

    run = paht("assign", CODE, "--json").json

    assert (run["status_before"], run["status"], run["lead_agency"]) == ("received", "assigned", "ht@02647")
    assert run["due_at"] == "2026-12-02T10:00:00+00:00"
    assert run["told"][0]["channel"] == "console"


def test_a_result_with_photos_keeps_them_and_its_preview_leaves_no_file(paht: CommandLine, tmp_path: Path) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.IN_PROGRESS, code=CODE)))
    photo = tmp_path / "sau.jpg"
    Image.new("RGB", (64, 48), "green").save(photo)
    words = ["result", CODE, "--outcome", "fixed", "--answer", ANSWER, "--photo", str(photo)]

    preview = paht(*words, "--preview")
    assert preview.code == 0, preview.stderr
    assert "(kèm 1 ảnh)" in preview.stdout
    assert not (paht.folder / "media").exists()

    assert paht(*words).code == 0
    rows = paht.read(lambda s: s.exec(select(ReportPhoto)).all())
    assert [row.kind for row in rows] == ["after"]
    assert len(list((paht.folder / "media").rglob("*-shown.jpg"))) == 1
    assert paht("approve", CODE, "--json").json["told"][0]["photos"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outcome", "planned", "--head", "Ông Nam", "--on", "31/12/2026"], {"head": "Ông Nam", "on": "2026-12-31"}),
        (["--outcome", "not_found", "--visited-at", "8 giờ 20/11"], {"visited_at": "8 giờ 20/11"}),
        (["--outcome", "handed_over", "--document", "12/CV"], {"document": "12/CV"}),
    ],
)
def test_what_an_outcome_demands_is_kept(paht: CommandLine, words: list[str], said: dict[str, str]) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.IN_PROGRESS, code=CODE)))

    run = paht("result", CODE, "--answer", ANSWER, "--no-photo", "khong_can_anh", "--why", NO_PHOTO_WHY, *words)

    assert run.code == 0, run.stderr
    assert said.items() <= report_of(paht).outcome_data.items()


@pytest.mark.parametrize(
    ("status", "roles", "words", "code", "said"),
    [
        (Status.RECEIVED, None, ["approve", CODE], 5, "đang ở «Mới tiếp nhận» nên không thể duyệt kết quả"),
        (Status.ASSIGNED, [Role.INTAKE], ["accept", CODE], 4, "nhận xử lý là việc của chuyên viên"),
        (Status.RECEIVED, [Role.VIEWER], ["note", CODE, "x"], 4, "đây là việc của"),
        (Status.RECEIVED, None, ["ask", CODE, "Ở đâu?"], 2, "Câu hỏi cần ít nhất 10 ký tự (mới có 6)"),
        (Status.RECEIVED, None, ["reject", CODE, "TC99", REASON], 2, "Mã từ chối không đúng"),
        (Status.RECEIVED, None, ["assign", CODE, "khong_co"], 3, "Không có đơn vị «khong_co»"),
        (Status.RECEIVED, None, ["assign", CODE, "--field", "vũ trụ"], 2, "Không có lĩnh vực hay nhóm vấn đề"),
        (Status.IN_PROGRESS, None, ["assign", CODE, "gt"], 2, "Chuyển lại cần nêu lý do"),
        (Status.IN_PROGRESS, None, RESULT[:6], 2, "Cần ảnh sau xử lý"),
        (Status.IN_PROGRESS, None, [*RESULT[:6], "--photo", "khong-co.jpg"], 3, "Không có tệp khong-co.jpg"),
        (
            Status.IN_PROGRESS,
            None,
            ["result", CODE, "--outcome", "xong", "--answer", ANSWER],
            2,
            "chọn một trong fixed",
        ),
        (Status.IN_PROGRESS, None, ["result", CODE, "--answer", ANSWER], 2, "Thiếu --outcome"),
        (Status.IN_PROGRESS, None, [*RESULT, "--on", "hôm nào"], 2, "--on"),
        (Status.RESOLVED, None, ["close", CODE], 5, "còn quyền phản hồi tới 02/12/2026"),
        (Status.RECEIVED, None, ["accept"], 2, "Thiếu CODE (Mã phản ánh"),
        (Status.RECEIVED, None, ["khong-co"], 2, "Không có lệnh «khong-co»"),
    ],
)
def test_a_refusal_is_one_line_with_what_to_try_and_its_exit_code(
    paht: CommandLine, status: Status, roles: list[Role] | None, words: list[str], code: int, said: str
) -> None:
    paht.fill(lambda s: (an_officer(s, roles) if roles else an_officer(s), a_report(s, status, code=CODE)))

    run = paht(*words)

    assert (run.code, run.stdout) == (code, "")
    assert said in run.stderr and " → " in run.stderr
    assert run.stderr.count("\n") == 1
    assert words_of(paht) == []


def test_a_file_that_is_no_picture_is_refused_in_words(paht: CommandLine, tmp_path: Path) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.IN_PROGRESS, code=CODE)))
    file = tmp_path / "sau.jpg"
    file.write_text("không phải ảnh")

    run = paht(*RESULT[:6], "--photo", str(file))

    assert run.code == 2
    assert "Ảnh không dùng được: không phải ảnh" in run.stderr


def test_another_agencys_report_is_not_theirs(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session, [Role.OFFICER], agency="gt")
        a_report(session, Status.ASSIGNED, code=CODE)

    paht.fill(fill)

    run = paht("accept", CODE)

    assert run.code == 4
    assert "không thuộc đơn vị của bạn" in run.stderr


def test_the_second_approval_is_not_possible_any_more(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.PENDING_APPROVAL, code=CODE)))

    assert paht("approve", CODE).code == 0
    assert paht("approve", CODE).code == 5
    assert len(words_of(paht)) == 1


def test_a_report_that_changed_since_it_was_seen_is_left_alone(paht: CommandLine) -> None:
    """Between the preview that an officer reads and their yes, somebody else acts."""
    paht.fill(lambda s: (an_officer(s), a_report(s, Status.PENDING_APPROVAL, code=CODE)))
    seat = Seat(clock=lambda: NOW)
    seen = seat.desk.approve(CODE, preview=True).version
    assert paht("send-back", CODE, REASON).code == 0
    assert paht(*RESULT).code == 0

    with pytest.raises(ChangedMeanwhile) as refused:
        seat.desk.approve(seat.code(CODE), seen=seen)

    failure = describe(refused.value, seat)
    seat.leave()
    assert failure.code == 6
    assert failure.line == f"{CODE} vừa được người khác thay đổi, lệnh của bạn chưa ghi gì. → paht show {CODE}"
    assert report_of(paht).status is Status.PENDING_APPROVAL


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("sent", "Đã tới người dân."),
        ("failed", "Không gửi được: hỏng"),
        ("uncertain", "Chưa chắc tin đã tới"),
        ("blocked", "Người dân đang chặn bot"),
        ("queued", "Sau 0 giây tin vẫn trong hàng chờ"),
    ],
)
def test_waiting_says_how_the_message_ended(paht: CommandLine, state: str, said: str) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code=CODE)))
    if state == "queued":
        paht.patience = timedelta(seconds=0.3)

    with ThreadPoolExecutor(1) as pool:
        bot = pool.submit(settle_first_message, paht, state)
        run = paht("assign", CODE, "--wait")
        bot.result()

    assert run.code == 0
    assert said in run.stdout


def settle_first_message(paht: CommandLine, state: str) -> None:
    """What the bot does elsewhere meanwhile."""

    def settle(session: Session) -> bool:
        row = session.exec(select(OutboxMessage)).first()
        if row is None:
            return False
        row.state, row.error = state, "hỏng" if state == "failed" else None
        return True

    while not paht.fill(settle):
        time.sleep(0.02)
