"""How long the officers' commands take from the key to the prompt, with 10,000 reports in the database."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from storage import migrate
from storage.database import Database
from storage.workflow import Status, UrgencyClass
from tests.benchmarks.measuring import percentile, show
from tests.desk_factories import a_citizen, a_report, an_officer

REPORTS, RUNS = 10_000, 15
GOAL = 0.3  # seconds, of `paht inbox`
PAHT = Path(sys.executable).with_name("paht")
COMMANDS = (
    "inbox --json",
    "inbox",
    "inbox --overdue --commune 03006",
    "inbox --text den",
    "show PA-000042",
    "",
    "assign PA-000000 --preview",
)


def main() -> int:
    """Measure each command; 1 if the list of reports misses its goal in processor time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        environment = {**os.environ, "DATA_DIR": name, "DATABASE_URL": "", "REDIS_URL": "", "PROVINCE_PACK": ""}
        rows, medians = [], {}
        bare = [timed([sys.executable, "-c", "pass"], environment) for _ in range(RUNS)]
        rows.append(("python -c pass", *figures(bare)))
        for words in COMMANDS:
            runs = [timed([str(PAHT), *words.split()], environment) for _ in range(RUNS)]
            medians[words] = statistics.median(cpu for _, cpu in runs)
            rows.append((f"paht {words}".strip(), *figures(runs)))
    show(f"Start of the officers' commands, {REPORTS:,} reports", ["command", "p50 ms", "p95 ms", "CPU ms"], rows)
    return 0 if medians["inbox --json"] <= GOAL else 1


def fill(folder: Path) -> None:
    """Reports of every status, urgency and a few places."""
    database = Database(f"sqlite:///{folder / 'paht.db'}")
    migrate.upgrade(database)
    now = datetime.now(UTC)
    places = (("02647", "Phường Lào Cai"), ("03006", "Phường Sa Pa"), ("02671", "Phường Cam Đường"))
    texts = ("Ổ gà to trước chợ Cốc Lếu", "Đèn đường tắt cả tuần nay", "Rác đổ bừa bãi sau chợ")

    def work(session: Session) -> None:
        an_officer(session)
        citizen = a_citizen(session)
        for number in range(REPORTS):
            code, name = places[number % 3]
            a_report(
                session,
                list(Status)[number % len(Status)],
                code=f"PA-{number:06}",
                citizen=citizen,
                text=f"{texts[number % 3]}, lần {number}",
                commune_code=code,
                commune_name=name,
                urgency=UrgencyClass.URGENT if number % 50 == 0 else UrgencyClass.NORMAL,
                created_at=now - timedelta(minutes=number),
            )

    database.write_now(work)
    database.close()


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and processor time of one run, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def figures(runs: list[tuple[float, float]]) -> tuple[str, str, str]:
    """Median and p95 of wall time, median of processor time."""
    walls = [wall for wall, _ in runs]
    return (
        f"{percentile(walls, 0.5):.0f}",
        f"{percentile(walls, 0.95):.0f}",
        f"{statistics.median(cpu for _, cpu in runs) * 1000:.0f}",
    )


if __name__ == "__main__":
    sys.exit(main())
