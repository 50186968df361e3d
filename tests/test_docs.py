"""The papers tell the truth: settings, commands and pictures that they name exist, the transcript is what happens."""

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.settings import PROJECT, Settings, load_settings
from handlers.texts import load_texts
from tests.unit.cli.test_help import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_names_every_setting_with_its_default() -> None:
    example = _example()

    assert set(example) == {item.name.upper() for item in fields(Settings)}
    assert load_settings(example) == load_settings({})
    assert load_settings({}).draft_life == timedelta(hours=24)


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_every_command_stands_in_the_readme(path: tuple[str, ...]) -> None:
    assert " ".join(("paht", *path)) in README


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for either in set(re.findall(r"`make (?:-s )?([a-z]+)|^make ([a-z]+)", README, re.MULTILINE)):
        target = "".join(either)
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


def test_the_pictures_and_files_of_the_readme_exist() -> None:
    for path in re.findall(r"\]\(([^)#]+)\)", README):
        if not path.startswith("http"):
            assert (ROOT / path).is_file(), path


def test_the_papers_speak_of_the_project_alone() -> None:
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / ".env.example"]:
        assert str(PROJECT) not in path.read_text(encoding="utf-8")


def test_a_code_in_the_catalogue_looks_like_a_code() -> None:
    assert "PA-7K3M9Q" in load_texts().say("lookup.no_code", prefix="PA")
