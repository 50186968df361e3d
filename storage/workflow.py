"""The report's life as data: statuses, transitions, who may act, what is mandatory, who is told."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a report stands; overdue, extended, reopened, returned and urgent are computed, not statuses."""

    RECEIVED = "received"  # mới tiếp nhận
    NEED_INFO = "need_info"  # chờ bổ sung thông tin
    ASSIGNED = "assigned"  # đã chuyển xử lý
    IN_PROGRESS = "in_progress"  # đang xử lý
    PENDING_APPROVAL = "pending_approval"  # chờ duyệt kết quả
    RESOLVED = "resolved"  # đã có kết quả
    CLOSED = "closed"  # đã đóng
    REJECTED = "rejected"  # không tiếp nhận
    MERGED = "merged"  # đã gộp


class Role(StrEnum):
    """Who acts; an officer account may hold several."""

    CITIZEN = "citizen"  # người phản ánh
    INTAKE = "intake"  # tổ tiếp nhận
    OFFICER = "officer"  # chuyên viên đơn vị
    LEADER = "leader"  # lãnh đạo đơn vị
    AUDITOR = "auditor"  # giám sát phân loại
    ADMIN = "admin"  # quản trị
    VIEWER = "viewer"  # chỉ xem
    SYSTEM = "system"  # hệ thống


class Act(StrEnum):
    """What can be done to a report."""

    SUBMIT = "submit"  # gửi phản ánh
    ASK = "ask"  # hỏi thêm
    RESUME = "resume"  # có bổ sung, tiếp tục
    REJECT = "reject"  # không tiếp nhận
    WITHDRAW = "withdraw"  # người dân rút
    MERGE = "merge"  # gộp
    ASSIGN = "assign"  # chuyển xử lý
    ACCEPT = "accept"  # nhận xử lý
    RETURN = "return"  # trả lại
    REROUTE = "reroute"  # chuyển lại
    PROGRESS = "progress"  # báo tiến độ
    EXTEND = "extend"  # gia hạn
    RESULT = "result"  # trình kết quả
    SEND_BACK = "send_back"  # yêu cầu làm lại
    APPROVE = "approve"  # duyệt kết quả
    CLOSE = "close"  # đóng
    REOPEN = "reopen"  # mở lại
    CONTEST = "contest"  # đề nghị xem lại
    UNMERGE = "unmerge"  # bỏ gộp


class Need(StrEnum):
    """What an act cannot go without; checked by the use-case before the status changes."""

    TEXT_OR_PHOTO = "text_or_photo"
    PLACE = "place"  # commune, point, or "không rõ"
    QUESTION = "question"  # ≥ 10 characters
    REASON = "reason"  # ≥ 10 characters
    REJECT_CODE = "reject_code"  # TC01…TC13
    CONFIRMATION = "confirmation"
    MAIN_REPORT = "main_report"
    FIELD = "field"  # field, subfield and class
    LEAD = "lead"  # one lead agency
    DUE = "due"
    OWN_NAME = "own_name"
    BELIEVED_COMPETENT = "believed_competent"
    NEW_DATE = "new_date"
    NOTE = "note"
    CLOSING_GATE = "closing_gate"  # answer, outcome, after-photo or its reason
    ANSWER_OR_MARKER = "answer_or_marker"
    RATING = "rating"  # or ten days


class Told(StrEnum):
    """Whether the citizen is told of the change."""

    ALWAYS = "always"
    SILENT = "silent"
    IF_URGENT = "if_urgent"  # class K only
    IF_PUBLIC = "if_public"  # only when the note is marked public
    FROM_SECOND = "from_second"  # silent the first time


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. ``target`` None = back to the status remembered when the question was asked."""

    id: str
    act: Act
    sources: frozenset[Status | None]  # None = still a draft
    target: Status | None
    who: frozenset[Role]
    needs: tuple[Need, ...]
    told: Told


def _row(
    id: str,
    act: Act,
    sources: Iterable[Status | None],
    target: Status | None,
    who: Iterable[Role],
    needs: tuple[Need, ...],
    told: Told,
) -> Transition:
    return Transition(id, act, frozenset(sources), target, frozenset(who), needs, told)


_S, _R, _N = Status, Role, Need
_HANDLED = (Status.ASSIGNED, Status.IN_PROGRESS)

TRANSITIONS: tuple[Transition, ...] = (
    _row("T1", Act.SUBMIT, [None], _S.RECEIVED, [_R.CITIZEN], (_N.TEXT_OR_PHOTO, _N.PLACE), Told.ALWAYS),
    _row("T2", Act.ASK, [_S.RECEIVED], _S.NEED_INFO, [_R.INTAKE], (_N.QUESTION,), Told.ALWAYS),
    _row("T3", Act.ASK, _HANDLED, _S.NEED_INFO, [_R.OFFICER], (_N.QUESTION,), Told.ALWAYS),
    _row("T4", Act.RESUME, [_S.NEED_INFO], None, [_R.SYSTEM], (_N.ANSWER_OR_MARKER,), Told.ALWAYS),
    _row("T5", Act.REJECT, [_S.RECEIVED], _S.REJECTED, [_R.INTAKE], (_N.REJECT_CODE, _N.REASON), Told.ALWAYS),
    # need_info only while nothing was assigned yet: the use-case looks at assigned_at
    _row("T6", Act.WITHDRAW, [_S.RECEIVED, _S.NEED_INFO], _S.REJECTED, [_R.CITIZEN], (_N.CONFIRMATION,), Told.ALWAYS),
    _row(
        "T7",
        Act.MERGE,
        [_S.RECEIVED, _S.NEED_INFO, _S.ASSIGNED, _S.IN_PROGRESS],
        _S.MERGED,
        [_R.INTAKE],
        (_N.MAIN_REPORT,),
        Told.ALWAYS,
    ),
    # the system only where the routing row says auto
    _row(
        "T8",
        Act.ASSIGN,
        [_S.RECEIVED],
        _S.ASSIGNED,
        [_R.INTAKE, _R.SYSTEM],
        (_N.FIELD, _N.PLACE, _N.LEAD, _N.DUE),
        Told.ALWAYS,
    ),
    _row("T9", Act.ACCEPT, [_S.ASSIGNED], _S.IN_PROGRESS, [_R.OFFICER], (_N.OWN_NAME,), Told.IF_URGENT),
    # the officer within 8 working hours of T8, later the leader
    _row(
        "T10",
        Act.RETURN,
        _HANDLED,
        _S.RECEIVED,
        [_R.OFFICER, _R.LEADER],
        (_N.REASON, _N.BELIEVED_COMPETENT),
        Told.FROM_SECOND,
    ),
    _row("T11", Act.REROUTE, _HANDLED, _S.ASSIGNED, [_R.INTAKE], (_N.REASON, _N.LEAD), Told.ALWAYS),
    _row("T12", Act.PROGRESS, [_S.IN_PROGRESS], _S.IN_PROGRESS, [_R.OFFICER], (_N.NOTE,), Told.IF_PUBLIC),
    # the leader asks, intake decides: the decision is the act
    _row("T13a", Act.EXTEND, [_S.ASSIGNED], _S.ASSIGNED, [_R.INTAKE], (_N.REASON, _N.NEW_DATE), Told.ALWAYS),
    _row("T13b", Act.EXTEND, [_S.IN_PROGRESS], _S.IN_PROGRESS, [_R.INTAKE], (_N.REASON, _N.NEW_DATE), Told.ALWAYS),
    _row("T14", Act.RESULT, [_S.IN_PROGRESS], _S.PENDING_APPROVAL, [_R.OFFICER], (_N.CLOSING_GATE,), Told.SILENT),
    _row("T15", Act.SEND_BACK, [_S.PENDING_APPROVAL], _S.IN_PROGRESS, [_R.LEADER], (_N.REASON,), Told.SILENT),
    _row("T16", Act.APPROVE, [_S.PENDING_APPROVAL], _S.RESOLVED, [_R.LEADER], (_N.CLOSING_GATE,), Told.ALWAYS),
    _row("T17", Act.CLOSE, [_S.RESOLVED], _S.CLOSED, [_R.CITIZEN, _R.SYSTEM], (_N.RATING,), Told.ALWAYS),
    _row("T18", Act.REOPEN, [_S.RESOLVED], _S.ASSIGNED, [_R.CITIZEN, _R.INTAKE], (_N.REASON,), Told.ALWAYS),
    _row("T19", Act.CONTEST, [_S.REJECTED], _S.RECEIVED, [_R.CITIZEN, _R.INTAKE], (_N.REASON,), Told.ALWAYS),
    _row("T20", Act.UNMERGE, [_S.MERGED], _S.RECEIVED, [_R.INTAKE, _R.CITIZEN], (_N.REASON,), Told.ALWAYS),
)

FINAL = frozenset({Status.CLOSED})
OPEN = frozenset(
    {Status.RECEIVED, Status.NEED_INFO, Status.ASSIGNED, Status.IN_PROGRESS, Status.PENDING_APPROVAL},
)  # still to be worked on

CITIZEN_GROUPS: dict[Status, str] = {  # the four groups that iHanoi users know
    Status.RECEIVED: "waiting",
    Status.NEED_INFO: "waiting",
    Status.ASSIGNED: "working",
    Status.IN_PROGRESS: "working",
    Status.PENDING_APPROVAL: "working",
    Status.RESOLVED: "done",
    Status.CLOSED: "done",
    Status.REJECTED: "rejected",
    Status.MERGED: "merged",  # shown as the main report stands
}


class Outcome(StrEnum):
    """What came of it."""

    FIXED = "fixed"  # đã khắc phục
    PARTLY = "partly"  # khắc phục một phần
    PLANNED = "planned"  # có kế hoạch
    NOT_FOUND = "not_found"  # kiểm tra không phát hiện
    LAWFUL = "lawful"  # không vi phạm
    HANDED_OVER = "handed_over"  # chuyển cơ quan khác


class NoPhotoReason(StrEnum):
    """Why an answer comes without an after-photo."""

    NOT_NEEDED = "khong_can_anh"  # không cần ảnh
    NOT_POSSIBLE = "khong_chup_duoc"  # không chụp được
    NOT_ALLOWED = "khong_duoc_chup"  # không được chụp


class UrgencyClass(StrEnum):
    """Deadline class."""

    URGENT = "K"  # khẩn
    NORMAL = "N"  # bình thường
    COMPLEX = "M"  # phức tạp


REJECT_CODES = tuple(f"TC{n:02}" for n in range(1, 14))
MIN_REASON = 10  # characters, of questions and reasons
MIN_ANSWER = 30  # characters, of an answer and of a reason for no photo
MAX_QUESTIONS = 2  # per report, by officers


def find_transition(act: Act, status: Status | None) -> Transition | None:
    """The row for this act in this status, None where the table lists none. At most one row fits."""
    for transition in TRANSITIONS:
        if transition.act is act and status in transition.sources:
            return transition
    return None


def acts_from(status: Status, roles: Iterable[Role]) -> tuple[Act, ...]:
    """What somebody with these roles may do now, in the table's order."""
    held = frozenset(roles)
    return tuple(dict.fromkeys(t.act for t in TRANSITIONS if status in t.sources and held & t.who))
