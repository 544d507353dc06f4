# Every target makes its own environment in .venv when that is missing: Python and make are all it takes.

PYTHON ?= python3
BIN := .venv/bin

# Where pyenv keeps its Pythons, for those who have it: tox looks for interpreters on the PATH only.
PYENVS := $(shell ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.1[1-9]*/bin 2>/dev/null | tr '\n' ':')

# Tests that search for long, and reach nothing that no other test reaches.
SEARCHES := tests/core/test_replay.py tests/core/test_stateful.py tests/spec/test_explore.py tests/spec/test_mutate.py tests/spec/test_together.py tests/conformance/broken

.PHONY: help demo test test-all coverage mutants fuzz mcp-conformance bench endurance check spec proof docs docs-links format lock dist clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/run ## two real servers, each with a client: open, join, talk, refuse a thief, close
	@TUNNEL_TRANSPORT=loopback $(BIN)/tunnel-mcp demo

test: .venv/dev ## every test that this machine can run; says what it left out (with CI=true that is a failure)
	@$(BIN)/python -m pytest -n auto --dist loadfile

test-all: .venv/dev coverage ## everything complete, on every Python that is supported (up to an hour)
	@$(BIN)/python -m pytest -n auto --dist loadfile $(SEARCHES)
	@$(BIN)/python -m spec.compiler mutate --core
	@PATH="$(PYENVS)$$PATH" $(BIN)/tox run $(if $(CI),--skip-missing-interpreters=false) --skip-env "^$$($(BIN)/python -c 'import sys; print("%d[.]%d" % sys.version_info[:2])')$$"

coverage: .venv/dev ## which lines and branches the tests reach; fails below the bounds
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m coverage run -m pytest -n auto --dist loadfile $(addprefix --ignore=,$(SEARCHES))
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report --include='tunnel/core/*,tunnel/spec/*,tunnel/crypto.py' --fail-under=100
	@$(BIN)/python -m coverage report --fail-under=95

mutants: .venv/dev ## make every small mistake in the code of the core, and ask which tests notice (a quarter of an hour)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'mutmut>=3.8'
	@$(BIN)/mutmut run
	@$(BIN)/python -m tests.survivors

fuzz: .venv/dev ## coverage-guided: SECONDS=60 for each target (TARGETS="codec link" for some); keeps what reaches new code
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary atheris --group fuzz
	@$(BIN)/python -m tests.fuzz --self-test
	@$(BIN)/python -m tests.fuzz $(TARGETS) --seconds $(or $(SECONDS),60) --date "$$(date +%F)"

mcp-conformance: .venv/dev ## the official conformance tests of MCP (downloads them; needs npx and Node 22: NODE=... says which)
	@NODE="$(NODE)" $(BIN)/python -m tests.app.mcp_conformance

bench: .venv/dev ## measure speed, memory and growth beside what the machine can do at best; writes docs/speed.md (leave the machine alone meanwhile)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary uvloop --group bench
	@$(BIN)/python -m tests.bench --write

endurance: .venv/dev ## a thousand cycles, a crowd, a bad network, a full disk, a day: nothing may be lost; writes docs/endurance.md (leave the machine alone meanwhile)
	@$(BIN)/python -m tests.endurance --write

check: .venv/dev ## style, types, and whether generated files are current
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/python -m spec.compiler lint
	@$(BIN)/python -m spec.compiler check

spec: .venv/dev ## write the generated files from spec/
	@$(BIN)/python -m spec.compiler build

proof: .venv/dev ## ask the model checker SPIN whether the rules hold, and whether it would notice if not (needs spin and gcc)
	@$(BIN)/python -m spec.compiler proof

docs: .venv/dev ## write the documentation as pages; a warning or a dead link is an error (with pictures where Graphviz is)
	@$(BIN)/python -m spec.compiler docs
	@$(BIN)/python -m sphinx -q -W --keep-going -n -b html -d docs/_build/doctrees docs docs/_build/html
	@echo "docs/_build/html/index.html"

docs-links: docs ## ask whether the links that leave the documentation still lead somewhere (needs the network)
	@$(BIN)/python -m sphinx -q -b linkcheck -d docs/_build/doctrees docs docs/_build/links

format: .venv/dev ## bring the code into the house's form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: .venv/dev ## write .ci/dev.lock anew, with the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group dev pyproject.toml --output-file .ci/dev.lock

dist: .venv/dev ## build the packages of both distributions, the bundle for desktop clients, and the spec for other languages, into dist/
	@rm -rf dist
	@for each in . conformance; do $(BIN)/python -m build --no-isolation --outdir dist $$each >/dev/null || exit 1; done
	@mkdir dist/bundle && tar -xzf dist/tunnel_mcp-*.tar.gz -C dist/bundle --strip-components 1
	@cd dist/bundle && ../../$(BIN)/python -m zipfile -c ../tunnel-mcp.mcpb manifest.json pyproject.toml README.md LICENSE tunnel
	@$(BIN)/python -m spec.compiler archive dist >/dev/null
	@rm -r dist/bundle && ls -l dist

clean: ## remove what the targets made
	rm -rf .venv dist .pytest_cache .ruff_cache .hypothesis .coverage mutants docs/_build docs/_generated docs/reference

.venv/pip:
	@echo "making .venv (once; it downloads the packages named in pyproject.toml)" >&2
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; this is %d.%d. Try: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@$(PYTHON) -m venv .venv || { echo "no venv: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

.venv/run: .venv/pip pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# What developers use is locked, by version and hash; what users get is what pyproject.toml allows.
.venv/dev: .venv/pip pyproject.toml .ci/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .ci/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ .venv/run
