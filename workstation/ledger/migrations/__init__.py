"""How a ledger file gets to the present schema: Alembic revisions, each with its way back."""
