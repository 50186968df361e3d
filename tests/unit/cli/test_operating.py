"""The operator's commands: overview, outbox, doctor, system."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from storage.models import InboxMessage, OutboxMessage
from storage.workflow import Role, Status, UrgencyClass
from tests.desk_factories import NOW, a_message, a_report, an_officer
from tests.unit.cli.conftest import CommandLine

CODE = "PA-AAAAAA"
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"


def a_dead_message(session: Session) -> None:
    session.add(
        InboxMessage(
            channel="telegram",
            account="main",
            external_id="1",
            lane="telegram:main:7",
            received_at=NOW,
            body="lời của người dân",
            tries=6,
            error="ValueError: hỏng",
            done_at=NOW,
            is_dead=True,
        )
    )


def test_the_first_page_says_what_needs_attention_and_how_to_see_it(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        a_report(session, urgency=UrgencyClass.URGENT)
        a_report(session, Status.ASSIGNED, due_at=NOW - timedelta(hours=1))
        a_message(session, a_report(session, Status.CLOSED), "failed", error="gone")
        a_dead_message(session)

    paht.fill(fill)

    run = paht()

    assert "Mới 1 · chờ dân 0 · đã chuyển 1" in run.stdout
    for line in ("Khẩn đang mở: 1", "Quá hạn: 1", "Chờ bạn: 2", "chưa nhận được: 1", "chưa đọc được: 1"):
        assert line in run.stdout
    for command in ("inbox --overdue", "inbox --mine", "outbox list", "system dead-letters", "doctor"):
        assert f"paht {command}" in run.stderr


def test_the_first_page_of_a_new_installation_says_how_to_begin(paht: CommandLine) -> None:
    run = paht()

    assert run.code == 0
    assert "make run" in run.stdout


def test_the_outbox_lists_what_did_not_arrive(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        report = a_report(session, code=CODE)
        for state in ("sent", "queued", "failed", "uncertain", "waiting"):
            a_message(session, report, state, text=f"tin {state}")
        a_message(session, report, "expired", error="superseded by a newer status")

    paht.fill(fill)

    assert [row["state"] for row in paht("outbox", "list", "--json").json] == [
        "waiting",
        "uncertain",
        "failed",
        "queued",
    ]
    assert [row["state"] for row in paht("outbox", "list", "--state", "failed", "--json").json] == ["failed"]
    assert len(paht("outbox", "list", "--all", "--json").json) == 6
    assert len(paht("outbox", "list", "--report", "AAA", "--limit", "1").cells) == 1
    assert paht("outbox").stdout == paht("outbox", "list").stdout
    assert paht("outbox", "list", "--state", "lost").code == 2


def test_a_message_is_shown_with_the_exact_words(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        a_message(session, a_report(session, code=CODE), "failed", text="Dòng một\nDòng hai", error="chat not found")

    paht.fill(fill)

    run = paht("outbox", "show", "1")

    assert "Dòng một\nDòng hai" in run.stdout and "Lỗi: chat not found" in run.stdout
    assert "paht outbox retry 1" in run.stderr
    assert paht("outbox", "show", "99").code == 3


def test_a_failed_message_is_sent_again_and_a_sent_one_is_not(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        report = a_report(session, code=CODE)
        a_message(session, report, "failed")
        a_message(session, report, "sent")

    paht.fill(fill)

    assert paht("outbox", "retry", "1").code == 0
    assert paht("outbox", "retry", "2").code == 3
    assert paht.read(lambda s: [row.state for row in s.exec(select(OutboxMessage))]) == ["queued", "sent"]


def test_an_agency_sees_no_message_of_another(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session, [Role.OFFICER], agency="gt")
        a_message(session, a_report(session, Status.ASSIGNED, code=CODE), "failed")

    paht.fill(fill)

    assert paht("outbox", "list", "--json").json == []
    assert paht("outbox", "show", "1").code == 3
    assert paht("outbox", "retry", "1").code == 3


def test_the_doctor_examines_everything_and_names_what_is_wrong(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        a_message(session, a_report(session), "queued", next_at=NOW - timedelta(hours=1))
        a_dead_message(session)

    paht.fill(fill)

    run = paht("doctor", "--json")

    found = {item["check"]: (item["verdict"], item["detail"]) for item in run.json}
    assert set(found) == {
        "database", "schema", "account", "pack", "gazetteer", "model", "media", "bot", "inbox", "outbox", "dead",
        "disk", "clock", "telegram", "redis",
    }  # fmt: skip
    assert found["schema"] == ("ok", "bản 0001")
    assert found["gazetteer"][0] == "bad" and "paht nlp gazetteer build" in found["gazetteer"][1]
    assert found["outbox"][0] == "warn" and "bot có đang chạy không" in found["outbox"][1]
    assert found["bot"] == ("warn", "đang dừng mà 1 tin chờ gửi: chạy make run hoặc paht-bot --no-console")
    assert found["dead"] == ("warn", "1 tin đến, 0 tin đi: paht system dead-letters")
    assert run.code == 1  # there is no gazetteer


def test_the_doctor_is_content_with_a_sound_installation(paht: CommandLine) -> None:
    paht.fill(lambda s: an_officer(s))
    (paht.folder / "gazetteer.bin").write_bytes(b"x")

    run = paht("doctor")

    assert run.code == 0, run.stdout
    assert run.stderr == "Hệ thống ổn.\n"


def test_the_doctor_examines_what_is_left_when_the_database_is_gone(paht: CommandLine) -> None:
    (paht.folder / "paht.db").unlink()

    run = paht("doctor", "--json")

    found = {item["check"]: item["verdict"] for item in run.json}
    assert found["database"] == "bad" and found["pack"] == "ok"
    assert run.code == 1


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({"TELEGRAM_TOKEN": TOKEN}, "ok"),
        ({"TELEGRAM_TOKEN": "abc-secret-abc"}, "bad"),
        ({"TELEGRAM_TOKEN": TOKEN, "PUBLIC_URL": "http://example.org"}, "bad"),
        ({"TELEGRAM_TOKEN": TOKEN, "PUBLIC_URL": "https://example.org"}, "ok"),
    ],
)
def test_the_doctor_checks_the_channel_and_prints_no_secret(
    paht: CommandLine, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], verdict: str
) -> None:
    paht.fill(lambda s: an_officer(s))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    run = paht("doctor", "--json")

    assert {item["check"]: item["verdict"] for item in run.json}["telegram"] == verdict
    assert settings["TELEGRAM_TOKEN"] not in run.stdout + run.stderr


def test_a_redis_that_does_not_answer_is_a_finding_without_its_password(
    paht: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    paht.fill(lambda s: an_officer(s))
    monkeypatch.setenv("REDIS_URL", "redis://:mat-khau@127.0.0.1:1/0")

    run = paht("doctor", "--json")

    assert {item["check"]: item["verdict"] for item in run.json}["redis"] == "bad"
    assert "mat-khau" not in run.stdout + run.stderr


def test_dead_letters_are_listed_without_their_words_and_read_again(paht: CommandLine) -> None:
    def fill(session: Session) -> None:
        an_officer(session)
        a_dead_message(session)
        a_message(session, a_report(session, code=CODE), "failed", error="gone")

    paht.fill(fill)

    run = paht("system", "dead-letters")
    assert [row[0] for row in run.cells] == ["tin đến", "tin đi"]
    assert "lời của người dân" not in run.stdout
    assert paht("system", "dead-letters", "--retry", "1").code == 0
    assert paht("system", "dead-letters", "--retry", "1").code == 3
    assert [row["kind"] for row in paht("system", "dead-letters", "--json").json] == ["outbox"]


def test_dead_letters_are_for_intake_and_operators(paht: CommandLine) -> None:
    paht.fill(lambda s: an_officer(s, [Role.OFFICER]))

    assert paht("system", "dead-letters").code == 4


def test_migrating_makes_a_missing_database_and_leaves_a_current_one(paht: CommandLine) -> None:
    assert "không phải làm gì" in paht("system", "migrate").stdout
    (paht.folder / "paht.db").unlink()

    assert "Sẽ đưa cơ sở dữ liệu" in paht("system", "migrate", "--dry-run").stdout
    assert "đã ở bản 0001" in paht("system", "migrate").stdout
    assert paht("inbox").code == 0


def test_an_act_on_an_old_database_asks_for_the_migration(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code=CODE)))
    with sqlite3.connect(paht.folder / "paht.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()

    run = paht("assign", CODE)

    assert run.code == 1
    assert "paht system migrate" in run.stderr


def test_a_backup_is_a_whole_copy_and_overwrites_nothing(paht: CommandLine, tmp_path: Path) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code=CODE)))
    target = tmp_path / "sao-luu.db"

    assert paht("system", "backup", str(target)).code == 0
    with sqlite3.connect(target) as copy:
        assert copy.execute("SELECT code FROM report").fetchall() == [(CODE,)]
    copy.close()
    assert paht("system", "backup", str(target)).code == 1


def test_a_broken_province_pack_is_named(paht: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVINCE_PACK", "khong_co")

    run = paht("inbox")

    assert run.code == 1
    assert "Gói dữ liệu tỉnh có lỗi" in run.stderr


def test_a_wrong_setting_is_named(paht: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "nhiều")

    run = paht("inbox")

    assert run.code == 1
    assert "WEB_PORT" in run.stderr and ".env" in run.stderr
