"""The whole engine on one thread against a sandboxed Gong, with a fake clock, faults, crashes and an oracle."""
