# make demo   a simulated fleet, fetched over SSH, stored, reported: no device needed
# make test   everything, against real servers on loopback
# make test-kill     100 rounds of kill -9, of mod-store and of its database (`make test` does 10); MODTOOLS_KILL_ROUNDS=1000
# make test-cluster  two collectors into three Galera nodes that die and come back
# make test-guide, make test-cron  docs/migrating.md walked, and the shipped cron table under Debian's cron, in namespaces of their own
# make test-systemd  the units of examples/systemd on a real systemd, PID 1 in namespaces of its own
# make deb           the Debian package; make test-deb installs, runs, upgrades and removes one on a systemd of its own
# make dist          static binaries in one archive; make test-dist runs them where there is nothing else
# make test-windows  mod-parse and mod-report built for Windows, run by wine
# make test-container  the image of Containerfile, built and run
# make bench  the tools beside what people would use instead: docs/performance.md (MODTOOLS_BENCH_SCALE=0.02: a minute)
# make check  what a change must pass before it lands
# make soak   the pipeline under mod-watch for ten minutes (SOAK_SECONDS=3600: an hour), with outages in it
# make man    man pages and completions anew, from the flags
# make install, make uninstall   into $(DESTDIR)$(PREFIX), what `make build` has built

CARGO ?= cargo
TEST  := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo nextest run || echo test)

WINDOWS := x86_64-pc-windows-gnu

PREFIX  ?= /usr/local
BUILT   ?= $(or $(CARGO_TARGET_DIR),target)/release
TOOLS   := $(basename $(notdir $(wildcard src/bin/*.rs)))
SCRIPTS := daily-report.sh doctor.sh events.sh gauges.sh inventory.sh maintenance.sh modulation_scanner.sh settings.sh
BIN  = $(DESTDIR)$(PREFIX)/bin
LIB  = $(DESTDIR)$(PREFIX)/lib/modtools
SHARE = $(DESTDIR)$(PREFIX)/share
DOC  = $(SHARE)/doc/modtools

.PHONY: all build demo test test-kill test-cluster test-guide test-cron test-systemd deb test-deb dist test-dist test-windows test-container check fmt lint doc clean soak man install uninstall

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

.PHONY: bench
bench:
	@tests/setup.sh bench
	$(CARGO) build --release --bins --example ccap-sim
	@tests/mariadb.sh run benches/bench.py $(BENCH)

test-kill:
	@tests/setup.sh test
	$(CARGO) build --bins
	MODTOOLS_KILL_ROUNDS=$(or $(MODTOOLS_KILL_ROUNDS),100) $(CARGO) test --test it -- store_kill

test-cluster:
	@tests/setup.sh cluster
	$(CARGO) build --bins
	tests/cluster.sh run $(CARGO) test --test it -- --ignored store_cluster

test-guide test-cron:
	@tests/setup.sh guide
	$(CARGO) build --bins --example ccap-sim
	tests/machine.sh run $(CURDIR)/tests/mariadb.sh run $(CURDIR)/tests/guide.sh $(CURDIR) $(abspath $(or $(CARGO_TARGET_DIR),target))/debug

test-systemd:
	@tests/setup.sh systemd
	$(CARGO) build --bins --example ccap-sim
	tests/machine.sh boot $(CURDIR)/tests/systemd-units.sh $(CURDIR) $(abspath $(or $(CARGO_TARGET_DIR),target))/debug

deb:
	@tests/setup.sh deb
	cargo-deb --version >/dev/null || $(CARGO) install cargo-deb
	$(CARGO) deb $(DEB)

test-deb:
	@tests/setup.sh systemd
	$(CARGO) build --bins --example ccap-sim
	$(MAKE) deb DEB="--profile dev --no-build --output target/debian/modtools_test.deb"
	tests/machine.sh boot $(CURDIR)/packaging/deb-test.sh $(CURDIR)/target/debian/modtools_test.deb \
	    $(abspath $(or $(CARGO_TARGET_DIR),target))/debug/examples/ccap-sim

dist:
	@tests/setup.sh dist
	packaging/dist.sh $(DIST)

test-dist:
	$(CARGO) build --example ccap-sim
	$(MAKE) dist DIST=dev
	packaging/dist-test.sh dist/modtools-*.tar.gz $(abspath $(or $(CARGO_TARGET_DIR),target))/debug/examples/ccap-sim

test-windows:
	@tests/setup.sh windows
	$(CARGO) build --bins --example ccap-sim
	tests/page.sh docs/windows.md Windows | grep -E '^(rustup|cargo) ' | sed 's/ --release//' | sh -ex
	packaging/windows-test.sh $(abspath $(or $(CARGO_TARGET_DIR),target))/x86_64-pc-windows-gnu/debug $(abspath $(or $(CARGO_TARGET_DIR),target))/debug

test-container:
	@tests/setup.sh container
	$(CARGO) build --example ccap-sim
	ls dist/modtools-*/bin/mod-report >/dev/null || $(MAKE) dist DIST=dev
	packaging/container-test.sh $(abspath $(or $(CARGO_TARGET_DIR),target))/debug/examples/ccap-sim

fmt:
	$(CARGO) fmt --check

# What builds for Windows is checked where the target is there; nothing is linked, so no compiler of C is called.
lint:
	$(CARGO) clippy --all-targets -- -D warnings
	@if [ -d "$$(rustc --print target-libdir --target $(WINDOWS))" ]; then \
	    CC_x86_64_pc_windows_gnu=true AR_x86_64_pc_windows_gnu=true $(CARGO) check --bins --target $(WINDOWS); \
	else echo "lint: not checked for Windows: rustup target add $(WINDOWS)" >&2; fi

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items

check: fmt lint doc test

soak:
	@tests/setup.sh test
	$(CARGO) build --bins --examples
	tests/mariadb.sh run tests/soak.sh

man:
	UPDATE_MAN=1 $(CARGO) test --test it --quiet -- man::every_tool

install:
	@for tool in $(TOOLS); do test -x $(BUILT)/$$tool || { echo "$(BUILT)/$$tool is missing: run make build" >&2; exit 1; }; done
	install -d $(BIN) $(LIB)/brands $(LIB)/hooks $(SHARE)/man/man1 $(SHARE)/man/man5 $(SHARE)/bash-completion/completions \
	    $(SHARE)/fish/vendor_completions.d $(SHARE)/zsh/site-functions $(DOC)/docs $(DOC)/examples/systemd/modtools-.service.d $(DOC)/examples/sysusers.d $(DOC)/examples/cron.d $(DOC)/examples/windows $(DOC)/examples/grafana $(DOC)/examples/monitoring
	install -m 755 $(TOOLS:%=$(BUILT)/%) $(BIN)
	install -m 755 $(SCRIPTS:%=examples/%) $(LIB)
	install -m 644 examples/brands/* $(LIB)/brands
	install -m 755 examples/hooks/* $(LIB)/hooks
	install -m 644 man/*.1 $(SHARE)/man/man1
	install -m 644 man/*.5 $(SHARE)/man/man5
	install -m 644 completions/bash/* $(SHARE)/bash-completion/completions
	install -m 644 completions/fish/* $(SHARE)/fish/vendor_completions.d
	install -m 644 completions/zsh/* $(SHARE)/zsh/site-functions
	install -m 644 README.md CHANGELOG.md LICENSE $(DOC)
	install -m 644 docs/* $(DOC)/docs
	install -m 644 examples/modtools.env $(DOC)/examples
	install -m 644 examples/systemd/*.service examples/systemd/*.timer $(DOC)/examples/systemd
	install -m 644 examples/systemd/modtools-.service.d/* $(DOC)/examples/systemd/modtools-.service.d
	install -m 644 examples/sysusers.d/* $(DOC)/examples/sysusers.d
	install -m 644 examples/cron.d/* $(DOC)/examples/cron.d
	install -m 644 examples/windows/* $(DOC)/examples/windows
	install -m 644 examples/grafana/* $(DOC)/examples/grafana
	install -m 644 examples/monitoring/* $(DOC)/examples/monitoring

# Settings, databases, reports and logs are not touched.
uninstall:
	rm -f $(TOOLS:%=$(BIN)/%) $(TOOLS:%=$(SHARE)/man/man1/%.1) $(SHARE)/man/man5/modtools.5
	rm -f $(TOOLS:%=$(SHARE)/bash-completion/completions/%) $(TOOLS:%=$(SHARE)/fish/vendor_completions.d/%.fish) \
	    $(TOOLS:%=$(SHARE)/zsh/site-functions/_%)
	rm -rf $(LIB) $(DOC)

clean:
	$(CARGO) clean
