"""The drift alarm: whether the pages of a run still look like earlier ones. Pure.

alarm.py    DriftAlarm: checks batches, holds pages back, raises alarms, learns
detect.py   what has changed, and which pages it concerns
chance.py   how likely a deviation is by chance
memory.py   how pages enter the baseline, and fade
"""
