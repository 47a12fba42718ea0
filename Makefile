# Everything that is needed is fetched or built on first use; `make help` says what there is.

# The first of the ports; PORT_BASE=9800 make run moves all of them.
PORT_BASE ?= 8800
# Empty for the stand-in, rovo for Atlassian's real server.
ATLASSIAN ?=
# Empty, or the URL of an MCP server that calls go to in place of Atlassian's. It gets people's
# Atlassian tokens.
MCP_UPSTREAM ?=
export PORT_BASE ATLASSIAN MCP_UPSTREAM
# How long Elasticsearch is away in make chaos, how often each fault is done, and more flags of
# bin/chaos, such as CHAOS="--quick --fault redis".
CHAOS_AWAY ?= 2m
CHAOS_RUNS ?= 1
CHAOS ?=
export CHAOS_AWAY
# Flags of bin/bench for make bench, such as BENCH="--sizes 4096 --each 3s".
BENCH ?=
# How long make soak calls, and more flags of bin/bench soak, such as SOAKING="--rate 500".
SOAK ?= 40m
SOAKING ?=
# Flags of Playwright for make test-browser.
BROWSER ?=
# How many records the log has in make bench-console.
RECORDS ?= 100000
# How long make fuzz spends on each target.
FUZZTIME ?= 1m

# Flags of bin/supply for make audit, such as AUDIT=--tolerate-unreachable.
AUDIT ?=

GENERATORS := github.com/bufbuild/buf/cmd/buf google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
BIN := $(CURDIR)/bin

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run up down build parts test test-services statements test-tools test-helm test-metrics test-browser test-compose screenshots bench-console conformance chaos bench soak fuzz audit licences sbom reproducible lint generate checkgenerate clean

# go build, with a line now and then about how far it is, since the first time takes minutes. What
# isn't progress, such as an error, is passed on as it is. As deploy/shipped.sh, so that what both need is compiled once.
gobuild = CGO_ENABLED=0 go build -trimpath -v $(1) 2>&1 | $(progress)
define progress
awk '\
	/^go: (downloading|finding) / { if (++modules % 50 == 0) print "  downloaded " modules " modules"; fflush(); next } \
	/^[A-Za-z0-9._~\/-]+$$/ { if (++packages % 100 == 0) print "  compiled " packages " packages"; fflush(); next } \
	{ print; fflush() }'
endef

help: ## Say what there is
	@echo "Usage: make TARGET"
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 17
	@echo "Settings: PORT_BASE=$(PORT_BASE) (first of the ports), ATLASSIAN=rovo (the real server), FUZZTIME=$(FUZZTIME)"
	@echo "          MCP_UPSTREAM=URL (calls go to this MCP server, with people's Atlassian tokens)"

run: build ## Start Sallyport in the foreground; Ctrl-C stops it
	@exec $(BIN)/stack run

up: build ## Start Sallyport in the background; returns when it is ready
	@exec $(BIN)/stack up

down: ## Stop what run or up started
	@if test -x $(BIN)/stack; then $(BIN)/stack down; else echo "Nothing has been built here yet, so nothing is running."; fi

build: $(BIN)/console/index.html ## Build the programs and the console into bin/
	@mkdir -p $(BIN)
	@echo "Building (the first time takes a few minutes)"
	@deploy/shipped.sh go build -v -o $(BIN)/ 2>&1 | $(progress)
	@cd tools && $(call gobuild,-o $(BIN)/ ./stack)
	@cd tools && $(call gobuild,-o $(BIN)/process-compose github.com/f1bonacc1/process-compose/src)

# The console's pages. Its packages are installed when the lock file is another, and the pages built when
# something in them is newer.
CONSOLE := services/console
CONSOLE_SOURCES = $(shell find $(CONSOLE)/src -type f) $(addprefix $(CONSOLE)/,index.html vite.config.ts)

$(CONSOLE)/node_modules/.package-lock.json: $(CONSOLE)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed to build the console and isn't here: install Node 20.19 or later with npm and try again." >&2; exit 1; }
	@echo "Installing the console's packages (the first time takes a minute)"
	@cd $(CONSOLE) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(BIN)/console/index.html: $(CONSOLE)/node_modules/.package-lock.json $(CONSOLE_SOURCES)
	@cd $(CONSOLE) && npx vite build --logLevel warn

parts: build ## Fetch Envoy, Valkey and Elasticsearch
	@$(BIN)/stack parts

# The console's tests, which mostly wait, go beside the others.
test: ## Run all tests, on real Envoy, Redis, Elasticsearch and Chromium
	@started=$$SECONDS; $(MAKE) -k -j2 --no-print-directory test-browser test-services test-tools test-helm test-metrics || \
		{ echo "Tests failed after $$((SECONDS - started)) s: what make names above, by the lines that begin with FAIL or with a cross." >&2; exit 1; }; \
	echo "All tests passed in $$((SECONDS - started)) s."

test-services: parts ## Test the services
	@go test -race -shuffle=on -timeout 20m ./...
	@go test -run Allocations ./services/authz
	@$(MAKE) --no-print-directory statements

# Sallyport's packages, the one that reads JSON, and the one that asks Redis.
COUNTED := ./services/...,github.com/redis/go-redis/v9/...,github.com/go-json-experiment/json/...

statements: ## Hold how many statements of Go a decision takes against what was accepted; ACCEPT=-accept accepts what it takes now
	@go test -tags statements -covermode=atomic -coverpkg=$(COUNTED) -run Statements ./services/authz -args $(ACCEPT) | sed '/^ok/s/coverage:.*//'

test-tools: parts ## Test the stack, the CLI and the stand-in for Atlassian
	@cd tools && go test -race -shuffle=on ./...

test-helm: build ## Test the Helm chart, without a cluster
	@cd tools/chart && go test -shuffle=on ./...

test-metrics: ## Test the alert rules for Prometheus and the dashboard for Grafana
	@cd tools/metrics && go test -shuffle=on ./...

test-compose: build ## Bring deploy/compose.yaml up with stand-in images, in a Docker of its own; needs root
	@cd tools && $(call gobuild,-o $(BIN)/ ./compose)
	@$(BIN)/compose --check
	@echo "Building Docker Compose (the first time takes some minutes)"
	@cd tools/compose/plugin && $(call gobuild,-o $(BIN)/docker-compose github.com/docker/compose/v2/cmd)
	@exec $(BIN)/compose

test-browser: parts ## Test the console with Chromium against a stack of its own; BROWSER="log.spec" for one file
	@cd $(CONSOLE) && npx playwright test --project=story --project=pages $(BROWSER)

screenshots: parts ## Take the pictures of docs/images anew
	@cd $(CONSOLE) && npx playwright test --project=screenshots

bench-console: parts ## Measure the pages on a slow machine, and the log with RECORDS=1000000
	@cd $(CONSOLE) && RECORDS=$(RECORDS) npx playwright test --project=figures

conformance: parts ## Run the MCP conformance suite, directly and through Sallyport
	@cd tools && $(call gobuild,-o $(BIN)/ ./conformance github.com/modelcontextprotocol/go-sdk/conformance/everything-server)
	@exec $(BIN)/conformance

chaos: parts ## Kill and starve the parts under load, and look for records lost or twice
	@cd tools && $(call gobuild,-o $(BIN)/ ./chaos)
	@exec $(BIN)/chaos --runs $(CHAOS_RUNS) $(CHAOS)

bench: parts ## Measure what Sallyport adds to a call, beside Envoy alone
	@cd tools && $(call gobuild,-o $(BIN)/ ./bench)
	@exec $(BIN)/bench $(BENCH)

soak: parts ## Call for SOAK=40m while all that changes is changed, and see what grows
	@cd tools && $(call gobuild,-o $(BIN)/ ./bench)
	@exec $(BIN)/bench soak --dir .run/soak --for $(SOAK) $(SOAKING)

fuzz: ## Run each fuzz target for FUZZTIME; stops at a finding
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' services tools | xargs -n 1 dirname | sort -u); do \
		list=$$(cd "$$package" && go test -list '^Fuzz' .); \
		for target in $$(grep '^Fuzz' <<<"$$list"); do \
			if ! output=$$(cd "$$package" && go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) . 2>&1); then \
				echo "$$output" >&2; echo "Stopped by $$target in $$package. Its input, if it says one, is in testdata/fuzz there, and a test from now on." >&2; exit 1; \
			fi; \
			echo "$$package $$target: $$(grep '^fuzz: .*execs' <<<"$$output" | tail -1 | sed 's/^fuzz: //')"; \
		done; \
	done

audit: ## Ask for known vulnerabilities; fails where nobody can be asked but with AUDIT=--tolerate-unreachable
	@cd tools && $(call gobuild,-o $(BIN)/ ./supply)
	@$(BIN)/supply audit $(AUDIT)

licences: ## Write docs/licences.md, what is shipped and by which licence
	@cd tools && $(call gobuild,-o $(BIN)/ ./supply)
	@$(BIN)/supply licences docs/licences.md

sbom: build ## Write what each program and the console are made of into bin/sbom, as CycloneDX, and the licences' texts
	@cd tools && $(call gobuild,-o $(BIN)/ ./supply)
	@echo "Building cyclonedx-gomod (the first time takes a minute)"
	@cd tools/supply/scan && $(call gobuild,-o $(BIN)/ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)
	@mkdir -p $(BIN)/sbom
	@for program in authz identity accesslog admin sallyport atlassian envoyconf drain; do \
		$(BIN)/cyclonedx-gomod bin -json -std -output $(BIN)/sbom/$$program.cdx.json $(BIN)/$$program; done
	@cd $(CONSOLE) && npm sbom --omit dev --sbom-format cyclonedx > $(BIN)/sbom/console.cdx.json
	@$(BIN)/supply texts $(BIN)/sbom/licences.txt
	@ls $(BIN)/sbom/*

reproducible: build ## Build what is shipped once more elsewhere, and compare; prints the SHA-256 of each file
	@deploy/reproducible.sh

lint: checkgenerate ## Check style, protos, generated code and licences
	@unformatted=$$(git ls-files '*.go' ':!proto/gen' | xargs gofmt -l); \
	if test -n "$$unformatted"; then echo "Not formatted, run gofmt -w on: $$unformatted" >&2; exit 1; fi
	@$(BIN)/buf lint
	@cd $(CONSOLE) && npm run --silent check
	@cd tools && $(call gobuild,-o $(BIN)/ ./supply)
	@$(BIN)/supply licences docs/licences.md --check
	@echo "Building golangci-lint (the first time takes a few minutes)"
	@cd tools && $(call gobuild,-o $(BIN)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
	go vet ./...
	cd tools && go vet ./...
	cd tools/chart && go vet ./...
	cd tools/metrics && go vet ./...
	$(BIN)/golangci-lint run ./...
	cd tools && $(BIN)/golangci-lint run --config ../.golangci.yml ./...
	cd tools/chart && $(BIN)/golangci-lint run --config ../../.golangci.yml ./...
	cd tools/metrics && $(BIN)/golangci-lint run --config ../../.golangci.yml ./...

generate: $(CONSOLE)/node_modules/.package-lock.json ## Generate code from the protos
	@mkdir -p $(BIN)
	@cd tools && $(call gobuild,-o $(BIN)/ $(GENERATORS))
	@PATH="$(BIN):$$PATH" $(BIN)/buf generate
	@$(BIN)/buf build --exclude-source-info -o envoy/admin.binpb

checkgenerate: generate
	@git diff --exit-code --stat -- proto/gen $(CONSOLE)/src/gen envoy/admin.binpb || { echo "Generated code is out of date: commit what make generate made." >&2; exit 1; }

clean: ## Remove bin/ and .run/ with all records; refuses while it is running
	@if test -x $(BIN)/stack; then $(BIN)/stack clean; else rm -rf .run; fi
	@rm -rf bin
	@echo "Removed bin. Fetched parts stay in the cache."
