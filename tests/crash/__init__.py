"""Kills the real process at every failpoint, again and again on the same state, and holds it to its promises."""
