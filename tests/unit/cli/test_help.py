"""Every command and parameter has help in the wording, every example runs a command that exists."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from admin_cli.app import app
from admin_cli.help import about_param, section_of
from handlers.texts import load_texts

WORDS = load_texts(language="desk_vi")
ROOT: Any = get_command(app)


def walk(
    command: Any = ROOT, parent: Any = None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Every command with its context, groups too."""
    ctx = command.context_class(command, info_name=path[-1] if path else "paht", parent=parent)
    yield path, command, ctx
    if isinstance(command, TyperGroup):
        for name in command.list_commands(ctx):
            yield from walk(command.get_command(ctx, name), ctx, (*path, name))


ALL = list(walk())
COMMANDS = {path for path, _, _ in ALL}


@pytest.mark.parametrize(
    ("path", "command", "ctx"), ALL, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_and_parameter_has_help(path: tuple[str, ...], command: Any, ctx: Any) -> None:
    section = section_of(command, ctx, WORDS)

    assert WORDS.has(f"{section}.text"), section
    missing = [param.name for param in command.get_params(ctx) if not about_param(WORDS, section, param.name)]
    assert not missing, (section, missing)
    if not isinstance(command, TyperGroup):
        assert WORDS.has(f"{section}.example"), section


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_every_help_page_is_vietnamese_and_fits_80_columns(path: tuple[str, ...]) -> None:
    run = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"})

    assert run.exit_code == 0
    assert run.stdout.startswith("Cách dùng: paht")
    assert "Show " not in run.stdout and "Options" not in run.stdout and "[default" not in run.stdout
    examples = run.stdout.partition("Ví dụ:")[0]
    assert max(len(line) for line in examples.splitlines()) <= 80


def test_every_help_section_belongs_to_a_command() -> None:
    sections = {key.partition(".")[0] for key in WORDS.sentences if key.startswith("help_")}
    used = {section_of(command, ctx, WORDS) for _, command, ctx in ALL}

    assert sections - used == {"help_common"}


def test_every_parameter_in_the_wording_exists() -> None:
    known = {
        section_of(command, ctx, WORDS): {param.name.removeprefix("as_") for param in command.get_params(ctx)}
        for _, command, ctx in ALL
    }
    for key in WORDS.sentences:
        section, _, name = key.partition(".")
        if section in known and name not in ("text", "example"):
            assert name in known[section], key


def commands_in(text: str) -> Iterator[list[str]]:
    """The ``paht …`` lines of a text, as words."""
    for line in re.findall(r"paht [^\n]*", text):
        yield shlex.split(re.split(r"  | [|>] ", line)[0].replace("…", "x"))[1:]


@pytest.mark.parametrize(
    "key", sorted(key for key in WORDS.sentences if key.startswith("help_") and key.endswith(".example"))
)
def test_every_example_parses(key: str) -> None:
    for words in commands_in(WORDS.sentences[key]):
        ctx, command = ROOT.context_class(ROOT, info_name="paht"), ROOT
        while isinstance(command, TyperGroup):
            command = command.get_command(ctx, words.pop(0))
            assert command is not None, key
        parser = command.make_parser(ctx)
        parser.parse_args(args=list(words))  # raises on an unknown option


def test_every_hint_names_a_command_that_exists() -> None:
    tops = {path[0] for path in COMMANDS if path}
    for key, text in WORDS.sentences.items():
        for name in re.findall(r"paht ([a-z-]+)\b", text):
            assert name in tops, key
        for group, name in re.findall(r"paht (outbox|system|nlp) ([a-z-]+)", text):
            assert (group, name) in COMMANDS, key
