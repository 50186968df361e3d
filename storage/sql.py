"""The few spellings in which SQLite and PostgreSQL differ."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """The Core table of a model: what the hot paths speak to."""
    table = model.metadata.tables[str(model.__tablename__)]
    assert isinstance(table, Table)
    return table


def is_sqlite(session: Session) -> bool:
    """Which of the two databases this session talks to."""
    return session.get_bind().dialect.name == "sqlite"


def insert_for(session: Session, model: type[SQLModel]) -> Any:
    """``INSERT`` that knows ``ON CONFLICT``."""
    # both classes have the same methods but no common type
    dialect: Any = sqlite if is_sqlite(session) else postgresql
    return dialect.insert(table_of(model))
