"""Simulated power cuts: records a command, creates possible states of the disk after a cut, and checks the recovery.

recorder.c      wraps the file functions of the C library and logs the calls of a program
recording.py    reads the log: the calls in order, with an identity for each file and folder
disk.py         two models of a file system: which calls may survive a power cut; creates a folder in that state
scenarios.py    the commands that are interrupted, what follows, and what must be true afterwards
__main__.py     checks a number of states per model, in several processes (make torture)
"""
