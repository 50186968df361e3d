"""Commune borders that an operator imports as GeoJSON: which border holds a point, and how near the edge it lies."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Ring = list[tuple[float, float]]  # (lon, lat), closed or not

_CODE_PROPERTIES = ("code", "ma_xa", "maxa", "ward_code", "wardcode", "ma", "gso_code", "MAXA", "Code")
_CELL_DEGREES = 0.1  # about 11 km: a cell holds a few communes


class BordersUnusable(Exception):
    """The file is no GeoJSON of communes; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The commune whose border holds a point, and the distance to that border in metres."""

    code: str
    border_m: float


@dataclass(frozen=True, slots=True)
class _Area:
    code: str
    rings: tuple[Ring, ...]  # outer rings and holes alike: even-odd rule
    west: float
    south: float
    east: float
    north: float


class Borders:
    """Read-only after loading. Polygons lie in a grid by bounding box, so a look-up tests two or three of them."""

    def __init__(self, areas: Iterable[tuple[str, tuple[Ring, ...]]]) -> None:
        self._grid: defaultdict[tuple[int, int], list[_Area]] = defaultdict(list)
        self.codes: set[str] = set()
        self._areas: list[_Area] = []
        for code, rings in areas:
            area = _bounded(code, rings)
            self.codes.add(code)
            self._areas.append(area)
            for cell in _cells(area):
                self._grid[cell].append(area)

    def __len__(self) -> int:
        return len(self.codes)

    def areas(self) -> Iterator[tuple[str, tuple[Ring, ...]]]:
        """Yield (code, rings) as they were given."""
        return ((area.code, area.rings) for area in self._areas)

    def containing(self, lat: float, lon: float) -> Inside | None:
        """The commune around the point; None where no imported border holds it."""
        for area in self._grid.get(_cell(lat, lon), ()):
            in_box = area.west <= lon <= area.east and area.south <= lat <= area.north
            if in_box and _is_inside(area.rings, lat, lon):
                return Inside(area.code, _border_distance_m(area.rings, lat, lon))
        return None


def import_geojson(path: Path, *, code_property: str = "") -> Borders:
    """Read a FeatureCollection of (Multi)Polygons in WGS 84; each needs the commune's 5-digit code as a property.

    Raises BordersUnusable with the number of the first feature that can't be used.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BordersUnusable(f"{path} can't be read as JSON: {error}") from error
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list) or not features:
        raise BordersUnusable(f"{path} has no features; export the communes as a GeoJSON FeatureCollection")
    return Borders(_read_feature(feature, number, code_property) for number, feature in enumerate(features, start=1))


def _read_feature(feature: Any, number: int, code_property: str) -> tuple[str, tuple[Ring, ...]]:
    properties = feature.get("properties") or {} if isinstance(feature, dict) else {}
    names = (code_property,) if code_property else _CODE_PROPERTIES
    value = next((properties[name] for name in names if properties.get(name) not in (None, "")), None)
    code = str(value).strip().zfill(5) if value is not None else ""
    if len(code) != 5 or not code.isdigit():
        raise BordersUnusable(f"feature {number} has no commune code; looked for the properties {', '.join(names)}")
    geometry = feature.get("geometry") or {}
    match geometry.get("type"):
        case "Polygon":
            polygons = [geometry["coordinates"]]
        case "MultiPolygon":
            polygons = geometry["coordinates"]
        case other:
            raise BordersUnusable(f"feature {number} ({code}) is a {other}, a Polygon or MultiPolygon is needed")
    return code, tuple(_read_ring(ring, number) for polygon in polygons for ring in polygon)


def _read_ring(ring: Any, number: int) -> Ring:
    try:
        points = [(float(point[0]), float(point[1])) for point in ring]
    except (TypeError, ValueError, IndexError) as error:
        raise BordersUnusable(f"feature {number} has coordinates that are no numbers") from error
    if len(points) < 4:
        raise BordersUnusable(f"feature {number} has a ring of {len(points)} points, four are needed")
    if any(not (90 < lon < 125 and 0 < lat < 30) for lon, lat in points):
        raise BordersUnusable(f"feature {number} lies outside Vietnam; export it in WGS 84, longitude first")
    return points


def _bounded(code: str, rings: tuple[Ring, ...]) -> _Area:
    lons = [lon for ring in rings for lon, _lat in ring]
    lats = [lat for ring in rings for _lon, lat in ring]
    return _Area(code, rings, min(lons), min(lats), max(lons), max(lats))


def _cell(lat: float, lon: float) -> tuple[int, int]:
    return math.floor(lat / _CELL_DEGREES), math.floor(lon / _CELL_DEGREES)


def _cells(area: _Area) -> Iterator[tuple[int, int]]:
    south, west = _cell(area.south, area.west)
    north, east = _cell(area.north, area.east)
    return ((row, column) for row in range(south, north + 1) for column in range(west, east + 1))


def _edges(ring: Ring) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    return zip(ring, (*ring[1:], ring[0]), strict=True)


def _is_inside(rings: tuple[Ring, ...], lat: float, lon: float) -> bool:
    """Even-odd rule over all rings, so that holes and islands need no care."""
    inside = False
    for ring in rings:
        for (lon1, lat1), (lon2, lat2) in _edges(ring):
            if (lat1 > lat) != (lat2 > lat) and lon < (lon2 - lon1) * (lat - lat1) / (lat2 - lat1) + lon1:
                inside = not inside
    return inside


def _border_distance_m(rings: tuple[Ring, ...], lat: float, lon: float) -> float:
    east_m = 111_320 * math.cos(math.radians(lat))
    north_m = 110_570.0
    nearest = math.inf
    for ring in rings:
        for (lon1, lat1), (lon2, lat2) in _edges(ring):
            x1, y1 = (lon1 - lon) * east_m, (lat1 - lat) * north_m
            dx, dy = (lon2 - lon1) * east_m, (lat2 - lat1) * north_m
            length = dx * dx + dy * dy
            along = 0.0 if length == 0 else max(0.0, min(1.0, -(x1 * dx + y1 * dy) / length))
            nearest = min(nearest, math.hypot(x1 + along * dx, y1 + along * dy))
    return nearest
