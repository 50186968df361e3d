"""The files of a province pack as they lie in its folder; everything that is wrong is collected with file and line."""

import csv
import re
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

Numbered = tuple[int, dict[str, str]]  # line of the file, its cells by column


class PackFiles:
    """Reads files and remembers what is wrong with them, so that one look mends them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def complain(self, name: str, problem: str, line: int | None = None) -> None:
        """Note a defect of a file."""
        where = name if line is None else f"{name} line {line}"
        self.problems.append(f"{where}: {problem}")

    def toml(self, name: str) -> dict[str, Any]:
        """The whole of a TOML file; empty where it can't be read."""
        try:
            return tomllib.loads(self._text(name))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.complain(name, str(error))
            return {}

    def line_of(self, name: str, key: str) -> int | None:
        """The first line of a TOML file that sets ``key`` or opens the section ``[key]``."""
        pattern = re.compile(rf"\s*(\[{re.escape(key)}\]|\"?{re.escape(key)}\"?\s*=)")
        try:
            lines = self._text(name).splitlines()
        except (OSError, UnicodeDecodeError):
            return None
        return next((number for number, text in enumerate(lines, 1) if pattern.match(text)), None)

    def rows(
        self, name: str, columns: Sequence[str], *, unique: str | None = None, filled: Sequence[str]
    ) -> list[Numbered]:
        """The usable rows of a CSV file: right columns, ``filled`` cells not empty, ``unique`` cell not seen before."""
        try:
            with (self.folder / name).open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                rows = [(reader.line_num, row) for row in reader]
                header = list(reader.fieldnames or ())
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self.complain(name, str(error))
            return []
        if missing := [column for column in columns if column not in header]:
            self.complain(name, f"columns expected are {','.join(columns)}; missing: {','.join(missing)}", 1)
            return []
        if not rows and unique is not None:
            self.complain(name, "there are no rows")
        seen: dict[str, int] = {}
        return [(line, row) for line, row in rows if self._is_usable(name, line, row, unique, filled, seen)]

    def day(self, name: str, line: int, text: str) -> date | None:
        """A day like 2025-07-01; complains about anything else."""
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.complain(name, f"{text!r} is no date like 2025-07-01", line)
            return None

    def _is_usable(
        self, name: str, line: int, row: dict[str, str], unique: str | None, filled: Sequence[str], seen: dict[str, int]
    ) -> bool:
        if None in row or None in row.values():
            self.complain(name, "too many or too few columns", line)
            return False
        if empty := [column for column in filled if not row[column].strip()]:
            self.complain(name, f"{', '.join(empty)} is empty", line)
            return False
        if unique is not None and row[unique] in seen:
            self.complain(name, f"{row[unique]} stands in line {seen[row[unique]]} already", line)
            return False
        if unique is not None:
            seen[row[unique]] = line
        return True

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")
