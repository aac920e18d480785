"""The exit statuses of every command."""

from enum import IntEnum


class Status(IntEnum):
    """Exit statuses (others' scripts depend on them)."""

    WELL = 0
    FAILED = 1
    WRONG = 2
    """Wrong usage or configuration."""
    UNSETTLED = 3
    """Done, but something was refused, is held, or was still unsettled at --timeout."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""
    TERMINATED = 143
    """SIGTERM, as shells count it; `run` and `sandbox` end well on it."""
