"""Benchmarks: scripts that print figures. See README.md beside this file."""
