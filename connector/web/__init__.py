"""The status page, health and metrics: what the ledger's read models tell, over HTTP. Nothing here writes."""
