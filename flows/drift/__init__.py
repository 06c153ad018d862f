"""The drift alarm: detects pages that differ from the baseline of earlier pages. Pure.

alarm.py    DriftAlarm: checks batches, selects pages for quarantine, raises alarms, extends the baseline
detect.py   detects marks that have become more or less frequent
chance.py   how likely a deviation is by chance
memory.py   how pages enter the baseline, and how older ones lose weight
"""
