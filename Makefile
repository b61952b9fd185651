# Every target is one or two lines; the logic is in Go below tests/.
GO ?= go
KERNEL ?= native,6.12,6.1
RUN ?=
FUZZTIME ?= 30s
# how long a virtual machine may take
LIMIT ?= 16m
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2

# what to try: make faults KERNEL=6.12 FAULTS=host/change PART=3/16
FAULTS ?= all
PART ?= 1/1

.PHONY: all build unit race test vm faults check demo fuzz bench generate install
all: check unit

build: ## ./nlapply, static
	CGO_ENABLED=0 $(GO) build -trimpath -o nlapply ./cmd/nlapply

unit: ## vet and the fast tests: under a minute, no root
	$(GO) vet ./...
	$(GO) test -short ./...

race: ## the fast tests under the race detector
	$(GO) test -race -short ./...

test: ## everything, on this kernel and on Debian's 6.12 and 6.1: one line per kernel
	$(GO) vet ./...
	$(GO) run ./tests/matrix -v -limit $(LIMIT)

vm: ## some of it: make vm KERNEL=6.12 RUN=TestScripts/vlan
	$(GO) run ./tests/matrix -v -limit $(LIMIT) -kernels '$(KERNEL)' -run '$(RUN)'

faults: ## every fault at every message of the documents in tests/faults: an hour, ten in a machine
	$(GO) run ./tests/matrix -v -limit 5h -kernels '$(KERNEL)' -packages ./tests/faults -args '-faults=$(FAULTS) -faultpart=$(PART)'

check: ## formatting, vet (also for 32-bit machines) and staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	GOARCH=386 $(GO) vet ./...
	$(STATICCHECK) ./...

demo: ## plan, apply, ping, a break healed: no root, nothing is left behind
	./tests/demo.sh

fuzz: ## every fuzz target for FUZZTIME
	GO='$(GO)' FUZZTIME='$(FUZZTIME)' ./tests/fuzz.sh

bench: ## nlapply, a raw floor, ip -batch and the Go peers side by side
	cd bench && $(GO) run .

generate: ## the generated files
	$(GO) generate ./...

install: ## nlapply into $GOBIN
	CGO_ENABLED=0 $(GO) install -trimpath ./cmd/nlapply
