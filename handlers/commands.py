"""What a typed line asks for: a command, or an answer to the choices on offer. Accents and slashes don't matter."""

import re
import unicodedata
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
    Command.CANCEL: ("huy", "huy bo", "huy ban nhap", "huy phan anh", "cancel"),
    Command.HELP: ("tro giup", "trogiup", "help", "huong dan", "huongdan", "menu"),
    Command.FIELDS: ("linh vuc", "linhvuc", "cac linh vuc"),
    Command.AREA: ("dia ban", "diaban"),
    Command.ERASE: ("xoa du lieu", "xoadulieu", "xoa du lieu cua toi", "rut dong y", "rutdongy"),
}
_LOOKS = ("xem", "tra", "kiem tra", "xem phan anh", "tra cuu phan anh", "phan anh")  # with a code
_BY_WORDS = {words: command for command, forms in _WORDS.items() for words in forms}
_PARTICLE = re.compile(
    r"[\s,.!]+(?:nhe|nha|a|ah|ad|di|giup|voi|nao|luon|em|ban|minh|toi|dum|ho|cai|nh|thoi|r|roi|ok)[\s,.!]*$"
)
_NUMBER = re.compile(r"^(?:so |chon |cau |cai |muc |y )?(\d{1,2})[.)]?$")  # "1", "1.", "số 1", "chọn 2"
_NUMBER_WORDS = {"mot": 1, "hai": 2, "ba": 3, "bon": 4, "nam": 5}
_THUMBS = ("👍", "👌", "🆗", "✅", "☑", "✔", "🫡")

_SAYS_YES = """gui gửi dung đúng ok oke okie okay okela oki okok u ừ uh um ừm uk uhm chuan chuẩn vang vâng vag da dạ
    duoc được dc đc phai phải yes yep dong đồng nhat nhất xac xác chinh chính xong co có"""
_MAY_STAND_BESIDE = """roi rồi do đó day đấy the thế vay vậy nhe nhé nha nhen nho nhá a ạ à ah ad em anh chi chị cô chu
    chú bac bác ban bạn minh mình toi tôi giup giúp gium giùm dum dùm ho hộ luon luôn di đi ngay nao nào thoi thôi cho
    voi với phan phản ánh y ý tri trí nhan nhận het hết nhanh la là cu cứ"""
_YES, _YES_FILLING = frozenset(_SAYS_YES.split()), frozenset(_MAY_STAND_BESIDE.split())

ALIASES: dict[str, tuple[str, ...]] = {  # choice value → other ways of saying it, folded, without particles
    "send": ("gửi", "đủ rồi", "hết rồi", "y", "chính xác", "đúng hết rồi", "cứ thế gửi", "cứ gửi"),
    "edit_field": (
        "sai linh vuc",
        "doi linh vuc",
        "nham linh vuc",
        "sua lv",
        "chon lai linh vuc",
        "khong dung linh vuc",
    ),
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
        "khong dung cho",
        "khong phai cho do",
    ),
    "add": ("them anh", "gui them anh", "bo sung", "gui them", "them nua", "them vi tri", "con nua", "con"),
    "cancel": (
        "huy bo",
        "thoi",
        "thoi khoi",
        "khong gui nua",
        "khong gui",
        "bo di",
        "bo",
        "xoa",
        "dung gui",
        "dung gui nua",
        "khoi gui",
        "thoi khong gui",
        "thoi khong gui nua",
    ),
    "unknown_place": (
        "khong ro",
        "khong biet",
        "ko ro",
        "ko biet",
        "k ro",
        "k biet",
        "hong biet",
        "chiu",
        "khong nho",
        "khong ro phuong xa",
        "khong biet phuong nao",
        "khong biet xa nao",
        "quen roi",
    ),
    "other_field": ("khac", "cai khac", "khong phai may cai nay", "linh vuc khac", "khong cai nao dung"),
    "unknown_field": (
        "khong ro",
        "khong biet",
        "ko ro",
        "ko biet",
        "k ro",
        "k biet",
        "hong biet",
        "chiu",
        "tuy",
        "sao cung duoc",
    ),
    "other_place": ("khac", "noi khac", "cho khac", "khong co", "khong phai may noi nay", "khong cai nao dung"),
    "erase_yes": ("dong y", "co", "xoa", "xoa di", "ok", "chac chan", "chac"),
    "erase_no": ("khong", "thoi", "ko", "khoi", "giu lai"),
    "withdraw_yes": ("dong y", "co", "rut", "rut di", "huy", "xoa", "ok", "chac chan", "dung", "dung roi", "vang", "u"),
    "withdraw_no": ("khong", "thoi", "ko", "khoi", "giu", "khong rut"),
    "new_yes": ("bo", "viet cai moi", "moi", "cai moi"),
    "new_no": ("viet tiep", "tiep tuc", "tiep", "giu"),
    "separate": ("viec khac", "khac", "rieng", "tach rieng", "phan anh rieng", "phan anh moi"),
    "same": ("cung viec", "cung mot viec", "mot viec", "chung", "cung la mot"),
    "restore": ("lay lai", "khoi phuc", "lay lai di", "viet tiep", "tiep tuc"),
    "not_this": ("viec khac", "khac", "khong phai", "khong phai viec do", "day la viec khac"),
    "new_report": ("viec khac", "khac", "phan anh moi", "viec moi"),
    "reopen": ("dung", "dung roi", "co", "phai", "ok", "vang", "da", "lam lai", "mo lai", "u"),
    "rate:good": (
        "hai long",
        "tot",
        "rat tot",
        "rat hai long",
        "hai long lam",
        "tot lam",
        "ok",
        "tuyet voi",
        "qua tot",
    ),
    "rate:acceptable": ("chap nhan", "tam", "tam duoc", "cung duoc", "tam chap nhan", "chap nhan duoc"),
    "rate:bad": (
        "khong hai long",
        "ko hai long",
        "k hai long",
        "chua hai long",
        "khong he hai long",
        "te",
        "qua te",
        "chua duoc",
        "khong dong y",
    ),
}
_PARTS_COUNT = (
    "commune:",
    "field:",
    "subfield:",
    "attach:",
    "withdraw:",
    "why:",
)  # values whose labels may be shortened
_DRAFT_VERBS = ("send", "edit_field", "edit_place", "add", "cancel")  # understood whatever was asked last
_DRAFT_LABELS = {
    "send": "gui",
    "edit_field": "sua linh vuc",
    "edit_place": "sua dia diem",
    "add": "them",
    "cancel": "huy",
}
ALIASES = {value: tuple(fold(form) for form in forms) for value, forms in ALIASES.items()}


def parse_command(text: str, prefix: str) -> TypedCommand | None:
    """The command that the whole line is, None for anything else; "huỷ" inside a sentence is no command."""
    if "\n" in text.strip() or len(text) > 60:
        return None
    codes = find_codes(text, prefix)
    line = fold_answer(text)
    is_explicit = text.lstrip().startswith("/")
    if is_explicit:
        line = line.replace("_", " ")
    for code in codes:
        line = line.replace(code.lower(), "").replace(code.lower().replace("-", ""), "").replace(code[-6:].lower(), "")
    line = re.sub(rf"(?:\b(?:ma|{prefix.lower()})\b|[\s:,.\-])+$", "", line).strip(" :,.-")
    forms = _politer(line)
    command = next((_BY_WORDS[form] for form in forms if form in _BY_WORDS), None)
    if codes and (not line or forms[-1] in _LOOKS):
        command = Command.LOOKUP  # the code alone, "xem mã PA-7K3M9Q"
    if command is None and line.startswith(("tra cuu ", "tracuu ")) and not codes:
        command = Command.LOOKUP  # with something that is no code: say so
    return TypedCommand(command, codes, is_explicit) if command else None


def is_unknown_command(text: str) -> bool:
    """ "/abc": written as a command, but none of ours."""
    return re.fullmatch(r"/[^\W\d]\w*(?:@\w+)?(?: .{0,30})?", text.strip()) is not None


def is_wrong_code(text: str, prefix: str) -> bool:
    """Whether the line is meant for a code, and the code is none."""
    body = rf"{prefix}(?:-\w{{4,8}}|[\s_.]?(?=\w*\d)\w{{5,7}})"
    line = re.fullmatch(rf"(?:/?(?:tra ?cuu|xem|tra|kiem tra)[ :]*)?(?:ma )?{body}", fold_answer(text), re.IGNORECASE)
    return line is not None and not find_codes(text, prefix)


def match_choice(text: str, choices: ChoiceSet) -> str | None:
    """The value that a typed line chooses: its number, its label, or another way of saying it."""
    values = [option.value for option in choices.options]
    number = typed_number(text)
    if number is not None:
        return values[number - 1] if 0 < number <= len(values) else None
    line = fold_answer(text)
    forms = _politer(line)
    for option in choices.options if line else ():
        label = fold_answer(option.label)
        if label in forms or any(form in ALIASES.get(option.value, ()) for form in forms):
            return option.value
    if "send" in values and is_yes(text):
        return "send"
    return _unique_part(forms[-1], choices)


def match_draft_verb(text: str) -> str | None:
    """What a line asks to be done with the open draft, whatever was asked last: "gửi luôn đi", "thêm ảnh"."""
    line = fold_answer(text)
    if is_yes(text) and "gui" in line.split():
        return "send"
    forms = _politer(line)
    for verb in _DRAFT_VERBS:
        if _DRAFT_LABELS[verb] in forms or any(form in ALIASES[verb] for form in forms):
            return None if verb == "cancel" and line in ("bo", "xoa", "thoi") else verb
    return None


def asks_to_restore(text: str) -> bool:
    """ "lấy lại bản nháp", said at any time."""
    line = fold_answer(text)
    return any(form in ("lay lai ban nhap", *ALIASES["restore"]) for form in _politer(line))


def typed_number(text: str) -> int | None:
    """The number that the whole line is: "2", "số 2", "hai"."""
    line = fold_answer(text)
    if found := _NUMBER.match(line):
        return int(found[1])
    return _NUMBER_WORDS.get(line)


def is_yes(text: str) -> bool:
    """Whether a line says yes and nothing else: "ok", "dạ đúng rồi ạ", "ừ gửi luôn đi em", 👍."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", text.lower()))
    if not words:
        return any(sign in text for sign in _THUMBS)
    line = " ".join(words).replace("gửi", "gui")
    # "gui anh" may announce a photo, and "dung gui" without accents rather means "đừng gửi"
    if len(words) > 8 or "gui anh" in line or line in ("dung gui", "dung gui nua"):
        return False
    return all(word in _YES or word in _YES_FILLING for word in words) and not _YES.isdisjoint(words)


def _unique_part(line: str, choices: ChoiceSet) -> str | None:
    # "Sa Pa" for "Phường Sa Pa": a part of exactly one label, at least three letters and on word borders
    if len(line) < 3:
        return None
    named = [option for option in choices.options if option.value.startswith(_PARTS_COUNT)]
    hits = [option.value for option in named if re.search(rf"\b{re.escape(line)}\b", fold(option.label))]
    return hits[0] if len(hits) == 1 else None


def _politer(line: str) -> tuple[str, ...]:
    """The line, and what is left of it when its last particles are taken away one by one: "gui di nhe" → "gui"."""
    forms = [line]
    while (shorter := _PARTICLE.sub("", forms[-1]).strip(" ,.!")) != forms[-1] and shorter:
        forms.append(shorter)
    return tuple(forms)
