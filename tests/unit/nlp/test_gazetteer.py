"""The gazetteer: checked counts, versions of a unit, what became of the old ones, what a citizen is shown."""

import sys
from datetime import date
from pathlib import Path

import pytest

from nlp.gazetteer import Gazetteer, GazetteerUnusable, load_gazetteer, show
from nlp.gazetteer_build import BuildFailed, build

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)


def test_counts_are_the_official_ones(gazetteer: Gazetteer) -> None:
    assert len(gazetteer.provinces) == 34
    assert len(gazetteer.former_provinces) == 63
    assert len(gazetteer.districts) == 696
    assert len(gazetteer.new_versions) == 3321
    assert sum(bool(unit.code) for unit in gazetteer.old_units) == 10035


def test_pilot_provinces_have_their_communes(gazetteer: Gazetteer) -> None:
    assert {code: len(gazetteer.communes_of_province(code)) for code in ("15", "51", "52")} == {
        "15": 99,
        "51": 96,
        "52": 135,
    }


def test_splits_are_kept_and_few_in_the_pilot(gazetteer: Gazetteer) -> None:
    split = [unit for number, unit in enumerate(gazetteer.old_units) if gazetteer.is_split(number)]

    assert 434 <= len(split) <= 444
    assert [unit.name for unit in split if unit.province == "Tỉnh Quảng Ngãi"] == ["Xã Trà Bùi"]
    assert not [unit for unit in split if unit.province == "Tỉnh Lào Cai"]


def test_every_old_ward_became_something(gazetteer: Gazetteer) -> None:
    assert all(gazetteer.links)
    assert all(gazetteer.sources)


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("02647", "Phường Kim Tân", "Phường Lào Cai"),
        ("02671", "Phường Nam Cường", "Phường Cam Đường"),
        ("03006", "Phường Phan Si Păng", "Phường Sa Pa"),
        ("03037", "Xã Mường Hoa", "Xã Tả Van"),
        ("02746", "Xã Cốc San", "Xã Cốc San"),
    ],
)
def test_a_reused_code_means_the_unit_of_the_day(gazetteer: Gazetteer, code: str, before: str, after: str) -> None:
    assert [unit.name for unit in gazetteer.current_units(code, BEFORE)] == [before]
    assert [unit.name for unit in gazetteer.current_units(code, AFTER)] == [after]
    assert [unit.name for unit in gazetteer.current_units(code)] == [after]


def test_the_key_code_and_day_leads_from_an_old_unit_to_the_one_of_today(gazetteer: Gazetteer) -> None:
    old = gazetteer.current_units("03037", BEFORE)[0]

    assert [unit.name for unit in gazetteer.current_units(old.code, valid_from=old.valid_from)] == ["Xã Tả Van"]
    assert gazetteer.unit(old.code, old.valid_from) == old


def test_an_old_code_that_is_not_reused_leads_to_the_commune_of_today(gazetteer: Gazetteer) -> None:
    assert [unit.code for unit in gazetteer.current_units("02641")] == ["02647"]


def test_a_split_ward_leads_to_all_its_parts(gazetteer: Gazetteer) -> None:
    code = next(unit.code for unit in gazetteer.old_units if unit.name == "Xã Trà Bùi")

    assert {unit.name for unit in gazetteer.current_units(code, valid_from=date(2020, 1, 1))} == {
        "Xã Cà Đam",
        "Xã Tây Trà Bồng",
    }


def test_changes_of_2026_are_versions(gazetteer: Gazetteer) -> None:
    assert [unit.name for unit in gazetteer.current_units("25270", date(2026, 4, 29))] == ["Xã Lộc Ninh"]
    assert [unit.name for unit in gazetteer.current_units("25270", date(2026, 4, 30))] == ["Phường Lộc Ninh"]
    assert gazetteer.current_units("25270", date(2026, 4, 29))[0].province == "Tỉnh Đồng Nai"
    assert gazetteer.current_units("25270", date(2026, 4, 30))[0].province == "Thành phố Đồng Nai"
    assert gazetteer.decree(gazetteer.current_units("25270")[0]) == "237/NQ-UBTVQH16"


def test_a_province_without_a_confirmed_day_keeps_its_name(gazetteer: Gazetteer) -> None:
    assert gazetteer.provinces["22"].name_on(None) == "Tỉnh Quảng Ninh"


def test_a_citizen_sees_old_and_new_name(gazetteer: Gazetteer) -> None:
    sa_pa = gazetteer.current_units("03006")[0]
    muong_hoa = gazetteer.current_units("03037", BEFORE)[0]

    assert gazetteer.describe(sa_pa, limit=2) == "Phường Sa Pa (gồm Phường Sa Pả, Phường Ô Quý Hồ … cũ)"
    assert gazetteer.describe(muong_hoa) == "Xã Mường Hoa cũ, nay là Xã Tả Van"
    assert gazetteer.describe(gazetteer.current_units("03004")[0]) == "Xã Ngũ Chỉ Sơn"


def test_a_district_holds_its_communes_of_the_day(gazetteer: Gazetteer) -> None:
    today = {unit.name for unit in gazetteer.communes_of_area("Thị xã Sa Pa")}

    assert {"Phường Sa Pa", "Xã Tả Van", "Xã Tả Phìn", "Xã Bản Hồ", "Xã Mường Bo", "Xã Ngũ Chỉ Sơn"} <= today
    assert "Phường Cầu Mây" in {unit.name for unit in gazetteer.communes_of_area("Thị xã Sa Pa", BEFORE)}
    assert len(gazetteer.communes_of_area("Tỉnh Lào Cai")) == 99


def test_wrong_points_are_dropped(gazetteer: Gazetteer) -> None:
    yen_binh = next(unit for unit in gazetteer.communes_of_province("15") if unit.name == "Xã Yên Bình")

    assert yen_binh.lat is None


def test_show_lists_every_unit_of_a_name_or_code(gazetteer: Gazetteer) -> None:
    by_name = show(gazetteer, "nam cuong")
    by_code = show(gazetteer, "02671")

    assert {row.unit.label for row in by_name} >= {
        "Phường Nam Cường, Tỉnh Lào Cai",
        "Phường Nam Cường, Thành phố Lào Cai, Tỉnh Lào Cai",
    }
    assert [row.unit.name for row in by_code] == ["Phường Cam Đường", "Phường Nam Cường"]
    assert by_code[1].became == ("Phường Cam Đường, Tỉnh Lào Cai",)
    assert show(gazetteer, "không có tên này") == []


def test_hand_made_former_names_keep_every_part(gazetteer: Gazetteer) -> None:
    lao_chai = next(entry for entry in gazetteer.lookup("Lao Chải") if entry.former is not None)

    assert {gazetteer.new_versions[number][0].name for number in lao_chai.news} == {"Phường Sa Pa", "Xã Tả Van"}


def test_a_missing_or_foreign_file_says_what_to_do(tmp_path: Path) -> None:
    foreign = tmp_path / "gazetteer.bin"
    foreign.write_bytes(b"not ours")

    with pytest.raises(GazetteerUnusable, match="build it first"):
        load_gazetteer(tmp_path / "none.bin")
    with pytest.raises(GazetteerUnusable, match="build it again"):
        load_gazetteer(foreign)


def test_a_build_without_its_sources_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="pip install"):
        build(tmp_path / "gazetteer.bin", sources=tmp_path)


def test_a_build_reports_progress_and_is_reproducible(tmp_path: Path, gazetteer_path: Path) -> None:
    stages: list[str] = []

    report = build(tmp_path / "gazetteer.bin", progress=lambda stage, _done, _total: stages.append(stage))

    assert report.path.read_bytes() == gazetteer_path.read_bytes()
    assert stages[-1] == "done"
    assert "3321 communes" in report.text


def test_the_readers_are_light() -> None:
    heavy = {"underthesea", "sklearn", "pandas", "vietnamadminunits"}

    assert not heavy & set(sys.modules)
