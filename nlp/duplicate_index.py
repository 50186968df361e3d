"""Blocks a million reports so that a new one is compared with a handful: a grid of cells and a key for the commune.

For a database the same two keys are columns: ``cell`` (an integer, indexed together with the field) and the commune.
A new report asks for ``cell IN cells_around(...)`` or, for troubles of a whole commune, for its commune and field;
open ones and those closed in the last twelve weeks only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from nlp.duplicates import COMMUNE_WIDE, RECENT_DAYS, SAME_STREET_M, radius_m

CELL_DEGREES = 0.004  # about 440 m: the usual radius reaches into the eight neighbours and no farther
_COLUMNS = 100_000  # cells around the globe, rounded up
_MOST_CANDIDATES = 200  # nearest first; more can't be compared while a citizen waits


@dataclass(frozen=True, slots=True)
class Place:
    """Where, when and in which field a report is: what blocking needs. ``commune`` and ``field`` are small numbers."""

    lat: float
    lon: float
    commune: int
    field: int
    day: date


def cell_of(lat: float, lon: float) -> int:
    """The number of the grid cell around a point; fits a 64-bit column."""
    return math.floor(lat / CELL_DEGREES) * _COLUMNS + math.floor(lon / CELL_DEGREES)


def cells_around(lat: float, lon: float, metres: float) -> tuple[int, ...]:
    """The cells that a circle may touch: nine for the usual radius."""
    rows = math.ceil(metres / (CELL_DEGREES * 110_570)) if metres > 0 else 0
    columns = math.ceil(metres / (CELL_DEGREES * 111_320 * math.cos(math.radians(lat)))) if metres > 0 else 0
    middle = cell_of(lat, lon)
    return tuple(
        middle + row * _COLUMNS + column for row in range(-rows, rows + 1) for column in range(-columns, columns + 1)
    )


class BlockIndex:
    """Sorted arrays: built in seconds for a million reports, asked in microseconds; new reports come in batches."""

    def __init__(
        self,
        lat: NDArray[np.float64],
        lon: NDArray[np.float64],
        commune: NDArray[np.int32],
        field: NDArray[np.int16],
        day: NDArray[np.int32],
    ) -> None:
        """Parallel arrays; a report's number is its position. ``day``: ``date.toordinal()``."""
        self._lat, self._lon, self._commune, self._field, self._day = lat, lon, commune, field, day
        rows = np.floor(lat / CELL_DEGREES).astype(np.int64)
        cells = rows * _COLUMNS + np.floor(lon / CELL_DEGREES).astype(np.int64)
        self._by_cell = np.argsort(cells, kind="stable")
        self._cells = cells[self._by_cell]
        blocks = commune.astype(np.int64) * 1000 + field
        self._by_commune = np.lexsort((day, blocks))
        self._blocks = blocks[self._by_commune]

    def __len__(self) -> int:
        return len(self._lat)

    def candidates(self, place: Place, subfield: str, *, other_fields: Sequence[int] = ()) -> NDArray[np.int64]:
        """The numbers of the reports to compare with, the nearest (or, commune-wide, the newest) first."""
        fields = (place.field, *other_fields)
        radius = radius_m(subfield)
        if radius == COMMUNE_WIDE:
            return self._in_commune(place, fields)
        return self._near(place, fields, max(radius, SAME_STREET_M))

    def _near(self, place: Place, fields: Sequence[int], metres: float) -> NDArray[np.int64]:
        parts = [self._cell(cell) for cell in cells_around(place.lat, place.lon, metres)]
        numbers = np.concatenate(parts)
        numbers = numbers[self._is_comparable(numbers, place, fields)]
        north = (self._lat[numbers] - place.lat) * 110_570.0
        east = (self._lon[numbers] - place.lon) * (111_320.0 * math.cos(math.radians(place.lat)))
        away = np.hypot(north, east)
        inside = away <= metres
        return numbers[inside][np.argsort(away[inside], kind="stable")][:_MOST_CANDIDATES]

    def _in_commune(self, place: Place, fields: Sequence[int]) -> NDArray[np.int64]:
        found = []
        for field in fields:
            block = place.commune * 1000 + field
            first, last = np.searchsorted(self._blocks, (block, block + 1))
            newest = self._by_commune[max(first, last - 5 * _MOST_CANDIDATES) : last][::-1]
            found.append(newest)
        numbers = np.concatenate(found)
        return numbers[self._is_comparable(numbers, place, fields)][:_MOST_CANDIDATES]

    def _cell(self, cell: int) -> NDArray[np.int64]:
        first, last = np.searchsorted(self._cells, (cell, cell + 1))
        return self._by_cell[first:last]

    def _is_comparable(self, numbers: NDArray[np.int64], place: Place, fields: Sequence[int]) -> NDArray[np.bool_]:
        age = place.day.toordinal() - self._day[numbers]
        of_field = np.isin(self._field[numbers], fields)
        return np.asarray(of_field & (age <= RECENT_DAYS) & (age >= -RECENT_DAYS))
