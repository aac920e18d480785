"""The command line: arguments in, words out."""

from connector.cli.running import main

__all__ = ["main"]
