"""``paht``: finds the command, runs it, and turns every failure into one line and an exit code."""

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.main import get_group

from admin_cli.failures import ExitCode, describe
from admin_cli.help import DeskGroup
from admin_cli.render import message
from admin_cli.seat import Seat

# Commands by module: only the module of the command that runs is imported.
_COMMANDS: dict[str, str] = {
    "inbox": "inbox",
    "show": "show",
    "assign": "acts",
    "accept": "acts",
    "ask": "acts",
    "progress": "acts",
    "result": "result",
    "approve": "acts",
    "send-back": "acts",
    "reject": "acts",
    "close": "acts",
    "note": "acts",
}
_GROUPS: dict[str, str] = {"outbox": "outbox", "doctor": "doctor", "system": "system", "nlp": "nlp"}
_ALONE = ("doctor",)  # commands of their own module that belong to no group
_DEBUG = "--debug"


class RootGroup(DeskGroup):
    """The commands of ``paht``, loaded when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*_COMMANDS, *_GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        module = _COMMANDS.get(cmd_name) or _GROUPS.get(cmd_name)
        if module is None:
            return None
        group = get_group(import_module(f"admin_cli.{module}").app)
        if cmd_name in _COMMANDS or cmd_name in _ALONE:
            return group.commands[cmd_name]
        group.name = cmd_name
        return group

    def main(  # type: ignore[override]  # our own ending in place of the framework's English one
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        obj: Seat | None = None,
        **extra: Any,
    ) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        is_debug = _DEBUG in words
        seat = obj or Seat()
        try:
            ended = super().main(
                [word for word in words if word != _DEBUG],
                "paht",
                complete_var or "_PAHT_COMPLETE",
                standalone_mode=False,
                obj=seat,
                **extra,
            )
        except Exception as error:
            if is_debug:
                traceback.print_exc()
            ended = _fail(error, seat)
        finally:
            seat.leave()
        sys.exit(ended if isinstance(ended, int) else ExitCode.OK)


app = typer.Typer(cls=RootGroup, invoke_without_command=True, add_completion=True)


@app.callback()
def paht(ctx: typer.Context, debug: Annotated[bool, typer.Option(_DEBUG)] = False) -> None:
    """Show what wants attention now."""
    if ctx.invoked_subcommand is None:
        from admin_cli.overview import print_overview  # the other commands do without

        print_overview(ctx.obj)


def main() -> None:
    """Entry point of the command line."""
    for stream in (sys.stdout, sys.stderr):
        if (stream.encoding or "").lower().replace("-", "") != "utf8" and hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows console in an old code page
    app()


def _fail(error: Exception, seat: Seat) -> int:
    if type(error).__name__ == "Abort":
        message(seat.say("word.interrupted"))
        return ExitCode.ERROR
    if type(error).__name__ == "NoArgsIsHelpError":
        message(str(getattr(error, "message", "")))
        return ExitCode.USAGE
    failure = describe(error, seat)
    message(failure.line)
    return int(failure.code)
