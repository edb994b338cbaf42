# pgc: one non-recursive Makefile. `make help` lists the targets.
# Variables people set: CC, CFLAGS, VARIANT (release debug asan ubsan tsan coverage fuzz), DESTDIR, prefix, WERROR=1.
MAKEFLAGS += --no-builtin-rules
# As many compilers as there are processors, unless somebody says -j.
ifeq ($(MAKELEVEL)$(filter -j% --jobs%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DEFAULT_GOAL := all
SHELL := /bin/bash

VERSION := $(shell cat VERSION)
VARIANT ?= release
B := build/$(VARIANT)
prefix ?= /usr/local
CC := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))

# The compiler is asked once per variant which flags it knows; the answers are kept in $(B)/flags.mk.
WANTED_CFLAGS := -Wall -Wextra -Wformat=2 -Wformat-security -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wimplicit-fallthrough -Wunused-result \
  -Wno-missing-field-initializers -Wno-override-init -Wno-initializer-overrides \
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard \
  -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks -fno-strict-aliasing -ffunction-sections -fdata-sections
WANTED_LDFLAGS := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed

OPT_release := -O2 -g -D_FORTIFY_SOURCE=3
OPT_debug := -O0 -g3
OPT_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_ubsan := -O1 -g -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
OPT_coverage := -O0 -g --coverage
OPT_fuzz := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer
LDOPT_asan := -fsanitize=address,undefined
LDOPT_ubsan := -fsanitize=undefined
LDOPT_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
OPT_coverage := --coverage
LDOPT_fuzz := -fsanitize=address,undefined
ifeq ($(VARIANT),fuzz)
override CC := clang
endif
ifeq ($(filter $(VARIANT),release debug asan ubsan tsan coverage fuzz),)
$(error VARIANT '$(VARIANT)' is unknown)
endif

# V=1 shows the commands, -s nothing, else their subjects.
Q := $(if $(V),,@)
silent := $(findstring s,$(firstword -$(filter-out --%,$(MAKEFLAGS))))
say = $(if $(V)$(silent),:,echo '  $(1)')

PKGS := libpq libcurl libzstd libcrypto jansson expat libmicrohttpd liblzma zlib
NEEDS_FLAGS := $(filter-out help deps clean distclean demo check,$(or $(MAKECMDGOALS),all))
ifneq ($(NEEDS_FLAGS),)
$(shell mkdir -p $(B) && CC='$(CC)' VARIANT=$(VARIANT) tools/probe-flags.sh $(B)/flags.mk \
  '$(WANTED_CFLAGS)' '$(WANTED_LDFLAGS)' '$(PKGS)')
-include $(B)/flags.mk
endif

CPPFLAGS_ALL := -D_GNU_SOURCE -DPGC_VERSION='"$(VERSION)"' -Iinclude -Ilib -Ibin -I$(B)/gen $(PKG_CFLAGS)
CFLAGS_ALL := -std=gnu17 -fPIC $(PROBED_CFLAGS) $(OPT_$(VARIANT)) $(if $(WERROR),-Werror) $(CFLAGS)
LDFLAGS_ALL := $(PROBED_LDFLAGS) $(LDOPT_$(VARIANT)) $(LDFLAGS)
# libc before libpg_query: the latter exports names of its own port layer (strnlen).
LIBS := $(PKG_LIBS) -lpthread -lm -ldl -lc -lpg_query

LIB_SRC := $(filter-out lib/cli/%,$(wildcard lib/*/*.c))
CLI_SRC := $(wildcard lib/cli/*.c)
BIN_SRC := $(wildcard bin/pgc*.c)
BIN_PART_SRC := $(wildcard bin/parts/*.c)
SQL_SRC := $(sort $(wildcard sql/*.sql))
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT_SUPPORT_SRC := $(wildcard tests/support/*.c) tests/unit/main.c
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

LIB_A := $(B)/libpgc.a
CLI_A := $(B)/libpgccli.a
LIB_SO := $(B)/libpgc.so.0
PROGRAMS := $(patsubst bin/%.c,$(B)/bin/%,$(BIN_SRC))

.PHONY: all
all: $(PROGRAMS) $(LIB_SO) $(if $(wildcard bin/pgc-ready.c),$(B)/bin/pg_isready) $(if $(wildcard bin/pgc-sql.c),$(B)/applets/psql) ## build the programs and the library

$(B)/gen/sql_embedded.h $(B)/gen/sql_embedded.c &: $(SQL_SRC) tools/embed-sql.sh
	@mkdir -p $(B)/gen
	@tools/embed-sql.sh $(B)/gen $(SQL_SRC)

$(B)/obj/gen/sql_embedded.o: $(B)/gen/sql_embedded.c
	@mkdir -p $(@D)
	@$(call say,CC  $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(B)/obj/%.o: %.c $(B)/flags.mk | $(B)/gen/sql_embedded.h
	@mkdir -p $(@D)
	@$(call say,CC  $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(if $(filter tests/%,$<),-Itests) -MMD -MP -c -o $@ $<

$(LIB_A): $(call objs,$(LIB_SRC)) $(B)/obj/gen/sql_embedded.o
	@rm -f $@
	@$(or $(AR),ar) rcs $@ $^
$(CLI_A): $(call objs,$(CLI_SRC)) $(call objs,$(BIN_PART_SRC))
	@rm -f $@
	@$(or $(AR),ar) rcs $@ $^

# Objects of programs are made by two pattern rules in a row: without this make would delete them.
.SECONDARY:
$(B)/bin/%: $(B)/obj/bin/%.o $(CLI_A) $(LIB_A)
	@mkdir -p $(@D)
	@$(call say,LD  $@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $< $(CLI_A) $(LIB_A) $(LIBS)

$(B)/bin/pg_isready: $(B)/bin/pgc-ready
	@ln -sf pgc-ready $@
$(B)/applets/psql: $(B)/bin/pgc-sql
	@mkdir -p $(@D) && ln -sf ../bin/pgc-sql $@

$(LIB_SO): $(call objs,$(LIB_SRC)) $(B)/obj/gen/sql_embedded.o lib/libpgc.map
	@$(call say,LD  $@)
	$(Q)$(CC) -shared -Wl,-soname,libpgc.so.0 -Wl,--version-script,lib/libpgc.map -Wl,--no-undefined $(LDFLAGS_ALL) -o $@ \
	  $(filter %.o,$^) $(LIBS)
	@ln -sf libpgc.so.0 $(B)/libpgc.so

-include $(shell [ -d $(B)/obj ] && find $(B)/obj -name '*.d')

# --- set-up ------------------------------------------------------------------------------------------
.PHONY: deps
deps: ## install the missing Debian/Ubuntu packages (root or sudo; else they are printed)
	@tools/deps.sh install build test

# --- tests -------------------------------------------------------------------------------------------
# Suites register themselves: tests/unit/<layer>/test_<name>.c defines Suite *<name>_suite(void).
$(B)/gen/suites.h: $(UNIT_SRC)
	@mkdir -p $(@D)
	@for f in $(UNIT_SRC); do n=$$(basename $$f .c); echo "SUITE($${n#test_})"; done > $@
$(B)/obj/tests/unit/main.o: $(B)/gen/suites.h
$(B)/tests/unit: $(call objs,$(UNIT_SRC) $(UNIT_SUPPORT_SRC)) $(CLI_A) $(LIB_A)
	@mkdir -p $(@D)
	@$(call say,LD  $@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(CLI_A) $(LIB_A) $(LIBS) $$(pkg-config --libs check)

.PHONY: check test unit run-tests
check: ## set up what is missing, build, run all tests that need no container engine
	@tools/deps.sh ensure build test
	@$(MAKE) --no-print-directory run-tests
test: check
run-tests: all $(B)/tests/unit
	@B=$(CURDIR)/$(B) tests/run.sh $(ONLY)
unit: $(B)/tests/unit ## unit tests only
	@$(B)/tests/unit $(ONLY)

.PHONY: check-asan check-ubsan check-valgrind check-psql check-containers check-docs
check-asan: ## all tests with the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory VARIANT=asan run-tests
check-ubsan: ## all tests with the undefined-behaviour sanitizer
	@$(MAKE) --no-print-directory VARIANT=ubsan run-tests
check-valgrind: $(B)/tests/unit ## unit tests under valgrind
	@tools/deps.sh ensure valgrind
	CK_FORK=no valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite $(B)/tests/unit
check-zoo: all ## the edge databases in full size (1 GB table, 10,000 tables and large objects), there and back
	ZOO=full TEST_TIMEOUT=7200 B=$(abspath $(B)) tests/run.sh it/backup-zoo
check-psql: all ## scripts of the corpora through psql and pgc sql, databases compared
	@B=$(CURDIR)/$(B) tests/conformance/check-psql.sh
check-containers: ## images and compose story (starts dockerd when none runs)
	@tests/containers/run.sh
check-docs: all ## what is missing in man pages, README and guides
	@B=$(CURDIR)/$(B) tools/check-docs.sh

$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(LIB_A)
	@mkdir -p $(@D)
	@$(call say,LD  $@)
	$(Q)$(CC) -fsanitize=fuzzer $(LDFLAGS_ALL) -o $@ $< $(LIB_A) $(LIBS)
.PHONY: fuzz fuzz-build
fuzz-build: $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRC))
fuzz: ## run every fuzz target for SECONDS (default 60) each
	@tools/deps.sh ensure build fuzz
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-build
	@tools/fuzz.sh build/fuzz/fuzz $(or $(SECONDS),60)

.PHONY: coverage bench demo lint format
coverage: ## line coverage of the whole test run in build/coverage/report
	@tools/deps.sh ensure build test coverage
	@$(MAKE) --no-print-directory VARIANT=coverage run-tests || true
	@lcov -q -c -d build/coverage/obj/lib -o build/coverage/all.info && genhtml -q build/coverage/all.info -o build/coverage/report && lcov --summary build/coverage/all.info
$(B)/bench/%: $(B)/obj/tests/bench/%.o $(LIB_A)
	@mkdir -p $(@D)
	@$(call say,LD  $@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $< $(LIB_A) $(LIBS)
bench: all $(patsubst tests/%.c,$(B)/%,$(wildcard tests/bench/*.c)) ## measure against what people would use instead; prints ratios
	@B=$(CURDIR)/$(B) tests/bench/run.sh $(ONLY)
demo: ## the whole story on a throw-away PostgreSQL
	@tools/deps.sh ensure build demo
	@$(MAKE) --no-print-directory -s all
	@B=$(CURDIR)/$(B) tools/demo.sh
lint: ## format, layers, sizes, headers alone in C and C++, shellcheck
	@tools/lint.sh
format: ## clang-format everything
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

# --- install -----------------------------------------------------------------------------------------
.PHONY: docs install install-programs uninstall
docs: all ## man pages and completions from the option tables
	@B=$(CURDIR)/$(B) tools/make-man.sh $(B)/man $(B)/completions
install: all docs ## install to DESTDIR/prefix
	@DESTDIR='$(DESTDIR)' prefix='$(prefix)' B=$(B) VERSION=$(VERSION) tools/install.sh
install-programs: all
	@DESTDIR='$(DESTDIR)' prefix='$(prefix)' B=$(B) VERSION=$(VERSION) tools/install.sh programs

.PHONY: clean help
clean: ## remove the build folder
	rm -rf build
help: ## this list
	@grep -hE '^[a-zA-Z_-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{ printf "  make %-18s %s\n", $$1, $$2 }'
