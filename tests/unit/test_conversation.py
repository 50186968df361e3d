"""The conversation as a pure function: what a message changes, and what is never lost, whatever comes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.conversation import Attach, Facts, Rate, ReportBrief, Say, Submit, Turn, World, advance
from handlers.drafts import (
    DRAFT_STEPS,
    UNDECIDED,
    Draft,
    Held,
    PhotoPart,
    Session,
    Step,
    TextPart,
    session_from_json,
    session_to_json,
    take_back_question,
)
from handlers.messages import (
    ChoiceContent,
    Content,
    EditedContent,
    Incoming,
    LifecycleContent,
    LifecycleKind,
    LocationContent,
    MediaFile,
    Photo,
    PhotoContent,
    Point,
    TextContent,
    TickContent,
    UnsupportedContent,
    UnsupportedKind,
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


def test_a_whole_story_is_shown_and_sent() -> None:
    chat = Chat()

    shown = chat.says("ổ gà ở chợ Cốc Lếu")
    sent = chat.says("gửi")

    assert "Phường Lào Cai (tên cũ: Phường Cốc Lếu)" in said(shown)[0]
    filing = filed(sent).filing
    assert (filing.subfield, filing.text, filing.address_text) == ("ha_tang.mat_duong", "ổ gà ở chợ Cốc Lếu", "chợ")
    assert filing.commune is not None
    assert (filing.commune.code, filing.commune.former) == ("02647", "Phường Cốc Lếu")
    assert chat.session.draft is None


def test_what_the_citizen_chose_stands_above_what_was_read() -> None:
    chat = Chat()
    chat.says("ổ gà ở Cốc Lếu")
    chat.says("sửa lĩnh vực")
    chat.says("Du lịch")
    chat.says("1")
    chat.says("không phải, ở Sa Pa cơ")

    filing = filed(chat.says("ok")).filing

    assert (filing.subfield, filing.is_field_by_citizen) == ("du_lich.gia_ung_xu", True)
    assert filing.commune is not None
    assert (filing.commune.code, filing.is_place_by_citizen) == ("03006", True)


def test_a_pin_far_from_the_place_told_is_asked_about() -> None:
    chat = Chat()
    chat.says("ổ gà to")
    chat.says("Bắc Hà")

    asked = chat.gets(LocationContent(Point(22.33, 103.84)))
    shown = chat.says("Sa Pa")

    assert "lời kể nhắc tới Xã Bắc Hà" in said(asked)[0]
    assert "Địa bàn: Phường Sa Pa" in said(shown)[0]


def test_a_question_that_was_never_said_counts_as_not_asked() -> None:
    chat = Chat()
    chat.says("ổ gà to")
    assert chat.session.step is Step.PLACE

    chat.session = take_back_question(chat.session)
    chat.says("sâu lắm")

    assert chat.session.step is Step.PLACE
    assert "phường, xã nào" in chat.heard()[0]
    assert chat.session.draft is not None
    assert chat.session.draft.text == "ổ gà to\nsâu lắm"


def test_a_question_that_was_never_said_comes_after_whatever_came_instead() -> None:
    chat = Chat()
    chat.says("ổ gà to")
    chat.session = take_back_question(chat.session)

    chat.says("trợ giúp")

    assert [text[:12] for text in chat.heard()] == ["Bạn chỉ cần ", "Việc này ở p"]


def test_danger_is_filed_and_everything_else_waits() -> None:
    chat = Chat()
    chat.says("ổ gà ở Sa Pa")
    chat.says("rác đổ đầy ở chợ Cốc Lếu")
    assert chat.session.step is Step.SECOND

    turn = chat.says("cháy nhà ở Cốc Lếu")

    step = filed(turn)
    assert (step.is_danger, step.filing.is_urgent, step.filing.text) == (True, True, "cháy nhà ở Cốc Lếu")
    assert chat.session.draft is not None
    assert chat.session.draft.text == "ổ gà ở Sa Pa"
    assert [held.texts[0].text for held in chat.session.later] == ["rác đổ đầy ở chợ Cốc Lếu"]


def test_another_danger_elsewhere_is_another_report() -> None:
    urgent = a_brief(is_urgent=True, commune="02647")
    chat = Chat(a_world(urgent))

    more = chat.says("cháy nhà to lắm ở Cốc Lếu")
    elsewhere = chat.says("cháy nhà ở Sa Pa")

    assert [type(step) for step in more.steps] == [Attach]
    assert filed(elsewhere).filing.text == "cháy nhà ở Sa Pa"


def test_an_urgent_report_of_an_hour_ago_takes_no_more_bubbles() -> None:
    old = a_brief(is_urgent=True, created_at=NOW - timedelta(hours=1))
    chat = Chat(a_world(old))

    assert filed(chat.says("cháy nhà ở Cốc Lếu")).is_danger


def test_a_number_after_a_result_rates_only_while_nothing_else_was_asked_since() -> None:
    resolved = a_brief(status=Status.RESOLVED, resolved_at=NOW - timedelta(minutes=5))
    chat = Chat(a_world(resolved))
    chat.says("phản ánh mới")
    chat.says("ổ gà ở Sa Pa")

    sent = chat.says("1")

    assert filed(sent).filing.text == "ổ gà ở Sa Pa"
    assert chat.says("hài lòng").steps == (Rate("PA-22222M", "good"),)


@pytest.mark.parametrize("status", [Status.CLOSED, Status.REJECTED, Status.ASSIGNED])
def test_an_old_rating_button_never_opens_a_question(status: Status) -> None:
    chat = Chat(a_world(a_brief(status=status)))

    chat.gets(ChoiceContent("r:PA-22222M:bad"))

    assert chat.session.held is None
    assert "không cần đánh giá nữa" in chat.heard()[0]


def test_time_reminds_once_then_puts_away_then_forgets() -> None:
    chat = Chat()
    chat.says("ổ gà ở Sa Pa")
    tick = TickContent("1")

    assert said(chat.gets(tick, now=NOW + timedelta(minutes=29))) == []
    assert "vẫn chưa gửi đi" in said(chat.gets(tick, now=NOW + timedelta(minutes=31)))[0]
    assert said(chat.gets(tick, now=NOW + timedelta(hours=2))) == []
    assert "quá 24 giờ" in said(chat.gets(tick, now=NOW + timedelta(hours=24)))[0]
    assert chat.session.kept_draft is not None
    chat.gets(tick, now=NOW + timedelta(hours=48))
    assert chat.session.kept_draft is None


def test_a_message_has_at_most_two_paragraphs() -> None:
    chat = Chat()
    lines = ("ổ gà ở Cốc Lếu", "huỷ", "lấy lại", "đèn ở Sa Pa hỏng cả tuần", "1", "rác ở Hà Nội", "2", "gửi", "tố cáo")

    for line in lines:
        for text in said(chat.says(line)):
            assert text.count("\n\n") <= 1, text


# --- whatever comes -------------------------------------------------------------------------------------------------

WORDS = (
    "ổ gà", "rác đổ đầy", "đèn hỏng cả tuần nay rồi", "ở Sa Pa", "ở Cốc Lếu", "Bắc Hà", "Hà Nội", "thị xã Sa Pa", "chợ",
    "gì đó", "không phải", "cháy nhà", "hôm qua cháy", "chào", "cảm ơn", "sao vậy", "hihi", "gửi", "ok", "1", "2", "9",
    "huỷ", "thêm", "sửa địa điểm", "sửa lĩnh vực", "không rõ", "lấy lại bản nháp", "phản ánh mới", "của tôi", "tra cứu",
    "xoá dữ liệu", "đồng ý", "không", "hài lòng", "chưa hài lòng", "việc khác", "vẫn chưa làm gì", "PA-22222M", "👍",
    "?!",
)  # fmt: skip
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
points = st.builds(Point, st.just(22.33), st.just(103.84))
contents: st.SearchStrategy[Content] = st.one_of(
    texts.map(TextContent),
    texts.map(TextContent),
    st.builds(PhotoContent, st.just(Photo("ref")), st.one_of(st.just(""), texts)),
    points.map(LocationContent),
    st.builds(UnsupportedContent, st.sampled_from(list(UnsupportedKind)), st.one_of(st.just(""), texts)),
    st.builds(EditedContent, st.integers(1, 12).map(lambda n: f"m{n}"), texts),
    st.builds(ChoiceContent, st.tuples(st.integers(1, 12), st.integers(0, 5)).map(lambda p: f"c:{p[0]:x}:{p[1]}")),
    st.sampled_from([ChoiceContent("r:PA-22222M:bad"), ChoiceContent("r:PA-33333P:good"), ChoiceContent("junk")]),
    st.sampled_from([LifecycleContent(kind) for kind in (LifecycleKind.STARTED, LifecycleKind.UNBLOCKED)]),
    st.just(TickContent("1")),
)
report_lists = st.lists(
    st.sampled_from(
        [
            a_brief(),
            a_brief("PA-33333P", Status.RESOLVED, resolved_at=NOW, subfield="ha_tang.chieu_sang", commune="03006"),
            a_brief("PA-44444R", Status.NEED_INFO, asked_at=NOW, subfield="ha_tang.mat_duong", commune=None),
            a_brief("PA-55555T", Status.REJECTED, closed_at=NOW, reject_code="TC03"),
            a_brief("PA-66666V", Status.CLOSED, closed_at=NOW),
            a_brief("PA-77777X", Status.ASSIGNED, is_urgent=True),
        ]
    ),
    unique_by=lambda brief: brief.code,
    max_size=4,
)
plays = st.lists(st.tuples(contents, st.integers(0, 90), st.booleans()), min_size=1, max_size=14)


@given(report_lists, plays, st.booleans())
@settings(max_examples=400, deadline=None)
def test_whatever_comes_nothing_breaks_and_nothing_is_lost(
    reports: Sequence[ReportBrief], play: Sequence[tuple[Content, int, bool]], is_known: bool
) -> None:
    chat = Chat(a_world(*reports), Session(is_known=is_known))
    for number, (content, minutes, is_taken_back) in enumerate(play):
        before = chat.session
        if is_taken_back:
            before = chat.session = take_back_question(chat.session)
        chat.world = replace(chat.world, now=chat.world.now + timedelta(minutes=minutes))
        media = MediaFile(hash=f"{number:064x}") if isinstance(content, PhotoContent) else None

        turn = chat.gets(content, media=media)

        assert session_from_json(session_to_json(turn.session)) == turn.session
        assert_nothing_is_lost(before, content, media, turn, f"m{chat._count}")
        assert_answered_and_readable(content, turn)
        assert_nothing_is_asked_twice(before, content, turn)


def assert_nothing_is_lost(before: Session, content: Content, media: MediaFile | None, turn: Turn, id: str) -> None:
    """Every text of a report and every photo is somewhere: draft, kept draft, waiting, or on its way into a report."""
    if is_about_erasing(before, content) or isinstance(content, TickContent | EditedContent):
        return  # wanted, or its time is over, or replaced
    forgotten = replaced_by_a_newer_draft(before, turn.session)
    after = texts_of(turn.session) | texts_of_steps(turn)
    assert {part for part in texts_of(before) - forgotten if part[1].strip()} <= after
    assert photos_of(before) - {photo.hash for photo in photos_in(before.kept_draft)} <= photos_of(
        turn.session
    ) | photos_of_steps(turn)
    if media is not None and len(photos_of(before)) < 10:
        assert media.hash in photos_of(turn.session) | photos_of_steps(turn)
    if isinstance(content, TextContent) and tells_something(content.text):
        assert (id, content.text) in after


def assert_answered_and_readable(content: Content, turn: Turn) -> None:
    is_silent = isinstance(content, TickContent | LifecycleContent | EditedContent)
    assert turn.steps or is_silent
    for step in turn.steps:
        if isinstance(step, Say):
            assert step.reply.text.strip() == step.reply.text
            assert step.reply.text.count("\n\n") <= 1
            assert "{" not in step.reply.text
    assert sum(isinstance(step, Say) and step.is_prompt for step in turn.steps) <= 1


def assert_nothing_is_asked_twice(before: Session, content: Content, turn: Turn) -> None:
    """No prompt comes again by itself, but the one reminder."""
    prompts = [step.reply.text for step in turn.steps if isinstance(step, Say) and step.is_prompt]
    if isinstance(content, TickContent) and prompts and turn.session.draft and not before.is_question_due:
        assert before.draft is not None
        assert not before.draft.is_reminded
        assert turn.session.draft.is_reminded
    draft = turn.session.draft
    if before.draft is not None and draft is not None and before.draft.id == draft.id:
        story = (
            draft.story != before.draft.story
            or draft.photos != before.draft.photos
            or draft.point != before.draft.point
        )
        is_same = bool(prompts) and turn.session.step is Step.PLACE and before.step is Step.PLACE
        if is_same and story and isinstance(content, TextContent) and not before.is_question_due:
            # new words were taken in: then the question about the place may only come narrowed down, never the same
            assert turn.session.question != before.question


def tells_something(text: str) -> bool:
    """Words that say a trouble and a place: these must never be swallowed."""
    words = understand(text)
    is_story = words.field.confidence > 0.9 and not words.danger.is_danger
    others = (
        "gửi",
        "ok",
        "1",
        "2",
        "9",
        "huỷ",
        "thêm",
        "sửa",
        "không",
        "lấy",
        "phản",
        "của",
        "tra",
        "xoá",
        "đồng",
        "hài",
        "chưa",
        "việc",
        "PA-",
    )
    return is_story and not any(other in text for other in others)


def is_about_erasing(before: Session, content: Content) -> bool:
    return before.step is Step.ERASE or isinstance(content, LifecycleContent)


def replaced_by_a_newer_draft(before: Session, after: Session) -> set[tuple[str, str]]:
    """There is one place for a draft that was put away: the newer takes it."""
    kept = before.kept_draft
    return {(p.message_id, p.text) for p in kept.texts} if kept is not None and after.kept_draft != kept else set()


def texts_in(holder: Draft | Held | None) -> set[tuple[str, str]]:
    return {(part.message_id, part.text) for part in holder.texts} if holder else set()


def photos_in(holder: Draft | Held | None) -> tuple[PhotoPart, ...]:
    return holder.photos if holder else ()


def holders(session: Session) -> list[Draft | Held | None]:
    held = session.held if session.step in UNDECIDED else None  # otherwise it was put to a report already
    return [session.draft, session.kept_draft, held, *session.later]


def texts_of(session: Session) -> set[tuple[str, str]]:
    return set().union(*(texts_in(holder) for holder in holders(session)))


def photos_of(session: Session) -> set[str]:
    return {photo.hash for holder in holders(session) for photo in photos_in(holder)}


def texts_of_steps(turn: Turn) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for step in turn.steps:
        match step:
            case Attach():
                found |= texts_in(step.held)
            case Submit():
                ids = step.filing.message_ids
                found |= {(id, line) for id in ids for line in [step.filing.text]}
                found |= {(id, part) for id in ids for part in step.filing.text.split("\n")}
            case Rate():
                found |= {(f"m{n}", line) for n in range(40) for line in step.reason.split("\n")}
    return found


def photos_of_steps(turn: Turn) -> set[str]:
    found: set[str] = set()
    for step in turn.steps:
        if isinstance(step, Attach):
            found |= {photo.hash for photo in step.held.photos}
        elif isinstance(step, Submit):
            found |= set(step.filing.photos)
    return found


def test_a_question_can_only_be_taken_back_where_one_was_put() -> None:
    for step in Step:
        session = Session(step=step, draft=Draft("1", NOW, NOW, (TextPart("m1", "ổ gà"),)))
        assert take_back_question(session) == session
    assert Step.ATTACH not in DRAFT_STEPS
