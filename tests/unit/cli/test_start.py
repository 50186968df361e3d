"""What the hot commands load: the list of reports must start at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk_factories import a_report, an_officer
from tests.unit.cli.conftest import CommandLine

HEAVY = (
    "sqlmodel",
    "sqlalchemy",
    "pydantic",
    "underthesea",
    "numpy",
    "aiohttp",
    "telegram",
    "PIL",
    "redis",
    "rich",
    "termios",
)
_PROGRAM = """
import sys
from admin_cli.app import main
sys.argv = ["paht", *{words!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
finally:
    print(",".join(sorted({{name.partition(".")[0] for name in sys.modules}})), file=sys.stderr)
"""


def loaded_by(folder: Path, *words: str) -> set[str]:
    """Top packages in memory at the end of a command in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(words=list(words))],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DATA_DIR": str(folder)},
        timeout=60,
    )
    return set(run.stderr.splitlines()[-1].split(","))


@pytest.mark.parametrize(
    "words",
    [["inbox", "--json"], ["inbox"], ["show", "AAA"], ["outbox", "list"], []],
    ids=lambda words: " ".join(words),
)
def test_reading_commands_load_no_heavy_package(paht: CommandLine, words: list[str]) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code="PA-AAAAAA")))

    assert loaded_by(paht.folder, *words) & set(HEAVY) == set()


def test_an_act_loads_the_tables_but_no_server_and_no_language(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), a_report(s, code="PA-AAAAAA")))

    loaded = loaded_by(paht.folder, "assign", "AAA", "--preview")

    assert "sqlmodel" in loaded
    assert loaded & {"aiohttp", "telegram", "underthesea", "numpy", "redis"} == set()
