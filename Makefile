# Every target works on a fresh clone: it makes what it needs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHROMIUM := /usr/bin/chromium
# Tests start many processes: compiled files are kept, whatever the environment says, or each of them compiles all it imports.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help install models demo check chat test test-fast lint fix types bench bench-decoding bench-citations bench-abstention bench-gate bench-conflicts bench-retrieval bench-overhead bench-add bench-crash bench-scale bench-sizing reproduce browser clean

help: ## print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo,dev,train,serve,mcp,otel,login,bulk,bench]'
	@touch $(READY)

install: $(READY) ## create .venv and install everything into it

models: $(READY) ## fetch and convert the default models (about 600 MB)
	$(BIN)/symposia models fetch all-minilm-l6-v2 qwen2.5-coder-0.5b

demo: models ## build the demo panel, then answer six questions with route, evidence, citations and verdict
	$(BIN)/symposia demo

check: models ## ask the demo panel the 40 questions of data/questions.jsonl and print a table
	$(BIN)/symposia demo --check

chat: models ## open the chat in a browser, on the demo panel or on your own experts
	$(BIN)/symposia chat

test: $(READY) models browser ## all tests: the browser's by themselves, then the others in two processes
	$(PYTEST) -m browser; browser=$$?; \
	OMP_NUM_THREADS=1 $(PYTEST) --numprocesses 2 --dist loadfile -m 'not browser' && exit $$browser

test-fast: $(READY) ## the tests that need no model, in as many processes as there are cores
	OMP_NUM_THREADS=1 $(PYTEST) --numprocesses auto -m 'not slow and not browser and not benchmark'

lint: $(READY) ## check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

fix: $(READY) ## repair style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## check types
	$(BIN)/mypy

bench: models ## print speed and memory on the demo panel
	$(BIN)/symposia bench speed

bench-decoding: models ## nine decoding policies where the context is right, agrees, or is wrong (needs ../shared/data; an hour; GENERATOR=name)
	$(BIN)/symposia $(if $(GENERATOR),--set models.generator=$(GENERATOR)) bench decoding

bench-citations: models ## our citations beside printed marks and embedding similarity (needs ../shared/data)
	$(BIN)/symposia bench citations

bench-abstention: models ## who knows when not to answer, with the risk-coverage curves (needs ../shared/data)
	$(BIN)/symposia bench abstention

bench-gate: models ## whether to retrieve: needless searches saved, and needed ones lost (needs ../shared/data)
	$(BIN)/symposia bench gate

bench-conflicts: models ## sources that disagree, beside one answer from all of them (needs ../shared/data)
	$(BIN)/symposia bench conflicts

reproduce: models ## run the commands whose scores are known, and say OK, OKish or FAIL (needs ../shared/data)
	$(BIN)/symposia reproduce

bench-retrieval: models ## train six experts, then compare routers and one encoder (needs ../shared/data; half an hour)
	$(BIN)/symposia bench retrieval --language 20

bench-overhead: models ## routing and search beside LlamaIndex's retrievers over the same vectors
	$(BIN)/symposia bench overhead

bench-add: models ## add everything twice, change ten documents, and add beside the bare encoder (needs ../shared/data; half an hour)
	$(BIN)/symposia bench add --memory 50000

bench-crash: $(READY) ## kill a process that adds 5,000 documents, a hundred times, and count what is lost
	$(BIN)/symposia bench crash --times 100 --documents 5000

bench-scale: $(READY) ## half a million passages in our store and in others (half an hour, 6 GiB of disk)
	$(BIN)/symposia bench scale --points 500000 --rival-points 20000

bench-sizing: models ## bytes on disk and in memory a passage, and what that comes to for a billion
	$(BIN)/symposia bench sizing

browser: ## install Debian's chromium where it is missing (run it as root)
	@test -x $(CHROMIUM) || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null)

clean: ## remove the environment and caches; what is in .symposia stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
