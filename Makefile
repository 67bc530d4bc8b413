# Every target makes the environment it needs in .venv; nothing has to be installed first but
# Python 3.11 to 3.13 (with venv), git and make. Set PYTHON to choose another interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: help sim test test-other-blas wheel-test bench sim-mutants lint clean

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20
	@for file in $$(grep -lsE '^STUDY\b.*= Study\b' $(addsuffix /*.py,$(STUDIES))); do \
		printf 'study-%s\t' "$$(basename "$$file" .py | tr _ -)"; \
		sed -n '1s/^"""//;1s/"""$$//p' "$$file"; \
	done | expand -t 20

# Studies: a file in one of these folders that holds one is a target and a part of the index.

STUDIES := toreq_hw/studies $(subst :, ,$(TOREQ_HW_STUDIES))

.PHONY: study-index study-bench study-lazy study-parity study-robustness study-structured study-synthesis study-learning study-search study-verification

study-index: $(VENV)/core ## Write the index of all studies beside the published records.
	$(BIN)/toreq-hw study --index reports/published

.PHONY: models

models: $(VENV)/core ## Train every network of the zoo again and compare hash, accuracy and recipe (minutes; needs MNIST).
	@for model in $$($(BIN)/python -c 'from toreq_hw import models; print(*models.catalogue())'); do \
		$(BIN)/toreq-hw models verify $$model || exit 1; \
	done

.PHONY: estimators regressors

estimators: $(VENV)/core ## Fit six tables with default settings, beside scikit-learn; writes reports/published.
	$(BIN)/toreq-hw study estimators --out reports/published

regressors: $(VENV)/core ## Score regressors on small targets; prints the table of docs/estimators.md.
	$(BIN)/python testbench/regressors.py

study-bench: bench
study-lazy: lazy
study-parity: parity
study-robustness: robustness
study-structured: structured-full
study-synthesis: reports
study-learning: learning
study-search: search
study-verification: verify

study-%: $(VENV)/core
	$(BIN)/toreq-hw study $*

sim: $(VENV)/core ## Train on digits with the integer rule, relax, compare engines, report.
	$(BIN)/toreq-hw demo --out build/sim

test: $(VENV)/extra-test ## Run the tests of the core, the simulator and the commands.
	$(BIN)/python -m pytest testbench/core testbench/sim testbench/commands --numprocesses auto

test-other-blas: $(VENV)/extra-test ## Run the tests of float sums again under another BLAS kernel.
	$(BIN)/python -m testbench.other_blas

wheel-test: $(VENV)/extra-dist ## Build archive and wheel; try them in empty environments of every Python at hand.
	$(BIN)/python -m testbench.wheel

bench: $(VENV)/extra-test ## Measure accuracy, speed and memory side by side.
	$(BIN)/toreq-hw bench --out build/bench

sim-mutants: $(VENV)/extra-test ## Break the simulator on purpose and count what the tests notice.
	$(BIN)/python testbench/sim_mutants.py $(MUTANTS)

lint: $(VENV)/extra-lint ## Check style, types and import rules.
	@! git grep -nE '^(<<<<<<<|>>>>>>>) ' || (echo 'merge conflicts must be resolved' && exit 1)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: docs

docs: $(VENV)/extra-docs ## Build the documentation, run its notebooks, check its links; into build/docs.
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -c docs/site . build/docs

.PHONY: docs-external changelog archives

docs-external: $(VENV)/core ## Ask every address in the pages whether it is still there; needs a network.
	$(BIN)/python -m testbench.external_links

changelog: $(VENV)/extra-dist ## Make a section of CHANGELOG.md of the fragments in changes/; VERSION=0.2.0.
	@test -n "$(VERSION)" || { echo "VERSION must be the number of the release: make changelog VERSION=0.2.0"; exit 2; }
	$(BIN)/towncrier build --yes --version "$(VERSION)"
	sed -i 's/^fallback_version = "[^"]*"/fallback_version = "$(VERSION)"/' pyproject.toml
	sed -i 's/^version: .*/version: $(VERSION)/' CITATION.cff
	@echo "Commit this, then: git tag v$(VERSION)"

archives: $(VENV)/extra-dist ## Build wheel and source archive into build/dist, and check them as an index would.
	rm -rf build/dist
	$(BIN)/python -m build --outdir build/dist
	$(BIN)/twine check --strict build/dist/*

.PHONY: fuzz fuzz-quick

fuzz: $(VENV)/extra-quant-test $(VENV)/extra-boards-test ## Give a million damaged files to all readers; only our own one-line errors may come back.
	$(BIN)/python -m testbench.fuzz --count 1000000

fuzz-quick: $(VENV)/extra-quant-test $(VENV)/extra-boards-test ## The same with 20,000 files.
	$(BIN)/python -m testbench.fuzz --count 20000

clean: ## Remove tool output and the environment.
	rm -rf build $(VENV)

$(VENV)/core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "Python must be 3.11 to 3.13, found %d.%d; set PYTHON=..." % v)'
	@echo "Installing into $(VENV) ..."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/extra-%: $(VENV)/core
	@echo "Installing the extra '$*' into $(VENV) ..."
	$(PIP) --editable '.[$*]'
	touch $@

# Neuromorphic deployment

.PHONY: deploy lava-test lava-mutants

deploy: $(VENV)/lava ## Run the network on Lava's model of Loihi 2 and map it onto neurocores.
	$(BIN)/python -m toreq_hw.deploy --target loihi --json build/loihi/record.json --out build/loihi

lava-test: $(VENV)/lava $(VENV)/extra-sanafe $(VENV)/extra-test ## Run the tests of the neuromorphic targets.
	$(BIN)/python -m pytest testbench/lava

lava-mutants: $(VENV)/lava $(VENV)/extra-test ## Break the neuromorphic parts on purpose and count what the tests notice.
	$(BIN)/python testbench/lava_mutants.py $(MUTANTS)

# Lava comes last and alone: its own pins are years old and its Python range ends before ours.
$(VENV)/lava: $(VENV)/extra-nengo
	@echo "Installing Lava into $(VENV) ..."
	$(PIP) --no-deps --ignore-requires-python lava-nc
	touch $@

# Quantised training and interchange

.PHONY: quant-test gpu-check parity parity-quick onnx-check

quant-test: $(VENV)/extra-quant-test ## Run the tests of quantised training, ONNX and QONNX.
	$(BIN)/python -m pytest testbench/quant --numprocesses auto

gpu-check: $(VENV)/extra-quant-test ## Hold training on CUDA against the CPU and time it; needs a GPU, ends with status 2 without.
	$(BIN)/python -m testbench.quant.gpu_check

parity: $(VENV)/extra-quant ## Train all tasks with both rules, five seeds; hours, resumes.
	$(BIN)/toreq-hw parity --seeds 5 --out reports/published

parity-quick: $(VENV)/extra-quant ## The same in small, on digits.
	$(BIN)/toreq-hw parity --quick --work build/parity-quick --out build/parity-quick

onnx-check: $(VENV)/extra-quant ## Train on MNIST for one epoch; onnxruntime must compute the simulator's states.
	for weights in int8 ternary; do \
		$(BIN)/toreq-hw train --engine torch --data mnist --hidden 512 --weights $$weights --epochs 1 \
			--out build/onnx/$$weights.safetensors && \
		$(BIN)/toreq-hw export build/onnx/$$weights.safetensors --data mnist --verify 1000 || exit 1; \
	done

# The Observatory

.PHONY: observe observe-gif observe-load observe-machines observe-test

observe: $(VENV)/extra-observe ## Watch the network of make sim settle, live in the browser.
	$(BIN)/toreq-hw observe

observe-gif: $(VENV)/core ## Make the film of the README again.
	$(BIN)/toreq-hw observe --sample 3 --nudge 5 --gif docs/observatory.gif

observe-test: $(VENV)/extra-observe-test ## Run the tests of the Observatory, without other machines.
	$(BIN)/python -m pytest testbench/observatory --ignore testbench/observatory/test_machines.py --numprocesses auto

observe-machines: $(VENV)/lava $(VENV)/extra-rtl $(VENV)/extra-observe-test ## Compare the compiled core and Lava with the simulator, on the page.
	$(BIN)/python -m pytest testbench/observatory/test_machines.py

observe-load: $(VENV)/extra-observe-test ## Watch with 20 tabs at once for five minutes; what the server takes must not grow.
	$(BIN)/python -m testbench.observatory.load

# Every kind of coupling

.PHONY: structured structured-quick structured-full

structured: $(VENV)/extra-quant ## Train every kind of coupling on digits and MNIST, one seed.
	$(BIN)/toreq-hw structured --quick --out build/structured-quick
	$(BIN)/toreq-hw structured --data mnist,reversal-8 --seeds 1 --out build/structured

structured-quick: $(VENV)/core ## The same on digits alone, without a baseline.
	$(BIN)/toreq-hw structured --quick --work build/structured-quick --out build/structured-quick

structured-full: $(VENV)/extra-quant ## All cases, five seeds, backpropagation beside; hours, resumes.
	$(BIN)/toreq-hw structured --jobs 2 --out reports/published

# Every published claim

.PHONY: verify verify-quick

verify: $(VENV)/extra-quant $(VENV)/extra-rtl ## Judge every published claim, five seeds; hours, resumes; writes reports/published.
	$(BIN)/toreq-hw verify --all --jobs 2 --out reports/published

verify-quick: $(VENV)/extra-quant $(VENV)/extra-rtl ## The same on digits with one seed, in minutes; no result to publish.
	$(BIN)/toreq-hw verify --quick --work build/verify-quick --out build/verify-quick

# The core in hardware

.PHONY: rtl-test rtl-learn rtl-learn-quick rtl-learn-soak rtl-learn-mutants rtl-relearn rtl-relearn-quick rtl-relearn-mutants rtl-soak rtl-mutants accumulator-mutants rtl-formal rtl-netlist

RTL_NETWORKS := build/rtl/networks

rtl-test: $(VENV)/extra-rtl-test $(addprefix $(RTL_NETWORKS)/,digits.safetensors digits-int8.safetensors digits-signed.safetensors) ## Prove in simulation that the core is the simulator.
	rm -rf build/rtl/runs
	$(BIN)/python -m pytest testbench/rtl --numprocesses 2
	$(BIN)/python -m testbench.rtl.soak $(RTL_NETWORKS)/digits.safetensors --data digits --images 200 --nudged --name soak-quick
	$(BIN)/python -m testbench.rtl.soak $(RTL_NETWORKS)/digits.safetensors --data digits --images 200 --nudged --threshold 4 --name soak-lossy
	$(BIN)/python -m testbench.rtl.soak $(RTL_NETWORKS)/digits-int8.safetensors --data digits --nudged --name soak-int8
	$(BIN)/python -m testbench.rtl.soak $(RTL_NETWORKS)/digits-signed.safetensors --data digits --nudged --name soak-signed
	$(BIN)/python -m testbench.rtl.report

rtl-learn: $(VENV)/extra-rtl-test ## Train digits on the core, all epochs; every latent, bias and cycle as in the simulator.
	$(BIN)/python -m testbench.rtl.learn --data digits --hidden 32 --lanes 8 --learn-lanes 2

rtl-learn-quick: $(VENV)/extra-rtl-test ## The same on a small network, two epochs.
	$(BIN)/python -m testbench.rtl.learn --data digits --hidden 8 --lanes 4 --learn-lanes 2 --epochs 2 --name learn-quick

rtl-learn-soak: $(VENV)/extra-rtl-test ## One epoch of MNIST, 60,000 samples, on the core; some minutes, resumes.
	$(BIN)/python -m testbench.rtl.learn --data mnist --hidden 80 --lanes 4 --learn-lanes 1 --epochs 1 --resume --no-cocotb --name learn-soak

rtl-learn-mutants: $(VENV)/extra-rtl-test ## Break what learns in 80 ways; each must be noticed or proved harmless.
	$(BIN)/python -m testbench.rtl.learning_mutants --count 80

rtl-relearn: $(VENV)/extra-rtl-test ## Break a trained core and let it learn on; every latent as in the simulator.
	$(BIN)/toreq-hw study core-relearning --out reports/published

rtl-relearn-quick: $(VENV)/extra-rtl-test ## The same on a small network, one epoch after each damage.
	$(BIN)/python -m testbench.rtl.relearn

rtl-relearn-mutants: $(VENV)/extra-rtl-test ## Break the fault port of a core that learns; its tests must notice.
	$(BIN)/python testbench/relearning_mutants.py $(MUTANTS)

.PHONY: bus-mutants

bus-mutants: $(VENV)/extra-rtl-test ## Break the wrappers for AXI and Wishbone; each break must be noticed.
	$(BIN)/python testbench/bus_mutants.py $(MUTANTS)

rtl-soak: $(VENV)/extra-rtl-test $(RTL_NETWORKS)/mnist.safetensors ## The 10,000 MNIST test images through a compiled core.
	$(BIN)/python -m testbench.rtl.soak $(RTL_NETWORKS)/mnist.safetensors --data mnist --lanes 16

rtl-mutants: $(VENV)/extra-rtl-test ## Break the core in 150 ways; each must be noticed or proved harmless.
	$(BIN)/python -m testbench.rtl.mutants --count 150

accumulator-mutants: $(VENV)/extra-rtl-test ## Break the rows of accumulators; their tests must notice.
	$(BIN)/python testbench/accumulator_mutants.py $(MUTANTS)

rtl-formal: $(VENV)/extra-rtl-test ## Prove what must never happen, and that the proofs can fail.
	$(BIN)/python -m testbench.rtl.formal

rtl-netlist: $(VENV)/extra-rtl-test ## Run the same test on a core synthesised for iCE40.
	$(BIN)/python -m testbench.rtl.netlist

$(RTL_NETWORKS)/digits.safetensors: | $(VENV)/core
	$(BIN)/toreq-hw train --data digits --hidden 32 --epochs 8 --out $@

$(RTL_NETWORKS)/digits-int8.safetensors: | $(VENV)/core
	$(BIN)/toreq-hw train --data digits --hidden 64 --weights int8 --epochs 4 --out $@

$(RTL_NETWORKS)/digits-signed.safetensors: | $(VENV)/core
	$(BIN)/toreq-hw train --data digits --hidden 64 --signed --epochs 4 --out $@

$(RTL_NETWORKS)/mnist.safetensors: | $(VENV)/core
	$(BIN)/toreq-hw train --data mnist --hidden 512 --epochs 4 --out $@

# Noise and damage

.PHONY: robustness robustness-quick robustness-test

robustness: $(VENV)/core ## Run every damage campaign on digits and MNIST; writes reports/published.
	$(BIN)/toreq-hw robustness --data digits --data mnist --out reports/published

robustness-quick: $(VENV)/core ## A few damage campaigns on digits, controls included.
	$(BIN)/toreq-hw robustness --quick --out build/robustness

robustness-test: $(VENV)/extra-test ## Run the tests of noise, damage, campaigns and fault maps.
	$(BIN)/python -m pytest testbench/robustness --numprocesses auto

.PHONY: robustness-replay

robustness-replay: $(VENV)/lava $(VENV)/extra-rtl-test ## Replay fault maps in the simulator, in RTL and in Lava.
	$(BIN)/python -m pytest testbench/replay --numprocesses 2

.PHONY: robustness-cluster

robustness-cluster: $(VENV)/extra-cluster $(VENV)/extra-test ## Run a campaign on a live Dask cluster, and take it away.
	$(BIN)/python -m pytest testbench/cluster

# Boards

.PHONY: synth-test synth-mutants reports learning lazy

REPORT_NETWORKS := build/reports/networks

synth-test: $(VENV)/extra-boards-test ## Test boards, clocks, rejected input and parsers on small real builds.
	$(BIN)/python -m pytest testbench/synth --numprocesses 2 --dist loadfile

synth-mutants: $(VENV)/extra-boards-test ## Break the flow to bitstreams on purpose and count what the tests notice.
	$(BIN)/python testbench/synth_mutants.py $(MUTANTS)

reports: $(VENV)/extra-boards $(addprefix $(REPORT_NETWORKS)/,digits.safetensors mnist.safetensors mnist-int8.safetensors) ## Build every published design for its board, and every core that learns; writes reports/published.
	$(BIN)/toreq-hw reports --networks $(REPORT_NETWORKS) --out reports/published
	$(BIN)/toreq-hw learning --out reports/published

learning: $(VENV)/extra-boards ## Train, time and build every core that learns on its board; writes reports/published.
	$(BIN)/toreq-hw learning --out reports/published

lazy: $(VENV)/extra-rtl $(addprefix $(REPORT_NETWORKS)/,digits.safetensors mnist.safetensors mnist-int8.safetensors) ## Measure what cores save by sending less or stopping sooner; writes reports/published.
	$(BIN)/toreq-hw lazy $(addprefix $(REPORT_NETWORKS)/,digits.safetensors mnist.safetensors mnist-int8.safetensors) \
		--data digits --data mnist --data mnist --out reports/published

$(REPORT_NETWORKS)/digits.safetensors: | $(VENV)/core
	$(BIN)/toreq-hw train --data digits --hidden 128 --out $@

$(REPORT_NETWORKS)/mnist.safetensors: | $(VENV)/core
	$(BIN)/toreq-hw train --data mnist --hidden 512 --out $@

$(REPORT_NETWORKS)/mnist-int8.safetensors: | $(VENV)/core
	$(BIN)/toreq-hw train --data mnist --hidden 256 --weights int8 --out $@

# The search

.PHONY: search search-quick search-test search-mutants

search: $(VENV)/extra-search ## Search for networks and cores on MNIST and Fashion-MNIST for five boards; hours, resumes; writes reports/published.
	$(BIN)/toreq-hw search --published --jobs 2 --out reports/published

search-quick: $(VENV)/extra-search ## The same in small on digits: real Yosys, no place and route; two minutes.
	$(BIN)/toreq-hw search --file examples/search.toml --budget 12 --jobs 2 --work build/search-quick --out build/search-quick

search-mutants: $(VENV)/extra-search-test ## Break the search on purpose and count what the tests notice.
	$(BIN)/python testbench/search_mutants.py $(MUTANTS)

search-test: $(VENV)/extra-search-test $(VENV)/extra-cluster ## Run the tests of the search.
	$(BIN)/python -m pytest testbench/search --numprocesses 2

# The link to a board

.PHONY: board-test board-netlist link-mutants link-formal link-fuzz

board-test: $(VENV)/extra-boards-test ## Test the link: gateware, host, faults on the line, deployment.
	$(BIN)/python -m pytest testbench/boards --numprocesses 2

board-netlist: $(VENV)/extra-boards-test $(REPORT_NETWORKS)/digits.safetensors ## Run digits on the synthesised iCEBreaker system under its UART.
	$(BIN)/python -m testbench.boards.netlist $(REPORT_NETWORKS)/digits.safetensors

link-formal: $(VENV)/extra-boards-test ## Prove that a board always hears IDENTIFY and RESET, and answers.
	$(BIN)/python -m testbench.boards.link_formal

link-fuzz: $(VENV)/extra-boards-test ## Send 100,000 random, mutated, reordered and overlapping frames to a board.
	$(BIN)/python -m testbench.boards.link_fuzz --frames 100000

link-mutants: $(VENV)/extra-boards-test ## Break the link on purpose and count what the tests notice.
	$(BIN)/python testbench/link_mutants.py $(MUTANTS)
