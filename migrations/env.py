"""Alembic's entry point; the connector runs the scripts itself (connector.ledger.migrate)."""
