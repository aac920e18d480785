"""Keeps Gong equal to a CRM that lies in a SQL database, through Gong's CRM API."""
