"""The benchmarks work: each with little data, and without a look at its figures."""
