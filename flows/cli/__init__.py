"""The command `seogo`."""

from flows.cli.app import main

__all__ = ["main"]
