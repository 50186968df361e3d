"""What the language part concludes about a text, and why; the only words it shares with its callers."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Intent(StrEnum):
    """What the sender is doing with this text."""

    REPORT = "report"  # phản ánh một sự việc
    GREETING = "greeting"  # chào hỏi
    THANKS = "thanks"  # cảm ơn
    QUESTION = "question"  # hỏi thông tin, không kèm sự việc
    CHAT = "chat"  # chuyện phiếm, thử bot
    EMPTY = "empty"  # không có chữ nào đọc được


class Redirect(StrEnum):
    """Matters that the law sends another way; the report is still kept, intake decides."""

    COMPLAINT = "TC01"  # khiếu nại, tố cáo
    PROCEDURE = "TC02"  # thủ tục hành chính, hồ sơ, chính sách
    CIVIL_DISPUTE = "TC09"  # tranh chấp dân sự


class FieldAction(StrEnum):
    """What the confidence allows: take the field, ask the sender with the top three, or leave it to intake."""

    ACCEPT = "accept"
    ASK = "ask"
    INTAKE = "intake"


class PlaceAction(StrEnum):
    """Take the commune, ask the sender, or there is nothing to take."""

    ACCEPT = "accept"
    ASK = "ask"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """One repair of the normaliser: ``before`` at ``start:end`` of the original became ``after``."""

    step: str
    start: int
    end: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Normalized:
    """The text as the classifiers read it. ``offsets[i]`` = start of ``tokens[i]`` in the original text."""

    original: str
    text: str  # repaired and with accents restored; for matching only, never shown as the citizen's words
    tokens: tuple[str, ...]
    offsets: tuple[int, ...]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a conclusion; ``weight`` > 0 speaks for it. ``start:end`` in the original, -1 if nowhere."""

    words: str
    weight: float
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class FieldResult:
    """The field (lĩnh vực) and subfield, with calibrated confidence in [0, 1] of the field."""

    field: str
    subfield: str
    confidence: float
    top: tuple[tuple[str, float], ...]  # up to three fields, best first, probabilities
    action: FieldAction
    subfields: tuple[tuple[str, float], ...] = ()  # up to five subfields, best first
    secondary: str | None = None  # the field of a second trouble in the same text
    evidence: tuple[Evidence, ...] = ()
    model_version: str = ""
    is_calibrated: bool = False  # False until a temperature was fitted on labels confirmed by operators


@dataclass(frozen=True, slots=True)
class DangerResult:
    """Danger to life, safety or order. ``rings`` only for danger now, not past or figurative."""

    is_danger: bool  # show a number in the first line
    rings: bool  # ring intake, file as class K without questions
    kind: str = ""  # "fire", "flood", "crash", … (keys of the danger table)
    hotlines: tuple[str, ...] = ()  # "114", "115", … the most fitting first
    words: str = ""  # the words that say so, from the original
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Unit:
    """One version of a commune (xã, phường, đặc khu, thị trấn). The key is (code, valid_from): codes are reused."""

    code: str  # statistics-office code, 5 digits
    valid_from: date
    valid_to: date | None  # last day in force; None = still in force
    name: str  # "Phường Sa Pa"
    kind: str  # xa | phuong | dac_khu | thi_tran
    district: str | None  # "Thị xã Sa Pa"; None from 1/7/2025
    province_code: str
    province: str  # "Tỉnh Lào Cai"
    lat: float | None = None
    lon: float | None = None

    @property
    def label(self) -> str:
        """The name as people read it: "Phường Sa Pa, Tỉnh Lào Cai"."""
        return ", ".join(part for part in (self.name, self.district, self.province) if part)


@dataclass(frozen=True, slots=True)
class PlaceCandidate:
    """A commune that the words may mean. ``named`` = the unit as written, ``current`` = in force at ``as_of``."""

    current: Unit
    named: Unit | None
    written: str  # the words in the original
    start: int
    end: int
    score: float
    evidence: tuple[str, ...] = ()

    @property
    def is_former_name(self) -> bool:
        return self.named is not None and (self.named.code, self.named.name) != (self.current.code, self.current.name)


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """Where inside the commune, in the sender's own words."""

    house_number: str = ""
    street: str = ""
    lane: str = ""  # ngõ, ngách, hẻm, kiệt
    kilometre: str = ""  # lý trình: "Km12+300"
    landmark: str = ""  # chợ, cầu, trường, ngã ba …
    hamlet: str = ""  # thôn, tổ, bản, xóm

    @property
    def text(self) -> str:
        """The parts in reading order, "" when nothing was found."""
        parts = (self.house_number, self.lane, self.street, self.kilometre, self.landmark, self.hamlet)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Area:
    """A district or province that was named without a commune; ``communes`` are those it holds today."""

    name: str  # "Thị xã Sa Pa"
    kind: str  # district | province
    province_code: str
    communes: tuple[Unit, ...] = ()
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Locality:
    """The commune that a text (or a pin, or both) means, with what else could be meant."""

    action: PlaceAction
    best: PlaceCandidate | None = None
    candidates: tuple[PlaceCandidate, ...] = ()  # up to five, best first
    words: PlaceWords = field(default_factory=PlaceWords)
    area: Area | None = None
    second: PlaceCandidate | None = None  # another place of a second trouble in the same text
    conflict_km: float | None = None  # distance between text and pin where they contradict each other


@dataclass(frozen=True, slots=True)
class PinResult:
    """The commune of a point: nearest first, distances in metres to the unit's known points (or 0 inside a border)."""

    candidates: tuple[tuple[Unit, float], ...]
    by_border: bool = False  # decided by imported borders
    border_m: float | None = None  # distance to the nearest border, where borders are known

    @property
    def best(self) -> Unit | None:
        return self.candidates[0][0] if self.candidates else None


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about the sender and the bot before the text is read."""

    province_code: str = ""  # the province that the bot serves
    pilot_codes: frozenset[str] = frozenset()  # current commune codes of the area served, a prior
    last_commune: str = ""  # code of the sender's last commune, a weak prior
    as_of: date | None = None  # the day whose units count; None = today's units


@dataclass(frozen=True, slots=True)
class Understanding:
    """Everything that one text says."""

    normalized: Normalized
    intent: Intent
    field: FieldResult
    danger: DangerResult
    locality: Locality
    redirect: Redirect | None = None
    phone_numbers: tuple[str, ...] = ()  # as written; for redaction
