"""What Alembic runs for each command; the connection comes from :func:`service.mirror.migrate.migrate`."""

from __future__ import annotations

from alembic import context

from service.mirror.migrate import VERSION_TABLE
from service.mirror.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    version_table_pk=False,  # MySQL warns that it ignores the name of the key
)
with context.begin_transaction():
    context.run_migrations()
