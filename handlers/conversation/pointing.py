"""A point that was typed: coordinates, or a link to a map. Nothing is looked up on the net."""

import re
from urllib.parse import unquote

from handlers.messages import Point, PointSource

_NUMBER = r"(-?\d{1,3}[.,]\d{3,})"
_PAIR = re.compile(rf"(?<![\d.,]){_NUMBER}\s*[,;\s]\s*{_NUMBER}(?![\d.,]*\d)")
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_IN_LINK = re.compile(r"(?:@|[?&](?:q|ll|query|destination)=|!3d)(-?\d{1,3}\.\d+)(?:,|!4d)\s*\+?(-?\d{1,3}\.\d+)")
_LAT, _LON = (8.0, 24.0), (102.0, 118.0)  # Việt Nam


def take_point(text: str) -> tuple[Point | None, str]:
    """The point that the text gives, and the text without it."""
    for link in _LINK.finditer(text):
        if (found := _IN_LINK.search(unquote(link[0]))) and (point := _point(found[1], found[2])):
            return point, _without(text, link)
    for pair in _PAIR.finditer(_LINK.sub(lambda link: " " * len(link[0]), text)):
        if point := _point(pair[1].replace(",", "."), pair[2].replace(",", ".")):
            return point, _without(text, pair)
    return None, text


def _point(first: str, second: str) -> Point | None:
    for lat, lon in ((float(first), float(second)), (float(second), float(first))):
        if _LAT[0] <= lat <= _LAT[1] and _LON[0] <= lon <= _LON[1]:
            return Point(lat, lon, PointSource.PIN)
    return None


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}".strip(" ,;:()\n")
