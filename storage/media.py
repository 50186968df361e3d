"""Pictures: checked by content, shown without metadata, kept under the hash of their bytes."""

import contextlib
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageFile

from storage.errors import BadMedia, NotFound
from storage.exif import orientation, read_metadata

MAX_BYTES = 20 * 1024 * 1024  # what Telegram hands out
# decoded memory is what a bomb wants: a JPEG is decoded at a fraction of its size, the others whole
MAX_PIXELS_JPEG = 70_000_000
MAX_PIXELS = 25_000_000
SHOWN_SIDE, SHOWN_QUALITY = 1600, 85
THUMB_SIDE, THUMB_QUALITY = 320, 75

_CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG with further pictures behind it, as many phones write; opened as JPEG
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
_READERS = ("JPEG", "PNG", "WEBP", "GIF")
_MAGICS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_HASH = re.compile(r"[0-9a-f]{64}")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Rendition(StrEnum):
    """What is kept of a picture."""

    ORIGINAL = "original"  # the bytes as they came, metadata and all: never shown
    SHOWN = "shown.jpg"
    THUMB = "thumb.jpg"


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """What is known of a stored picture; ``width`` × ``height`` of the upright original, GPS and time from metadata."""

    hash: str  # SHA-256 of the original bytes, hex
    content_type: str
    size: int
    width: int
    height: int
    fingerprint: str  # 64-bit difference hash, hex
    lat: float | None = None
    lon: float | None = None
    taken_at: datetime | None = None


class MediaStore:
    """A folder of pictures. Blocking and CPU-heavy: call it in a small thread pool."""

    def __init__(self, root: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.root = root
        self.max_bytes = max_bytes

    def check_and_store(self, data: bytes) -> StoredMedia:
        """Keep a picture: original, copy without metadata, thumbnail. Raises BadMedia with the reason."""
        if len(data) > self.max_bytes:
            raise BadMedia("too_large", f"{len(data)} bytes, at most {self.max_bytes}")
        stored, shown = _inspect(data)
        # the original last: where it is, the other two are
        self._write(stored.hash, Rendition.SHOWN, _jpeg(shown, SHOWN_QUALITY))
        self._write(stored.hash, Rendition.THUMB, _jpeg(_fit(shown, THUMB_SIDE), THUMB_QUALITY))
        self._write(stored.hash, Rendition.ORIGINAL, data)
        return stored

    def path(self, media_hash: str, rendition: Rendition = Rendition.SHOWN) -> Path:
        """Where a rendition lies, whether it exists or not. Raises NotFound for what is no hash."""
        if not _HASH.fullmatch(media_hash):  # it may come from a URL
            raise NotFound("picture", media_hash)
        return self.root / media_hash[:2] / media_hash[2:4] / f"{media_hash}-{rendition.value}"

    def read(self, media_hash: str, rendition: Rendition = Rendition.SHOWN) -> bytes:
        """The bytes of a rendition. Raises NotFound."""
        try:
            return self.path(media_hash, rendition).read_bytes()
        except FileNotFoundError:
            raise NotFound("picture", media_hash) from None

    def erase(self, media_hash: str) -> None:
        """Remove a picture for good; nothing happens when it is gone already."""
        for rendition in Rendition:
            self.path(media_hash, rendition).unlink(missing_ok=True)

    def _write(self, media_hash: str, rendition: Rendition, data: bytes) -> None:
        target = self.path(media_hash, rendition)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")  # readable by us only
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)


def fingerprint_distance(one: str, other: str) -> int:
    """In how many of 64 bits two fingerprints differ; up to about 10 means the same picture re-saved or resized."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _inspect(data: bytes) -> tuple[StoredMedia, Image.Image]:
    image = _open(data)
    content_type = _CONTENT_TYPES[image.format or ""]
    limit = MAX_PIXELS_JPEG if content_type == "image/jpeg" else MAX_PIXELS
    if image.width * image.height > limit:
        raise BadMedia("too_many_pixels", f"{image.width} × {image.height}")
    metadata = read_metadata(image)
    turn = orientation(image)
    width, height = (image.height, image.width) if turn >= 5 else image.size
    shown = _decode(image)
    if turn in _UPRIGHT:
        shown = shown.transpose(_UPRIGHT[turn])
    stored = StoredMedia(
        hash=hashlib.sha256(data).hexdigest(),
        content_type=content_type,
        size=len(data),
        width=width,
        height=height,
        fingerprint=_fingerprint(shown),
        lat=metadata.lat,
        lon=metadata.lon,
        taken_at=metadata.taken_at,
    )
    return stored, shown


def _open(data: bytes) -> ImageFile.ImageFile:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise BadMedia("heic")
    try:
        return Image.open(BytesIO(data), formats=_READERS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadMedia("too_many_pixels", str(error)) from error
    except Exception as error:  # hostile bytes make the format readers raise anything
        looks_right = data.startswith(_MAGICS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
        raise BadMedia("broken" if looks_right else "not_image", str(error)) from error


def _decode(image: ImageFile.ImageFile) -> Image.Image:
    """The picture in RGB, at most SHOWN_SIDE long, with nothing attached."""
    try:
        # draft() decodes a JPEG at 1/2, 1/4, 1/8; it wants the target's aspect, a square would give full size
        image.draft("RGB", _fitted(image.size, SHOWN_SIDE))
        image.load()
        return _fit(_flat(_shrunk(image)), SHOWN_SIDE)
    except Exception as error:  # as above; nothing but decoding happens here
        raise BadMedia("broken", str(error)) from error


def _shrunk(image: Image.Image) -> Image.Image:
    # before any conversion: each would copy a big PNG at full size
    factor = max(image.size) // SHOWN_SIDE
    return image.reduce(factor) if factor > 1 and image.mode in {"RGB", "RGBA", "L", "LA"} else image


def _flat(image: Image.Image) -> Image.Image:
    """RGB on white, without the metadata that Pillow would write into the copy."""
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(layered, mask=layered.getchannel("A"))
        return flat
    flat = image.convert("RGB")
    flat.info.clear()
    return flat


def _fit(image: Image.Image, side: int) -> Image.Image:
    size = _fitted(image.size, side)
    return image if size == image.size else image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    longest = max(size)
    if longest <= side:
        return size
    return max(1, round(size[0] * side / longest)), max(1, round(size[1] * side / longest))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _fingerprint(image: Image.Image) -> str:
    """Is each of 8 × 8 cells brighter than its right neighbour? Survives re-saving and resizing."""
    cells = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            here = row * 9 + column
            bits = bits << 1 | (cells[here] > cells[here + 1])
    return f"{bits:016x}"


def _sync_folder(folder: Path) -> None:
    # a rename is durable once its folder is; Windows can't open folders and needs no such thing
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
