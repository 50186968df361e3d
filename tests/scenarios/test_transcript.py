"""The README's story is the bot's own words."""

from handlers.reading import Reader
from tests.scenarios.transcript import SHOWN_CODE, tell


def test_the_story_is_the_same_at_every_run(reader: Reader) -> None:
    story = tell(reader)

    assert story == tell(reader)
    assert story.count(f"Đã ghi nhận phản ánh {SHOWN_CODE}") == 1
    assert story.rstrip().splitlines()[-1].startswith("bot> Cảm ơn bạn đã đánh giá")
