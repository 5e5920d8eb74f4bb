# Everything one may run. `make run` and `make test` need python3-venv and make, nothing else.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CHROMIUM := $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))

EVERY_BRANCH := fv/gate.py,fv/login/*,fv/mfa/*,fv/passwords/*,fv/support/flows.py,fv/audit/*,fv/db/*,fv/evidence/*,fv/turns.py,fv/throttle/*,fv/sealing.py,fv/master_key/*
# and what decides on people: the zone, the print, the verdict
EVERY_BRANCH := $(EVERY_BRANCH),fv/analysis/mrz.py,fv/analysis/layouts.py,fv/analysis/ctc.py,fv/analysis/lookalikes.py,fv/analysis/printed.py,fv/analysis/transliteration.py
EVERY_BRANCH := $(EVERY_BRANCH),fv/analysis/scoring.py,fv/analysis/detectors.py,fv/analysis/circumstances.py,fv/analysis/consistency.py,fv/analysis/findings.py,fv/analysis/report.py,fv/fingerprints/*,fv/imports/*
# and what is billed
EVERY_BRANCH := $(EVERY_BRANCH),fv/billing/*
# and what is kept of people, and goes
EVERY_BRANCH := $(EVERY_BRANCH),fv/retention/*,fv/terms/*,fv/receipts/*,fv/backup/*

.PHONY: run test unit e2e long lint format mutate seed bench bench-search bench-analysis wheel clean
.DEFAULT_GOAL := run

run: $(VENV)/for-run          ## serve the product on http://127.0.0.1:8000 (OPTIONS="--port 9000" for more)
	$(BIN)/fv serve $(OPTIONS)

test: lint unit e2e           ## what the project checks: under three minutes

unit: $(VENV)/for-test        ## the suite without a browser
	$(BIN)/pytest -q -n 2 -m 'not long' --ignore tests/e2e tests

long: $(VENV)/for-test        ## all of it with races, crashes and long walks over real processes, and with branch coverage
	$(BIN)/pytest -q -n 2 --cov --cov-report= --ignore tests/e2e tests
	$(BIN)/coverage report --fail-under=95
	@echo 'Whatever decides who gets in, or records it, needs every branch:'
	$(BIN)/coverage report --fail-under=100 --include='$(EVERY_BRANCH)'
ifneq ($(CHROMIUM),)
	$(BIN)/pytest -q -n 2 -m long tests/e2e
endif

e2e: $(VENV)/for-test         ## the journey in a real browser; screenshots go to screenshots/
ifeq ($(CHROMIUM),)
	@echo 'The browser tests were NOT run: there is no Chromium. sudo apt install chromium'
else
	$(BIN)/pytest -q -n 2 -m 'not long' tests/e2e
endif

lint: $(VENV)/for-test        ## style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy

format: $(VENV)/for-test
	$(BIN)/ruff check --fix -q .
	$(BIN)/ruff format -q .

mutate: $(VENV)/for-test      ## change each condition of gate, mfa, throttle, sealing and audit: a test must fail (long)
	$(BIN)/python tests/mutate.py $(OPTIONS)

seed: $(VENV)/for-run         ## an account with 50,000 made-up sessions to look at (OPTIONS="--yes" when there are others)
	$(BIN)/fv demo --sessions 50000 --photos 12 $(OPTIONS)

bench: $(VENV)/for-test       ## what is fast, against what, in one run
	$(BIN)/python bench/web.py
	$(BIN)/python bench/sessions.py

bench-search: $(VENV)/for-bench  ## how fast faces are found, against what else there is (four minutes; OPTIONS="--large": 5,000,000 too)
	$(BIN)/python bench/search.py $(OPTIONS)

bench-analysis: $(VENV)/for-test   ## how well documents are read; needs tesseract-ocr, fonts-ocr-b, fonts-liberation (two minutes)
	$(BIN)/python bench/analysis.py $(OPTIONS)

wheel: $(VENV)/for-test       ## dist/facevault_server-*.whl
	$(BIN)/pip wheel -q --no-deps --no-build-isolation -w dist .

clean:
	rm -rf $(VENV) build dist screenshots *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

# ── The environment ──────────────────────────────────────────────────────────────────────────────────────────

$(VENV)/for-run: setup.cfg | $(VENV)/made
	PYTHONWARNINGS=ignore $(BIN)/pip install -q -e '.[pipeline]'
	@touch $@

$(VENV)/for-test: setup.cfg | $(VENV)/made
	PYTHONWARNINGS=ignore $(BIN)/pip install -q -e '.[test,pipeline]'
	@touch $@ $(VENV)/for-run

# one by one: without a compiler, or on another system, some cannot be had, and the bench says which
$(VENV)/for-bench: setup.cfg | $(VENV)/for-test
	for peer in duckdb pgserver usearch hnswlib; do \
		PYTHONWARNINGS=ignore $(BIN)/pip install -q -e ".[bench-$$peer]" || echo "$$peer is not here to compare with."; \
	done
	@touch $@

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo 'FaceVault needs Python 3.11 or later as $(PYTHON), and it was not found.'; \
		     echo '    sudo apt install python3 python3-venv make'; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo 'Python cannot make an environment for the project: python3-venv is missing.'; \
		     echo '    sudo apt install python3-venv make'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@
