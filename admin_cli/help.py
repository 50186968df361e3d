"""Help pages in Vietnamese from the desk's wording, for every command without loading a terminal library."""

import shutil
import textwrap
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from handlers.texts import Texts, load_texts

_WIDEST, _INDENT, _LABEL = 100, 2, 24


class DeskCommand(TyperCommand):
    """A command whose help comes from the wording, and which takes plain words as they are typed."""

    def get_params(self, ctx: Any) -> Any:
        return _taken_as_typed(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_page(self, ctx))

    def get_short_help_str(self, limit: int = 45) -> str:
        return self.help or ""


class DeskGroup(TyperGroup):
    """A group of commands whose help comes from the wording."""

    def get_params(self, ctx: Any) -> Any:
        return _taken_as_typed(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_page(self, ctx))


class _AsTyped:
    """Reads words and whole numbers without the validation library, whose import takes longer than a whole command."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        is_many = param.multiple or param.nargs == -1
        if value is None:
            return () if is_many else None
        try:
            return [self._kind(item) for item in value] if is_many else self._kind(value)
        except ValueError:
            raise typer.BadParameter(str(value), ctx=ctx, param=param) from None


def help_page(command: Any, ctx: Any) -> str:
    """The whole page: usage, what it does, parameters, options, commands, examples."""
    words = _words(ctx)
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    section = section_of(command, ctx, words)
    blocks = [f"{words.say('usage.title')} {_usage(command, ctx)}", _wrapped(_raw(words, section, "text"), width)]
    params = [param for param in command.get_params(ctx) if not getattr(param, "hidden", False)]
    for kind, title in (("argument", "arguments"), ("option", "options")):
        rows = [(_label(param), _about(param, words, section)) for param in params if param.param_type_name == kind]
        blocks += [_listing(words.say(f"usage.{title}"), rows, width)] if rows else []
    if isinstance(command, TyperGroup):
        rows = [
            (name, _raw(words, f"help_{_key(words, command, name)}", "text")) for name in command.list_commands(ctx)
        ]
        blocks.append(
            _listing(words.say("usage.commands"), [(name, _first_sentence(text)) for name, text in rows], width)
        )
    if examples := words.sentences.get(f"{section}.example", ""):
        lines = "\n".join(" " * _INDENT + line for line in examples.splitlines())
        blocks.append(f"{words.say('usage.examples')}\n{lines}")
    if ctx.parent is None:
        blocks.append(words.say("usage.shell_end"))
    return "\n\n".join(block for block in blocks if block) + "\n"


def section_of(command: Any, ctx: Any, words: Texts) -> str:
    """The wording's section of a command: its own name, behind its group's where the name stands twice."""
    if ctx.parent is None:
        return "help_paht"
    return f"help_{_key(words, ctx.parent.command, command.name)}"


def about_param(words: Texts, section: str, name: str) -> str | None:
    """What a parameter is for; None where the wording lacks it."""
    name = name.removeprefix("as_")
    return words.sentences.get(f"{section}.{name}") or words.sentences.get(f"help_common.{name}")


def _taken_as_typed(params: Any) -> Any:
    kinds = {bool: bool, str: str, int: int, list[str]: str, list[int]: int}
    for param in params:
        descriptor = param.type_descriptor
        if descriptor.annotation in kinds and not descriptor.is_ranged and descriptor.choices is None:
            param._runtime_param = _AsTyped(kinds[descriptor.annotation])  # what the framework would build on first use
    return params


def _key(words: Texts, group: Any, name: str) -> str:
    behind_group = f"{group.name}-{name}" if group is not None else ""
    return behind_group if f"help_{behind_group}.text" in words.sentences else name


def _words(ctx: Any) -> Texts:
    seat = ctx.find_root().obj
    return seat.words if seat is not None else load_texts(language="desk_vi")


def _usage(command: Any, ctx: Any) -> str:
    pieces = [ctx.command_path]
    for param in command.get_params(ctx):
        if param.param_type_name == "argument":
            pieces.append(_label(param) if param.required else f"[{_label(param)}]")
    if isinstance(command, TyperGroup):
        pieces.append("LỆNH …")
    return " ".join(pieces)


def _label(param: Any) -> str:
    name = str(param.metavar or param.name.strip("_").upper().replace("_", "-"))
    if param.param_type_name == "argument":
        return f"{name}…" if param.nargs == -1 else name
    opts = ", ".join(sorted((*param.opts, *param.secondary_opts), key=len))
    return opts if param.is_flag or param.name == "help" else f"{opts} {name}"


def _about(param: Any, words: Texts, section: str) -> str:
    text = about_param(words, section, param.name) or ""
    if param.required and param.param_type_name == "option":
        return f"{text} ({words.say('usage.required')})"
    if isinstance(param.default, int | str) and param.default and not isinstance(param.default, bool):
        return f"{text} ({words.say('usage.default', value=param.default)})"
    return text


def _raw(words: Texts, section: str, name: str) -> str:
    return words.sentences.get(f"{section}.{name}", "")


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].partition(";")[0].rstrip(".")


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, initial_indent=" " * _INDENT, subsequent_indent=" " * _INDENT)


def _listing(title: str, rows: list[tuple[str, str]], width: int) -> str:
    lines = [title]
    column = min(max(len(label) for label, _ in rows) + 2, _LABEL)
    for label, text in rows:
        head = " " * _INDENT + label.ljust(column)
        if len(label) >= column:
            lines.append(head.rstrip())
            head = " " * (_INDENT + column)
        lines.append(
            textwrap.fill(text, width, initial_indent=head, subsequent_indent=" " * (_INDENT + column)).rstrip()
        )
    return "\n".join(lines)
