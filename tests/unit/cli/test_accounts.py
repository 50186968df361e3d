"""Who sits at the desk: the user of the operating system, never a name that was typed."""

import os
from pathlib import Path

import pytest
from sqlmodel import select

from handlers.accounts import TRIAL_ROLES, find_actor, os_user
from handlers.actors import Actor
from handlers.errors import NoAccount
from handlers.province import load_pack
from handlers.settings import load_settings
from storage.models import Officer
from storage.reader import Reader
from storage.workflow import Role
from tests.desk_factories import an_officer
from tests.unit.cli.conftest import CommandLine

TINY = Path(__file__).parents[2] / "packs" / "tiny"


def who(paht: CommandLine) -> Actor:
    settings = load_settings()
    reader = Reader(settings.database)
    try:
        return find_actor(reader, settings, load_pack(settings.province_pack))
    finally:
        reader.close()


def test_on_a_first_start_in_trial_the_owner_of_the_folder_is_made_an_officer_once(paht: CommandLine) -> None:
    first, second = who(paht), who(paht)

    assert first == second
    assert first.roles == frozenset(TRIAL_ROLES)
    assert first.agency is None
    officers = paht.read(lambda s: s.exec(select(Officer)).all())
    assert [(row.account, row.os_user, row.is_active) for row in officers] == [(os_user(), os_user(), True)]


def test_the_mapped_officer_is_found_with_roles_and_agency(paht: CommandLine) -> None:
    paht.fill(lambda s: an_officer(s, [Role.OFFICER], agency="ht@02647"))

    assert who(paht) == Actor("an", "An", frozenset({Role.OFFICER}), "ht@02647", "cli")


def test_the_environment_does_not_make_one_somebody_else(paht: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    paht.fill(lambda s: an_officer(s, user="giam_doc"))
    for name in ("USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.setenv(name, "giam_doc")

    with pytest.raises(NoAccount):
        who(paht)


def test_once_there_are_officers_nobody_is_made_one(paht: CommandLine) -> None:
    paht.fill(lambda s: an_officer(s, user="nguoi_khac"))

    run = paht("inbox")

    assert run.code == 4
    assert f"«{os_user()}»" in run.stderr


def test_a_locked_account_stays_out(paht: CommandLine) -> None:
    paht.fill(lambda s: an_officer(s, is_active=False))

    assert paht("inbox").code == 4


def test_outside_a_trial_nobody_is_made_an_officer(paht: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVINCE_PACK", str(TINY))

    assert paht("inbox").code == 4


def test_on_a_database_by_url_nobody_is_made_an_officer(paht: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{paht.folder}/paht.db")

    assert paht("inbox").code == 4


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a folder away")
def test_who_does_not_own_the_folder_is_made_nothing(paht: CommandLine) -> None:
    os.chown(paht.folder, 12345, 12345)

    assert paht("inbox").code == 4


def test_the_first_account_is_made_by_who_sets_up_and_further_ones_by_an_admin(
    paht: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{paht.folder}/paht.db")
    user = os_user()
    assert paht("inbox").code == 4

    assert paht("system", "officer", user, "--name", "Trần An", "--role", "admin", "--role", "intake").code == 0
    assert paht("system", "officer", "binh", "--role", "officer", "--agency", "ht@02647").code == 0
    assert paht("system", "officer", "chi", "--agency", "khong_co").code == 3

    rows = paht("system", "officers", "--json").json
    assert [(row["account"], row["roles"], row["agency"]) for row in rows] == sorted(
        [(user, ["admin", "intake"], ""), ("binh", ["officer"], "ht@02647")]
    )
    assert paht("inbox").code == 0


def test_an_account_is_changed_locked_and_unlocked(paht: CommandLine) -> None:
    paht.fill(lambda s: (an_officer(s), an_officer(s, [Role.OFFICER], account="binh", user="binh")))

    assert paht("system", "officer", "binh", "--lock").code == 0
    assert [row["is_active"] for row in paht("system", "officers", "--json").json] == [True, False]
    assert paht("system", "officer", "binh", "--unlock", "--role", "leader").code == 0
    assert paht("system", "officers", "--json").json[1]["roles"] == ["leader"]


def test_only_an_admin_changes_accounts(paht: CommandLine) -> None:
    paht.fill(lambda s: an_officer(s, [Role.OFFICER]))

    assert paht("system", "officer", "an", "--role", "admin").code == 4
    assert paht("system", "officers").code == 4
