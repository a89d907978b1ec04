# Tests and checks: included by the Makefile.
#
#   make check            installs its needs, builds with sanitizers, runs everything; ends with "N passed, N failed"
#   make check ONLY=api   only test programs whose path contains the word (or one of several: ONLY=api,unit)
#   make tsan             what threads share, with ThreadSanitizer (TSAN=words: other programs than the daemons' of identity and placement)
#   make lint  make bench  make fuzz SECONDS=60  make tempest LIST=smoke  make interop  make tempest SERVICE=identity

ONLY ?=
SECONDS ?= 30
LIST ?= smoke

# tests/integration/test_<service>*.c use the code of that service.
INTEGRATION_BIN :=
define integration_rule
INTEGRATION_BIN += $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/integration/test_$(call under,$1)*.c))
$(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/integration/test_$(call under,$1)*.c)): $(B)/tests/integration/%: $(B)/obj/tests/integration/%.o $(B)/lib$1.a $(B)/libvirga.a $(B)/libtest.a
	@mkdir -p $$(@D)
	@$$(CC) $$(LDFLAGS) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LIBS) $$(LIBS_$1) -lcmocka
endef
$(foreach s,$(filter %-agent,$(SERVICES)),$(eval $(call integration_rule,$s)))

.PHONY: test-programs check check-built
test-programs: all unit-tests $(INTEGRATION_BIN)

# A make of its own after the packages are there: what the Makefile asks pkg-config for must be installed when it is read.
check:
	@deploy/install-packages build run test
	@$(MAKE) --no-print-directory -j$$(nproc) V=san test-programs
	@$(MAKE) --no-print-directory V=san check-built
check-built:
	@deploy/systemd/verify $(abspath $(B))
	@$(PYTHON) tests/run --build $(abspath $(B)) --out $(abspath $(O)) $(if $(ONLY),--only $(ONLY))

# What threads share, under ThreadSanitizer: the programs whose path contains one of the words. A report fails the program in whose run it came.
TSAN ?= unit/placement/,unit/identity/,unit/auth/,unit/http/,unit/db/,unit/api/,unit/daemon/,unit/base/,api/test_placement,api/test_identity_,api/test_identity.py,api/test_operations
.PHONY: tsan tsan-built
tsan:
	@deploy/install-packages build run test
	@$(MAKE) --no-print-directory -j$$(nproc) V=tsan all unit-tests
	@$(MAKE) --no-print-directory V=tsan tsan-built
tsan-built:
	@$(PYTHON) tests/run --build $(abspath $(B)) --out $(abspath $(O)) --only $(TSAN)

.PHONY: lint lint-built
lint:
	@deploy/install-packages build run test
	@$(MAKE) --no-print-directory gen lint-built
lint-built:
	@tests/lint/format
	@$(PYTHON) tests/lint/layering.py
	@CC="$(CC)" FLAGS="$(CPPFLAGS) $(CFLAGS)" tests/lint/headers
	@FLAGS="$(CPPFLAGS) $(CFLAGS)" tests/lint/tidy

# Fuzzers: clang's libFuzzer with the sanitizers; each runs SECONDS.
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIBSRC := $(filter-out common/codegen/% common/daemon/%,$(wildcard common/*/*.c))
# Which service's code a fuzzer is about, where it is not common/.
FUZZ_SERVICE_fuzz_mapping := identity
FUZZ_SERVICE_fuzz_auth := identity
.PHONY: fuzz
$(O)/fuzz/%: tests/fuzz/%.c | gen
	@mkdir -p $(@D)
	@$(MAKE) --no-print-directory CC=clang O=$(O)/fuzz-build "CFLAGS_san=-O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-omit-frame-pointer" V=san $(O)/fuzz-build/san/libvirga.a $(patsubst %,$(O)/fuzz-build/san/lib%.a,$(FUZZ_SERVICE_$*))
	@clang $(CPPFLAGS) -std=gnu11 -g -fsanitize=address,undefined,fuzzer -o $@ $< \
	    $(patsubst %,$(O)/fuzz-build/san/lib%.a,$(FUZZ_SERVICE_$*)) $(O)/fuzz-build/san/libvirga.a $(LIBS) $(foreach s,$(FUZZ_SERVICE_$*),$(LIBS_$s))
fuzz: $(FUZZ_BIN)
	@for f in $(FUZZ_BIN); do echo "$$f"; $$f -max_total_time=$(SECONDS) -rss_limit_mb=512 -verbosity=0 || exit 1; done

.PHONY: bench
bench:
	@deploy/install-packages build run test
	@$(MAKE) --no-print-directory -j$$(nproc) all bench-programs
	@$(PYTHON) tests/bench/run --build $(abspath $(O)/release)
	@$(PYTHON) tests/bench/bench_placement.py --build $(abspath $(O)/release)
BENCH_BIN := $(patsubst tests/bench/%.c,$(O)/release/tests/bench/%,$(wildcard tests/bench/*.c))
.PHONY: bench-programs
bench-programs: $(BENCH_BIN)
$(O)/release/tests/bench/%: $(B)/obj/tests/bench/%.o $(B)/libvirga.a
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $< $(B)/libvirga.a $(LIBS)

# Upstream's own code (Debian's packages) as a neighbour of ours: it beside our daemons, its placement and ours asked the same, its clients against
# ours. Placement at all microversions takes a quarter of an hour; INTEROP="--versions 1.0,1.39" fewer. ONLY=osc: one of the programs. V=san: that build.
INTEROP ?=
.PHONY: interop
interop:
	@deploy/install-packages build run test interop
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@$(PYTHON) tests/interop/run --build $(abspath $(B)) --out $(abspath $(O)/interop) $(if $(ONLY),--only $(ONLY)) $(if $(INTEROP),--diff="$(INTEROP)")

# Debian's tempest, unmodified, against a cloud of its own, when the conformance suite lies beside the checkout.
.PHONY: tempest
tempest:
	@deploy/install-packages build run test tempest
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@$(PYTHON) tests/tempest/run --build $(abspath $(O)/release) $(if $(SERVICE),--service $(SERVICE),--list $(LIST))
