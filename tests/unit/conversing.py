"""A small world of our own, in which the conversation can be played as a pure function."""

from dataclasses import replace
from datetime import UTC, date, datetime

from handlers.conversation import Facts, ReportBrief, Say, Submit, Turn, World, advance
from handlers.drafts import (
    Session,
)
from handlers.messages import (
    Content,
    Incoming,
    MediaFile,
    Point,
    TextContent,
)
from handlers.province import ProvincePack, load_pack
from handlers.texts import load_texts
from nlp.results import (
    Area,
    DangerResult,
    FieldAction,
    FieldResult,
    Intent,
    Locality,
    Normalized,
    PlaceAction,
    PlaceCandidate,
    PlaceWords,
    Understanding,
    Unit,
)
from storage.workflow import Status

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PACK: ProvincePack = load_pack("lao_cai")
TEXTS = load_texts(PACK.texts)
FIELDS = {"ổ gà": "ha_tang.mat_duong", "rác": "thien_tai_moi_truong.rac", "đèn": "ha_tang.chieu_sang"}
TALK = {"chào": Intent.GREETING, "cảm ơn": Intent.THANKS, "sao vậy": Intent.QUESTION, "hihi": Intent.CHAT}


def a_unit(code: str, name: str, province: str = "15") -> Unit:
    return Unit(code, date(2025, 7, 1), None, name, "phuong", None, province, "Tỉnh Lào Cai")


SA_PA, LAO_CAI, BAC_HA = (
    a_unit("03006", "Phường Sa Pa"),
    a_unit("02647", "Phường Lào Cai"),
    a_unit("02839", "Xã Bắc Hà"),
)
COC_LEU = Unit("02644", date(2004, 1, 1), date(2025, 6, 30), "Phường Cốc Lếu", "phuong", None, "10", "Tỉnh Lào Cai")
PLACES = {"sa pa": (SA_PA, SA_PA), "cốc lếu": (LAO_CAI, COC_LEU), "bắc hà": (BAC_HA, BAC_HA)}


def understand(text: str) -> Understanding:
    """A little language of our own: a few words mean something, all others nothing."""
    low = text.lower()
    words = tuple(low.split())
    subfield = next((code for word, code in FIELDS.items() if word in low), None)
    intent = next((intent for word, intent in TALK.items() if word in low), Intent.REPORT)
    if subfield or any(place in low for place in PLACES):
        intent = Intent.REPORT
    elif not any(letter.isalnum() for letter in low):
        intent = Intent.EMPTY
    code = subfield or "khac.khong_ro"
    action = FieldAction.ACCEPT if subfield else FieldAction.ASK if "gì đó" in low else FieldAction.INTAKE
    field = FieldResult(
        code.partition(".")[0],
        code,
        0.95 if subfield else 0.5,
        (("ha_tang", 0.5), ("khac", 0.3), ("van_tai", 0.1)),
        action,
        subfields=((code, 0.95),),
    )
    rings = "cháy nhà" in low
    danger = (
        DangerResult(rings or "hôm qua cháy" in low, rings, "fire", ("114",))
        if "cháy" in low
        else DangerResult(False, False)
    )
    return Understanding(Normalized(text, low, words, ()), intent, field, danger, read_locality(low))


def read_locality(low: str) -> Locality:
    found = [
        PlaceCandidate(current, named, place, low.index(place), low.index(place) + len(place), 4.0)
        for place, (current, named) in PLACES.items()
        if place in low
    ]
    words = PlaceWords(landmark="chợ") if "chợ" in low else PlaceWords()
    if len(found) == 1:
        return Locality(PlaceAction.ACCEPT, found[0], tuple(found), words)
    if found:
        return Locality(PlaceAction.ASK, found[0], tuple(found), words)
    area = Area("Thành phố Hà Nội", "province", "01") if "hà nội" in low else None
    area = Area("Thị xã Sa Pa", "district", "15", (SA_PA, BAC_HA)) if "thị xã" in low else area
    return Locality(PlaceAction.NONE, words=words, area=area)


def read_place(text: Locality | None, point: Point | None, photo: Point | None) -> Locality:
    told = text or Locality(PlaceAction.NONE)
    pin = point or photo
    if pin is None:
        return told
    here = PlaceCandidate(SA_PA, SA_PA, "", -1, -1, 5.0)
    if told.best is not None and told.best.current is not SA_PA:
        return replace(told, action=PlaceAction.ASK, candidates=(told.best, here), conflict_km=30.0)
    return replace(told, action=PlaceAction.ACCEPT, best=here, candidates=(here,))


def a_world(
    *reports: ReportBrief, now: datetime = NOW, media: MediaFile | None = None, replied: str | None = None
) -> World:
    units = {unit.code: unit for unit in (SA_PA, LAO_CAI, BAC_HA)}
    return World(now, TEXTS, PACK, Facts(reports, replied), understand, read_place, units.get, media)


def a_brief(code: str = "PA-22222M", status: Status = Status.RECEIVED, **facts: object) -> ReportBrief:
    given = {
        "subfield": "thien_tai_moi_truong.rac",
        "commune": "02647",
        "created_at": NOW,
        "is_urgent": False,
        "words": "rác",
    }
    return ReportBrief(code=code, status=status, **(given | facts))  # type: ignore[arg-type]


class Chat:
    """Plays messages one after another; keeps what was said and done."""

    def __init__(self, world: World | None = None, session: Session | None = None) -> None:
        self.world = world or a_world()
        self.session = session or Session(is_known=True)
        self.turns: list[Turn] = []
        self._count = 0

    def gets(self, content: Content, **facts: object) -> Turn:
        self._count += 1
        incoming = Incoming(
            "test", "main", "1", str(self._count), self.world.now, content, message_id=f"m{self._count}"
        )
        turn = advance(self.session, incoming, replace(self.world, **facts))  # type: ignore[arg-type]
        self.turns.append(turn)
        self.session = turn.session
        return turn

    def says(self, text: str) -> Turn:
        return self.gets(TextContent(text))

    def heard(self) -> list[str]:
        return [step.reply.text for step in self.turns[-1].steps if isinstance(step, Say)]


def said(turn: Turn) -> list[str]:
    return [step.reply.text for step in turn.steps if isinstance(step, Say)]


def filed(turn: Turn) -> Submit:
    (step,) = [step for step in turn.steps if isinstance(step, Submit)]
    return step
