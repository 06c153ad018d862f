"""Power cuts, simulated: a command is recorded, and what a disk may hold after a cut anywhere in it is held against it.

recorder.c      stands between a program and the C library, and writes down what it does to files
recording.py    the log read back: calls, in order, on files and folders that have an identity
disk.py         what of them may be there after a cut, by two models of a file system; a folder made of that
scenarios.py    commands that are cut, what follows, and what must be true then
__main__.py     so many states a model, in several processes (make torture)
"""
