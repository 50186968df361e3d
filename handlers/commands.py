"""What a typed line asks for: a command, or an answer to the choices on offer. Accents and slashes don't matter."""

import re
from dataclasses import dataclass
from enum import StrEnum

from handlers.codes import find_codes
from handlers.drafts import ChoiceSet
from handlers.folding import fold, fold_answer


class Command(StrEnum):
    """What a citizen can ask the bot to do."""

    START = "start"  # bắt đầu
    NEW = "new"  # phản ánh mới
    MINE = "mine"  # của tôi
    LOOKUP = "lookup"  # tra cứu
    CANCEL = "cancel"  # huỷ
    HELP = "help"  # trợ giúp
    FIELDS = "fields"  # lĩnh vực
    AREA = "area"  # địa bàn
    ERASE = "erase"  # xoá dữ liệu


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A command with the code it names, if any. ``is_explicit`` = written with a slash."""

    command: Command
    codes: tuple[str, ...] = ()
    is_explicit: bool = False


_WORDS: dict[Command, tuple[str, ...]] = {
    Command.START: ("start", "bat dau", "batdau"),
    Command.NEW: ("phan anh moi", "phananhmoi", "phan anh", "phananh", "tao phan anh", "gui phan anh", "new"),
    Command.MINE: ("cua toi", "cuatoi", "phan anh cua toi", "phananhcuatoi", "danh sach cua toi", "xem phan anh"),
    Command.LOOKUP: ("tra cuu", "tracuu", "tra ma", "xem ma", "kiem tra ma"),
    Command.CANCEL: ("huy", "huy bo", "huy ban nhap", "huy phan anh", "cancel", "khong gui nua", "thoi khong gui"),
    Command.HELP: ("tro giup", "trogiup", "help", "huong dan", "huongdan", "menu"),
    Command.FIELDS: ("linh vuc", "linhvuc", "cac linh vuc"),
    Command.AREA: ("dia ban", "diaban"),
    Command.ERASE: ("xoa du lieu", "xoadulieu", "xoa du lieu cua toi", "rut dong y", "rutdongy"),
}
_BY_WORDS = {words: command for command, forms in _WORDS.items() for words in forms}
_PARTICLES = re.compile(
    r"(?:[\s,.!]+(?:nhe|nha|a|ah|ad|di|giup|voi|nao|luon|em|ban|minh|toi|dum|ho|cai|nh|thoi|r|roi|ok))+$"
)
_NUMBER = re.compile(r"^(?:so |chon |cau )?(\d{1,2})[.)]?$")  # "1", "1.", "số 1", "chọn 2"

ALIASES: dict[str, tuple[str, ...]] = {  # choice value → other ways of saying it, folded, without particles
    "send": (
        "gui",
        "gui di",
        "ok",
        "oke",
        "okie",
        "okay",
        "okela",
        "oki",
        "u",
        "uh",
        "um",
        "uk",
        "uhm",
        "dung",
        "dung roi",
        "dung vay",
        "dung the",
        "chuan",
        "chuan roi",
        "chinh xac",
        "dong y",
        "xac nhan",
        "duoc",
        "dc",
        "duoc roi",
        "vang",
        "vag",
        "da",
        "da dung",
        "da vang",
        "da dung roi",
        "vang dung roi",
        "yes",
        "y",
        "nhat tri",
        "co",
        "phai",
        "phai roi",
        "dung het roi",
        "gui phan anh",
        "ok gui",
        "ok gui di",
        "dung gui di",
        "dung roi gui di",
        "gui nhanh",
        "the la dung",
        "đủ rồi",
        "du roi",
        "xong",
        "xong roi",
        "het roi",
    ),
    "edit_field": ("sai linh vuc", "doi linh vuc", "nham linh vuc", "sua lv", "chon lai linh vuc"),
    "edit_place": (
        "sai dia diem",
        "sai cho",
        "sai dia chi",
        "doi dia diem",
        "sua vi tri",
        "sai vi tri",
        "sua dia chi",
        "nham cho",
        "nham dia diem",
        "sua dia ban",
        "sai dia ban",
        "sua cho",
        "sai phuong",
        "sai xa",
    ),
    "add": ("them anh", "bo sung", "gui them", "them nua", "them vi tri", "con nua"),
    "cancel": ("huy bo", "thoi", "thoi khoi", "khong gui nua", "khong gui", "bo di", "bo", "dung gui", "khoi gui"),
    "unknown_place": (
        "khong ro",
        "khong biet",
        "ko ro",
        "ko biet",
        "k ro",
        "k biet",
        "chiu",
        "khong nho",
        "khong ro phuong xa",
    ),
    "other_field": ("khac", "cai khac", "khong phai may cai nay", "linh vuc khac"),
    "other_place": ("khac", "noi khac", "cho khac", "khong co", "khong phai may noi nay"),
    "erase_yes": ("dong y", "co", "xoa", "xoa di", "ok", "chac chan", "chac"),
    "erase_no": ("khong", "thoi", "ko", "khoi", "giu lai"),
    "new_yes": ("bo", "viet cai moi", "moi", "cai moi"),
    "new_no": ("viet tiep", "tiep tuc", "tiep", "giu"),
    "separate": ("viec khac", "khac", "rieng", "tach rieng", "phan anh rieng"),
    "same": ("cung viec", "cung mot viec", "mot viec", "chung"),
    "restore": ("lay lai", "khoi phuc", "lay lai di"),
    "not_this": ("viec khac", "khac", "khong phai"),
    "rate:good": ("hai long", "tot", "rat tot", "rat hai long", "ok", "tuyet voi"),
    "rate:acceptable": ("chap nhan", "tam", "tam duoc", "cung duoc", "tam chap nhan"),
    "rate:bad": ("khong hai long", "ko hai long", "k hai long", "chua hai long", "te", "chua duoc", "khong dong y"),
}
ALIASES = {value: tuple(fold(form) for form in forms) for value, forms in ALIASES.items()}


def parse_command(text: str, prefix: str) -> TypedCommand | None:
    """The command that the whole line is, None for anything else; "huỷ" inside a sentence is no command."""
    if "\n" in text.strip() or len(text) > 60:
        return None
    codes = find_codes(text, prefix)
    line = fold_answer(text)
    is_explicit = text.lstrip().startswith("/")
    for code in codes:
        line = line.replace(code.lower(), "").replace(code.lower().replace("-", ""), "").replace(code[-6:].lower(), "")
    line = re.sub(rf"\b{prefix.lower()}\b[\s-]*$|\bma\b\s*$", "", line).strip(" :,.-")
    bare = _without_particles(line)
    command = _BY_WORDS.get(line) or _BY_WORDS.get(bare)
    if command is Command.NEW and bare in ("phan anh", "phananh") and not is_explicit and codes:
        command = Command.LOOKUP  # "phản ánh PA-7K3M9Q"
    if command is None and not line and codes:
        command = Command.LOOKUP  # the code alone
    if command is None and line.startswith(("tra cuu ", "tracuu ")) and not codes:
        command = Command.LOOKUP  # with something that is no code: say so
    return TypedCommand(command, codes, is_explicit) if command else None


def match_choice(text: str, choices: ChoiceSet) -> str | None:
    """The value that a typed line chooses: its number, its label, or another way of saying it."""
    line = fold_answer(text)
    if not line:
        return "send" if "👍" in text and any(option.value == "send" for option in choices.options) else None
    if number := _NUMBER.match(line):
        index = int(number[1]) - 1
        return choices.options[index].value if 0 <= index < len(choices.options) else None
    forms = (line, _without_particles(line))
    for option in choices.options:
        label = fold_answer(option.label)
        if label in forms or any(form in ALIASES.get(option.value, ()) for form in forms):
            return option.value
    return _unique_part(forms[1], choices)


def _unique_part(line: str, choices: ChoiceSet) -> str | None:
    # "Sa Pa" for "Phường Sa Pa": a part of exactly one label, at least four letters and on word borders
    if len(line) < 4:
        return None
    hits = [o.value for o in choices.options if re.search(rf"\b{re.escape(line)}\b", fold(o.label))]
    return hits[0] if len(hits) == 1 else None


def _without_particles(line: str) -> str:
    return _PARTICLES.sub("", line).strip(" ,.!")
