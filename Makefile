# Needs Python >= 3.11 and Node >= 20 (20.19 or newer). All else is made here: .venv, node_modules, the web client, stamps in .make.
#
#   make serve [ROOT=folder] [PORT=8000]   serve a folder on this machine
#   make test  [PYTEST="tests/web -x"]     install what the tests need, check everything, run every test
#   make test-full                         the same at full size
#   make lint | clean
#   make bench [BENCH=--quick]             measure this server beside others, for docs/explanation/performance.md

ROOT ?= documents
PORT ?= 8000
# More than there are processors: many tests wait for a clock of the product's, or for another process. Six take as long, and the servers and
# browsers of six tests make each other late.
PYTEST ?= --numprocesses 4 --dist worksteal
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell command -v $(name) >/dev/null && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))

VENV := .venv/bin
CLIENT := collab/web/client/index.html
CLIENT_SOURCES := $(shell find static -mindepth 1 \( -name node_modules -o -name test -o -name __pycache__ -o -name build_hook.py \) -prune -o -print)

.PHONY: serve test test-full lint types style imports client-types client-tests collected bench clean needs
.DELETE_ON_ERROR:

serve: .make/run $(CLIENT) $(if $(filter documents,$(ROOT)),documents)
	@exec $(VENV)/collab serve --root "$(ROOT)" --host 127.0.0.1 --port "$(PORT)"

# What is installed, then what is checked, has nothing to wait for in each other; where make can, each check's words are printed together.
test: needs
	@$(MAKE) --silent -j 3 .make/dev static/node_modules/.package-lock.json
	@$(MAKE) --silent -j 3 $(if $(filter output-sync,$(.FEATURES)),--output-sync) lint client-tests $(CLIENT) collected
	@$(VENV)/pytest $(PYTEST)

# Modules are compiled once, not in each of the tests' processes and of the hundreds of servers that they start.
test: export PYTHONDONTWRITEBYTECODE =

test-full: export COLLAB_TEST_SCALE = full
test-full: test

# The longest first.
lint: types style imports client-types

types: .make/dev
	@$(VENV)/mypy

style: .make/dev
	@$(VENV)/ruff check
	@$(VENV)/ruff format --check

imports: .make/dev
	@$(VENV)/lint-imports

client-types: static/node_modules/.package-lock.json
	@cd static && npm --silent run check

# pytest compiles the tests here, once; else each of its processes does so at the same time.
collected: .make/dev
	@$(VENV)/pytest $(PYTEST) --collect-only --quiet --quiet >.make/collected || { cat .make/collected; exit 1; }

client-tests: static/node_modules/.package-lock.json
	@cd static && npm --silent test

bench: .make/bench-tools $(CLIENT)
	@$(VENV)/python tests/bench/bench.py --write $(BENCH)

clean:
	rm -rf .venv .make .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	rm -rf collab/web/client static/node_modules tests/interop/node_modules tests/bench/node_modules

# What `make test` finds missing it installs itself when it may, else it says so and the tests that need it fail.
needs:
	@.ci/needs

documents:
	@mkdir -p .documents.new && cp docs/tutorial/welcome.md .documents.new/ && mv .documents.new $@

.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "collab needs Python 3.11 or newer: install it, or name it with PYTHON=" >&2; exit 1; }
	@echo "Making the Python environment in .venv" >&2
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make environments: on Debian install python3-venv" >&2; exit 1; }
	@$(VENV)/python -m pip install --quiet --upgrade "pip>=25.1"

.make/run: pyproject.toml static/build_hook.py .venv/pyvenv.cfg
	@mkdir -p .make
	@echo "Installing collab and its libraries into .venv" >&2
	@$(VENV)/python -m pip install --quiet --editable .
	@touch $@

.make/dev: .make/run
	@echo "Installing the tools for tests into .venv" >&2
	@$(VENV)/python -m pip install --quiet --group dev
	@touch $@

.make/bench-tools: .make/dev
	@echo "Installing what draws the benchmark's picture into .venv" >&2
	@$(VENV)/python -m pip install --quiet --group bench
	@touch $@

static/node_modules/.package-lock.json: static/package.json static/package-lock.json
	@node -e 'const [major, minor] = process.versions.node.split("."); process.exit(+(major < 20 || (major == 20 && minor < 19)))' 2>/dev/null || \
		{ echo "collab needs Node 20.19 or newer, with npm, to build its web client" >&2; exit 1; }
	@echo "Installing the web client's libraries into static/node_modules" >&2
	@cd static && npm ci --no-audit --no-fund --loglevel error >&2
	@touch $@

$(CLIENT): static/node_modules/.package-lock.json $(CLIENT_SOURCES)
	@echo "Building the web client" >&2
	@cd static && npm --silent run build -- --logLevel warn >&2
	@touch $@
