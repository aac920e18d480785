"""Promises that the simulation cannot see, broken on purpose: a named test must fail."""
