# `make run` serves the demo, `make test` checks it; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BIOME := node_modules/.bin/biome
# Two cores are the target; with fewer threads than cores the page stays quick while the model writes.
export GRADIO_ANALYTICS_ENABLED = False
# Tests run in two processes, whole files in each, in the order of tests/conftest.py: `make test TWO=` runs them in one.
TWO := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: run test quick lint lint-page bench load odd audit space format clean

run: $(VENV)/.run
	$(BIN)/python app.py

test: $(VENV)/.test lint
	$(BIN)/python -m pytest $(TWO) $(PYTEST_ARGS)

# Lint, types, and every test but those of browsers, servers, training and slow foreign folders.
quick: $(VENV)/.test lint
	$(BIN)/python -m pytest -m "not slow" $(TWO) $(PYTEST_ARGS)

lint: $(VENV)/.test lint-page
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy -n 2 app viz tests
	$(BIN)/lint-imports
	if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; fi

# The page's scripts and styles, where node is there; biome itself comes over the network, once.
lint-page:
	@if [ ! -x $(BIOME) ] && command -v npm >/dev/null; then \
	  npm ci --silent --no-audit --no-fund --fetch-retries=0 || echo "npm cannot install biome here."; fi
	@if [ -x $(BIOME) ]; then npm run --silent lint; \
	  else echo "Skipped: scripts and styles of the page are not checked without node and biome (npm ci)."; fi

bench: $(VENV)/.test
	$(BIN)/python -m tests.bench

load: $(VENV)/.test
	$(BIN)/python -m tests.bench.load --visitors 30
	$(BIN)/python -m tests.bench.load --visitors 100
	$(BIN)/python -m tests.bench.load --visitors 5 --room 30
	$(BIN)/python -m tests.bench.load --visitors 10 --homes --flood 150
	$(BIN)/python -m tests.bench.load --soak 2000

# 10,000 cases of odd and hostile input.
odd: $(VENV)/.test
	GLYPHSCOPE_CASES=10000 $(BIN)/python -m pytest tests/panels/test_odd_input.py tests/server/test_hostile.py

# The pins against the published lists of known weaknesses; asks the network.
audit: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python -m pip_audit -r requirements.txt

# The page as a Space of the model hub: make space SPACE=owner/name; with DRY=1 it prints what it would send.
space: $(VENV)/.run
	@test -n "$(SPACE)" || { echo "Name the Space: make space SPACE=owner/name"; exit 2; }
	$(BIN)/python -m app.hosting $(SPACE) $(if $(DRY),--dry)

format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	if [ -x $(BIOME) ]; then npm run --silent format; fi

clean:
	rm -rf $(VENV)

# torch comes first and alone: a later line that asks for it then finds it there and fetches no other build.
$(VENV)/.run: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep '^torch==' requirements.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.test: $(VENV)/.run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
