# Ginnel. `make help` explains the targets.

GO      ?= go
BIN     := bin/ginnel
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 10s

PREFIX  ?= /usr/local
DESTDIR ?=

export CGO_ENABLED ?= 0

.PHONY: packages sizes deb share help build man install uninstall demo cross test check unit race mips netlab qemu qemu-all qemu-budget qemu-flash qemu-kernels bench fuzz behaviours fmt clean tools qemu-tools systemd systemd-root

help: ## explain every target
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the binary, bin/ginnel
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/ginnel

$(BIN):
	$(MAKE) build

man: ## write the pages of the manual, man/*.1 and man/*.5
	rm -rf man && mkdir man
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(GO) run -tags man -ldflags '-X main.version=$(VERSION)' ./cmd/ginnel man man docs/ginnel.conf.example

man/ginnel.1:
	$(MAKE) man

# Where shells look for completions.
SHELLS := bash zsh fish
COMPLETION_bash := share/bash-completion/completions/ginnel
COMPLETION_zsh := share/zsh/site-functions/_ginnel
COMPLETION_fish := share/fish/vendor_completions.d/ginnel.fish

# Where systemd looks for units and users.
UNIT     := /usr/lib/systemd/system/ginnel.service
SYSUSERS := /usr/lib/sysusers.d/ginnel.conf

install: $(BIN) man/ginnel.1 ## install what was built, the manual, completions, the systemd unit and its user (PREFIX and DESTDIR are honoured)
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/ginnel
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man1 man/*.1
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 man/*.5
	$(foreach s,$(SHELLS),install -D -m 0644 cmd/ginnel/completion/ginnel.$(s) $(DESTDIR)$(PREFIX)/$(COMPLETION_$(s)) &&) :
	install -D -m 0644 systemd/sysusers.conf $(DESTDIR)$(SYSUSERS)
	install -d $(DESTDIR)$(dir $(UNIT))
	sed 's|@PREFIX@|$(PREFIX)|g' systemd/ginnel.service > $(DESTDIR)$(UNIT)
	$(if $(DESTDIR),,if command -v systemd-sysusers >/dev/null; then systemd-sysusers ginnel.conf; fi)
	$(if $(DESTDIR),,if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi)

# Files that somebody else put beside ours stay, and their directories.
uninstall: ## take this machine out of every network, asking first (YES=1: not asking), and remove what install put there
	$(if $(DESTDIR),,if [ -x $(PREFIX)/bin/ginnel ]; then $(PREFIX)/bin/ginnel leave --all $(if $(YES),--yes); fi)
	$(if $(DESTDIR),,if command -v systemctl >/dev/null; then systemctl disable --now ginnel || true; fi)
	rm -f $(DESTDIR)$(PREFIX)/bin/ginnel $(DESTDIR)$(UNIT) $(DESTDIR)$(SYSUSERS) $(DESTDIR)$(PREFIX)/share/man/man[15]/ginnel*.[15]
	$(if $(DESTDIR),,if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi)
	rm -f $(foreach s,$(SHELLS),$(DESTDIR)$(PREFIX)/$(COMPLETION_$(s)))
	rm -f $(DESTDIR)/etc/ginnel/ginnel.conf $(DESTDIR)/var/run/ginnel/ginnel.sock
	for d in etc var/lib var/run; do rmdir --ignore-fail-on-non-empty $(DESTDIR)/$$d/ginnel 2>/dev/null || true; done

demo: build ## show the main job in a small world of network namespaces (root; KEEP=1 leaves it standing)
	@KEEP=$(KEEP) $(GO) run ./netlab/demo -binary $(BIN)

# GOARCH and what else chooses the processor, by the name in bin/.
CROSS := amd64 386 arm64 armv5 armv6 armv7 mips mipsle mips64 mips64le riscv64
GO_386 := GO386=softfloat
GO_armv5 := GOARCH=arm GOARM=5
GO_armv6 := GOARCH=arm GOARM=6
GO_armv7 := GOARCH=arm GOARM=7
GO_mips := GOMIPS=softfloat
GO_mipsle := GOMIPS=softfloat
GO_mips64 := GOMIPS64=softfloat
GO_mips64le := GOMIPS64=softfloat

# Where flash counts its megabytes nothing is inlined but what the kernel's tables
# of peers pass, the arithmetic of keys, and what both are made of: 7 % less.
# Sections begin at multiples of 16 KiB, the largest page that 32-bit MIPS kernels
# are usually built with, instead of 64. Short slices are not tried on the stack
# first, nor is a second copy of deferred calls kept where functions return: 30 kB.
INLINED := filippo.io/edwards25519/... encoding/binary internal/byteorder math/bits ginnel/platform/wireguard/kernel/...
SMALL := -gcflags='all=-l -d=variablemakethreshold=0,noopendefer' $(INLINED:%=-gcflags=%=)
# Go's older collector is smaller; the newer one is for many cores.
OLDGC := GOEXPERIMENT=nogreenteagc
# Nor is there an embedded WireGuard (half a megabyte): such systems have the
# kernel's as a package.
SMALL += -tags kernelonly
FLAGS_mips := $(SMALL)
FLAGS_mipsle := $(SMALL)
LINK_mips := -R 0x4000
LINK_mipsle := -R 0x4000

cross: $(CROSS:%=bin/ginnel-%) ## build static binaries for every kind of machine, bin/ginnel-...

bin/ginnel-%: FORCE
	GOOS=linux $(if $(FLAGS_$*),$(OLDGC)) GOARCH=$* $(GO_$*) $(GO) build -trimpath $(FLAGS_$*) -ldflags '$(LDFLAGS) $(LINK_$*)' -o $@ ./cmd/ginnel
	@if readelf -lW $@ | grep -q INTERP; then echo "$@ is not static"; exit 1; fi

# For OpenWrt all of them are small, and none has a WireGuard of its own: the
# package depends on the kernel's.
bin/openwrt/ginnel-%: FORCE
	GOOS=linux $(OLDGC) GOARCH=$* $(GO_$*) $(GO) build -trimpath $(SMALL) -ldflags '$(LDFLAGS) $(LINK_$*)' -o $@ ./cmd/ginnel

FORCE:

# What packages are built of: binaries, and of which version they are. Between
# versions the number of commits since the last one follows it.
TAG     := $(shell git describe --tags --match 'v*' --abbrev=0 2>/dev/null)
COMMITS ?= $(shell git rev-list --count $(if $(TAG),$(TAG)..)HEAD 2>/dev/null || echo 0)
NUMBER  := $(if $(TAG),$(TAG:v%=%),0.0.0)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
KEY     ?=

share: man ## collect the manual and completions, as Debian has them, in bin/share
	rm -rf bin/share
	install -D -m 0644 -t bin/share/man/man1 man/*.1
	install -D -m 0644 -t bin/share/man/man5 man/*.5
	gzip -9nr bin/share/man
	install -D -m 0644 cmd/ginnel/completion/ginnel.bash bin/$(COMPLETION_bash)
	install -D -m 0644 cmd/ginnel/completion/ginnel.zsh bin/share/zsh/vendor-completions/_ginnel
	install -D -m 0644 cmd/ginnel/completion/ginnel.fish bin/$(COMPLETION_fish)

DEB ?= dist
deb: bin/ginnel-amd64 share ## build the package for Debian on amd64 alone, into dist/debian (DEB=DIR: DIR/debian)
	$(BUILD) -only debian -targets amd64 -out $(abspath $(DEB))

PACKAGED ?= $(CROSS)
BUILD = cd packages && $(GO) run ./build -version $(NUMBER) -commits $(COMMITS) -time $(SOURCE_DATE_EPOCH)

openwrt: $(PACKAGED:%=bin/openwrt/ginnel-%) ## build packages for OpenWrt into dist/opkg and dist/apk (KEY=FILE signs the .apk)
	$(call need,zopfli:zopfli)
	rm -rf dist/opkg dist/apk
	$(BUILD) -only openwrt -targets '$(PACKAGED)' $(if $(KEY),-key $(abspath $(KEY)))

packages: openwrt bin/ginnel-amd64 bin/ginnel-arm64 bin/ginnel-armv7 share ## build packages for OpenWrt and Debian into dist/ (KEY=FILE signs the .apk)
	rm -rf dist/debian
	$(BUILD) -only debian

packages-test: ## build packages for the five kinds of machine that are promised, and look into them as opkg will
	$(call need,dpkg-deb:dpkg qemu-mips-static:qemu-user-static)
	$(MAKE) openwrt PACKAGED='amd64 arm64 armv7 mips mipsle'
	cd packages && $(GO) test -count=1 ./built

sizes: ## write the sizes of what make packages built into docs/openwrt.md
	cd packages && $(GO) run ./build -sizes ../docs/openwrt.md

test: tools check unit race mips netlab systemd packages-test qemu ## run every test (root)

check: tools ## gofmt, go vet, staticcheck, shellcheck, and that go.mod is tidy
	@out=$$(gofmt -l .); test -z "$$out" || { echo "gofmt: $$out"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GO) vet -tags kernelonly ./platform/wireguard ./platform/service
	$(GO) vet -tags man ./cmd/ginnel
	$(GO) tool staticcheck ./...
	shellcheck $$(grep -lE '^#!/bin/(ba)?sh' qemu-tests/kernels/* bench/wg systemd-tests/*) cmd/ginnel/completion/ginnel.bash
	shellcheck -s dash rc.d/ginnel* rc.d/testdata/* systemd/p*
	for m in bench packages; do \
	  (cd $$m && $(GO) mod tidy -diff && $(GO) vet ./... && $(GO) tool -modfile=../go.mod staticcheck ./...) || exit 1; \
	done

# Tests that need a world of netlab's, or an emulated machine.
WORLDS := /netlab\|/qemu-tests$$\|/qemu-tests/\(budget\|flash\|kernel\|pair\)$$\|/systemd-tests$$

unit: tools ## every package's own tests, worlds and emulated machines aside
	$(GO) test $(shell $(GO) list ./... | grep -v '$(WORLDS)')
	$(GO) test -tags kernelonly ./platform/wireguard
	cd bench && $(GO) test ./guest ./table
	cd packages && $(GO) test $$($(GO) list ./... | grep -v '/built$$')

race: tools ## the same under the race detector
	CGO_ENABLED=1 $(GO) test -race $(shell $(GO) list ./... | grep -v '$(WORLDS)\|/archtest')

# Whole simulated networks, and thousands of pins, take minutes in an emulated
# processor; they do not depend on the order of bytes.
PURE := ./key ./network ./wire/... ./daemon/core ./daemon/config ./platform ./platform/uci ./platform/wireguard/kernel/message
SIMULATED := MeshIs.*|LossyMesh|AddressChange|MoveHome|CoordinatorDown|Restart|RestartWithoutCoordinator|Membership|SymmetricNAT|Chaos|Calm.*|PinsAre.*|HostileZone|DiffTunnelConverges|ApplyAsPlainly|RandomCommands

mips: ## the pure packages on an emulated big-endian processor
	$(call need,qemu-mips-static:qemu-user-static)
	GOARCH=mips GOMIPS=softfloat $(GO) test -exec qemu-mips-static -skip '^Test($(SIMULATED))$$' $(PURE)
	GOARCH=mips GOMIPS=softfloat $(GO) test -exec qemu-mips-static -run Backup ./coordinator/store

netlab: tools ## the real binary on hosts, routers and NATs in network namespaces (root)
	$(GO) test -count=1 -skip '^TestKernel' ./netlab/...

# The root of the Debian that the package is tested on.
GINNEL_DEBIAN_CACHE ?= $(HOME)/.cache/ginnel-debian
export GINNEL_DEBIAN_CACHE

systemd: systemd-root ## install the .deb on a Debian with a real systemd, in a container, and live with it there (root)
	$(GO) test -count=1 -timeout 10m ./systemd-tests

systemd-root: ## make the root of that Debian, with what it takes, in ~/.cache/ginnel-debian
	$(call need,mmdebstrap:mmdebstrap systemd-nspawn:systemd-container unshare:util-linux nsenter:util-linux)
	systemd-tests/debian $(GINNEL_DEBIAN_CACHE)/bookworm

# The emulated machines to test on: amd64 arm64 arm mipsle mips.
QEMU_ARCHES ?= amd64 mipsle
export QEMU_ARCHES

qemu: qemu-tools qemu-kernels ## the same and more on emulated machines with real kernels (QEMU_ARCHES)
	$(GO) test -count=1 -p 1 -timeout 3h ./qemu-tests ./qemu-tests/flash
	$(if $(filter mipsle,$(QEMU_ARCHES)),cd bench && $(GO) test -count=1 -timeout 30m .)

qemu-all: qemu-flash ## qemu for all five architectures
	$(MAKE) qemu QEMU_ARCHES='amd64 arm64 arm mipsle mips' QEMU_SCENARIOS=main

qemu-flash: ## cut the power of a coordinator, and of a router that joins, on jffs2 and UBIFS 50 times each, and watch an idle one for 5 minutes
	$(MAKE) qemu-kernels QEMU_ARCHES=mipsle
	$(GO) test -count=1 -timeout 3h ./qemu-tests/flash -run 'PowerCut|Wear' -v -kills 50 -idle 5m

qemu-budget: QEMU_ARCHES = mipsle arm
qemu-budget: qemu-tools qemu-kernels ## memory, wake-ups and writes of routers, counted for as long as it takes: half an hour
	BUDGET_LONG=1 $(GO) test -count=1 -v -timeout 2h -run TestBudgets ./qemu-tests

bench: QEMU_ARCHES = amd64 mipsle
bench: qemu-tools qemu-kernels ## compare with wgctrl-go and wg on emulated machines, and write the tables of bench/README.md
	bench/wg $(QEMU_ARCHES)
	cd bench && $(GO) test -count=1 -timeout 2h -run TestReadme -v . -update

qemu-kernels: qemu-tools ## fetch kernels for QEMU_ARCHES from Debian, or build them, into ~/.cache/ginnel-qemu
	qemu-tests/kernels/fetch $(QEMU_ARCHES)

fuzz: ## fuzz every decoder of foreign bytes for FUZZTIME each
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; \
	done

behaviours: ## write docs/behaviours.md, the tests that show each behaviour
	$(GO) test ./internal/behaviours -run TestPage -update

fmt: ## format the source
	gofmt -w .

# Programs the tests run, and Debian's packages of them.
TOOLS := gcc:gcc readelf:binutils curl:curl git:git ip:iproute2 shellcheck:shellcheck zsh:zsh fish:fish mandoc:mandoc dnsmasq:dnsmasq-base busybox:busybox-static
QEMU_amd64 := qemu-system-x86_64:qemu-system-x86
QEMU_arm64 := qemu-system-aarch64:qemu-system-arm
QEMU_arm := qemu-system-arm:qemu-system-arm
QEMU_mipsle := qemu-system-mipsel:qemu-system-mips
QEMU_mips := qemu-system-mips:qemu-system-mips gcc:gcc mips-linux-gnu-gcc:gcc-mips-linux-gnu bc:bc flex:flex bison:bison

# Installs what is missing of a list like these.
define need
@missing=; for t in $(1); do command -v $${t%%:*} >/dev/null || missing="$$missing $${t##*:}"; done; \
if [ -n "$$missing" ]; then \
  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing $(2); fi
endef

tools: ## install what the tests need besides Go: gcc (for the race detector), curl, git, ip, shellcheck, shells, mandoc, dnsmasq, busybox
	$(call need,$(TOOLS),libc6-dev)

qemu-tools: ## install the emulators for QEMU_ARCHES, and what prepares their kernels
	$(call need,depmod:kmod xz:xz-utils mkfs.ext4:e2fsprogs $(sort $(foreach a,$(QEMU_ARCHES),$(QEMU_$(a)))),libc6-dev)

clean: ## remove what was built
	rm -rf bin dist man
