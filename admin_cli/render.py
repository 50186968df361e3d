"""How answers look: tables for people on a terminal, TSV when piped, JSON and CSV for programs."""

import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.deadlines import LOCAL

if TYPE_CHECKING:  # loaded for a terminal only
    from rich.console import Console, RenderableType


class Form(StrEnum):
    """The shape of an answer."""

    TABLE = "table"
    TSV = "tsv"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``key`` for programs, ``title`` for people; ``width`` None = takes what is left."""

    key: str
    title: str
    width: int | None = None
    is_right: bool = False
    is_wrapped: bool = False  # over several lines rather than cut short


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as people read it and as programs do."""

    text: str
    raw: Any = None
    style: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a page: a label and what stands beside it. Without a label it goes on below."""

    label: str
    text: str
    style: str = ""
    is_heading: bool = False


def choose_form(*, as_json: bool = False, as_csv: bool = False) -> Form:
    """What was asked for, else what fits where the answer goes."""
    if as_json:
        return Form.JSON
    if as_csv:
        return Form.CSV
    return Form.TABLE if sys.stdout.isatty() else Form.TSV


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], form: Form) -> None:
    """Rows in the asked shape on standard output."""
    match form:
        case Form.JSON:
            print_json([{c.key: _raw(cell) for c, cell in zip(columns, row, strict=True)} for row in rows])
        case Form.CSV:
            emit(_csv([column.key for column in columns], ([_raw(cell) for cell in row] for row in rows)))
        case Form.TSV:
            emit("".join("\t".join(_one_line(cell.text) for cell in row) + "\n" for row in rows))
        case Form.TABLE:
            emit(_rendered(_rich_table(columns, rows)), pages=True)


def print_json(value: object) -> None:
    """One JSON value: indented for eyes, on one line for programs."""
    indent = 2 if sys.stdout.isatty() else None
    emit(json.dumps(_plain(value), ensure_ascii=False, indent=indent) + "\n")


def print_page(entries: Sequence[Entry]) -> None:
    """A page of labels and texts; wrapped and in colour on a terminal, as it stands elsewhere."""
    if not sys.stdout.isatty():
        emit("".join(f"{_plain_entry(entry)}\n" for entry in entries if entry.label or entry.text))
        return
    emit(_rendered(_rich_page(entries)), pages=True)


def emit(text: str, *, pages: bool = False) -> None:
    """Write data to standard output; through a pager where it is longer than the terminal is high."""
    rows = shutil.get_terminal_size().lines
    if pages and sys.stdout.isatty() and text.count("\n") > rows - 2 and (pager := _pager()):
        subprocess.run(
            pager, input=text.encode(), env={"LESS": "FRX", "LESSCHARSET": "utf-8", **os.environ}, check=False
        )
        return
    sys.stdout.write(text)
    sys.stdout.flush()


def line(text: str) -> None:
    """A line of data."""
    emit(f"{text}\n")


def message(text: str) -> None:
    """A remark beside the data, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def short_time(moment: datetime, now: datetime) -> str:
    """Local "13:40" today, "23/11 13:40" this year, "23/11/2026 13:40" else."""
    local, today = moment.astimezone(LOCAL), now.astimezone(LOCAL)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%d/%m %H:%M}" if local.year == today.year else f"{local:%d/%m/%Y %H:%M}"


def span(duration: timedelta) -> tuple[str, int]:
    """The unit and the number in which people count this long: ("days", 3)."""
    minutes = int(abs(duration).total_seconds() // 60)
    if minutes < 60:
        return "minutes", minutes
    return ("hours", minutes // 60) if minutes < 48 * 60 else ("days", minutes // (24 * 60))


def size(count: int) -> str:
    """ "3,2 MB"."""
    number, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            break
        number /= 1000
    shown = f"{number:.0f}" if number >= 10 or unit == "B" else f"{number:.1f}"
    return f"{shown} {unit}".replace(".", ",")


def _rich_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> "RenderableType":
    from rich import box  # a tenth of a second that a pipe need not pay
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=any(column.width is None for column in columns))
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.is_right else "left",
            max_width=column.width,
            ratio=1 if column.width is None else None,
            no_wrap=not column.is_wrapped,
            overflow="fold" if column.is_wrapped else "ellipsis",
        )
    for row in rows:
        table.add_row(*(Text(_one_line(cell.text), style=cell.style) for cell in row))
    return table


def _rich_page(entries: Sequence[Entry]) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True, style="dim", max_width=18)
    grid.add_column(ratio=1, overflow="fold")
    for entry in entries:
        label = Text(entry.label, style="bold not dim" if entry.is_heading else "")
        grid.add_row(label, Text(entry.text, style=entry.style))
    return grid


def _rendered(what: "RenderableType") -> str:
    console = _console()
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def _pager() -> list[str] | None:
    command = shlex.split(os.environ.get("PAGER", "less"))
    found = shutil.which(command[0]) if command and command[0] != "cat" else None
    return [found, *command[1:]] if found else None


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_plain(value) for value in row] for row in rows)
    return buffer.getvalue()


def _raw(cell: Cell) -> Any:
    return cell.text if cell.raw is None and cell.text else cell.raw


def _plain_entry(entry: Entry) -> str:
    return "\t".join(part for part in (entry.label, _one_line(entry.text)) if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(value: Any) -> Any:
    """A value in words of JSON; instants in ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return value
