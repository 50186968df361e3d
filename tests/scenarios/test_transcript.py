"""The README's story is the bot's own words."""

from handlers.reading import Reader
from handlers.settings import PROJECT
from tests.scenarios.transcript import SHOWN_CODE, tell, with_transcript


def test_the_story_is_the_same_at_every_run(reader: Reader) -> None:
    story = tell(reader)

    assert story == tell(reader)
    assert story.count(f"Đã ghi nhận phản ánh {SHOWN_CODE}") == 1
    assert story.rstrip().splitlines()[-1].startswith("bot> Cảm ơn bạn đã đánh giá")


def test_the_readme_tells_this_story(reader: Reader) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")

    assert with_transcript(readme, tell(reader)) == readme, "run: python -m tests.scenarios.transcript"
