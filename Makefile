# Everything that is done to this project, as commands. `make run` and `make test` are all that a newcomer needs.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
BIN := .venv/bin
WORKERS ?= 2

.PHONY: run test tools judge check chaos evaluate fuzz format wheel lock clean

run: .venv/.ready  ## Do the whole job and serve it; ONCE=1 does the job and exits
	@$(BIN)/digest run $(if $(ONCE),--once)

test: .venv/.ready-dev  ## All tests: both databases, end to end, in a real browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

tools: tools/node_modules/.ready  ## What judges mails and pages and was written by others (npm; see docs/what-checks-the-mail.md)

judge: .venv/.ready-dev tools/node_modules/.ready  ## The mail before all of them; Java, SpamAssassin and Chromium must be there
	DIGEST_TEST_REQUIRE_TOOLS=1 $(BIN)/python -m pytest tests/judged $(ARGS)

check: .venv/.ready-dev  ## Format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

evaluate: .venv/.ready-dev  ## Measure grouping, topics and ranking on labelled articles (DIGEST_TEST_DATA)
	$(BIN)/python benchmarks/evaluate.py
	$(BIN)/python benchmarks/evaluate_ranking.py

fuzz: .venv/.ready-dev  ## Damage feeds, pages, calendars … for SECONDS (300): nothing escapes, hangs or swells
	PYTHONPATH=. $(BIN)/python benchmarks/fuzz.py --seconds $(or $(SECONDS),300) --seed $(or $(SEED),1) --workers $(WORKERS)

chaos: .venv/.ready-dev  ## Kill workers 200 times while they deliver, on both databases and both engines (some minutes)
	$(BIN)/python benchmarks/chaos.py $(ARGS)

format: .venv/.ready-dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

wheel: .venv/.ready-dev  ## Build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

lock: .venv/.ready-dev  ## Pin all dependencies anew (names, versions, hashes; no addresses)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url pyproject.toml --group dev -o requirements-dev.lock

clean:  ## Remove what can be made again (not var/, which holds your data)
	rm -rf .venv dist build tools/node_modules .mypy_cache .ruff_cache .hypothesis

tools/node_modules/.ready: tools/package-lock.json
	cd tools && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.ready: .venv/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/.ready-dev: .venv/.ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
