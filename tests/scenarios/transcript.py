"""The story that the README tells: one citizen and one officer, played on the real bot in its console."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from handlers.bootstrap import build_office
from handlers.codes import find_codes
from handlers.reading import Reader
from handlers.settings import PROJECT, Settings
from storage import migrate
from storage.database import Database
from tests.conftest import ScriptedClock
from tests.scenarios.harness import Stage, a_picture, on_stage
from tests.scenarios.platforms import ConsolePlatform

SHOWN_CODE = "PA-7K3M9Q"  # in place of the random one, so that every run tells the same
ANSWER = "Đã thu gom hết rác ở cổng phụ chợ và đặt thêm hai thùng."


def tell(reader: Reader) -> str:
    """The terminal from the first greeting to the rating; the same text at every run."""
    return asyncio.run(_tell_in_a_folder(reader))


async def _tell_in_a_folder(reader: Reader) -> str:
    folder = Path(tempfile.mkdtemp(prefix="transcript-"))
    try:
        return await _tell(folder, reader)
    finally:
        shutil.rmtree(folder)


async def _tell(folder: Path, reader: Reader) -> str:
    database = Database(Settings(data_dir=folder).database)
    migrate.upgrade(database)
    database.close()
    clock = ScriptedClock()
    texts = build_office(Settings(data_dir=folder), clock=clock).texts
    platform = ConsolePlatform(folder, clock, texts)
    async with on_stage(folder, platform, reader, clock) as stage:
        await _play(stage, platform)
    return _made_steady(platform.screen.getvalue(), folder)


async def _play(stage: Stage, platform: ConsolePlatform) -> None:
    citizen, officer, screen = stage.citizen("bạn"), stage.officer, platform.screen
    await citizen.says("rac do day cho coc leu may ngay k ai don")
    await citizen.sends_photo(a_picture("brown"))
    await citizen.says("gui di")
    code = citizen.forgets()[-1].text
    code = next(iter(find_codes(code, "PA")))
    print(f"\n$ paht assign {code}", file=screen)
    await officer.assigns(code)
    print(f"\n$ paht accept {code}\n$ paht ask {code} …", file=screen)
    await officer.accepts(code)
    await officer.asks(code, "Rác nằm ở cổng chính hay cổng phụ của chợ?")
    await citizen.says("cổng phụ ạ")
    print(f"\n$ paht result {code} …\n$ paht approve {code}", file=screen)
    await officer.finishes(code, ANSWER, photo=a_picture("white"))
    await citizen.says("hài lòng")


def _made_steady(screen: str, folder: Path) -> str:
    codes = dict.fromkeys(find_codes(screen, "PA"))
    for code in codes:
        screen = screen.replace(code, SHOWN_CODE)
    lines = (line.rstrip() for line in screen.replace(f"{folder}/", "").splitlines())
    return "\n".join(lines) + "\n"


BEGIN, END = "<!-- transcript: made by `python -m tests.scenarios.transcript` -->", "<!-- /transcript -->"


def with_transcript(readme: str, story: str) -> str:
    """The README with this story between its marks."""
    head, _, rest = readme.partition(BEGIN)
    tail = rest.partition(END)[2]
    return f"{head}{BEGIN}\n```text\n{_compact(story)}\n```\n{END}{tail}"


def _compact(story: str) -> str:
    lines = [line.rstrip() for line in story.rstrip().splitlines()]
    return "\n".join(line for line in lines if line != "bot>")  # the empty lines between paragraphs


def main() -> None:
    """Write the story into the README."""
    from bot.app import load_reader

    settings = Settings()
    reader = load_reader(settings, build_office(settings))
    readme = PROJECT / "README.md"
    readme.write_text(with_transcript(readme.read_text(encoding="utf-8"), tell(reader)), encoding="utf-8")


if __name__ == "__main__":
    main()
