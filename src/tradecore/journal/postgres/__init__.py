"""A ledger in a schema of a Postgres database."""
