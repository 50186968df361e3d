"""Takes the words out of a message that say where inside a commune something is, as the sender wrote them."""

import re
import unicodedata
from collections.abc import Iterable

from nlp.locality.cues import UNIT_KINDS, Cues
from nlp.locality.tokens import JOINED, READ_LIMIT, SOFT, Tokens
from nlp.results import PlaceWords

_FLAGS = re.IGNORECASE
_NUMBER = r"\d{1,4}[A-Za-z]?(?:[/-]\d{1,4}[A-Za-z]?){0,5}"
# "số nhà 12A", "SN 5/3", "so 154"; not "số 1 thế giới"
_HOUSE = re.compile(
    rf"(?<!\w)(?:số nhà|số|so nha|so|sn)\s*({_NUMBER})(?!\w|\s*(?:ngày|ngay|lần|lan|người|nguoi|máy|tháng|năm)\b)",
    _FLAGS,
)
# "thửa 80, tờ bản đồ 22"
_PARCEL = re.compile(
    r"(?<!\w)(?:thửa|thua)(?: đất| dat)?(?: số| so)?\s*\d+(?:[,\s]*(?:tờ|to)(?: bản đồ| ban do)?(?: số| so)?\s*\d+)?",
    _FLAGS,
)
# "ngõ 12", "kiệt 15/15", "ngách 3/45 ngõ 12", "hẻm 8A"
_LANE = re.compile(rf"(?<!\w)(?:ngõ|ngách|hẻm|kiệt|ngo|ngach|hem|kiet)(?: số| so)?\s*{_NUMBER}(?!\w)", _FLAGS)
# "Km12+300", "km 12", "KM 5,2", "lý trình Km3+100", "nút giao IC18"
_KILOMETRE = re.compile(r"(?<!\w)(?:km\s*\.?\s*\d{1,4}(?:\s*\+\s*\d{1,3}|[.,]\d{1,3})?|IC\s*\d{1,2})(?!\w)", _FLAGS)
# "QL4D", "quốc lộ 32C", "ĐT 155", "TL107", "đường tỉnh 152", "QL 4D"
_ROAD = re.compile(
    r"(?<!\w)(?:ql|quốc lộ|quoc lo|tl|tỉnh lộ|tinh lo|đt|đường tỉnh|duong tinh|hl|hương lộ|đh)"
    r"\s*\.?\s*\d{1,3}[A-Za-z]?(?!\w)",
    _FLAGS,
)
_MOTORWAY = re.compile(r"(?<!\w)(?:cao tốc|cao toc)\s+(?:[A-ZĐ][\w]*[\s–-]*){1,6}")
# "đoạn từ cầu Cốc Lếu đến ngã tư Kim Tân", "từ X tới Y"
_SEGMENT = re.compile(
    r"(?<!\w)(?:(?:đoạn|doan|tuyến|tuyen)\s+(?:từ|tu|trước|sau)?|từ (?=cầu|ngã|chợ|trường|cổng|km))\s*"
    r"([^,.;:!?\n]{2,45}?)\s+(?:đến|tới|den|toi)\s+([^\s,.;:!?]+(?: [^\s,.;:!?]+){0,3})", _FLAGS
)  # fmt: skip
# "ngã ba Điện Biên Phủ – Hoàng Liên"
_CAPITALS = "A-Z" + "".join(char for char in map(chr, range(0xC0, 0x1EFA)) if char.isupper())
_PROPER = rf"(?:[{_CAPITALS}][\w'’]*\s*){{1,4}}"
_JUNCTION = re.compile(
    r"(?<!\w)(?:ngã (?:ba|tư|năm|sáu)|nga (?:ba|tu|nam)|giao lộ|vòng xoay|bùng binh)\s+"
    rf"({_PROPER}(?:(?:[-–]|và)\s*{_PROPER})?)"
)
_WITHOUT_NAME = frozenset({"quán", "động", "hang", "đài", "đình", "biển", "ca", "đồn", "quan", "ga", "cảng", "hồ"})
_STREET_WORDS = frozenset({"đường", "đg", "dg", "phố", "đại lộ", "duong", "tuyến đường", "đường phố", "đ", "tuyến phố"})
_COUNTED = frozenset(  # a number after these is no house number; folded with k = c
    {
        "cm",
        "to",
        "thon",
        "quan",
        "q",
        "p",
        "phuong",
        "thang",
        "ngo",
        "ngach",
        "hem",
        "ciet",
        "ql",
        "tl",
        "dt",
        "tdp",
        "doi",
    }
)
_MOST = 2  # landmarks, hamlets


def find_words(text: str, tokens: Tokens, cues: Cues) -> PlaceWords:
    """House number, lane, street, kilometre, landmark and hamlet: the eleven ways a place is written."""
    text = text[:READ_LIMIT]
    read = unicodedata.normalize("NFC", text)
    house, street = _number_and_street(text, tokens, cues)
    numbered = read if any(word[0].isdigit() for word in tokens.lower) else ""  # most messages have no number
    stated = _HOUSE.search(numbered)
    parcel = _PARCEL.search(numbered)
    roads = [match.group() for match in (_ROAD.search(numbered), _MOTORWAY.search(read)) if match]
    kilometre = _KILOMETRE.search(numbered)
    return PlaceWords(
        house_number=stated.group(1) if stated else (parcel.group() if parcel else house),
        street=_tidy(street or next(iter(roads), "")),
        lane=", ".join(dict.fromkeys(_tidy(match.group()) for match in _LANE.finditer(numbered)))[:80],
        kilometre=_tidy(kilometre.group()) if kilometre else "",
        landmark=_landmark(text, read, tokens, cues),
        hamlet=", ".join(_hamlets(text, tokens, cues)),
    )


def _tidy(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip(" -–,")


def _number_and_street(text: str, tokens: Tokens, cues: Cues) -> tuple[str, str]:
    """ "05 Điện Biên Phủ", "178 đường Hùng Vương", "đường Hoàng Liên"."""
    for start in sorted(cues.street):
        if start not in cues.street_names and not tokens.capital[start]:
            continue  # "đường sụt một mảng" names no street
        for cue_start, kinds in cues.before.get(start, ()):
            word = _between(text, tokens, cue_start, start).lower().rstrip(".")
            if "street" in kinds and word in _STREET_WORDS and not tokens.lower[start].isdigit():
                end = _name_end(tokens, cues, start)
                return _number_before(tokens, cue_start), _between(text, tokens, cue_start, end)
    for start, end in sorted(cues.street_names.items()):
        if number := _number_before(tokens, start):
            return number, _between(text, tokens, start, end)
    return "", ""


def _number_before(tokens: Tokens, index: int) -> str:
    before = index - 1
    if before < 0 or tokens.gaps[index] != JOINED or not tokens.lower[before].isdigit():
        return ""
    previous = tokens.folded[before - 1] if before else ""
    if previous in _COUNTED or (previous.isdigit() and tokens.ends[before - 1] + 1 == tokens.starts[before]):
        # the "9" of "ngõ 9 Kim Tân", the second "15" of "kiệt 15/15 Bùi Thị Xuân"
        return ""
    return tokens.lower[before]


def _name_end(tokens: Tokens, cues: Cues, start: int, most: int = 4) -> int:
    """Where a name that starts here ends: a known street, else capitalised words, else at most two words."""
    if start in cues.street_names:
        return cues.street_names[start]
    end = start + 1
    while end < len(tokens) and end - start < most and tokens.gaps[end] == JOINED:
        if tokens.capital[start] != tokens.capital[end] or cues.kinds_at(end) & UNIT_KINDS:
            break
        if not tokens.capital[start] and (end - start >= 2 or cues.after.get(end)):
            break
        end += 1
    return end


def _between(text: str, tokens: Tokens, start: int, end: int) -> str:
    return text[tokens.starts[start] : tokens.ends[end - 1]]


def _landmark(text: str, read: str, tokens: Tokens, cues: Cues) -> str:
    segment = _SEGMENT.search(read)
    if segment:
        return _tidy(segment.group())[:90]
    junction = _JUNCTION.search(read)
    found = [_tidy(junction.group())] if junction else []
    for words in _things(text, tokens, cues):
        if not any(words in known for known in found):
            found.append(words)
    return ", ".join(found[:_MOST])


def _things(text: str, tokens: Tokens, cues: Cues) -> Iterable[str]:
    """ "chợ Cốc Lếu", "trường tiểu học Duy Vinh", "cổng trường cấp 2", "sau chợ"."""
    for start in sorted(cues.after):
        cue_end = max((end for end, kinds in cues.after[start] if kinds & {"landmark", "office"}), default=0)
        if not cue_end or (tokens.lower[start].isascii() and tokens.accent_share > 0.5):
            continue
        while more := [end for end, kinds in cues.after.get(cue_end, ()) if kinds & {"landmark", "office"}]:
            cue_end = max(more)  # "trường" + "tiểu học"
        word = _between(text, tokens, start, cue_end)
        if cue_end < len(tokens) and tokens.gaps[cue_end] == JOINED and _opens_name(tokens, cues, cue_end):
            yield _between(text, tokens, start, _name_end(tokens, cues, cue_end, 3))
        elif "near" in cues.kinds_before(start) and word.lower() not in _WITHOUT_NAME:
            near = min(at for at, kinds in cues.before[start] if "near" in kinds)
            yield _between(text, tokens, near, cue_end)


def _opens_name(tokens: Tokens, cues: Cues, index: int) -> bool:
    if tokens.capital[index]:
        return True
    return tokens.accent_share < 0.3 and not cues.after.get(index) and index in cues.street_names


def _hamlets(text: str, tokens: Tokens, cues: Cues) -> list[str]:
    """ "tổ 5", "thôn Sả Séng", "bản Cát Cát", "TDP số 3"."""
    found: list[str] = []
    for start in sorted(cues.after):
        ends = [end for end, kinds in cues.after[start] if "hamlet" in kinds]
        if not ends or len(found) >= _MOST or max(ends) >= len(tokens):
            continue
        at = max(ends)
        if tokens.lower[at] in ("số", "so") and at + 1 < len(tokens):
            at += 1
        if tokens.gaps[at] >= SOFT or "xa" in cues.kinds_before(start) or "phuong" in cues.kinds_before(start):
            continue  # the "Bản" of "xã Bản Hồ"
        if tokens.lower[at].isdigit():
            found.append(_between(text, tokens, start, at + 1))
        elif tokens.capital[at]:
            found.append(_between(text, tokens, start, _name_end(tokens, cues, at, 4)))
    return found
