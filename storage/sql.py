"""The few spellings in which SQLite and PostgreSQL differ."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import JSON, ColumnElement, DateTime, Table, bindparam, cast, func, literal_column, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.selectable import TableValuedAlias
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
    return insert_of(model, for_sqlite=is_sqlite(session))


def insert_of(model: type[SQLModel], *, for_sqlite: bool) -> Any:
    """``INSERT`` that knows ``ON CONFLICT``, for a statement that is made before there is a session."""
    # both classes have the same methods but no common type
    dialect: Any = sqlite if for_sqlite else postgresql
    return dialect.insert(table_of(model))


class Rows:
    """Many rows as one JSON parameter, ``:rows``: a statement of constant text, however many rows there are.

    With a list of values the drivers take longer to read the statement than the database to run it.
    """

    def __init__(self, *, for_sqlite: bool) -> None:
        self._is_sqlite = for_sqlite
        self.alias: TableValuedAlias
        if self._is_sqlite:
            self.alias = func.json_each(bindparam("rows")).table_valued("key", "value")
            self.number: ColumnElement[Any] = self.alias.c.key
        else:
            elements = func.json_array_elements(cast(bindparam("rows"), JSON))
            self.alias = elements.table_valued("value", with_ordinality="number").render_derived()
            self.number = self.alias.c.number

    def text(self, position: int) -> ColumnElement[Any]:
        """A text of each row."""
        return self.alias.c.value.op("->>")(literal_column(str(position)))

    def instant(self, position: int) -> ColumnElement[Any]:
        """An instant of each row, written by ``instant_text``."""
        text = self.text(position)
        return type_coerce(text, DateTime()) if self._is_sqlite else cast(text, DateTime(timezone=True))


def rows_parameter(rows: Sequence[Sequence[str | None]]) -> str:
    """The value of ``:rows``."""
    return orjson.dumps(rows).decode()


def instant_text(at: datetime | None) -> str | None:
    """As SQLAlchemy writes it on SQLite; our connections to PostgreSQL speak UTC too."""
    return at if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
