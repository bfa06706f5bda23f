# The developers' and operators' door. Each target installs what it needs first.

EVOPROXY := .venv/bin/evoproxy
INSTALLED := .venv/.installed

.PHONY: help setup demo run test check soak bench chaos

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## create .venv and install everything

$(INSTALLED): pyproject.toml constraints.txt scripts/setup
	scripts/setup

demo: $(INSTALLED) ## the service with 4,000 sample proxies and a simulated Evolution API
	$(EVOPROXY) demo

run: $(INSTALLED) ## the service with your settings (.env or environment)
	$(EVOPROXY) serve

test: $(INSTALLED) ## the whole check
	scripts/test

check: $(INSTALLED) ## the quick part of test: format, lint, types, imports, Lua
	scripts/check

soak: $(INSTALLED) ## the promises of size at full size
	scripts/soak

bench: $(INSTALLED) ## figures to compare releases by
	scripts/bench

chaos: $(INSTALLED) ## a storm of kills, restarts and outages, two minutes
	scripts/chaos
