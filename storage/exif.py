"""Where and when a picture was taken, as far as its metadata tell; nonsense reads as nothing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

# cameras write local time, seldom with its offset
CAMERA_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

Tags = Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class Metadata:
    """WGS 84 degrees and an instant in UTC."""

    lat: float | None = None
    lon: float | None = None
    taken_at: datetime | None = None


def read_metadata(image: Image.Image) -> Metadata:
    """GPS position and time of the picture. Never raises: a picture without readable metadata is still a picture."""
    gps, details = _tags(image, IFD.GPSInfo), _tags(image, IFD.Exif)
    spot = _position(gps)
    lat, lon = spot if spot else (None, None)
    return Metadata(lat, lon, _taken_at(gps, details))


def orientation(image: Image.Image) -> int:
    """EXIF orientation 1–8, 1 where there is none."""
    try:
        value = image.getexif().get(Base.Orientation, 1)
    except Exception:  # hostile bytes make the reader raise anything
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _tags(image: Image.Image, directory: IFD) -> Tags:
    try:
        return dict(image.getexif().get_ifd(directory))
    except Exception:  # as above
        return {}


def _position(gps: Tags) -> tuple[float, float] | None:
    lat = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), "S", 90)
    lon = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), "W", 180)
    if lat is None or lon is None or (lat == 0 and lon == 0):  # phones without a fix write 0, 0
        return None
    return lat, lon


def _degrees(parts: object, reference: object, negative: str, limit: int) -> float | None:
    """Degrees, minutes, seconds: ``(10.0, 46.0, 37.2)`` and ``"N"`` is 10.777."""
    if not isinstance(parts, tuple | list) or not 1 <= len(parts) <= 3:
        return None
    try:
        value = math.fsum(float(part) / 60.0**power for power, part in enumerate(parts))
    except (TypeError, ValueError, ArithmeticError):
        return None
    if not math.isfinite(value) or not 0 <= value <= limit:
        return None
    return round(-value if _text(reference).upper() == negative else value, 7)


def _taken_at(gps: Tags, details: Tags) -> datetime | None:
    """The camera's clock with its offset; the satellites' clock (UTC) where the camera has none."""
    for stamp, offset in (
        (Base.DateTimeOriginal, Base.OffsetTimeOriginal),
        (Base.DateTimeDigitized, Base.OffsetTimeDigitized),
    ):
        taken = _camera_time(_text(details.get(stamp)), _text(details.get(offset)))
        if taken:
            return taken
    return _satellite_time(gps)


def _camera_time(stamp: str, offset: str) -> datetime | None:
    try:
        local = datetime.strptime(stamp, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - the zone is the next question
    except ValueError:
        return None
    try:
        zoned = datetime.strptime(stamp + offset, "%Y:%m:%d %H:%M:%S%z")
    except ValueError:
        zoned = local.replace(tzinfo=CAMERA_ZONE)
    return _plausible(zoned)


def _satellite_time(gps: Tags) -> datetime | None:
    parts = gps.get(GPS.GPSTimeStamp)
    if not isinstance(parts, tuple | list) or len(parts) != 3:
        return None
    try:
        hour, minute, second = (int(float(part)) for part in parts)
        day = datetime.strptime(_text(gps.get(GPS.GPSDateStamp)), "%Y:%m:%d").replace(tzinfo=UTC)
        return _plausible(day.replace(hour=hour, minute=minute, second=second))
    except (TypeError, ValueError, ArithmeticError):
        return None


def _plausible(taken: datetime) -> datetime | None:
    # a camera with an empty battery starts anew at 1970, 1980 or 2000; phones that send pictures are younger
    return taken.astimezone(UTC) if 2005 <= taken.year < 2100 else None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\x00 ") if isinstance(value, str) else ""
