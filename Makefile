# Everything runs in a virtual environment of its own, .venv, made from the hashed requirements.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help demo test packages fuzz test-applications bench bench-quick scaling check lint types docs conformance requirements clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "nnpack needs Python 3.10 or later with venv; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: $(VENV)/.installed ## train two networks with Keras, predict with them where Keras cannot be imported
	@$(RUN) examples/demo/train.py demo
	@$(RUN) examples/demo/predict.py demo

test: lint types docs ## everything that CI runs
	@$(MAKE) --silent -C c size OUT=build/size
	$(RUN) -m pytest --numprocesses 2 --dist worksteal

packages: ## Debian, as root: compilers, emulators, an office and a browser, without which some tests are skipped
	apt-get install --yes --no-install-recommends g++ clang libclang-rt-dev cmake pkg-config qemu-user \
		gcc-arm-linux-gnueabihf libc6-dev-armhf-cross gcc-powerpc-linux-gnu libc6-dev-powerpc-cross \
		gcc-arm-none-eabi libnewlib-arm-none-eabi libreoffice-calc chromium

fuzz: ## any bytes against the C runtime, ten minutes for loading, ten for loading and running
	$(MAKE) -C c fuzz FUZZ_SECONDS=600

test-applications: $(VENV)/.installed ## export every network of keras.applications; an hour, 18 GB of memory
	$(RUN) -m pytest -m applications

$(VENV)/.bench: requirements/bench.txt $(VENV)/.installed
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/bench.txt
	@touch $@

bench: $(VENV)/.bench ## measure nnpack beside other runtimes: benchmarks/RESULTS.md; ten minutes
	$(RUN) benchmarks/run.py

bench-quick: $(VENV)/.bench ## the same for the small models, in two minutes
	$(RUN) benchmarks/run.py --quick

scaling: $(VENV)/.bench ## cost against batch, depth, width, image size and length: benchmarks/SCALING.md
	$(RUN) benchmarks/scaling.py

check: test ## the same

lint: $(VENV)/.installed
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .

types: $(VENV)/.installed
	$(RUN) -m mypy

docs: $(VENV)/.installed ## whether the generated parts of README and spec are up to date
	$(RUN) spec/generate.py --check

conformance: $(VENV)/.installed ## make the cases of the conformance suite anew
	cd conformance && ../$(RUN) -m generate

requirements: $(VENV)/.installed ## choose the newest versions of everything that the project uses
	$(RUN) -m pip install --quiet uv
	$(RUN) -m uv pip compile pyproject.toml --extra dev --universal --python-version 3.10 --upgrade --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements/dev.txt
	$(RUN) -m uv pip compile pyproject.toml --extra bench --constraint requirements/dev.txt --universal --python-version 3.10 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet \
		--output-file requirements/bench.txt

clean: ## remove what the other targets made
	rm -rf $(VENV) demo build c/build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
