"""A province is a folder of data: a second one needs no code, and what is wrong in it is named with file and line."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from handlers import reports
from handlers.actors import Actor
from handlers.bootstrap import build_office
from handlers.errors import Incomplete
from handlers.province import PACKS, BadPack, find_pack, load_pack
from handlers.settings import Settings
from storage.database import Database
from storage.models import OutboxMessage
from storage.workflow import Role, Status, UrgencyClass
from tests.desk_factories import NOW, REASON, a_report

TINY = Path(__file__).parent.parent / "packs" / "tiny"
MAY_ALL = Actor("an", "An", frozenset(Role))

Spoil = Callable[[Path], None]


def replace(name: str, old: str, new: str) -> Spoil:
    """Change the first ``old`` in a file of the pack."""

    def spoil(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def append(name: str, line: str) -> Spoil:
    """Add a line to a file of the pack."""

    def spoil(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return spoil


def remove(name: str) -> Spoil:
    """Delete a file of the pack."""
    return lambda folder: (folder / name).unlink()


@pytest.fixture
def pack_folder(tmp_path: Path) -> Path:
    """A copy of the tiny pack, to be spoiled."""
    return Path(shutil.copytree(TINY, tmp_path / "pack"))


@pytest.mark.parametrize(
    "folder", [TINY, *sorted(path for path in PACKS.iterdir() if path.is_dir())], ids=lambda p: p.name
)
def test_every_pack_in_this_repository_is_sound(folder: Path) -> None:
    pack = load_pack(str(folder))

    assert pack.id == folder.name
    assert all(pack.label(code) for code in pack.subfields)


def test_a_shipped_pack_is_found_by_name_and_another_by_its_folder() -> None:
    assert find_pack("lao_cai") == PACKS / "lao_cai"
    assert find_pack(str(TINY)) == TINY


def test_an_unknown_pack_is_refused_with_the_shipped_ones() -> None:
    with pytest.raises(BadPack, match="lao_cai"):
        find_pack("khong_co")


def test_a_second_province_works_a_report_from_intake_to_result_without_code(sqlite_database: Database) -> None:
    office = build_office(Settings(province_pack=str(TINY)), clock=lambda: NOW)
    code = "NH-23456A"
    place = {"commune_code": "20242", "commune_name": "Phường Hải Châu", "subfield": "duong_sa.o_ga"}
    sqlite_database.write_now(lambda s: a_report(s, code=code, pack="tiny", **place))

    report = sqlite_database.write_now(lambda s: reports.assign(s, office, code, by=MAY_ALL))
    sqlite_database.write_now(lambda s: reports.accept(s, office, code, by=MAY_ALL))

    assert report.lead_agency == "phuong@20242"
    # two of its own working days after Monday: Tuesday is its holiday, then Wednesday and Thursday until 17:00
    assert report.due_at == datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
    said = sqlite_database.read_now(lambda s: s.exec(select(OutboxMessage.body).order_by(col(OutboxMessage.id))).all())
    assert "UBND Phường Hải Châu" in said[0] and "17:00 thứ Năm 26/11/2026" in said[0]


def test_a_second_province_has_its_own_rules_and_words(sqlite_database: Database) -> None:
    office = build_office(Settings(province_pack=str(TINY)), clock=lambda: NOW)
    code = "NH-23456A"
    sqlite_database.write_now(
        lambda s: a_report(s, Status.PENDING_APPROVAL, code=code, subfield="duong_sa.o_ga", result_by="an")
    )

    assert office.texts.say("talk.greeting").startswith("Tỉnh Nhỏ")
    with pytest.raises(Incomplete) as refused:  # nobody approves their own here
        sqlite_database.write_now(lambda s: reports.approve(s, office, code, by=MAY_ALL))
    assert refused.value.why == "own_result"
    assert office.pack.subfields["duong_sa.cay_do"].urgency(is_danger=True) is UrgencyClass.URGENT
    assert office.pack.calendar.is_working_day(date(2026, 11, 28))


def test_rejections_name_the_provinces_own_counters(sqlite_database: Database) -> None:
    office = build_office(Settings(province_pack=str(TINY)), clock=lambda: NOW)
    code = "NH-23456A"
    sqlite_database.write_now(lambda s: a_report(s, code=code, subfield="duong_sa.o_ga"))

    sqlite_database.write_now(lambda s: reports.reject(s, office, code, "TC02", REASON, by=MAY_ALL))

    said = sqlite_database.read_now(lambda s: s.exec(select(OutboxMessage.body)).one())
    assert "Trung tâm hành chính công tỉnh Nhỏ" in said and "7 ngày" in said


DEFECTS = [
    (remove("fields.csv"), "fields.csv: [Errno 2]"),
    (remove("pack.toml"), "no pack.toml"),
    (replace("pack.toml", 'id = "tiny"', "id = tiny"), "pack.toml: Invalid value (at line 2"),
    (replace("pack.toml", 'short_name = "Nhỏ"', ""), "pack.toml: short_name is missing"),
    (replace("pack.toml", 'mode = "live"', 'mode = "test"'), "pack.toml line 7: mode is 'test'"),
    (replace("pack.toml", 'code_prefix = "', 'code_prefix = "phản ánh'), "code_prefix is 'phản ánh"),
    (replace("pack.toml", 'province_code = "', 'province_code = "x'), "province_code is 'x"),
    (replace("pack.toml", "01/QĐ-UBND", ""), "pack.toml line 7: mode live needs regulation_number"),
    (replace("pack.toml", "feedback_days = 7", 'feedback_days = "7"'), "pack.toml line 24: sla.feedback_days"),
    (replace("pack.toml", "question_days = 3", "question_days = 0"), "pack.toml line 25: sla.question_days"),
    (replace("pack.toml", 'intake_name = "Tổ trực tỉnh Nhỏ"', ""), "pack.toml: contacts.intake_name is missing"),
    (
        replace("pack.toml", "self_approve = []", 'self_approve = ["X"]'),
        "pack.toml line 28: self_approve knows K, N and M",
    ),
    (
        replace("fields.csv", "label,short", "label"),
        "fields.csv line 1: columns expected are code,label,short; missing: short",
    ),
    (replace("fields.csv", "khac,Khác,Khác", "khac,Khác"), "fields.csv line 3: too many or too few columns"),
    (append("fields.csv", "khac,Khác nữa,Khác"), "fields.csv line 4: khac stands in line 3 already"),
    (append("fields.csv", "moi,,Mới"), "fields.csv line 4: label is empty"),
    (append("subfields.csv", "la.lam,Lạ,2,,"), "subfields.csv line 5: la.lam belongs to no field"),
    (replace("subfields.csv", "Cây đổ,K/2", "Cây đổ,nhanh"), "subfields.csv line 3: sla 'nhanh'"),
    (append("subfields.csv", "khac.moi,Mới,2,,"), "routing.csv: no row for khac.moi that is valid today"),
    (replace("agencies.csv", "utility,,2025-07-01", "utility,,1/7/2025"), "agencies.csv line 4: '1/7/2025' is no date"),
    (replace("agencies.csv", "commune,x", "commune,"), "agencies.csv line 3: {commune} in the name"),
    (replace("agencies.csv", "2025-07-01,\ncay", "2025-07-01,2025-01-01\ncay"), "agencies.csv line 3: valid_to"),
    (
        replace("agencies.csv", "utility,,2025-07-01,", "utility,,2025-07-01,2025-12-31"),
        "cay, who leads duong_sa.cay_do",
    ),
    (replace("routing.csv", "cay_do,cay,phuong", "cay_do,cay,xa"), "routing.csv line 3: unknown agency 'xa'"),
    (replace("routing.csv", "duong_sa.o_ga,phuong", "duong_sa.o_vit,phuong"), "routing.csv line 2: unknown subfield"),
    (replace("routing.csv", "o_ga,phuong,,,", "o_ga,phuong,,202,"), "routing.csv line 2: '202' is no 5-digit commune"),
    (replace("units.csv", "20242", "2024"), "units.csv line 2: '2024' is no 5-digit commune code"),
    (replace("calendar.toml", '"08:00", "12:00"', '"8 giờ", "12:00"'), "calendar.toml line 1: hours"),
    (replace("calendar.toml", '"13:00", "17:00"', '"11:00", "17:00"'), "calendar.toml line 1: hours"),
    (
        replace("calendar.toml", "from = 2026-11-24", "from = 2025-11-24"),
        "calendar.toml line 6: [2026] holds 2025-11-24",
    ),
    (replace("calendar.toml", "to = 2026-11-24", "to = 2026-11-20"), "calendar.toml line 6: [2026]"),
    (
        replace("calendar.toml", "day = 2026-11-28", "day = 2026-11-24"),
        "calendar.toml line 6: 2026-11-24 is both off and worked",
    ),
    (append("texts.toml", 'tam_biet = "Chào"'), "texts.toml line 3: the catalogue has no sentence talk.tam_biet"),
    (append("texts.toml", 'thanks = "Cảm ơn {name}"'), "texts.toml line 3: talk.thanks cannot fill in name"),
    (append("texts.toml", 'thanks = "Cảm ơn {"'), "texts.toml line 3: talk.thanks: "),
]


@pytest.mark.parametrize(("spoil", "named"), DEFECTS, ids=[named for _, named in DEFECTS])
def test_each_defect_is_named_with_file_and_line(pack_folder: Path, spoil: Spoil, named: str) -> None:
    spoil(pack_folder)

    with pytest.raises(BadPack) as refused:
        load_pack(str(pack_folder))

    assert any(problem.startswith(named) or named in problem for problem in refused.value.problems)


def test_all_defects_are_named_at_once(pack_folder: Path) -> None:
    for name, old, new in (
        ("fields.csv", "khac,Khác,Khác", "khac"),
        ("units.csv", "20242", "x"),
        ("pack.toml", '"48"', '""'),
    ):
        replace(name, old, new)(pack_folder)

    with pytest.raises(BadPack) as refused:
        load_pack(str(pack_folder))

    assert {problem.split()[0].rstrip(":") for problem in refused.value.problems} >= {
        "fields.csv",
        "units.csv",
        "pack.toml",
    }


def test_a_calendar_without_this_year_is_refused(pack_folder: Path) -> None:
    year = datetime.now(UTC).year
    replace("calendar.toml", f"[{year}]", "[2035]")(pack_folder)
    text = (pack_folder / "calendar.toml").read_text(encoding="utf-8").replace(f"= {year}-", "= 2035-")
    (pack_folder / "calendar.toml").write_text(text, encoding="utf-8")

    with pytest.raises(BadPack, match=f"the year {year} is missing"):
        load_pack(str(pack_folder))


def test_a_pack_that_serves_a_whole_province_lists_no_units(pack_folder: Path) -> None:
    replace("units.csv", "20194,Phường Hải Châu,Quận Hải Châu,20242,Phường Hải Châu\n", "")(pack_folder)

    assert load_pack(str(pack_folder)).served_communes == {}


def test_routing_follows_the_day() -> None:
    pack = load_pack("lao_cai")
    before, after = date(2025, 6, 30), date(2025, 7, 1)

    old, new = (pack.route("ha_tang.mat_duong", "02647", day) for day in (before, after))

    assert old is not None and new is not None
    assert (old.lead, new.lead) == ("ht_old", "ht")
    assert after - before == timedelta(days=1)
