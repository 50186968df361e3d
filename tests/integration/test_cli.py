"""The command line as officers run it: processes of its own, both databases, a terminal of 80 columns."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from sqlmodel import Session, select

from storage.database import Database
from storage.models import OutboxMessage, Report
from storage.workflow import Status
from tests.desk_factories import ANSWER, NO_PHOTO_WHY, REASON, a_report, an_officer

PAHT = Path(sys.executable).with_name("paht")
CODE = "PA-AAAAAA"


@dataclass(frozen=True)
class Officer:
    """Somebody at a keyboard, on this database."""

    database: Database
    environment: dict[str, str]

    def runs(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PAHT), *words], capture_output=True, text=True, env=self.environment | more, timeout=60, check=False
        )

    def status(self) -> Status:
        return self.database.read_now(lambda s: s.exec(select(Report).where(Report.code == CODE)).one().status)


@pytest.fixture
def officer(database: Database, tmp_path: Path) -> Officer:
    scrubbed = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "SYSTEMROOT")}
    settings = {"DATA_DIR": str(tmp_path / "var"), "DATABASE_URL": database.url, "PROVINCE_PACK": "lao_cai"}
    database.write_now(lambda s: an_officer(s))
    return Officer(database, scrubbed | settings | {"TELEGRAM_TOKEN": "", "REDIS_URL": ""})


def test_a_report_goes_from_the_inbox_to_its_result(officer: Officer, tmp_path: Path) -> None:
    officer.database.write_now(lambda s: a_report(s, code=CODE))
    photo = tmp_path / "sau.jpg"
    Image.new("RGB", (64, 48), "green").save(photo)

    listed = officer.runs("inbox", "--json")
    assert [line["code"] for line in json.loads(listed.stdout)] == [CODE]
    steps = [
        (["assign", "AAA"], Status.ASSIGNED),
        (["accept", CODE], Status.IN_PROGRESS),
        (["progress", CODE, "Đã khảo sát", "--public"], Status.IN_PROGRESS),
        (["result", CODE, "--outcome", "fixed", "--answer", ANSWER, "--photo", str(photo)], Status.PENDING_APPROVAL),
        (["send-back", CODE, REASON], Status.IN_PROGRESS),
        (
            ["result", CODE, "-o", "fixed", "-a", ANSWER, "--no-photo", "khong_can_anh", "--why", NO_PHOTO_WHY],
            Status.PENDING_APPROVAL,
        ),
        (["approve", CODE], Status.RESOLVED),
    ]
    for words, status in steps:
        run = officer.runs(*words)
        assert run.returncode == 0, (words, run.stderr)
        assert officer.status() is status

    shown = json.loads(officer.runs("show", CODE, "--json").stdout)
    assert [row["transition"] for row in shown["history"]] == ["T1", "T8", "T9", "T12", "T14", "T15", "T14", "T16"]
    assert len(shown["messages"]) == 3  # handed over, progress, result
    assert shown["citizen_knows"] is False
    rows = list(csv.DictReader(io.StringIO(officer.runs("outbox", "list", "--csv").stdout)))
    assert [row["state"] for row in rows] == ["queued"] * 3


def test_every_list_reads_the_same_on_both_databases(officer: Officer) -> None:
    def fill(session: Session) -> None:
        for number, status in enumerate(Status):
            a_report(session, status, code=f"PA-{number:06}", text=f"Ổ gà 100% lần {number}")

    officer.database.write_now(fill)
    for words in (
        ["inbox", "--status", "all"],
        ["inbox", "--mine"],
        ["inbox", "--overdue"],
        ["inbox", "--text", "o ga 100%"],
        ["inbox", "--commune", "02647", "--field", "ha_tang", "--agency", "ht"],
        ["inbox", "--sort", "due", "--csv"],
        ["show", "PA-000003"],
        ["outbox", "list", "--all"],
        ["system", "dead-letters"],
        [],
    ):
        run = officer.runs(*words)
        assert run.returncode == 0, (words, run.stderr)
    assert len(json.loads(officer.runs("inbox", "--status", "all", "--json").stdout)) == len(Status)
    assert len(json.loads(officer.runs("inbox", "--text", "o ga 100%", "--json").stdout)) == 5


def test_of_two_officers_at_once_one_is_told_that_it_is_done_already(officer: Officer) -> None:
    officer.database.write_now(lambda s: a_report(s, Status.PENDING_APPROVAL, code=CODE))
    runs: list[int] = []
    threads = [threading.Thread(target=lambda: runs.append(officer.runs("approve", CODE).returncode)) for _ in range(3)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(runs) == [0, 5, 5]
    said = officer.database.read_now(lambda s: s.exec(select(OutboxMessage)).all())
    assert len(said) == 1


def test_waiting_ends_when_the_bot_has_sent(officer: Officer) -> None:
    officer.database.write_now(lambda s: a_report(s, code=CODE))
    waiting = subprocess.Popen(
        [str(PAHT), "assign", CODE, "--wait"], stdout=subprocess.PIPE, env=officer.environment, text=True
    )

    def send(session: Session) -> OutboxMessage | None:
        row = session.exec(select(OutboxMessage)).first()
        if row is not None:
            row.state = "sent"
        return row

    while officer.database.write_now(send) is None:
        time.sleep(0.05)
    said, _ = waiting.communicate(timeout=30)

    assert waiting.returncode == 0
    assert "Đã tới người dân." in said


def test_a_server_that_is_away_has_its_exit_code(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql://nobody:mat-khau@127.0.0.1:1/paht",
        "DATA_DIR": str(tmp_path),
    }

    run = subprocess.run([str(PAHT), "inbox"], capture_output=True, text=True, env=environment, timeout=60, check=False)

    assert run.returncode == 7
    assert "Cơ sở dữ liệu không trả lời" in run.stderr and run.stderr.count("\n") == 1
    assert "mat-khau" not in run.stderr


def test_a_reader_that_goes_away_is_no_failure(officer: Officer) -> None:
    def fill(session: Session) -> None:
        for number in range(300):
            a_report(session, code=f"PA-{number:06}", text="dài " * 400)

    officer.database.write_now(fill)
    listing = subprocess.Popen(
        [str(PAHT), "inbox", "--limit", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=officer.environment
    )
    assert listing.stdout is not None and listing.stderr is not None
    listing.stdout.read(10)
    listing.stdout.close()
    said = listing.stderr.read().decode()
    listing.stderr.close()
    listing.wait(30)

    assert "Traceback" not in said and "Exception" not in said


# At a terminal


@pytest.fixture
def embedded(sqlite_url: str, sqlite_database: Database, tmp_path: Path) -> Officer:
    """An officer on an embedded installation."""
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": "", "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    sqlite_database.write_now(lambda s: (an_officer(s), a_report(s, Status.PENDING_APPROVAL, code=CODE)))
    return Officer(sqlite_database, environment)


def at_terminal(officer: Officer, *words: str, types: str = "", columns: int = 80, **more: str) -> tuple[str, int]:
    """What a terminal shows, with what is typed into it."""
    pty = pytest.importorskip("pty")
    import fcntl
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = officer.environment | {"COLUMNS": str(columns), "LINES": "40", "PAGER": ""} | more
    process = subprocess.Popen([str(PAHT), *words], stdin=child, stdout=child, stderr=child, env=environment)
    os.close(child)
    os.write(parent, types.encode())
    shown = b""
    while True:
        try:
            piece = os.read(parent, 65536)
        except OSError:  # Linux says so when the last writer is gone
            break
        if not piece:
            break
        shown += piece
    os.close(parent)
    return shown.decode(), process.wait(30)


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r", "")


@pytest.mark.parametrize("words", [["inbox"], ["show", CODE], [], ["outbox", "list", "--all"], ["doctor"]])
def test_nothing_is_wider_than_80_columns(embedded: Officer, words: list[str]) -> None:
    shown, _ = at_terminal(embedded, *words)

    lines = [line for line in plain(shown).splitlines() if not line.startswith("  paht ")]
    assert lines and max(len(line) for line in lines) <= 80


def test_a_terminal_gets_a_table_in_colour_and_without_on_demand(embedded: Officer) -> None:
    colourful, _ = at_terminal(embedded, "inbox")
    bare, _ = at_terminal(embedded, "inbox", NO_COLOR="1")

    assert "\x1b[35m" in colourful
    assert "\x1b[35m" not in bare
    assert "Tình trạng" in plain(bare) and CODE in bare


def test_a_wide_terminal_shows_more_columns(embedded: Officer) -> None:
    assert "Đơn vị" not in plain(at_terminal(embedded, "inbox")[0])
    assert "Đơn vị" in plain(at_terminal(embedded, "inbox", columns=160)[0])


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ("c\n", Status.RESOLVED),
        ("có\n", Status.RESOLVED),
        ("k\n", Status.PENDING_APPROVAL),
        ("\n", Status.PENDING_APPROVAL),
    ],
)
def test_approving_shows_the_words_first_and_asks(embedded: Officer, typed: str, status: Status) -> None:
    shown, code = at_terminal(embedded, "approve", CODE, types=typed)

    assert code == 0
    assert ANSWER in plain(shown) and "Gửi đi?" in shown
    assert embedded.status() is status


def test_yes_asks_nothing(embedded: Officer) -> None:
    shown, code = at_terminal(embedded, "approve", CODE, "--yes")

    assert code == 0
    assert "Gửi đi?" not in shown
    assert embedded.status() is Status.RESOLVED


def test_a_long_list_is_paged(embedded: Officer, tmp_path: Path) -> None:
    if shutil.which("less") is None:
        pytest.skip("there is no pager here")

    def fill(session: Session) -> None:
        for number in range(60):
            a_report(session, code=f"PA-{number:06}")

    embedded.database.write_now(fill)

    shown, code = at_terminal(embedded, "inbox", "--limit", "0", types="q", PAGER="less")

    assert code == 0
    assert "PA-000010" in shown and "PA-000055" not in shown


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("paht show PA", CODE),
        ("paht assign PA-AAAAAA g", "gt"),
        ("paht inbox --status pend", "pending_approval"),
        ("paht inbox --field ha_tang.c", "ha_tang.chieu_sang"),
        ("paht res", "result"),
        ("paht result X --outcome pl", "planned"),
    ],
)
def test_the_shell_completes_commands_codes_and_agencies(embedded: Officer, typed: str, offered: str) -> None:
    words = typed.split()
    run = subprocess.run(
        [str(PAHT)],
        capture_output=True,
        text=True,
        env=embedded.environment
        | {"_PAHT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)},
        timeout=60,
        check=False,
    )

    assert offered in run.stdout, run.stderr
