# Everything that is needed is fetched or built on first use; `make help` says what there is.

# The first of the ports; PORT_BASE=9800 make run moves all of them.
PORT_BASE ?= 8800
# Empty for the stand-in, rovo for Atlassian's real server.
ATLASSIAN ?=
export PORT_BASE ATLASSIAN

SERVICES := authz identity accesslog admin
PROGRAMS := sallyport atlassian stack
BIN := $(CURDIR)/bin

.DEFAULT_GOAL := help
.PHONY: help run up down build parts test lint generate checkgenerate clean

help: ## Say what there is
	@echo "Usage: make TARGET"
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  \1\t\2/' | expand -t 12
	@echo "Settings: PORT_BASE=$(PORT_BASE) (first of the ports), ATLASSIAN=rovo (the real server)"

run: build ## Start Sallyport in the foreground; Ctrl-C stops it
	@$(BIN)/stack run

up: build ## Start Sallyport in the background; returns when it is ready
	@$(BIN)/stack up

down: ## Stop what run or up started
	@test -x $(BIN)/stack && $(BIN)/stack down || echo "Nothing has been built here yet."

build: ## Build the programs into bin/
	@mkdir -p $(BIN)
	@echo "Building (the first time takes a few minutes)"
	@go build -o $(BIN)/ $(foreach s,$(SERVICES),./services/$(s)/cmd/$(s))
	@cd tools && go build -o $(BIN)/ $(foreach p,$(PROGRAMS),./$(p))
	@cd tools && go build -o $(BIN)/process-compose github.com/f1bonacc1/process-compose/src

parts: build ## Fetch Envoy, Valkey and Elasticsearch
	@$(BIN)/stack parts

test: build ## Run all tests, on real Envoy, Redis and Elasticsearch
	@$(BIN)/stack parts >/dev/null
	go test -race -shuffle=on ./...
	cd tools && go test -race -shuffle=on ./...

lint: checkgenerate ## Check style, protos and generated code
	@cd tools && go build -o $(BIN)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	$(BIN)/buf lint
	$(BIN)/golangci-lint run ./...
	cd tools && $(BIN)/golangci-lint run --config ../.golangci.yml ./...

generate: ## Generate code from the protos
	@mkdir -p $(BIN)
	@cd tools && go build -o $(BIN)/ github.com/bufbuild/buf/cmd/buf google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
	@PATH="$(BIN):$$PATH" buf generate
	@$(BIN)/buf build --exclude-source-info -o envoy/admin.binpb

checkgenerate: generate
	@git diff --exit-code -- proto/gen envoy/admin.binpb || (echo "Generated code is out of date: commit what make generate made."; exit 1)

clean: down ## Stop, and remove bin/ and .run/ with all records
	rm -rf bin .run
