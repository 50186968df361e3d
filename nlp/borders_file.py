"""Imported borders as one small file beside the data: read in a moment when the bot starts."""

import array
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from nlp.borders import Borders, BordersUnusable, Ring

_MAGIC = b"PAHT borders 1\n"
_STEPS = 1_000_000  # of a degree: 11 cm


def write_borders(borders: Borders, path: Path) -> int:
    """Write the file, all at once, and return its size in bytes."""
    codes: list[str] = []
    sizes: list[list[int]] = []  # points of each ring, by commune
    points = array.array("i")
    for code, rings in borders.areas():
        codes.append(code)
        sizes.append([len(ring) for ring in rings])
        for ring in rings:
            for lon, lat in ring:
                points.append(round(lon * _STEPS))
                points.append(round(lat * _STEPS))
    if sys.byteorder == "big":
        points.byteswap()
    header = json.dumps({"codes": codes, "sizes": sizes}, separators=(",", ":")).encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    size = partial.write_bytes(_MAGIC + zlib.compress(header + points.tobytes(), 9))
    partial.replace(path)
    return size


def load_borders(path: Path) -> Borders | None:
    """Return the imported borders, None when none were imported. Raises BordersUnusable when the file is damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if not content.startswith(_MAGIC):
        raise BordersUnusable(f"{path} is no file of imported borders; import them again")
    try:
        header, _, packed = zlib.decompress(content[len(_MAGIC) :]).partition(b"\n")
        table = json.loads(header)
        points = array.array("i")
        points.frombytes(packed)
        if sys.byteorder == "big":
            points.byteswap()
        return Borders(_areas(table["codes"], table["sizes"], points))
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise BordersUnusable(f"{path} is damaged; import the borders again") from error


def _areas(
    codes: Sequence[str], sizes: Sequence[Sequence[int]], points: Sequence[int]
) -> Iterator[tuple[str, tuple[Ring, ...]]]:
    """Put the rings together again. Raises ValueError when points are missing or left over."""
    if len(points) != 2 * sum(map(sum, sizes)):
        raise ValueError("points and rings don't fit")
    degrees = (step / _STEPS for step in points)
    pairs = zip(degrees, degrees, strict=True)
    for code, lengths in zip(codes, sizes, strict=True):
        yield code, tuple(list(islice(pairs, length)) for length in lengths)
