"""What the server does by itself when a run is dead, late, failed or has stored something.

events.py        the events that seogo sends: what was stored, silences
triggers.py      automations that keep the queue free, and publish
alerts.py        automations that notify a person
registration.py  brings the automations to a server
__main__.py      `python -m flows.deployed.automations`
"""
