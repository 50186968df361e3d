"""Every refusal has its words, its next step and its exit code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import handlers.closing
import handlers.handover
import handlers.reports
from admin_cli.errors import BadLine, FileMissing, MissingPackage, NoLetter, NotReadable, UnknownChoice
from admin_cli.failures import describe
from admin_cli.seat import Seat
from handlers.accounts import NeedsRole
from handlers.bootstrap import build_office
from handlers.errors import Incomplete, LastAdmin, NoAccount, NotYours, TooSoon, UnknownAgency, UnknownCode
from handlers.province import BadPack
from handlers.settings import BadSetting, load_settings
from handlers.staff import AccountChange, save_account
from handlers.texts import load_texts
from storage import migrate
from storage.database import Database
from storage.errors import BadMedia, ChangedMeanwhile, InvalidTransition, NotAllowed, NotFound, SchemaMismatch
from storage.reader import DatabaseAway, DatabaseMissing
from storage.workflow import Act, Need, NoPhotoReason, Outcome, Role, Status, UrgencyClass
from tests.unit.cli.conftest import CommandLine

WORDS = load_texts(language="desk_vi")
INTAKE, LEADER = frozenset({Role.INTAKE}), frozenset({Role.LEADER})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidTransition(Act.APPROVE, Status.RECEIVED), 5),
        (NotAllowed(Act.APPROVE, INTAKE, LEADER), 4),
        (NeedsRole(frozenset(), LEADER), 4),
        (NotYours("PA-AAAAAA", "gt"), 4),
        (NotYours("PA-AAAAAA", None), 4),
        (NoAccount("khach"), 4),
        (UnknownCode("ZZ"), 3),
        (UnknownCode("7K", ("PA-7K3M9Q", "PA-7K4444")), 3),
        (UnknownAgency("xy", ("ht", "gt")), 3),
        (UnknownAgency("h", ("ht", "gt")), 3),
        (UnknownAgency("ht", (), needs_commune=True), 3),
        (UnknownChoice("UnknownField", "vũ trụ", ("ha_tang",)), 2),
        (NotFound("report", "PA-AAAAAA"), 3),
        (NotFound("message", "4"), 3),
        (ChangedMeanwhile("report", "PA-AAAAAA"), 6),
        (DatabaseAway("connection refused"), 7),
        (DatabaseMissing("/x/paht.db"), 1),
        (SchemaMismatch(None, "0001"), 1),
        (BadPack(Path("tiny"), ["fields.csv line 3: sai"]), 1),
        (BadSetting("WEB_PORT", "x", "a whole number"), 1),
        (BadMedia("heic"), 2),
        (FileMissing("sau.jpg"), 3),
        (NotReadable("a.db", "đầy"), 1),
        (BadLine("in.jsonl", 3, "sai"), 1),
        (MissingPackage("sklearn", "train"), 1),
        (NoLetter(4), 3),
        (Incomplete(Need.CLOSING_GATE, "own_result", code="PA-AAAAAA"), 4),
        (Incomplete(Need.QUESTION, "too_many_questions", limit=2), 5),
        (Incomplete(Need.REASON, "reason_short", minimum=10, length=3), 2),
        (TooSoon("close_too_soon", code="PA-AAAAAA", on="02/12/2026", days=10), 5),
        (ZeroDivisionError("x"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_becomes_one_line_with_a_next_step(paht: CommandLine, error: Exception, code: int) -> None:
    seat = Seat()
    seat.subject = "PA-AAAAAA"

    failure = describe(error, seat)

    assert failure.code == code
    assert failure.hint or code == 1, failure
    assert "\n" not in failure.line and "{" not in failure.line


def why_keys() -> Iterator[str]:
    """The keys that the use-cases refuse with, read from their source."""
    modules = (handlers.closing, handlers.handover, handlers.reports)
    trees = [ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")) for module in modules]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = {"Incomplete": 1, "TooSoon": 0, "need_text": 3}.get(node.func.id)
            if place is not None and isinstance(node.args[place], ast.Constant):
                yield f"{'too_soon' if place == 0 else 'incomplete'}.{node.args[place].value}"  # type: ignore[attr-defined]
    yield from (f"incomplete.outcome_{name}" for name in ("planned", "not_found", "handed_over"))


def test_every_reason_of_the_use_cases_has_words_and_a_hint() -> None:
    keys = set(why_keys())

    assert len(keys) >= 15
    for key in keys:
        assert WORDS.has(key), key
        section, _, name = key.partition(".")
        assert WORDS.has(f"{section}_hint.{name}"), key


@pytest.mark.parametrize(
    ("section", "members"),
    [
        ("status", Status),
        ("status_short", Status),
        ("urgency", UrgencyClass),
        ("role", Role),
        ("act", Act),
        ("outcome", Outcome),
        ("no_photo", NoPhotoReason),
    ],
)
def test_every_member_of_an_enum_has_its_name(section: str, members: type[Status]) -> None:
    assert [member for member in members if not WORDS.has(f"{section}.{member.value}")] == []


def keys_in_code() -> set[str]:
    """Keys that the command line says, as they stand in its source; a placeholder stands for any name."""
    folder = Path(__file__).parents[3] / "admin_cli"
    source = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    return set(re.findall(r'say\(\s*f?"([a-z_]+\.[A-Za-z_{}.]+)"', source))


def test_every_sentence_that_the_command_line_says_exists() -> None:
    for key in keys_in_code():
        if key.startswith("reject."):  # said in the citizen's words
            continue
        pattern = re.compile(re.sub(r"\\{.*\\}", ".+", re.escape(key)))
        assert any(pattern.fullmatch(known) for known in WORDS.sentences), key
        if "{" not in key:
            assert WORDS.has(key), key


def test_every_sentence_has_sound_placeholders() -> None:
    for key in WORDS.sentences:
        if not key.startswith("help_"):
            assert all(name.isidentifier() for name in WORDS.placeholders(key)), key


def test_a_traceback_only_with_debug(paht: CommandLine) -> None:
    (paht.folder / "paht.db").write_bytes(b"x" * 4096)

    plain, debug = paht("inbox"), paht("inbox", "--debug")

    assert (plain.code, debug.code) == (1, 1)
    assert "Traceback" not in plain.stderr and plain.stderr.count("\n") == 1
    assert "Traceback" in debug.stderr


def test_without_a_database_the_first_step_is_named(paht: CommandLine) -> None:
    (paht.folder / "paht.db").unlink()

    run = paht("inbox")

    assert run.code == 1
    assert "Chưa có cơ sở dữ liệu" in run.stderr and "make run" in run.stderr


def test_an_empty_database_is_as_good_as_none(paht: CommandLine) -> None:
    (paht.folder / "paht.db").write_bytes(b"")

    assert "Chưa có cơ sở dữ liệu" in paht("inbox").stderr


def test_the_last_admin_cannot_be_taken_away(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/staff.db")
    migrate.upgrade(database)
    office = build_office(load_settings({}))
    admin = AccountChange(roles=[Role.ADMIN])

    database.write_now(lambda session: save_account(session, office, "an", admin))
    with pytest.raises(LastAdmin):
        database.write_now(lambda session: save_account(session, office, "an", AccountChange(roles=[Role.OFFICER])))
    database.write_now(lambda session: save_account(session, office, "ba", admin))
    database.write_now(lambda session: save_account(session, office, "an", AccountChange(is_active=False)))

    database.close()
