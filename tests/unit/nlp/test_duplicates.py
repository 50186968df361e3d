"""Duplicates: what vetoes, what counts, and how the pair score compares with three simple rules on our own pairs."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp.duplicate_index import BlockIndex, Place, cell_of, cells_around
from nlp.duplicates import (
    COMMUNE_WIDE,
    Fingerprint,
    WordWeights,
    find_duplicates,
    fingerprint,
    radius_m,
    score_pair,
    street_key,
)
from nlp.locality import read_words
from nlp.pins import distance_m

PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "cases" / "duplicates.jsonl").read_text(encoding="utf-8").splitlines()
]
DAY = date(2026, 3, 2)
SA_PA = (22.3364, 103.8438)

Rule = Callable[[Fingerprint, Fingerprint], bool]


def a_report(text: str = "ổ gà trước số 12 Điện Biên Phủ", key: str = "a", **changes: Any) -> Fingerprint:
    values: dict[str, Any] = {
        "field_code": "ha_tang",
        "subfield": "ha_tang.mat_duong",
        "commune": "03006",
        "day": DAY,
        "point": SA_PA,
        "place": read_words(text),
    }
    return fingerprint(key, text, **(values | changes))


def of_pair(key: str, report: dict[str, Any]) -> Fingerprint:
    return fingerprint(
        key,
        report["text"],
        field_code=report["subfield"].split(".")[0],
        subfield=report["subfield"],
        commune=report["commune"],
        day=date.fromisoformat(report["day"]),
        point=tuple(report["point"]) if "point" in report else None,
        place=read_words(report["text"]),
    )


def apart(one: Fingerprint, other: Fingerprint) -> float:
    return distance_m(*one.point, *other.point) if one.point and other.point else float("inf")


def same_field_within_250_m(one: Fingerprint, other: Fingerprint) -> bool:
    return bool(one.fields & other.fields) and apart(one, other) <= 250


def within_50_m_and_12_weeks(one: Fingerprint, other: Fingerprint) -> bool:
    return one.subfield == other.subfield and apart(one, other) <= 50 and abs((one.day - other.day).days) <= 84


def within_10_m_and_10_days(one: Fingerprint, other: Fingerprint) -> bool:
    return one.subfield == other.subfield and apart(one, other) <= 10 and abs((one.day - other.day).days) <= 10


def our_score(one: Fingerprint, other: Fingerprint) -> bool:
    return score_pair(one, other).is_candidate


def precision_and_recall(rule: Rule) -> tuple[float, float]:
    judged = [(rule(of_pair("a", pair["one"]), of_pair("b", pair["other"])), pair["same"]) for pair in PAIRS]
    right = sum(said and same for said, same in judged)
    return right / max(1, sum(said for said, _same in judged)), right / sum(same for _said, same in judged)


def test_the_pair_score_beats_the_three_simple_rules() -> None:
    table = {
        rule.__name__: precision_and_recall(rule)
        for rule in (our_score, same_field_within_250_m, within_50_m_and_12_weeks, within_10_m_and_10_days)
    }

    for name, (precision, recall) in table.items():
        print(f"{name:28} precision {precision:.3f} recall {recall:.3f}")
    harmonic = {name: 2 * p * r / (p + r) if p + r else 0.0 for name, (p, r) in table.items()}
    assert len(PAIRS) >= 120
    assert table["our_score"][0] >= 0.92
    assert table["our_score"][1] >= 0.98
    assert harmonic["our_score"] > max(value for name, value in harmonic.items() if name != "our_score") + 0.1


@pytest.mark.parametrize(
    ("text", "veto"),
    [
        ("ổ gà trước số 48 Điện Biên Phủ", "house number"),
        ("ổ gà ở ngõ 9 Điện Biên Phủ", ""),
        ("ổ gà to trước số 12 Điện Biên Phủ", ""),
    ],
)
def test_another_house_number_vetoes(text: str, veto: str) -> None:
    assert score_pair(a_report(), a_report(text, "b")).veto == veto


def test_another_lane_or_kilometre_vetoes() -> None:
    lanes = score_pair(a_report("ngõ 12 ngập"), a_report("ngõ 14 ngập", "b"))
    kilometres = score_pair(a_report("sạt QL4D Km12+300"), a_report("sạt QL4D km 14", "b"))

    assert (lanes.veto, kilometres.veto) == ("lane", "kilometre")


def test_the_same_kilometre_written_in_two_ways_does_not_veto() -> None:
    assert score_pair(a_report("sạt QL4D Km12+300"), a_report("đá rơi km 12,3 QL4D", "b")).veto == ""


def test_the_radius_depends_on_the_kind_of_trouble() -> None:
    near = (SA_PA[0] + 0.0018, SA_PA[1])  # 200 m
    pothole = score_pair(a_report("ổ gà"), a_report("ổ gà", "b", point=near))
    flood = {"subfield": "thien_tai_moi_truong.lu_ngap", "field_code": "thien_tai_moi_truong"}
    flooded = score_pair(a_report("ngập nước", **flood), a_report("ngập nước", "b", point=near, **flood))

    assert pothole.veto == "distance"
    assert flooded.is_candidate
    assert radius_m("ha_tang.dien") == COMMUNE_WIDE


def test_old_reports_are_recurrences_and_no_duplicates() -> None:
    assert score_pair(a_report(), a_report(key="b", day=date(2026, 9, 1))).veto == "time"


def test_a_report_without_a_point_is_compared_inside_its_commune_only() -> None:
    elsewhere = score_pair(a_report(point=None), a_report(key="b", point=None, commune="02647"))
    here = score_pair(a_report(point=None), a_report(key="b", point=None))

    assert (elsewhere.veto, here.is_candidate) == ("commune", True)


def test_dangers_are_never_offered_for_merging() -> None:
    assert find_duplicates(a_report(is_danger=True), [a_report(key="b")]) == []
    assert find_duplicates(a_report(), [a_report(key="b", is_danger=True)]) == []


def test_the_likeliest_comes_first_and_a_report_is_not_its_own_duplicate() -> None:
    other_words = a_report("mặt đường lún thành hố ở 12 Điện Biên Phủ", "c")

    found = find_duplicates(a_report(), [other_words, a_report(key="b"), a_report(key="a")])

    assert [duplicate.key for duplicate in found] == ["b", "c"]


def test_missing_accents_change_nothing() -> None:
    assert score_pair(a_report(), a_report("o ga truoc so 12 dien bien phu", "b")).score >= 0.95
    assert street_key("đường Hoàng Liên") == street_key("Hoang Lien")


def test_common_words_weigh_less_once_texts_are_learned() -> None:
    weights = WordWeights().learn(["ổ gà ở đây", "ổ gà to", "ổ gà đầu ngõ", "cây đổ"])

    assert weights.weight("ga") < weights.weight("mam")


def test_the_grid_returns_what_lies_near_in_field_and_time() -> None:
    step = 0.0001  # 11 m
    index = BlockIndex(
        np.array([SA_PA[0], SA_PA[0] + step, SA_PA[0] + 0.05, SA_PA[0]]),
        np.array([SA_PA[1]] * 4),
        np.array([1, 1, 1, 1], dtype=np.int32),
        np.array([1, 1, 1, 2], dtype=np.int16),
        np.array([DAY.toordinal(), DAY.toordinal() - 20, DAY.toordinal(), DAY.toordinal()], dtype=np.int32),
    )
    place = Place(*SA_PA, commune=1, field=1, day=DAY)

    assert index.candidates(place, "ha_tang.mat_duong").tolist() == [0, 1]
    assert sorted(index.candidates(place, "ha_tang.mat_duong", other_fields=(2,)).tolist()) == [0, 1, 3]
    assert index.candidates(place, "ha_tang.dien").tolist() == [2, 0, 1]


def test_cells_around_a_point_hold_its_neighbourhood() -> None:
    assert cell_of(*SA_PA) in cells_around(*SA_PA, 300)
    assert cell_of(SA_PA[0] + 0.0025, SA_PA[1]) in cells_around(*SA_PA, 300)
    assert len(cells_around(*SA_PA, 300)) == 9
