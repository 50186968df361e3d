"""Runs the steps on the connection that ``storage.migrate`` hands over, or compares models and database."""

from alembic import context
from sqlmodel import SQLModel

import storage.models  # noqa: F401  the tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,  # SQLite too: our connections begin for themselves
    compare_type=True,
    user_module_prefix="sqlmodel.",
)
with context.begin_transaction():
    context.run_migrations()
