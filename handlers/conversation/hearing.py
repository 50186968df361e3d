"""What a line does in the conversation, beyond what the language part says of it: correct, urge, ask how it stands."""

import re

from handlers.folding import fold, fold_answer
from nlp.results import Intent, PlaceAction, Understanding

SECOND_TROUBLE_CONFIDENCE = 0.75  # a different field, said this surely, is asked about
_NO_STORIES = ("khac.khong_ro", "khac.chuyen_phiem", "khac.ngoai_dia_ban")
CLEAR_FIELD = 0.4  # below this a few words say nothing
CLEAR_TALK = 0.6
# "làm sao để gửi phản ánh", "bạn là ai vậy"
_ASKS_US = re.compile(
    r"\b(?:(?:lam sao|lam the nao|cach nao|cach|huong dan|chi)\b.*\b(?:phan anh|gui anh|gui vi tri|dung kenh|su dung)"
    r"|(?:ban|em|bot|day|may|ad) la (?:ai|gi|bot|nguoi|may)|ai day)\b"
)
# "không biết phường nào", "k rõ thuộc xã nào"
_UNKNOWN_PLACE = re.compile(
    r"\b(?:khong|ko|k|hong|chang|cha|chua) (?:biet|ro|nho)(?: ro)?(?: la| no| cho nay| day| do)?(?: thuoc| o)?"
    r" (?:phuong|xa|thon|dia chi|dia ban)\b"
)
# "không phải, ở phường Sa Pa cơ", "sai rồi", "nhầm, là điện chứ"
_DENIAL = re.compile(
    r"^(?:da |a |oi |ui |u )?(?:khong phai|ko phai|k phai|hong phai|hem phai|khong dung|ko dung|chua dung|sai|nham"
    r"|sua lai|doi lai|khong,|ko,)(?!\w)"
)
_BARE_DENIALS = frozenset(
    {"khong", "ko", "k", "kg", "hong", "hem", "chua", "chua dung", "khong dung", "sai", "sai roi", "nham", "nham roi"}
)
# "bao giờ thì xong", "tới đâu rồi ạ", "xử lý xong chưa"
_STATUS = re.compile(
    r"\b(?:bao gio|khi nao|chung nao|may gio|den dau|toi dau|den khau nao|the nao roi|sao roi|ra sao roi|tinh hinh"
    r"|(?:xong|xu ly|lam|sua|giai quyet|ket qua|tiep nhan) chua)\b"
)
# "vẫn chưa thấy ai đến", "hôm nay càng nhiều hơn"
_GOES_ON = re.compile(
    r"^(?:da |a |oi )?(?:(?:den |toi )?(?:hom nay|bay gio|gio|nay) )?(?:van|cang|lai cang|them|bo sung|chua thay"
    r"|nhu tren|cung cho|o do|cho do|cho nay|viec do|vu do|vu nay|van chua)\b"
)
# "chưa làm gì cả", "lại hỏng rồi", "vẫn như cũ"
_UNHAPPY = re.compile(
    r"\b(?:van (?:chua|con|nhu|y nguyen|khong|bi)|chua (?:lam|sua|xong|don|xu ly|thay|duoc|co ai|khac phuc)|nhu cu"
    r"|lai (?:hong|do|bi|tai)|(?:khong|ko|chua) (?:he )?hai long|that vong|qua loa|doi pho)\b"
)
# "tôi không đồng ý", "đề nghị xem lại"
_OBJECTS = re.compile(
    r"\b(?:chua dung|khong dung|khong dong y|xem lai|vo ly|sai roi|khong thoa dang|phan doi|de nghi)\b"
)
# "gần cây xăng", "tổ 5", "đối diện trường"
_PLACE_CUE = re.compile(
    r"^(?:o |ngay |tai |cho |doan |phia )*(?:gan|doi dien|canh|truoc|sau|ben|giua|trong|ngoai|dau|cuoi|chan|cong|doc"
    r"|nga|ngo|ngach|hem|kiet|to|thon|ban|xom|khu|cho|cau|truong|so|km|duong|quoc lo|ql|tinh lo|ga|ben xe|nha|quan|toa"
    r"|chung cu|benh vien|ubnd|tram|cay|deo|suoi|ho|bai)\b"
)

# what may stand beside the names of a place without telling anything
_PLACE_FILLING = """
    ở tại ngay chỗ đoạn khu vực gần đối diện cạnh trước sau bên giữa trong ngoài đầu cuối cổng phía trên dưới thuộc
    địa chỉ chỉ ngã ba tư này đó đấy kia ấy nhé nha ạ dạ vâng ừ à bạn mình em anh chị ơi thì là và cơ cũ mới nay của
    phường xã thị trấn quận huyện tỉnh thành phố tp tx thôn tổ bản xóm đường phố ngõ ngách hẻm số nhà dân cư o a nhe
    p x tt không phải sai rồi nhầm chứ tôi"""
_STANDS_BY_A_PLACE = frozenset(_PLACE_FILLING.split())


_ASKS_WHO = re.compile(r"\b(?:ban|em|bot|day|may|ad) la (?:ai|gi|bot|nguoi|may)\b")
# "cho tôi gặp nhân viên", "bot ngu quá", "đường dây nóng số mấy"
_ASKS_FOR_PEOPLE = re.compile(
    r"\b(?:(?:gap|noi chuyen voi|lien he|goi cho) (?:truc tiep )?(?:nhan vien|nguoi that|tong dai|can bo truc"
    r"|nguoi phu trach|tu van vien)|(?:bot|ad|may|chatbot) (?:nay )?(?:ngu|dot|dan|te|vo dung|kem)"
    r"|(?:duong day nong|hotline|so dien thoai|sdt|so tong dai|tong dai)(?: \w+){0,3}"
    r" (?:so may|may|bao nhieu|nao|la gi))\b"
)
_DENIES = frozenset(["khong", "ko", "k", "kg", "hong", "hem", "chua", "sai", "nham"])
_BESIDE_A_NO_WORDS = """
    dung phai roi a ah da ban oi nhe nha ma that het do day vay lam qua em ad minh toi thay cho nay kia
    bet ca
"""
_BESIDE_A_NO = frozenset(_BESIDE_A_NO_WORDS.split())
# "thôi là đèn đường", "à là rác", "nhầm, là điện"
_MEANT = re.compile(r"^(?:thoi|a|u|uh|oi|quen|nham|nham roi|xin loi|y minh|y toi|y em)[, ]+(?:phai )?la\b")
_THANKING_WORDS = """
    cam on thank thanks da a ah ad ban minh em anh chi cac chu bac nhe nha nhieu lam rat that qua xin
    duoc giup do nhiet tinh ho tro quan tam kip thoi som nhanh chong va vi cho voi roi tot oi toi moi
    nguoi
"""
_THANKING = frozenset(_THANKING_WORDS.split())
_MANY_WORDS = 3  # besides the thanks: then it tells something


def intent_of(heard: Understanding) -> Intent:
    """The language part's intent, with the questions that are put to a bot, and talk that it took for a report."""
    if heard.intent not in (Intent.REPORT, Intent.CHAT) or heard.danger.is_danger:
        return heard.intent
    if names_a_place(heard):
        is_told = len(heard.normalized.tokens) >= 3  # "đồng ý" is also the name of a commune
        return Intent.REPORT if is_told else heard.intent
    if _ASKS_US.search(fold(heard.normalized.original)):
        return Intent.QUESTION
    is_talk = heard.field.subfield == "khac.chuyen_phiem" and heard.field.confidence >= CLEAR_TALK
    return Intent.CHAT if is_talk else heard.intent


def is_vague(heard: Understanding) -> bool:
    """A few words from which neither trouble nor place can be told."""
    is_short = len(heard.normalized.tokens) <= 4
    return is_short and heard.field.confidence < CLEAR_FIELD and not names_a_place(heard)


def says_it_is_unknown(text: str) -> bool:
    """Whether the story itself says that the commune is not known."""
    return _UNKNOWN_PLACE.search(fold(text)) is not None


def is_correction(text: str) -> bool:
    """Whether the line denies what was shown."""
    line = fold(text)
    return bool(_DENIAL.match(line) or _MEANT.match(line)) or fold_answer(text) in _BARE_DENIALS


def is_bare_denial(text: str) -> bool:
    """ "sai rồi", "không đúng bạn ơi": a no that doesn't say what would be right."""
    words = set(re.findall(r"\w+", fold(text)))
    return not words.isdisjoint(_DENIES) and words <= _DENIES | _BESIDE_A_NO


def asks_who_we_are(text: str) -> bool:
    """ "bạn là ai vậy"."""
    return len(text.split()) <= 8 and _ASKS_WHO.search(fold(text)) is not None


def asks_for_people(heard: Understanding) -> bool:
    """Whether somebody would rather speak with people, or scolds the bot."""
    is_short = len(heard.normalized.tokens) <= 10 and not names_a_place(heard)
    return is_short and _ASKS_FOR_PEOPLE.search(fold(heard.normalized.original)) is not None


def thanks_and_tells(heard: Understanding) -> bool:
    """ "có điện lại rồi nhé, cảm ơn": thanks, and how it stands."""
    words = re.findall(r"\w+", fold(heard.normalized.original))
    return heard.intent is Intent.THANKS and sum(word not in _THANKING for word in words) >= _MANY_WORDS


def asks_how_it_stands(text: str) -> bool:
    """Whether this is the question every sender has sooner or later."""
    line = fold(text)
    return len(line.split()) <= 14 and _STATUS.search(line) is not None


def goes_on(text: str) -> bool:
    """Whether the line speaks of something known already."""
    return _GOES_ON.match(fold(text)) is not None


def is_unhappy(text: str) -> bool:
    """Whether this can be said of a result that did not help."""
    return _UNHAPPY.search(fold(text)) is not None


def objects(text: str) -> bool:
    """Whether this can be said of a refusal."""
    return _OBJECTS.search(fold(text)) is not None


def is_no_matter(heard: Understanding) -> bool:
    """Whether nothing is lost when this doesn't go into a report: a greeting, thanks, signs without words."""
    return intent_of(heard) in (Intent.GREETING, Intent.THANKS, Intent.EMPTY) and not names_a_place(heard)


def is_other_trouble(heard: Understanding, subfield: str) -> bool:
    """Whether this text surely speaks of another field than ``subfield``."""
    field = subfield.partition(".")[0]
    return (
        intent_of(heard) is Intent.REPORT
        and heard.field.confidence >= SECOND_TROUBLE_CONFIDENCE
        and heard.field.field not in (field, "khac")
        and len(heard.normalized.tokens) >= 5
    )


def is_place_only(heard: Understanding) -> bool:
    """ "ở phường Sa Pa", "tổ 5 phường Cốc Lếu": a place and hardly anything else."""
    locality = heard.locality
    if locality.action is PlaceAction.ACCEPT and locality.best is not None:
        written = locality.best.written
    elif locality.area is not None:
        written = locality.area.name
    else:
        return False
    if heard.danger.is_danger:
        return False
    known = set(re.findall(r"\w+", fold(f"{written} {locality.words.text}")))
    said = (word for token in heard.normalized.tokens for word in re.findall(r"\w+", token.lower()))
    return all(fold(word) in known or word in _STANDS_BY_A_PLACE or word.isdigit() for word in said)


def is_about_a_place(text: str, heard: Understanding) -> bool:
    """Whether words that no gazetteer knows may still say where: "gần cây xăng", "xóm bà Tám"."""
    if len(text) > 80 or intent_of(heard) is not Intent.REPORT:
        return False
    is_story = heard.field.confidence >= SECOND_TROUBLE_CONFIDENCE and heard.field.field != "khac"
    return _PLACE_CUE.match(fold(text)) is not None or (not is_story and len(text.split()) <= 5)


def names_a_place(heard: Understanding) -> bool:
    """Whether anything in it says where."""
    locality = heard.locality
    return bool(locality.action is not PlaceAction.NONE or locality.area or locality.words.text)
