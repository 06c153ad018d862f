"""The tests. Each folder mirrors the package that it tests; no test module imports another.

flows/, schemas/, storage/   the tests of these packages
end_to_end/                  whole commands and runs: crawls, faults, kills, politeness, security
conftest.py                  marks, and fixtures for all tests
test_rooms.py                the structure of the packages
benchmarks/                  the tests of the benchmarks
fuzz/                        every parser against mutated input, and its running time
support/                     shared by the tests: servers, generated values, archives, helpers
programs/                    longer programs that the tests run in part
data/                        golden files, expected results, versions of other programs that read the archive
"""
