"""``paht`` alone: what needs attention now, and the next commands."""

from admin_cli.failures import role_names
from admin_cli.next_steps import Step, show_steps
from admin_cli.render import Entry, message, print_page
from admin_cli.seat import Seat
from handlers.queries import Overview, overview
from storage.workflow import Status


def print_overview(seat: Seat) -> None:
    """Figures, and what to do about them."""
    figures = overview(seat.reader, seat.actor, now=seat.now())
    pack, actor = seat.office.pack, seat.actor
    agency = pack.agency_name(actor.agency) if actor.agency else seat.say("overview.whole_province")
    you = seat.say("overview.you", name=actor.name, roles=role_names(seat, actor.roles), agency=agency)
    lines = [
        seat.say("overview.title", name=pack.name),
        you,
        seat.say("overview.figures", **{item.value: figures.by_status.get(item, 0) for item in Status}),
        *_attention(seat, figures),
    ]
    print_page([Entry("", line, "bold" if number == 0 else "") for number, line in enumerate(lines)])
    message("\n".join([seat.say("word.next"), *show_steps(_steps(seat, figures))]))


def _attention(seat: Seat, figures: Overview) -> list[str]:
    if not figures.by_status:
        return [seat.say("overview.empty")]
    numbers = {
        "urgent": figures.urgent_open,
        "overdue": figures.overdue,
        "mine": figures.waiting_for_me,
        "undelivered": figures.undelivered,
        "dead_inbox": figures.dead_inbox,
    }
    lines = [seat.say(f"overview.{key}", n=number) for key, number in numbers.items() if number]
    return lines or [seat.say("overview.calm")]


def _steps(seat: Seat, figures: Overview) -> tuple[Step, ...]:
    commands = {
        "paht inbox --overdue": ("overdue", figures.overdue),
        "paht inbox --mine": ("mine", figures.waiting_for_me),
        "paht outbox list": ("undelivered", figures.undelivered),
        "paht system dead-letters": ("dead_inbox", figures.dead_inbox),
        "paht inbox": ("urgent" if figures.urgent_open else "inbox", 1),
        "paht doctor": ("doctor", 1),
    }
    wanted = {command: key for command, (key, number) in commands.items() if number}
    return tuple(Step(command, seat.say(f"overview_next.{key}")) for command, key in wanted.items())
