"""Finds the commune of a point: by the operator's borders where they are known, else by the nearest known points."""

import math
import threading
import weakref
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from nlp.borders import Borders
from nlp.gazetteer import REORGANISED_ON, Gazetteer
from nlp.results import PinResult, Unit

KM_PER_DEGREE = 110.57  # of latitude in Vietnam
MOST_CANDIDATES = 5
FARTHEST_KM = 60.0  # from any known point: beyond it the pin lies at sea or abroad
_SMALLEST_KM, _LARGEST_KM = 0.6, 8.0  # sizes beyond these say more about the source than about the unit
# Mainland and islands with the claimed archipelagos, generously; what is inside is then checked by distance.
_SOUTH, _NORTH, _WEST, _EAST = 6.0, 23.6, 102.0, 118.0


@dataclass(frozen=True, slots=True)
class _Points:
    """The points of old wards and of communes together, in radians of longitude scaled to kilometres."""

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    reach: NDArray[np.float64]  # square root of the unit's size: a large unit reaches farther from its point
    is_old: NDArray[np.bool_]
    number: NDArray[np.int32]


_points: weakref.WeakKeyDictionary[Gazetteer, _Points] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def locate_point(
    gazetteer: Gazetteer, lat: float, lon: float, *, borders: Borders | None = None, as_of: date | None = None
) -> PinResult:
    """Up to five communes, the likeliest first, with metres to their nearest known point (0 inside a known border).

    Measured without borders: the first is right for 88–90 % of points, one of three for 99.9 %. Outside Vietnam: none.
    """
    if not (math.isfinite(lat) and math.isfinite(lon)) or not (_SOUTH <= lat <= _NORTH and _WEST <= lon <= _EAST):
        return PinResult(())
    near = _nearest(gazetteer, lat, lon, as_of)
    if borders is None:
        return PinResult(near)
    inside = borders.containing(lat, lon)
    if inside is None or (unit := _in_force(gazetteer, inside.code, as_of)) is None:
        return PinResult(near)
    others = tuple(found for found in near if found[0].code != unit.code)
    return PinResult(((unit, 0.0), *others[: MOST_CANDIDATES - 1]), by_border=True, border_m=round(inside.border_m, 1))


def distance_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Metres between two points; flat-earth, good to 0.5 % within a province."""
    north = (lat - other_lat) * KM_PER_DEGREE
    east = (lon - other_lon) * 111.32 * math.cos(math.radians((lat + other_lat) / 2))
    return 1000 * math.hypot(north, east)


def _in_force(gazetteer: Gazetteer, code: str, as_of: date | None) -> Unit | None:
    units = gazetteer.current_units(code, as_of)
    return units[0] if len(units) == 1 else None


def _nearest(gazetteer: Gazetteer, lat: float, lon: float, as_of: date | None) -> tuple[tuple[Unit, float], ...]:
    points = _points_of(gazetteer)
    north = (points.lat - lat) * KM_PER_DEGREE
    east = (points.lon - lon) * (111.32 * math.cos(math.radians(lat)))
    km = np.hypot(north, east)
    weighted = km / points.reach
    count = min(40, len(weighted))
    order = np.argpartition(weighted, count - 1)[:count]
    order = order[np.argsort(weighted[order], kind="stable")]
    if float(km[order[0]]) > FARTHEST_KM:
        return ()
    before = as_of is not None and as_of < REORGANISED_ON
    found: dict[int, float] = {}
    for index in map(int, order):
        for number in _units_at(gazetteer, points, index, before):
            found[number] = min(found.get(number, math.inf), float(km[index]))
    chosen = _interleave(found)[:MOST_CANDIDATES]
    return tuple(
        (gazetteer.old_units[n] if before else gazetteer.new_unit(n, as_of), round(1000 * found[n], 1)) for n in chosen
    )


def _interleave(found: dict[int, float]) -> list[int]:
    """The likeliest first (``found`` is in that order), then by turns the plainly nearest and the next likeliest."""
    likeliest = list(found)
    nearest = sorted(found, key=found.__getitem__)
    by_turns = (number for pair in zip(nearest, likeliest[1:] + likeliest[:1], strict=True) for number in pair)
    return list(dict.fromkeys((*likeliest[:1], *by_turns)))


def _units_at(gazetteer: Gazetteer, points: _Points, index: int, before: bool) -> tuple[int, ...]:
    """The numbers of the units of the day that a point stands for."""
    number = int(points.number[index])
    if not points.is_old[index]:
        return () if before else (number,)
    return (number,) if before else gazetteer.links[number]


def _points_of(gazetteer: Gazetteer) -> _Points:
    with _lock:
        known = _points.get(gazetteer)
        if known is None:
            known = _points[gazetteer] = _collect(gazetteer)
        return known


def _collect(gazetteer: Gazetteer) -> _Points:
    rows = [
        (unit.lat, unit.lon, gazetteer.old_sizes_km[number], True, number)
        for number, unit in enumerate(gazetteer.old_units)
        if unit.lat is not None and unit.lon is not None and unit.code
    ]
    for number, versions in enumerate(gazetteer.new_versions):
        unit = versions[-1]
        if unit.lat is not None and unit.lon is not None:
            rows.append((unit.lat, unit.lon, gazetteer.new_sizes_km[number], False, number))
    lat, lon, sizes, is_old, numbers = zip(*rows, strict=True)
    reach = np.sqrt(np.clip(np.array(sizes, dtype=np.float64), _SMALLEST_KM, _LARGEST_KM))
    return _Points(np.array(lat), np.array(lon), reach, np.array(is_old), np.array(numbers, dtype=np.int32))
