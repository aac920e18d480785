"""The CRM's database, read-only: what it holds, what has changed, and rows by key."""

from connector.source.edge import SourceDenied
from connector.source.source import Source, key_text, open_source

__all__ = ["Source", "SourceDenied", "key_text", "open_source"]
