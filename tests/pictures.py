"""Draw the README's pictures of the desk: ``python -m tests.pictures`` writes admin_cli/pictures/*.svg.

A handful of citizens talk to the real bot, officers act through the real command, the terminal's output is drawn.
"""

import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from handlers.settings import PROJECT, load_settings

PICTURES = PROJECT / "admin_cli" / "pictures"
COLUMNS = 112
STORY = """\
:as Sáu
ổ voi to tướng ngay dốc trước nhà văn hoá tổ 7 phường Cốc Lếu, tối qua hai xe máy đổ ở đó
gửi
:as Mai
den duong tu nga tu Kim Tan den cau Coc Leu tat ca tuan nay, p Kim Tan
ok
:as Páo
nuoc mat 4 ngay roi, thon Ta Van Giay xa Ta Van
dung roi
:as Linh
Quán nướng bày bàn ghế kín vỉa hè đường Xuân Viên phường Sa Pa cũ, người đi bộ phải xuống lòng đường
1
1
:as Tuấn
rác chợ Cốc Lếu chất đống ba hôm chưa ai dọn, hôi lắm, phường Cốc Lếu
gui di
:as Hoà
taluy đang sạt xuống đường, có người bị vùi ở Mường Bo
:as Vân
karaoke nha ben canh hat toi 1h sang, to 12 phuong Pom Han
ok
"""


def main() -> None:
    """Play, act, draw."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(load_settings({}).gazetteer_path, Path(folder) / "gazetteer.bin")
        environment = os.environ | {"DATA_DIR": folder}
        bot = [sys.executable, "-m", "bot.app"]
        subprocess.run(bot, input=STORY, text=True, env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
        reports = json.loads(_paht(environment, "inbox", "--json"))
        road = next(report["code"] for report in reports if report["subfield"] == "ha_tang.mat_duong")
        lamp = next(report["code"] for report in reports if report["subfield"] == "ha_tang.chieu_sang")
        _paht(environment, "assign", road)
        _paht(environment, "accept", road)
        _paht(environment, "ask", road, "Ổ voi nằm ở làn lên dốc hay làn xuống dốc vậy bạn?")
        _paht(environment, "assign", lamp)
        answer = ":as Sáu\nlàn lên dốc ạ, sát cột điện số 9\n"
        subprocess.run(
            bot, input=answer, text=True, env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL, check=True
        )
        draw("inbox", _screen(environment, "inbox"), "paht inbox")
        draw("show", _screen(environment, "show", road), f"paht show {road}")


def draw(name: str, screen: str, title: str) -> None:
    """A terminal's output as a picture."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(screen))
    picture = console.export_svg(title=title)
    # the picture loads nothing from elsewhere: any font of equal widths will do
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    picture = picture.replace("Fira Code, monospace", "ui-monospace, Consolas, Menlo, monospace")
    (PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")


def _paht(environment: dict[str, str], *words: str) -> str:
    command = [str(Path(sys.executable).with_name("paht")), *words]
    return subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def _screen(environment: dict[str, str], *words: str) -> str:
    """What a person at a terminal sees, colours and all."""
    terminal, behind = pty.openpty()
    environment = environment | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "PAGER": "cat", "LINES": "200"}
    command = [str(Path(sys.executable).with_name("paht")), *words]
    process = subprocess.Popen(command, env=environment, cwd=PROJECT, stdin=behind, stdout=behind, stderr=behind)
    os.close(behind)
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other end closed
            break
        if not piece:
            break
        seen += piece
    process.wait()
    text = seen.decode().replace("\r\n", "\n")
    return re.sub(r"\x1b\][^\x1b\x07]*(?:\x07|\x1b\\)", "", text)  # links are not drawn


if __name__ == "__main__":
    main()
