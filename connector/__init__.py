"""Keeps Gong equal to a CRM that lies in a SQL database, through Gong's CRM API."""

import sys

# httpx imports a command line of its own along with itself where rich, pygments and click are there: that takes longer
# than the rest of it, and nobody here needs it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # how Python marks what cannot be imported
