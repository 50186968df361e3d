"""What can be done with a report now, as commands to copy."""

from dataclasses import dataclass
from datetime import timedelta

from admin_cli.failures import role_names
from admin_cli.seat import Seat
from handlers.dossiers import Dossier
from storage.deadlines import LOCAL
from storage.workflow import Act, Role, Status, acts_from, find_transition

# the act that usually comes next stands first; acts without a command of their own are left out
_ORDER = (
    Act.ACCEPT,
    Act.ASSIGN,
    Act.APPROVE,
    Act.RESULT,
    Act.SEND_BACK,
    Act.PROGRESS,
    Act.ASK,
    Act.REJECT,
    Act.REROUTE,
)
_WAITS_FOR: dict[Status, tuple[Act, ...]] = {
    Status.RECEIVED: (Act.ASSIGN,),
    Status.ASSIGNED: (Act.ACCEPT,),
    Status.IN_PROGRESS: (Act.RESULT,),
    Status.PENDING_APPROVAL: (Act.APPROVE,),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A command and what it is for."""

    command: str
    why: str


def steps_for(seat: Seat, report: Dossier) -> tuple[Step, ...]:
    """The acts that this officer may do to this report now, the likeliest first."""
    acts = set(acts_from(report.status, seat.actor.roles))
    steps = [_step(seat, report, act) for act in _ORDER if act in acts]
    if _is_closable(seat, report):
        steps.append(Step(f"paht close {report.code}", seat.say("next.close")))
    return tuple(steps)


def remark(seat: Seat, report: Dossier) -> str:
    """Why nobody here has anything to do, where that is so; "" else."""
    sla = seat.office.pack.sla
    if report.status is Status.NEED_INFO:
        return seat.say("next.await_citizen", days=sla["question_days"])
    if report.status is Status.RESOLVED and not _is_closable(seat, report):
        return seat.say("next.await_rating", days=sla["feedback_days"])
    if steps_for(seat, report):
        return ""
    acts = _WAITS_FOR.get(report.status, ())
    rows = [find_transition(act, report.status) for act in acts]
    roles = frozenset(role for row in rows if row for role in row.who) - {Role.SYSTEM}
    return seat.say("next.await_others", roles=role_names(seat, roles)) if roles else seat.say("word.nothing_next")


def suggested_agency(seat: Seat, subfield: str, commune: str | None) -> tuple[str, str, tuple[str, ...]] | None:
    """Id and name of the agency that routing names today, with those that help; None where it names none."""
    pack = seat.office.pack
    route = pack.route(subfield, commune, seat.now().astimezone(LOCAL).date())
    if route is None:
        return None
    names = tuple(pack.agency_name(pack.agency_id(key, commune) or key) for key in route.cooperating)
    agency = pack.agency_id(route.lead, commune)
    return (agency or route.lead), pack.agency_name(agency or route.lead), names


def show_steps(steps: tuple[Step, ...]) -> list[str]:
    """Lines to print, commands side by side with their purpose."""
    width = min(max((len(step.command) for step in steps), default=0), 44)
    return [f"  {step.command.ljust(width)}  {step.why}" for step in steps]


def _step(seat: Seat, report: Dossier, act: Act) -> Step:
    say, code = seat.say, report.code
    match act:
        case Act.ASSIGN:
            route = suggested_agency(seat, report.subfield, report.commune_code)
            if route is None:
                return Step(f"paht assign {code} ĐƠN_VỊ", say("next.assign_open"))
            if report.commune_code is None and "{commune}" in route[1]:
                return Step(f'paht assign {code} --commune "…"', say("next.assign_open"))
            return Step(f"paht assign {code}", say("next.assign", agency=route[1]))
        case Act.REROUTE:
            return Step(f'paht assign {code} ĐƠN_VỊ --reason "…"', say("next.reroute"))
        case Act.ASK:
            return Step(f'paht ask {code} "…"', say("next.ask"))
        case Act.REJECT:
            return Step(f'paht reject {code} TCxx "…" --preview', say("next.reject"))
        case Act.PROGRESS:
            return Step(f'paht progress {code} "…" --public', say("next.progress"))
        case Act.RESULT:
            return Step(f'paht result {code} --outcome fixed --answer "…" --photo TỆP --preview', say("next.result"))
        case Act.SEND_BACK:
            return Step(f'paht send-back {code} "…"', say("next.send_back"))
        case Act.APPROVE:
            return Step(f"paht approve {code} --preview", say("next.approve"))
    return Step(f"paht {act.value} {code}", say(f"next.{act.value}"))


def _is_closable(seat: Seat, report: Dossier) -> bool:
    if report.status is not Status.RESOLVED or not seat.actor.roles & {Role.INTAKE, Role.ADMIN}:
        return False
    days = timedelta(days=seat.office.pack.sla["feedback_days"])
    return report.resolved_at is not None and seat.now() >= report.resolved_at + days
