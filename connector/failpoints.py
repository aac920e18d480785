"""Named places where a crash is interesting: before and after every persistence and network step.

Production code calls `hit(name)`, which does nothing unless a test or the simulation armed the hook.
"""

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def arm(hook: Callable[[str], None] | None) -> None:
    """Call `hook` with the name of every failpoint reached from now on; None disarms."""
    global _hook
    _hook = hook


def hit(name: str) -> None:
    """Say that the place called `name` was reached."""
    if _hook is not None:
        _hook(name)
