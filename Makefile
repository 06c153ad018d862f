# seogo: `make` lists the targets. `make demo` and `make test` do all the set-up that they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
READERS := .venv/readers/.installed
SWIFT := .venv/swift/.installed
# Needed on a machine with more than one package index; with one it has no effect.
export UV_INDEX_STRATEGY ?= unsafe-best-match
# No telemetry from Prefect, not even in tests.
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
# Some environments forbid Python to write bytecode: each process would compile all of its modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo catalogues test pytest test-fast test-long object-store lint torture tour fuzz audit bench bench-crawl prefect screenshots lock clean

KILLS ?= 300
STATES ?= 300
SEQUENCES ?= 20
# One more than the two cores, because some tests mostly wait.
PROCESSES ?= 3
PREFECT_PORT ?= 0
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= article both_ways sports list section section_more search_page search_api api_error front_matter \
  plain_text topic relevance address robots headers pauses unpacking warc

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## set up, then crawl a made-up Naver on this machine and show the result
	@$(BIN)/seogo demo

test: $(STAMP) $(READERS) ## set up, then run the linters, the type checker and the tests
	@$(MAKE) --no-print-directory -j 2 lint pytest

pytest: $(STAMP) $(READERS) # while the type checker, which uses one core, checks
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder -q -m "not long"

test-long: $(STAMP) $(READERS) ## run the tests that `make test` leaves out: more cases, longer runs
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder -q \
	  -m "long or hypothesis" --hypothesis-profile long

test-fast: $(STAMP) $(READERS) ## run the tests that start no Prefect server
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder -q -m "not slow and not long"

object-store: $(STAMP) $(SWIFT) ## run the tests of object stores, also against a real S3 server (OpenStack Swift, on loopback)
	$(BIN)/python -m pytest -n 2 --dist loadfile -q tests/storage/objects tests/storage/captures/test_object_store.py \
	  tests/storage/captures/test_both_homes.py tests/storage/exports/test_object_store.py tests/storage/test_uploading.py \
	  tests/flows/cli/test_object_store.py
	$(BIN)/python -W ignore::RuntimeWarning:runpy -m tests.programs.object_store --swift --kills 20

lint: $(STAMP) ## run ruff, mypy --strict and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

torture: $(STAMP) ## kill a crawl, fetchers, and crawls and moves with an object store, KILLS=300 times each; cut the power STATES=300 times per model (needs a C compiler)
	@# Each killed process imports the program again, which Python warns about.
	$(BIN)/python -W ignore::RuntimeWarning:runpy -m tests.programs.torture --kills $(KILLS)
	$(BIN)/python -W ignore::RuntimeWarning:runpy -m tests.programs.fetchers --kills $(KILLS)
	$(BIN)/python -W ignore::RuntimeWarning:runpy -m tests.programs.object_store --kills $(KILLS)
	$(BIN)/python -m tests.programs.powercut --states $(STATES)

tour: $(STAMP) ## stop, kill and restart Prefect's server, worker and runs in SEQUENCES=20 random orders (half an hour)
	$(BIN)/python -m tests.programs.tour --sequences $(SEQUENCES)

fuzz: $(STAMP) ## fuzz every parser, guided by coverage, for FUZZ_SECONDS=60 each (installs atheris into .venv)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
	  $(BIN)/uv pip install --quiet --no-deps --python $(BIN)/python 'atheris>=3,<4'
	@for target in $(FUZZ_TARGETS); do echo "== $$target"; \
	  $(BIN)/python -m tests.fuzz.run $$target --seconds $(FUZZ_SECONDS) || exit 1; done

audit: ## look up known vulnerabilities of the pinned dependencies (needs the network; creates .audit)
	@$(PYTHON) -m venv --clear .audit
	@.audit/bin/python -m pip install --quiet pip-audit || { echo "audit: NOT DONE: pip-audit cannot be installed"; exit 1; }
	@# Without --strict, packages that could not be looked up count as "no known vulnerabilities".
	@.audit/bin/pip-audit --strict --requirement requirements.lock --disable-pip --require-hashes --progress-spinner off \
	  2>&1 | tail -40 | tee .audit/said; \
	grep -q '^No known vulnerabilities found' .audit/said && exit 0; \
	grep -q '^Found [0-9]* known vulnerabilit' .audit/said && { echo "audit: vulnerabilities: see above"; exit 1; }; \
	echo "audit: NOT DONE: the advisory service cannot be reached, or does not know a package; no result"; exit 1

bench: $(STAMP) ## measure parsing, runs with nothing new, and memory
	$(BIN)/python -m benchmarks.parsing
	$(BIN)/python -m benchmarks.nothing_new
	$(BIN)/python -m benchmarks.memory --articles 5000

bench-crawl: $(STAMP) ## measure a whole crawl, compared with Scrapy (needs nginx; see benchmarks/README.md)
	$(BIN)/python -m benchmarks.crawling

prefect: $(STAMP) ## start Prefect's server, UI, worker and all deployments here (PREFECT_PORT=4200; Ctrl-C stops it)
	@$(BIN)/python -m flows.deployed.local --port $(PREFECT_PORT)

screenshots: $(STAMP) ## take the pictures in docs/images (needs Debian's chromium, fonts-noto-cjk, faketime)
	$(BIN)/python -m benchmarks.screenshot

catalogues: $(STAMP) ## compile the Korean and English words of the pages (flows/reports/locale/*/LC_MESSAGES/seogo.po)
	$(BIN)/pybabel -q compile -d flows/reports/locale -D seogo

lock: ## update requirements.lock, deploy/compose/requirements.lock, tests/data/readers.lock, tests/data/swift.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --all-extras --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --universal -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra store --extra postgresql --constraint requirements.lock --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --universal -q -o deploy/compose/requirements.lock
	$(BIN)/uv pip compile --group readers --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --universal -q -o tests/data/readers.lock
	$(BIN)/uv pip compile --group swift --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --universal -q -o tests/data/swift.lock

clean: ## remove everything that the targets created, including the demo; other archives stay
	rm -rf .venv .audit .fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo-archive

# Every Python has pip, which installs uv by its hash in the lock; uv installs the rest in seconds.
# Compiled once: where PYTHONDONTWRITEBYTECODE is set, or the user of a service may not write here, each start would compile
# again, and Prefect alone takes seconds.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "seogo needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv .venv
	awk '/^[a-z]/{p=/^uv==/} p' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r .venv/uv.lock
	$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

# Other programs that read the archive, for the tests: an older DuckDB, pandas, polars.
$(READERS): tests/data/readers.lock $(STAMP)
	$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python --target .venv/readers tests/data/readers.lock
	@touch $@

# A real S3 server, for `make object-store`.
$(SWIFT): tests/data/swift.lock $(STAMP)
	$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python --target .venv/swift tests/data/swift.lock
	@touch $@
