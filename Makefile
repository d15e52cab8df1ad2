# make demo   a simulated fleet, fetched over SSH, stored, reported: no device needed
# make test   everything, against real servers on loopback
# make test-kill     100 rounds of kill -9, of mod-store and of its database (`make test` does 10)
# make test-cluster  two collectors into three Galera nodes that die and come back
# make check  what a change must pass before it lands

CARGO ?= cargo
TEST  := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo nextest run || echo test)

.PHONY: all build demo test test-kill test-cluster check fmt lint doc clean

all: build

build:
	@tests/setup.sh build
	$(CARGO) build --release --bins

demo:
	@tests/setup.sh build
	@examples/demo.sh

test:
	@tests/setup.sh test
	$(CARGO) build --bins --examples
	tests/mariadb.sh run $(CARGO) $(TEST)
	$(CARGO) test --doc --quiet

test-kill:
	@tests/setup.sh test
	$(CARGO) build --bins
	MODTOOLS_KILL_ROUNDS=100 $(CARGO) test --test it -- store_kill

test-cluster:
	@tests/setup.sh cluster
	$(CARGO) build --bins
	tests/cluster.sh run $(CARGO) test --test it -- --ignored store_cluster

fmt:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items

check: fmt lint doc test

clean:
	$(CARGO) clean
