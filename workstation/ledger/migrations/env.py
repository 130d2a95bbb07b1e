"""Run by Alembic: the revisions are applied on the connection that `upgrade.migrate` hands over, in its transaction."""

from alembic import context

from workstation.ledger.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True)
context.run_migrations()
