# Apus. `make up` starts a cluster, `make test` proves it; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

RELEASE := swift build -c release --product apus --static-swift-stdlib
BINARY := .build/release/apus
DATA_DIR ?= /var/lib/apus
UP_FLAGS ?=

.PHONY: help deps test-deps build release up down test unit e2e lint format bench dist clean generate

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

deps: ## install the Debian packages that building and running need
	@Tools/deps.sh

test-deps: ## and those that the tests need
	@Tools/deps.sh test

build: deps ## debug build of everything
	swift build

release: deps ## the release binary, stripped, in dist/
	$(RELEASE)
	@mkdir -p dist
	@strip -o dist/apus.new $(BINARY)
	@mv dist/apus.new dist/apus
	@ls -l dist/apus | awk '{ printf "dist/apus: %.1f MB\n", $$5 / 1000000 }'

up: release ## start a one-node cluster and leave a working kubeconfig
	dist/apus up --data-dir $(DATA_DIR) $(UP_FLAGS)

down: ## stop the cluster; PURGE=1 also deletes its data
	dist/apus down --data-dir $(DATA_DIR) $(if $(PURGE),--purge)

test: unit e2e ## every test: unit and conformance suites, then end to end

unit: test-deps
	swift build --build-tests
	Tools/unit.sh

e2e: test-deps release
	APUS=$(CURDIR)/dist/apus Tools/e2e.sh

lint: ## formatting and house rules
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks Tools
	swift run apus-tidy .

format: ## rewrite the sources to the house format
	swift format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks Tools

bench: release ## print every budget of docs/performance.md beside its figure
	swift build -c release --product apus-bench --static-swift-stdlib
	.build/release/apus-bench all --apus dist/apus

dist: release ## an archive of the binary with its licence
	tar -C dist -czf dist/apus-$$(dist/apus version --short)-linux-$$(uname -m).tar.gz apus -C .. LICENSE README.md

generate: ## regenerate what is generated; needs the fact tables of the Kubernetes API
	python3 Tools/generate/generate.py $(API_FACTS)

clean: ## delete what was built
	rm -rf .build dist
