"""The journal on a real Postgres server; none of it is mocked."""
