"""Whatever comes in whatever order: nothing breaks, nothing is lost, nothing is asked twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.conversation import Attach, Rate, ReportBrief, Say, Submit, Turn
from handlers.drafts import (
    UNDECIDED,
    Draft,
    Held,
    PhotoPart,
    Session,
    Step,
    session_from_json,
    session_to_json,
    take_back_question,
)
from handlers.messages import (
    ChoiceContent,
    Content,
    EditedContent,
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
from storage.workflow import Status
from tests.unit.conversing import (
    NOW,
    Chat,
    a_brief,
    a_world,
    understand,
)

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
    if turn.session.step is Step.WHAT:  # one more picture or point before the first word: asked already
        is_silent = is_silent or isinstance(content, PhotoContent | LocationContent)
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
