# Ginnel. `make help` explains the targets.

GO      ?= go
BIN     := bin/ginnel
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 10s

PREFIX  ?= /usr/local
DESTDIR ?=

export CGO_ENABLED ?= 0

.PHONY: help build install demo test check unit race netlab fuzz fmt clean tools

help: ## explain every target
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the binary, bin/ginnel
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/ginnel

$(BIN):
	$(MAKE) build

install: $(BIN) ## install what was built and the systemd unit (PREFIX and DESTDIR are honoured)
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/ginnel
	install -d $(DESTDIR)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|g' systemd/ginnel.service > $(DESTDIR)/lib/systemd/system/ginnel.service

demo: build ## show the main job in a small world of network namespaces (root; KEEP=1 leaves it standing)
	@KEEP=$(KEEP) $(GO) run ./netlab/demo -binary $(BIN)

test: tools check unit race netlab ## run every test (root)

check: ## gofmt, go vet, staticcheck, and that go.mod is tidy
	@out=$$(gofmt -l .); test -z "$$out" || { echo "gofmt: $$out"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

unit: ## every package's own tests, netlab's worlds aside
	$(GO) test $(shell $(GO) list ./... | grep -v '/netlab')

race: tools ## the same under the race detector
	CGO_ENABLED=1 $(GO) test -race $(shell $(GO) list ./... | grep -v '/netlab\|/archtest')

netlab: tools ## the real binary on hosts, routers and NATs in network namespaces (root)
	$(GO) test -count=1 ./netlab/...

fuzz: ## fuzz every decoder of foreign bytes for FUZZTIME each
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; \
	done

fmt: ## format the source
	gofmt -w .

# A program the tests run, and Debian's package of it.
TOOLS := gcc:gcc curl:curl git:git ip:iproute2

tools: ## install what the tests need besides Go: gcc (for the race detector), curl, git, ip
	@missing=; for t in $(TOOLS); do command -v $${t%%:*} >/dev/null || missing="$$missing $${t##*:}"; done; \
	if [ -n "$$missing" ]; then \
	  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing libc6-dev; fi

clean: ## remove what was built
	rm -rf bin
