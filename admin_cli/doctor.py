"""``paht doctor``: is everything there that the bot and the desk stand on? Secrets are never printed."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from admin_cli.failures import ExitCode, describe, role_names
from admin_cli.help import DeskCommand
from admin_cli.render import Cell, Column, Form, choose_form, message, print_table, short_time, size
from admin_cli.seat import Seat
from handlers.queries import count_dead_inbox
from storage.reader import as_instant

app = typer.Typer()

_OLD = timedelta(minutes=5)  # what waits longer than this waits for a bot that does not run
_DISK_LOW, _DISK_BAD = 2_000_000_000, 200_000_000  # bytes
_CLOCK_OFF = 5.0  # seconds
_CALENDAR_AHEAD = timedelta(days=60)
_TOKEN = re.compile(r"\d{6,12}:[A-Za-z0-9_-]{30,}")  # "123456789:AA…"


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing."""

    check: str
    verdict: Verdict
    detail: str


_STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.BAD: "bold red"}


@app.command("doctor", cls=DeskCommand)
def doctor(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """Check the installation."""
    seat: Seat = ctx.obj
    findings = list(examine(seat))
    columns = [
        Column("check", seat.say("column.check"), 16),
        Column("verdict", seat.say("column.verdict"), 10),
        Column("detail", seat.say("column.detail"), is_wrapped=True),
    ]
    rows = [
        [
            Cell(seat.say(f"doctor.{item.check}"), item.check),
            Cell(seat.say(f"doctor.{item.verdict.value}"), item.verdict.value, _STYLES[item.verdict]),
            Cell(item.detail, item.detail),
        ]
        for item in findings
    ]
    form = choose_form(as_json=as_json, as_csv=as_csv)
    print_table(columns, rows, form)
    bad = sum(item.verdict is Verdict.BAD for item in findings)
    warn = sum(item.verdict is Verdict.WARN for item in findings)
    if form in (Form.TABLE, Form.TSV):
        key = "bad" if bad else "warn" if warn else "ok"
        message(seat.say(f"doctor.summary_{key}", n=bad or warn))
    if bad:
        raise typer.Exit(ExitCode.ERROR)


def examine(seat: Seat) -> Iterator[Finding]:
    """Every check, each on its own: what breaks one does not hide the others."""
    checks: dict[str, Callable[[Seat], Finding]] = {
        "database": _database,
        "schema": _schema,
        "account": _account,
        "pack": _pack,
        "gazetteer": _gazetteer,
        "model": _model,
        "media": _media,
        "bot": _bot,
        "inbox": _inbox,
        "outbox": _outbox,
        "dead": _dead,
        "disk": _disk,
        "clock": _clock,
        "telegram": _telegram,
        "redis": _redis,
    }
    for name, check in checks.items():
        try:
            yield check(seat)
        except Exception as error:  # a broken thing is a finding, not the end
            yield Finding(name, Verdict.BAD, describe(error, seat).line)


def _database(seat: Seat) -> Finding:
    count = seat.reader.number("SELECT count(*) AS n FROM report")
    kind = "SQLite" if seat.reader.is_sqlite else "PostgreSQL"
    return Finding("database", Verdict.OK, seat.say("doctor.reports", kind=kind, n=count))


def _schema(seat: Seat) -> Finding:
    from storage.migrate import HEAD  # the tables' classes, for one constant

    row = seat.reader.first("SELECT version_num FROM alembic_version")
    found = row["version_num"] if row else None
    if found == HEAD:
        return Finding("schema", Verdict.OK, seat.say("doctor.schema_ok", found=found))
    key = "doctor.schema_old" if found else "doctor.schema_none"
    return Finding("schema", Verdict.BAD, seat.say(key, found=found, expected=HEAD))


def _account(seat: Seat) -> Finding:
    detail = seat.say("doctor.account_ok", account=seat.actor.account, roles=role_names(seat, seat.actor.roles))
    return Finding("account", Verdict.OK, detail)


def _pack(seat: Seat) -> Finding:
    pack, now = seat.office.pack, seat.now()
    soon = now + _CALENDAR_AHEAD
    if soon.year not in pack.calendar.years:
        days = (datetime(soon.year, 1, 1, tzinfo=UTC) - now).days
        return Finding("pack", Verdict.WARN, seat.say("doctor.pack_year", year=soon.year, days=days))
    years = f"{min(pack.calendar.years)}–{max(pack.calendar.years)}"
    counts = {"subfields": len(pack.subfields), "agencies": len(pack.agencies)}
    return Finding("pack", Verdict.OK, seat.say("doctor.pack_ok", name=pack.name, years=years, **counts))


def _gazetteer(seat: Seat) -> Finding:
    return _file(seat, "gazetteer", seat.settings.gazetteer_path, "paht nlp gazetteer build")


def _model(seat: Seat) -> Finding:
    from nlp.model_store import DEFAULT_MODEL

    return _file(seat, "model", DEFAULT_MODEL, "paht nlp train")


def _file(seat: Seat, check: str, path: Path, command: str) -> Finding:
    if not path.is_file():
        return Finding(check, Verdict.BAD, seat.say("doctor.file_none", path=path, command=command))
    return Finding(check, Verdict.OK, seat.say("doctor.file_ok", path=path, size=size(path.stat().st_size)))


def _media(seat: Seat) -> Finding:
    folder = seat.settings.media_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    is_writable = os.access(existing, os.W_OK)
    key = "doctor.media_ok" if is_writable else "doctor.media_bad"
    return Finding("media", Verdict.OK if is_writable else Verdict.BAD, seat.say(key, path=folder))


def _bot(seat: Seat) -> Finding:
    """A sender renews its right every few seconds: where none does, nobody sends."""
    leases = seat.reader.rows("SELECT until FROM lease WHERE name LIKE ?", "sender:%")
    ends = [as_instant(row["until"]) for row in leases]
    if any(end is not None and end > seat.now() for end in ends):
        return Finding("bot", Verdict.OK, seat.say("doctor.bot_on"))
    waiting = seat.reader.number("SELECT count(*) AS n FROM outbox WHERE state IN ('queued','sending','retry')")
    if waiting:
        return Finding("bot", Verdict.WARN, seat.say("doctor.bot_off_waiting", n=waiting))
    return Finding("bot", Verdict.OK, seat.say("doctor.bot_off"))


def _inbox(seat: Seat) -> Finding:
    return _backlog(seat, "inbox", "received_at", "done_at IS NULL")


def _outbox(seat: Seat) -> Finding:
    return _backlog(seat, "outbox", "next_at", "state IN ('queued','sending','retry')")


def _backlog(seat: Seat, table: str, since: str, waiting: str) -> Finding:
    row = seat.reader.first(f"SELECT count(*) AS n, min({since}) AS oldest FROM {table} WHERE {waiting}")
    count, oldest = (row["n"], as_instant(row["oldest"])) if row else (0, None)
    if oldest is not None and oldest < seat.now() - _OLD:
        at = short_time(oldest, seat.now())
        return Finding(table, Verdict.WARN, seat.say(f"doctor.{table}_old", n=count, at=at))
    return Finding(table, Verdict.OK, seat.say(f"doctor.{table}_ok", n=count))


def _dead(seat: Seat) -> Finding:
    inbox = count_dead_inbox(seat.reader)
    given_up = "state = 'failed' OR (state = 'expired' AND error NOT LIKE 'superseded%')"
    outbox = seat.reader.number(f"SELECT count(*) AS n FROM outbox WHERE {given_up}")
    if not inbox and not outbox:
        return Finding("dead", Verdict.OK, seat.say("doctor.dead_none"))
    return Finding("dead", Verdict.WARN, seat.say("doctor.dead_some", inbox=inbox, outbox=outbox))


def _disk(seat: Seat) -> Finding:
    folder = seat.settings.data_dir
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    verdict = Verdict.BAD if free < _DISK_BAD else Verdict.WARN if free < _DISK_LOW else Verdict.OK
    key = "doctor.disk_ok" if verdict is Verdict.OK else "doctor.disk_low"
    return Finding("disk", verdict, seat.say(key, free=size(free)))


def _clock(seat: Seat) -> Finding:
    now = f"{seat.office.show_due(seat.now())}"
    if seat.reader.is_sqlite:
        return Finding("clock", Verdict.OK, seat.say("doctor.clock_ok", now=now))
    row = seat.reader.first("SELECT clock_timestamp() AS now")
    theirs = as_instant(row["now"]) if row else None
    seconds = abs((seat.now() - theirs).total_seconds()) if theirs else 0.0
    if seconds > _CLOCK_OFF:
        return Finding("clock", Verdict.WARN, seat.say("doctor.clock_off", now=now, seconds=round(seconds)))
    return Finding("clock", Verdict.OK, seat.say("doctor.clock_ok", now=now))


def _telegram(seat: Seat) -> Finding:
    settings = seat.settings
    if not settings.telegram_token:
        return Finding("telegram", Verdict.OK, seat.say("doctor.telegram_off"))
    if not _TOKEN.fullmatch(settings.telegram_token):
        return Finding("telegram", Verdict.BAD, seat.say("doctor.telegram_shape"))
    if not settings.public_url:
        return Finding("telegram", Verdict.OK, seat.say("doctor.telegram_polling"))
    if not settings.public_url.startswith("https://"):
        return Finding("telegram", Verdict.BAD, seat.say("doctor.telegram_http"))
    return Finding("telegram", Verdict.OK, seat.say("doctor.telegram_webhook", url=settings.public_url))


def _redis(seat: Seat) -> Finding:
    if not seat.settings.redis_url:
        return Finding("redis", Verdict.OK, seat.say("doctor.redis_off"))
    import redis  # only where it is used

    with redis.Redis.from_url(seat.settings.redis_url, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()
    return Finding("redis", Verdict.OK, seat.say("doctor.redis_on"))
