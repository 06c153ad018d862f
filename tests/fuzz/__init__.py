"""Fuzzing: every parser returns a value that can be stored or raises an error of seogo, in linear time.

targets.py        the parsers, with valid documents to start from and the properties to check
mutations.py      mutations of valid documents
run.py            fuzzes one target guided by coverage (`make fuzz`)
test_parsers.py   a short run of every target, and the bugs that fuzzing found
test_time.py      the running time by input size
"""
