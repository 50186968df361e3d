import os
import random
import stat
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from storage.errors import BadMedia, NotFound
from storage.media import MediaStore, Rendition, fingerprint_distance


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path)


def a_scene(width: int = 640, height: int = 480, *, seed: int = 1, mode: str = "RGB") -> Image.Image:
    """Coloured boxes on grey, different for each seed."""
    image = Image.new("RGB", (width, height), "grey")
    draw, dice = ImageDraw.Draw(image), random.Random(seed)
    for _ in range(12):
        left, top = dice.randrange(width), dice.randrange(height)
        colour = dice.randrange(256), dice.randrange(256), dice.randrange(256)
        draw.rectangle((left, top, left + width // 4, top + height // 4), fill=colour)
    return image.convert(mode)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    return image.convert("I").convert("I;16") if mode == "I;16" else image.convert(mode)


def as_bytes(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(
    *, gps: Mapping[Any, object] | None = None, details: Mapping[Any, object] | None = None, turn: int | None = None
) -> Image.Exif:
    tags = Image.Exif()
    tags[Base.Make] = "PhoneMaker"
    if turn is not None:
        tags[Base.Orientation] = turn
    if gps is not None:
        tags.get_ifd(IFD.GPSInfo).update(gps)
    if details is not None:
        tags.get_ifd(IFD.Exif).update(details)
    return tags


def dms(degrees: int, minutes: int, seconds: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    return IFDRational(degrees), IFDRational(minutes), IFDRational(round(seconds * 1000), 1000)


SAIGON = {
    GPS.GPSLatitudeRef: "N",
    GPS.GPSLatitude: dms(10, 46, 37.2),
    GPS.GPSLongitudeRef: "E",
    GPS.GPSLongitude: dms(106, 42, 3.6),
}


def test_position_and_time_are_read_before_the_metadata_goes(store: MediaStore) -> None:
    tags = exif(gps=SAIGON, details={Base.DateTimeOriginal: "2026:11:23 13:05:00"})

    stored = store.check_and_store(as_bytes(a_scene(), exif=tags))

    assert (stored.lat, stored.lon) == (10.777, 106.701)
    assert stored.taken_at == datetime(2026, 11, 23, 6, 5, tzinfo=UTC)


def test_the_shown_copies_carry_no_metadata(store: MediaStore) -> None:
    tags = exif(gps=SAIGON, details={Base.DateTimeOriginal: "2026:11:23 13:05:00"})
    data = as_bytes(a_scene(), exif=tags, comment=b"0912345678", xmp=b"<x>secret</x>", dpi=(72, 72))

    stored = store.check_and_store(data)

    for rendition in (Rendition.SHOWN, Rendition.THUMB):
        raw = store.read(stored.hash, rendition)
        with Image.open(BytesIO(raw)) as copy:
            assert dict(copy.getexif()) == {}
            assert set(copy.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert b"Exif" not in raw and b"PhoneMaker" not in raw and b"0912345678" not in raw and b"secret" not in raw
    assert store.read(stored.hash, Rendition.ORIGINAL) == data


@pytest.mark.parametrize(
    ("gps", "expected"),
    [
        (SAIGON | {GPS.GPSLatitudeRef: "S", GPS.GPSLongitudeRef: "W"}, (-10.777, -106.701)),
        (SAIGON | {GPS.GPSLatitude: dms(0, 0, 0), GPS.GPSLongitude: dms(0, 0, 0)}, (None, None)),
        (SAIGON | {GPS.GPSLatitude: dms(91, 0, 0)}, (None, None)),
        (SAIGON | {GPS.GPSLatitude: (IFDRational(10), IFDRational(1, 0), IFDRational(0))}, (None, None)),
        ({GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: dms(10, 46, 37.2)}, (None, None)),
        ({GPS.GPSLatitude: IFDRational(107, 10), GPS.GPSLongitude: IFDRational(1067, 10)}, (None, None)),
        (None, (None, None)),
    ],
)
def test_positions_are_read_or_left_out(store: MediaStore, gps: dict[int, object] | None, expected: object) -> None:
    stored = store.check_and_store(as_bytes(a_scene(), exif=exif(gps=gps)))

    assert (stored.lat, stored.lon) == expected


@pytest.mark.parametrize(
    ("details", "gps", "expected"),
    [
        ({Base.DateTimeOriginal: "2026:11:23 13:05:00"}, {}, datetime(2026, 11, 23, 6, 5, tzinfo=UTC)),
        (
            {Base.DateTimeOriginal: "2026:11:23 13:05:00", Base.OffsetTimeOriginal: "+09:00"},
            {},
            datetime(2026, 11, 23, 4, 5, tzinfo=UTC),
        ),
        ({Base.DateTimeDigitized: "2026:11:23 13:05:00"}, {}, datetime(2026, 11, 23, 6, 5, tzinfo=UTC)),
        (
            {},
            {GPS.GPSDateStamp: "2026:11:23", GPS.GPSTimeStamp: dms(6, 5, 0)},
            datetime(2026, 11, 23, 6, 5, tzinfo=UTC),
        ),
        ({Base.DateTimeOriginal: "2002:12:08 12:00:00"}, {}, None),
        ({Base.DateTimeOriginal: "9999:12:31 23:59:59"}, {}, None),
        ({Base.DateTimeOriginal: "    :  :     :  :  "}, {}, None),
        ({}, {GPS.GPSDateStamp: "2026:11:23", GPS.GPSTimeStamp: dms(99, 5, 0)}, None),
    ],
)
def test_the_time_of_the_picture(
    store: MediaStore, details: dict[int, object], gps: dict[int, object], expected: datetime | None
) -> None:
    stored = store.check_and_store(as_bytes(a_scene(), exif=exif(gps=gps, details=details)))

    assert stored.taken_at == expected


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_shown_copy_stands_upright(store: MediaStore, turn: int) -> None:
    upright = Image.new("RGB", (400, 200), "white")
    upright.paste("red", (0, 0, 100, 100))  # top left
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    as_taken = upright.transpose(undo[turn]) if turn in undo else upright

    stored = store.check_and_store(as_bytes(as_taken, exif=exif(turn=turn)))

    assert (stored.width, stored.height) == (400, 200)
    with Image.open(store.path(stored.hash)) as shown:
        assert shown.size == (400, 200)
        red, green, _ = shown.convert("RGB").getpixel((50, 50))  # type: ignore[misc]
        assert red > 200 and green < 60


@pytest.mark.parametrize(
    ("width", "height", "shown"), [(4000, 3000, (1600, 1200)), (3000, 9, (1600, 5)), (5000, 1, (1600, 1))]
)
def test_big_pictures_are_shown_smaller(store: MediaStore, width: int, height: int, shown: tuple[int, int]) -> None:
    stored = store.check_and_store(as_bytes(a_scene(width, height)))

    assert (stored.width, stored.height) == (width, height)
    with Image.open(store.path(stored.hash)) as copy:
        assert copy.size == shown
    with Image.open(store.path(stored.hash, Rendition.THUMB)) as thumb:
        assert max(thumb.size) == 320


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_big_pictures_of_every_kind_are_shown_smaller(store: MediaStore, mode: str) -> None:
    scene = a_scene(4000, 2000)

    stored = store.check_and_store(as_bytes(in_mode(scene, mode), "PNG"))

    with Image.open(store.path(stored.hash)) as copy:
        assert (copy.size, copy.mode) == ((1600, 800), "RGB")


def test_small_pictures_are_not_blown_up(store: MediaStore) -> None:
    stored = store.check_and_store(as_bytes(a_scene(90, 60)))

    for rendition in (Rendition.SHOWN, Rendition.THUMB):
        with Image.open(store.path(stored.hash, rendition)) as copy:
            assert copy.size == (90, 60)


@pytest.mark.parametrize(
    ("kind", "mode", "content_type"),
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "1", "image/png"),
        ("PNG", "I;16", "image/png"),
        ("WEBP", "RGBA", "image/webp"),
        ("GIF", "P", "image/gif"),
    ],
)
def test_the_type_is_told_by_content(store: MediaStore, kind: str, mode: str, content_type: str) -> None:
    stored = store.check_and_store(as_bytes(in_mode(a_scene(), mode), kind))

    assert stored.content_type == content_type
    with Image.open(store.path(stored.hash)) as shown:
        assert (shown.format, shown.mode) == ("JPEG", "RGB")


def test_an_animation_shows_its_first_frame(store: MediaStore) -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    data = as_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])

    stored = store.check_and_store(data)

    with Image.open(store.path(stored.hash)) as shown:
        red, _, blue = shown.getpixel((30, 20))  # type: ignore[misc]
        assert red > 200 and blue < 60


def test_a_phone_picture_with_more_behind_it_is_a_jpeg(store: MediaStore) -> None:
    data = as_bytes(a_scene(), "MPO", save_all=True, append_images=[a_scene(seed=2)])

    assert store.check_and_store(data).content_type == "image/jpeg"


def test_see_through_becomes_white(store: MediaStore) -> None:
    stored = store.check_and_store(as_bytes(Image.new("RGBA", (60, 40), (255, 0, 0, 0)), "PNG"))

    with Image.open(store.path(stored.hash)) as shown:
        assert shown.getpixel((30, 20)) == (255, 255, 255)


def a_bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises far more pixels than its few bytes hold."""
    data = bytearray(as_bytes(Image.new("1", (8, 8)), "PNG"))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
JPEG = as_bytes(a_scene())
PNG = as_bytes(a_scene(), "PNG")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_image"),
        (b"MZ\x90\x00 not a picture at all", "not_image"),
        (b"%PDF-1.7 named photo.jpg", "not_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_image"),
        (as_bytes(a_scene(), "TIFF"), "not_image"),
        (JPEG[: len(JPEG) // 2], "broken"),
        (JPEG[:20], "broken"),
        (PNG[: len(PNG) // 2], "broken"),
        (PNG[:10], "broken"),
        (HEIC, "heic"),
        (a_bomb(7000, 7000), "too_many_pixels"),
        (a_bomb(10_000, 10_000), "too_many_pixels"),
        (a_bomb(60_000, 60_000), "too_many_pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_cannot_be_kept_is_refused_with_its_reason(store: MediaStore, data: bytes, reason: str) -> None:
    with pytest.raises(BadMedia) as refusal:
        store.check_and_store(data)

    assert refusal.value.reason == reason
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_a_file_over_the_cap_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(BadMedia) as refusal:
        MediaStore(tmp_path, max_bytes=1000).check_and_store(bytes(1001))

    assert refusal.value.reason == "too_large"


def test_the_same_bytes_are_kept_once(store: MediaStore) -> None:
    first = store.check_and_store(JPEG)
    written = store.path(first.hash, Rendition.ORIGINAL).stat().st_mtime_ns

    assert store.check_and_store(JPEG) == first
    assert store.path(first.hash, Rendition.ORIGINAL).stat().st_mtime_ns == written
    assert len([path for path in store.root.rglob("*") if path.is_file()]) == 3


def test_files_are_readable_by_the_owner_only(store: MediaStore) -> None:
    stored = store.check_and_store(JPEG)

    mode = store.path(stored.hash, Rendition.ORIGINAL).stat().st_mode
    assert os.name == "nt" or stat.S_IMODE(mode) == 0o600


def test_fingerprints_see_the_same_picture_again(store: MediaStore) -> None:
    scene = a_scene(1200, 900)
    first = store.check_and_store(as_bytes(scene, quality=95))
    resaved = store.check_and_store(as_bytes(scene.resize((400, 300)), quality=40))
    other = store.check_and_store(as_bytes(a_scene(1200, 900, seed=7)))

    assert fingerprint_distance(first.fingerprint, resaved.fingerprint) <= 6
    assert fingerprint_distance(first.fingerprint, other.fingerprint) > 10


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "g" * 64, "0" * 63])
def test_a_name_that_is_no_hash_leads_nowhere(store: MediaStore, name: str) -> None:
    with pytest.raises(NotFound):
        store.path(name)


def test_an_erased_picture_is_gone(store: MediaStore) -> None:
    stored = store.check_and_store(JPEG)

    store.erase(stored.hash)
    store.erase(stored.hash)

    with pytest.raises(NotFound):
        store.read(stored.hash, Rendition.ORIGINAL)


def test_a_text_chunk_of_a_png_is_not_copied(store: MediaStore) -> None:
    note = PngInfo()
    note.add_text("Comment", "0912345678")

    stored = store.check_and_store(as_bytes(a_scene(), "PNG", pnginfo=note))

    assert b"0912345678" not in store.read(stored.hash)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    whole=st.sampled_from([as_bytes(a_scene(64, 48), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF")]),
    hits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 10_000),
)
def test_damaged_bytes_are_either_a_picture_or_refused(
    store: MediaStore, whole: bytes, hits: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(whole)
    for position, value in hits:
        data[position % len(data)] = value
    try:
        stored = store.check_and_store(bytes(data[: max(1, len(data) - cut % 200)]))
    except BadMedia as refusal:
        assert refusal.reason in {"not_image", "broken", "too_many_pixels", "heic"}
    else:
        assert store.read(stored.hash).startswith(b"\xff\xd8")
