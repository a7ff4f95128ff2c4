# Everything one does in this repository. `make` alone lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test compose-check faults bench audit shop lint format sbom audit-dependencies clean venv

# Options for the program behind a target: make test ARGS="-k order"
ARGS ?=
VENV := .venv
LOCK := deploy/requirements/dev.lock

# Containers often forbid Python to keep compiled code. Here every test process would compile 5,000 files again.
unexport PYTHONDONTWRITEBYTECODE

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

# Programs are started with exec, so that a signal finds them and not a shell.
run: venv ## Start the whole shop here, place a sample order, stay up (ARGS=--help)
	@exec $(VENV)/bin/python -m deploy.local run $(ARGS)

test: venv ## Run the tests, against real servers that they start (ARGS for pytest)
	@exec $(VENV)/bin/python -m pytest $(ARGS)

compose-check: venv ## Start compose.yaml on a Docker engine of its own, use it, break it (root; ARGS=--help)
	@exec $(VENV)/bin/python -m tests.compose $(ARGS)

faults: venv ## Break the platform in every way there is, and write docs/faults.md (ARGS=--help)
	@exec $(VENV)/bin/python -m tests.faults $(ARGS)

bench: venv ## Measure it, beside yardsticks taken in the same run (ARGS=--help)
	@exec $(VENV)/bin/python -m bench $(ARGS)

audit: venv ## Check that in the shop of `make run` everything adds up (ARGS=--help)
	@exec $(VENV)/bin/shop audit $(ARGS)

shop: venv ## Operate it: ARGS="lag", "find --key …", "sagas list", … (ARGS=--help)
	@exec $(VENV)/bin/shop $(ARGS)

lint: venv ## Check style, types and who imports whom
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy .
	@$(VENV)/bin/lint-imports

format: venv ## Fix and format the code
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

sbom: venv ## List what is installed: build/sbom.cdx.json (CycloneDX)
	@sh deploy/sbom.sh $(VENV) build/sbom.cdx.json

audit-dependencies: venv ## Look the locked packages up among known vulnerabilities
	@exec $(VENV)/bin/python -m deploy.vulnerabilities $(ARGS)

clean: ## Remove the data of `make run` (SHOP_HOME, .local)
	@python=$$(sh deploy/local/python.sh "$(PYTHON)") && exec "$$python" -m deploy.local.clean

venv: ## Make the virtual environment, where it is missing or older than its lock file
	@sh deploy/local/venv.sh $(VENV) $(LOCK) "$(PYTHON)"
