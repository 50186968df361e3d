"""Who acts, through which door; resolved once at the edge and written into every history row."""

from dataclasses import dataclass

from storage.workflow import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts. ``agency`` None = the whole province."""

    account: str
    name: str
    roles: frozenset[Role]
    agency: str | None = None
    door: str = "cli"  # bot | cli | desk | scheduler

    def may_see(self, lead_agency: str | None) -> bool:
        """Intake, auditors and screens see all; an agency sees its own."""
        if self.agency is None:
            return True
        return lead_agency is not None and self.agency in (lead_agency, lead_agency.partition("@")[0])


CITIZEN = Actor("citizen", "Người phản ánh", frozenset({Role.CITIZEN}), door="bot")
SYSTEM = Actor("system", "Hệ thống", frozenset({Role.SYSTEM}), door="scheduler")
