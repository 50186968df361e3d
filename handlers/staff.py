"""Officers' accounts: made, changed and locked by an admin; the very first by whoever sets the system up."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session, col, select

from handlers.errors import LastAdmin, UnknownAgency
from handlers.office import Office
from storage.models import Officer
from storage.workflow import Role


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What is to be so from now on; None leaves it as it is."""

    name: str | None = None
    roles: Collection[Role] | None = None
    agency: str | None = None  # "" = the whole province
    os_user: str | None = None
    is_active: bool | None = None


def save_account(session: Session, office: Office, account: str, change: AccountChange) -> Officer:
    """Make the account, or change it. Raises UnknownAgency, and LastAdmin: nobody may lock everybody out."""
    if change.agency and change.agency.partition("@")[0] not in office.pack.agencies:
        raise UnknownAgency(change.agency, tuple(office.pack.agencies))
    officer = session.exec(select(Officer).where(Officer.account == account)).first()
    if officer is None:
        officer = Officer(account=account, name=account, os_user=account, created_at=office.now())
        session.add(officer)
    if change.name is not None:
        officer.name = change.name
    if change.roles is not None:
        officer.roles = [role.value for role in change.roles]
    if change.agency is not None:
        officer.agency = change.agency or None
    if change.os_user is not None:
        officer.os_user = change.os_user
    if change.is_active is not None:
        officer.is_active = change.is_active
    session.flush()
    _keep_an_admin(session, account)
    return officer


def _keep_an_admin(session: Session, account: str) -> None:
    officers = session.exec(select(Officer).where(col(Officer.is_active).is_(True))).all()
    if not any(Role.ADMIN.value in officer.roles and officer.agency is None for officer in officers):
        raise LastAdmin(account)
