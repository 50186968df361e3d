"""Pins, imported borders and streets, and what becomes of a text when a pin agrees or contradicts."""

import json
import math
import time
from datetime import date
from pathlib import Path

import pytest

from nlp.borders import BordersUnusable, import_geojson
from nlp.fusion import fuse, use_streets
from nlp.gazetteer import Gazetteer
from nlp.locality import resolve_place
from nlp.pins import distance_m, locate_point
from nlp.results import Context, Locality, PinResult, PlaceAction, Unit
from nlp.streets import StreetsUnusable, import_csv

SA_PA = (22.3364, 103.8438)  # the church
LAO_CAI = (22.4930, 103.9700)
SERVED = Context(province_code="15")


def commune(gazetteer: Gazetteer, code: str) -> Unit:
    return gazetteer.current_units(code)[0]


def square(code: str, lat: float, lon: float, half: float = 0.02) -> dict[str, object]:
    ring = [[lon - half, lat - half], [lon + half, lat - half], [lon + half, lat + half], [lon - half, lat + half]]
    return {
        "type": "Feature",
        "properties": {"code": code},
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
    }


def write_geojson(path: Path, *features: object) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_a_pin_in_town_finds_its_commune(gazetteer: Gazetteer) -> None:
    found = locate_point(gazetteer, *SA_PA)

    assert found.best is not None and found.best.name == "Phường Sa Pa"
    assert len(found.candidates) == 5
    assert not found.by_border


def test_a_pin_before_the_reorganisation_finds_a_ward_of_then(gazetteer: Gazetteer) -> None:
    found = locate_point(gazetteer, *SA_PA, as_of=date(2025, 6, 30))

    assert found.best is not None and found.best.district == "Thị xã Sa Pa"


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(48.85, 2.35), (0.0, 0.0), (math.nan, 105.0), (22.0, math.inf), (-91.0, 500.0), (12.0, 113.5)],
    ids=["Paris", "null island", "not a number", "infinite", "no such point", "open sea"],
)
def test_a_pin_outside_vietnam_finds_nothing(gazetteer: Gazetteer, lat: float, lon: float) -> None:
    assert locate_point(gazetteer, lat, lon).candidates == ()


def test_every_ward_point_finds_its_commune_among_the_first_three(gazetteer: Gazetteer) -> None:
    numbered = [(n, unit) for n, unit in enumerate(gazetteer.old_units) if unit.lat is not None][::40]
    lost = []
    for number, unit in numbered:
        assert unit.lat is not None and unit.lon is not None
        codes = {gazetteer.new_versions[new][0].code for new in gazetteer.links[number]}
        found = [near.code for near, _metres in locate_point(gazetteer, unit.lat, unit.lon).candidates[:3]]
        if not codes & set(found):
            lost.append(unit.label)

    assert len(lost) <= len(numbered) * 0.01, lost


def test_a_pin_is_located_quickly(gazetteer: Gazetteer) -> None:
    locate_point(gazetteer, *SA_PA)
    started = time.thread_time()

    for step in range(50):
        locate_point(gazetteer, SA_PA[0] + step / 100, SA_PA[1])

    assert (time.thread_time() - started) / 50 < 0.003


def test_an_imported_border_decides_and_knows_its_distance(gazetteer: Gazetteer, tmp_path: Path) -> None:
    borders = import_geojson(write_geojson(tmp_path / "b.json", square("03037", *SA_PA)))

    inside = locate_point(gazetteer, *SA_PA, borders=borders)
    outside = locate_point(gazetteer, *LAO_CAI, borders=borders)

    assert inside.best is not None and inside.best.name == "Xã Tả Van"
    assert inside.by_border and inside.candidates[0][1] == 0.0
    assert inside.border_m == pytest.approx(2058, abs=30)
    assert [unit.name for unit, _m in inside.candidates].count("Xã Tả Van") == 1
    assert not outside.by_border


def test_a_hole_in_a_border_is_outside(tmp_path: Path) -> None:
    feature = square("03037", *SA_PA)
    hole = square("03037", *SA_PA, half=0.005)
    geometry, inner = feature["geometry"], hole["geometry"]
    assert isinstance(geometry, dict) and isinstance(inner, dict)
    geometry["coordinates"].append(inner["coordinates"][0])
    borders = import_geojson(write_geojson(tmp_path / "b.json", feature))

    assert borders.containing(*SA_PA) is None
    assert borders.containing(SA_PA[0] + 0.01, SA_PA[1]) is not None
    assert len(borders) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "can't be read"),
        ('{"features": []}', "no features"),
        ('{"features": [{"properties": {}, "geometry": {}}]}', "no commune code"),
        ('{"features": [{"properties": {"code": 3006}, "geometry": {"type": "Point"}}]}', "is a Point"),
        (
            '{"features": [{"properties": {"code": "03006"}, "geometry": {"type": "Polygon", '
            '"coordinates": [[[22, 103], [22, 104], [23, 104], [22, 103]]]}}]}',
            "outside Vietnam",
        ),
    ],
)
def test_a_bad_border_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BordersUnusable, match=message):
        import_geojson(path)


def test_pin_and_text_that_agree_are_accepted(gazetteer: Gazetteer) -> None:
    text = resolve_place(gazetteer, "phường Nam Cường đèn hỏng", context=SERVED)
    cam_duong = commune(gazetteer, "02671")
    pin = PinResult(((cam_duong, 300.0), (commune(gazetteer, "02647"), 4000.0)))

    fused = fuse(text, pin=pin)

    assert text.action is PlaceAction.ASK
    assert fused.action is PlaceAction.ACCEPT
    assert fused.best is not None and fused.best.current == cam_duong
    assert "pin" in fused.best.evidence


def test_a_pin_far_from_the_text_is_asked_about(gazetteer: Gazetteer) -> None:
    text = resolve_place(gazetteer, "rác ở phường Cốc Lếu", context=SERVED)

    fused = fuse(text, pin=locate_point(gazetteer, *SA_PA), point=SA_PA)

    assert fused.action is PlaceAction.ASK
    assert fused.conflict_km is not None and fused.conflict_km > 15
    assert {found.current.name for found in fused.candidates} >= {"Phường Sa Pa", "Phường Lào Cai"}


def test_a_confirmed_pin_beats_the_text(gazetteer: Gazetteer) -> None:
    text = resolve_place(gazetteer, "rác ở phường Cốc Lếu", context=SERVED)

    fused = fuse(text, pin=locate_point(gazetteer, *SA_PA), point=SA_PA, is_pin_confirmed=True)

    assert fused.best is not None and fused.best.current.name == "Phường Sa Pa"
    assert fused.words == text.words


def test_a_pin_alone_keeps_the_words_and_asks_where_it_is_not_clear(gazetteer: Gazetteer) -> None:
    text = resolve_place(gazetteer, "ổ gà trước số 12 Điện Biên Phủ", context=SERVED)
    near, other = commune(gazetteer, "03006"), commune(gazetteer, "03037")

    clear = fuse(text, pin=PinResult(((near, 100.0), (other, 4000.0))))
    tied = fuse(text, pin=PinResult(((near, 900.0), (other, 1000.0))))
    edge = fuse(text, pin=PinResult(((near, 0.0), (other, 1000.0)), by_border=True, border_m=20.0))

    assert (clear.action, tied.action, edge.action) == (PlaceAction.ACCEPT, PlaceAction.ASK, PlaceAction.ASK)
    assert clear.words.house_number == "12"


def test_the_gps_of_a_photo_is_only_offered(gazetteer: Gazetteer) -> None:
    fused = fuse(Locality(PlaceAction.NONE), exif=PinResult(((commune(gazetteer, "03006"), 10.0),)))

    assert fused.action is PlaceAction.ASK
    assert fused.best is not None and fused.best.evidence == ("exif",)


def test_the_last_commune_is_offered_where_nothing_is_known(gazetteer: Gazetteer) -> None:
    fused = fuse(Locality(PlaceAction.NONE), last_commune=commune(gazetteer, "03013"))

    assert fused.action is PlaceAction.ASK
    assert fused.best is not None and fused.best.current.name == "Xã Tả Phìn"


def test_no_source_changes_nothing(gazetteer: Gazetteer) -> None:
    text = resolve_place(gazetteer, "xã Tả Van", context=SERVED)

    assert fuse(text) == text
    assert fuse(text, pin=PinResult(())) == text


def test_a_street_list_decides_between_candidates(gazetteer: Gazetteer, tmp_path: Path) -> None:
    path = tmp_path / "streets.csv"
    path.write_text("street,commune_code\nđường Lê Thanh,02671\nĐường Hoàng Liên,02647\n", encoding="utf-8")
    streets = import_csv(path, gazetteer)
    unclear = resolve_place(gazetteer, "phường Nam Cường, đường Lê Thanh đèn hỏng", context=SERVED)
    nowhere = resolve_place(gazetteer, "đường Hoàng Liên rác nhiều", context=SERVED)

    decided, offered = use_streets(unclear, streets, gazetteer), use_streets(nowhere, streets, gazetteer)

    assert len(streets) == 2
    assert decided.action is PlaceAction.ACCEPT
    assert decided.best is not None and decided.best.current.name == "Phường Cam Đường"
    assert offered.action is PlaceAction.ASK
    assert offered.best is not None and offered.best.current.name == "Phường Lào Cai"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "street,commune_code\nLê Lợi,99999\n"])
def test_a_bad_street_list_says_what_is_wrong(gazetteer: Gazetteer, tmp_path: Path, text: str) -> None:
    path = tmp_path / "streets.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(StreetsUnusable):
        import_csv(path, gazetteer)


def test_distance_is_good_enough() -> None:
    assert distance_m(*SA_PA, *LAO_CAI) == pytest.approx(21_700, rel=0.02)
