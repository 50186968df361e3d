"""An operator's own list of streets: which communes a street runs through, to decide where the text leaves it open."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from nlp.gazetteer import Gazetteer
from nlp.gazetteer_keys import accented_key, folded_key

_STREET_WORDS = ("đường phố ", "đường ", "phố ", "đại lộ ", "quốc lộ ", "tỉnh lộ ")
_COLUMNS = ("street", "commune_code")


class StreetsUnusable(Exception):
    """The list can't be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class Street:
    """A street and the codes of the communes of today that it runs through."""

    name: str
    communes: tuple[str, ...]


class Streets:
    """Streets by name, found however their accents and spaces are written."""

    def __init__(self, rows: dict[str, list[str]]) -> None:
        self._streets: defaultdict[str, list[Street]] = defaultdict(list)
        for name, codes in rows.items():
            self._streets[_key(name)].append(Street(name, tuple(dict.fromkeys(codes))))

    def __len__(self) -> int:
        return sum(len(streets) for streets in self._streets.values())

    def communes(self, name: str) -> tuple[str, ...]:
        """The communes a street of that name runs through; those spelt with the same accents only, if there are any."""
        found = self._streets.get(_key(name), [])
        exact = [street for street in found if accented_key(street.name) == accented_key(_bare(name))]
        return tuple(dict.fromkeys(code for street in exact or found for code in street.communes))


def import_csv(path: Path, gazetteer: Gazetteer) -> Streets:
    """Read "street,commune_code" lines (UTF-8, with a header, one line a street and commune)."""
    rows: defaultdict[str, list[str]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames is None or not set(_COLUMNS) <= set(reader.fieldnames):
                raise StreetsUnusable(f"{path} needs a first line with the columns {', '.join(_COLUMNS)}")
            for row in reader:
                name, code = (row["street"] or "").strip(), (row["commune_code"] or "").strip().zfill(5)
                if not name or gazetteer.number_of(code) is None:
                    raise StreetsUnusable(
                        f"{path}, line {reader.line_num}: {code} is no commune of today, or no street"
                    )
                rows[_bare(name)].append(code)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StreetsUnusable(f"{path} can't be read as CSV in UTF-8: {error}") from error
    return Streets(rows)


def _bare(name: str) -> str:
    lowered = name.lower()
    word = next((word for word in _STREET_WORDS if lowered.startswith(word)), "")
    return name[len(word) :].strip()


def _key(name: str) -> str:
    return folded_key(_bare(name))
