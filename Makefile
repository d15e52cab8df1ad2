# make demo   a simulated fleet, fetched over SSH, stored, reported: no device needed
# make test   everything, against real servers on loopback
# make check  what a change must pass before it lands

CARGO ?= cargo
TEST  := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo nextest run || echo test)

.PHONY: all build demo test check fmt lint doc clean

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

fmt:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items

check: fmt lint doc test

clean:
	$(CARGO) clean
