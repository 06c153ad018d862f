"""The tests of `flows`: one folder per package."""
