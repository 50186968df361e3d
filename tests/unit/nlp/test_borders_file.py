"""Borders written once and read at every start."""

import json
from pathlib import Path

import pytest

from nlp.borders import BordersUnusable, import_geojson
from nlp.borders_file import load_borders, write_borders


def geojson(path: Path) -> Path:
    ring = [[103.80, 22.30], [103.90, 22.30], [103.90, 22.40], [103.80, 22.40], [103.80, 22.30]]
    hole = [[103.84, 22.34], [103.86, 22.34], [103.86, 22.36], [103.84, 22.36], [103.84, 22.34]]
    far = [[104.0, 22.0], [104.1, 22.0], [104.1, 22.1], [104.0, 22.0]]
    features = [
        {"type": "Feature", "properties": {"ma_xa": code}, "geometry": {"type": "Polygon", "coordinates": rings}}
        for code, rings in (("03006", [ring, hole]), ("02647", [far]))
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    borders = import_geojson(geojson(tmp_path / "in.geojson"))
    target = tmp_path / "new" / "borders.bin"

    size = write_borders(borders, target)
    again = load_borders(target)

    assert again is not None
    assert target.stat().st_size == size < 400
    assert again.codes == {"03006", "02647"}
    assert list(again.areas()) == list(borders.areas())
    found = again.containing(22.31, 103.85)
    assert found is not None and found.code == "03006"
    assert again.containing(22.35, 103.85) is None  # in the hole
    assert not list(tmp_path.glob("**/*.part"))


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    borders = import_geojson(geojson(tmp_path / "in.geojson"))
    first, second = tmp_path / "1.bin", tmp_path / "2.bin"

    write_borders(borders, first)
    again = load_borders(first)
    assert again is not None
    write_borders(again, second)

    assert first.read_bytes() == second.read_bytes()


def test_no_file_is_no_borders(tmp_path: Path) -> None:
    assert load_borders(tmp_path / "none.bin") is None


@pytest.mark.parametrize("cut", [5, 30, 60])
def test_a_damaged_file_says_so(tmp_path: Path, cut: int) -> None:
    target = tmp_path / "borders.bin"
    write_borders(import_geojson(geojson(tmp_path / "in.geojson")), target)
    target.write_bytes(target.read_bytes()[:cut])

    with pytest.raises(BordersUnusable, match="again"):
        load_borders(target)
