# The two commands of the README, and what they stand on. `make` alone lists them.
PYTHON ?= python3
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# a class's shared data folder beside the checkout, where nothing else is set
ifeq ($(HF_LLM_DATA_DIR),)
ifneq ($(wildcard ../shared/data),)
export HF_LLM_DATA_DIR := $(abspath ../shared/data)
endif
endif

.PHONY: help setup demo mnist discuss app test lint stress clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1|/' | column -t -s '|'

setup: $(STAMP)  ## the environment in .venv (TORCH_INDEX=… takes torch from another index)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hf_llm needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

demo: setup  ## a tokenizer and a GPT-2 on The Verdict, into runs/verdict
	@$(BIN)/hf-llm demo

mnist: setup  ## the exercise: an MLP without and with dropout, curves and report, into runs/mnist
	@$(BIN)/hf-llm exercise

discuss: setup  ## every experiment in its short version, into runs/discuss
	@$(BIN)/hf-llm discuss all --quick --output_dir runs/discuss

app: setup  ## the web app on http://127.0.0.1:7860: see inside a model that you trained
	@$(BIN)/hf-llm app

test: setup lint  ## the tests
	@$(BIN)/python -m pytest -m 'not stress' --numprocesses auto --dist loadfile --durations 15

lint: setup  ## ruff
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

stress: setup  ## the long fault and load tests, with their results
	@PIP_RETRIES=0 PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/python -m pytest -m stress
	@$(BIN)/hf-llm crash_test --kills 100 --seed 0 --output_dir results/crash-test
	@$(BIN)/hf-llm benchmark app-load --output_dir results/app-load
	@$(BIN)/hf-llm hub_stress --faults 200 --seed 0 --output_dir results/hub-faults
	@$(BIN)/hf-llm hostile_test --environments 300 --seed 0 --output_dir results/hostile

clean:  ## remove the environment
	rm -rf $(VENV)
