# Two commands: `make run` and `make test`. The rest are short names for `manage.py …`.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do command -v $$p && break; done)
BASE = $(PYTHON) tools/bootstrap.py --base
DEV = $(PYTHON) tools/bootstrap.py --dev
RUFF = $(DEV) -m ruff
MYPY = $(DEV) -m mypy
PYTEST = $(DEV) -m pytest
# One more than there are cores, as tests of processes wait most of their time.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 2) + 1))')
# Without a database it warns that it cannot compare with one; that is not asked here.
MIGRATIONS = $(DEV) -W ignore manage.py makemigrations --check --dry-run
DOCKER ?= docker
ENDPOINT ?= http://127.0.0.1:$(or $(PORT),8000)
NAMESPACE ?= fraud-detection

.DEFAULT_GOAL := help
.PHONY: help run test test-streams chaos bench bench-detection lint format typecheck \
	migrations-check fuzz lock clean install dev-setup run-api run-app doctor generate-data generate-load train evaluate-models \
	smoke screenshots queue-picture docker-build docker-up docker-down deploy-local deploy-k8s

help: ## Show these lines
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 20

# --- the two commands -----------------------------------------------------------------------------
run: ## Install, start everything, print the address and the log-ins (PORT=8001 for another port)
	@$(BASE) manage.py up

test: ## The whole product: style, types, migrations, every test but most of chaos and crashes of streams
	@$(DEV)
	@bad=0; \
	$(RUFF) check . || bad=1; \
	$(RUFF) format --check . || bad=1; \
	$(MYPY) || bad=1; \
	$(MIGRATIONS) || bad=1; \
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=25 --ignore=tests/chaos/test_workers.py --ignore=tests/chaos/test_pipeline.py --ignore=tests/streams/test_crashes.py --ignore=tests/streams/test_spark.py || bad=1; \
	exit $$bad

# --- parts of it ----------------------------------------------------------------------------------
test-streams: ## Kafka, MQTT and Spark, with real brokers, which are killed (needs Java, Maven, Mosquitto)
	@$(DEV) tools/spark.py --delta >/dev/null || true
	@$(PYTEST) tests/streams

chaos: ## Kill, stop, starve and cut off a whole installation; what was acknowledged, what became of it (clocks: libfaketime)
	@CHAOS=1 $(PYTEST) tests/chaos

fuzz: ## Every operation of the API asked all that schemathesis and hypothesis know, and more at random (EXAMPLES=30)
	@ANOMALYSHIELD_EXAMPLES=$(or $(EXAMPLES),30) $(PYTEST) tests/rest/test_schemathesis.py tests/rest/test_any_request.py

bench: ## Throughput and latency, each beside the naive way
	@$(DEV) -m benchmarks

bench-detection: ## How well frauds are found on public data (DATA=folder with the files)
	@$(DEV) -m benchmarks.detection $(DATA)

lint: ## Style
	@$(RUFF) check .
	@$(RUFF) format --check .

format: ## Rewrite the code in the house style
	@$(RUFF) check --fix .
	@$(RUFF) format .

typecheck: ## Types of the engine and the sources
	@$(MYPY)

migrations-check: ## Models and migrations agree
	@$(MIGRATIONS)

lock: ## Pin every package with its hashes, for all platforms (needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.11 -q pyproject.toml -o requirements.txt
	uv pip compile --universal --generate-hashes --python-version 3.11 -q pyproject.toml --extra extras -c requirements.txt -o requirements-extras.txt
	uv pip compile --universal --generate-hashes --python-version 3.11 -q pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt

clean: ## Remove data, logs, environment and caches
	@$(PYTHON) tools/clean.py

# --- on one machine -------------------------------------------------------------------------------
install: ## Install the packages only
	@$(BASE)

dev-setup: ## Install the packages and what tests and linters need
	@$(DEV)

run-api: run ## The API and the pages are one server
run-app: run ## The API and the pages are one server

doctor: ## Say what is wrong, and the cure
	@$(BASE) manage.py doctor

generate-data: ## Made-up payments and the truth about them, into var/generated
	@$(BASE) manage.py generate_data

generate-load: ## An even stream of transactions against a running server
	@$(BASE) manage.py loadtest --endpoint $(ENDPOINT)

train: ## Train a candidate from the labels
	@$(BASE) manage.py train

evaluate-models: ## Figures of every model version
	@$(BASE) manage.py evaluate

screenshots: ## Every page in light, dark and 400 px, into var/screenshots (needs Chromium)
	@$(DEV) tools/screenshots.py

queue-picture: ## The picture of the README, from a fresh demo (needs Chromium)
	@$(DEV) tools/screenshots.py queue

smoke: ## Is a running server alive from end to end?
	@$(BASE) manage.py smoke --endpoint $(ENDPOINT)

# --- containers -----------------------------------------------------------------------------------
docker-build: ## Build the image
	$(DOCKER) build -t anomalyshield:latest .

docker-up deploy-local: ## Start web, worker, ticker, PostgreSQL and Valkey in containers
	$(DOCKER) compose up -d --build

docker-down: ## Stop the containers; the data stays
	$(DOCKER) compose down

deploy-k8s: ## Apply the manifests to the current cluster
	kubectl apply --namespace $(NAMESPACE) -f anomalyshield/deploy/kubernetes/
