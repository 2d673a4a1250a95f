# SPDX-License-Identifier: GPL-2.0-only
#
# Makefile - builds, tests and installs Switchyard.
#
# `make` wants config.mk and runs ./configure for it.  `make demo` and `make test` start
# from nothing: they install what is missing first (dist/debian-packages).  Sources are
# found by wildcard: a new stage, policy or test needs no line here.
#
# O=DIR builds into DIR instead of build/; V=1 shows the commands.

VERSION := 0.1.0
O ?= build

# Goals that work, or must work, before ./configure has run.
UNCONFIGURED := clean distclean deps demo test test-vm test-policies test-tutorials bench \
	bench-compare check-style check-format check-shell print-sources
ifneq ($(filter-out $(UNCONFIGURED),$(or $(MAKECMDGOALS),all)),)
include config.mk
endif

OBJDIR = $(LIBDIR)/switchyard
# A config.mk may be older than the question.
INCLUDEDIR ?= $(PREFIX)/include
SDKDIR = $(INCLUDEDIR)/switchyard

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
MAKEFLAGS += --no-print-directory
endif

WARN := -Wall -Wextra -Werror

# ---- BPF ---------------------------------------------------------------------

# The address of a map and the __sync builtins need -mcpu=v3; __$(ARCH)__ and the
# multiarch folder are for the C library's headers, which know no "bpf" machine.  Headers
# and keys are read as words and as fields, which strict aliasing would take for two things.
# Policies of others are built with SDK_CFLAGS, too, and with one folder instead of three.
SDK_CFLAGS := -target bpf -mcpu=v3 -O2 -fno-strict-aliasing -g -D__TARGET_ARCH_$(BPF_ARCH) \
	-D__$(ARCH)__ $(BPF_INCLUDES)
BPF_CFLAGS := $(SDK_CFLAGS) $(WARN) -Iinclude -Iprogs -Ipolicies \
	-ffile-prefix-map=$(CURDIR)=.

PROGS := $(patsubst %.bpf.c,$(O)/%.bpf.o,$(wildcard progs/*.bpf.c))
POLICIES := $(patsubst %.bpf.c,$(O)/%.bpf.o,$(wildcard policies/*.bpf.c))
# Under the name by which libxdp looks for it, and in a folder that has nothing else: what
# else libxdp looks for is not for this one to give.
DISPATCHER := $(O)/dispatcher/xdp-dispatcher.o
TEST_PROGS := $(patsubst %.bpf.c,$(O)/%.bpf.o,$(wildcard tests/*.bpf.c tests/*/*.bpf.c))

# ---- user space --------------------------------------------------------------

ifeq ($(SANITIZE),1)
SANITIZE_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
endif

C_FLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(SANITIZE_FLAGS) -D_GNU_SOURCE -Iinclude \
	-ffile-prefix-map=$(CURDIR)=. \
	-DLB_VERSION='"$(VERSION)"' -DLB_LIBDIR='"$(OBJDIR)"' $(LIB_CFLAGS)
TEST_FLAGS = -Iloader -Itests $(CMOCKA_CFLAGS)

LOADER_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard loader/*.c))
TEST_SRCS := $(filter-out %.bpf.c,$(wildcard tests/*.c))
TESTS := $(patsubst %.c,$(O)/%,$(filter tests/test_%,$(TEST_SRCS)))
TEST_OBJS := $(patsubst %.c,$(O)/%.o,$(TEST_SRCS))
TEST_SHARED := $(patsubst %.c,$(O)/%.o,$(filter-out tests/test_%,$(TEST_SRCS)))

# Each of these is a program, made with all else that is in bench/ and the tests' harness.
BENCHES := $(patsubst %.c,$(O)/%,$(wildcard bench/paths.c bench/live.c bench/clock.c \
	bench/tables.c))
BENCH_PROGS := $(patsubst %.bpf.c,$(O)/%.bpf.o,$(wildcard bench/*.bpf.c))
BENCH_OBJS := $(patsubst %.c,$(O)/%.o,$(filter-out %.bpf.c,$(wildcard bench/*.c)))
BENCH_SHARED := $(filter-out $(BENCHES:=.o),$(BENCH_OBJS))

# ---- targets -----------------------------------------------------------------

.PHONY: all progs policies dispatcher lbctl tests benches sdk docs install uninstall clean \
	distclean reconfigure deps demo test test-vm test-policies test-tutorials bench \
	bench-compare check-style check-format check-shell print-sources sanitize FORCE
.SECONDARY:
.DELETE_ON_ERROR:

all: progs policies dispatcher lbctl sdk docs

progs: $(PROGS)
policies: $(POLICIES)
dispatcher: $(DISPATCHER)
lbctl: $(if $(wildcard loader/main.c loader/lbctl.c),$(O)/lbctl)
tests: $(TEST_PROGS) $(TESTS)
benches: all $(BENCH_PROGS) $(BENCHES)

# A static pattern: build/tests/%.o below would match tests/X/Y.bpf.o with a shorter stem.
define build_bpf
@mkdir -p $(@D)
$(say) CLANG $@
$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
$(Q)$(LLVM_STRIP) -g $@
endef

$(PROGS) $(POLICIES) $(TEST_PROGS) $(BENCH_PROGS): $(O)/%.bpf.o: %.bpf.c $(O)/bpf.flags
	$(build_bpf)

$(DISPATCHER): dispatcher/xdp-dispatcher.bpf.c $(O)/bpf.flags
	$(build_bpf)

$(O)/loader/%.o: loader/%.c $(O)/c.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(C_FLAGS) -MMD -MP -c $< -o $@

$(O)/tests/%.o: tests/%.c $(O)/c.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(C_FLAGS) $(TEST_FLAGS) -MMD -MP -c $< -o $@

$(O)/bench/%.o: bench/%.c $(O)/c.flags
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(C_FLAGS) $(TEST_FLAGS) -MMD -MP -c $< -o $@

$(O)/lbctl: $(LOADER_OBJS)
	$(say) LINK $@
	$(Q)$(CC) $(C_FLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# What tests take of lbctl; its main() stays in the archive.
$(O)/loader.a: $(LOADER_OBJS)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(TESTS): $(O)/tests/%: $(O)/tests/%.o $(TEST_SHARED) $(if $(LOADER_OBJS),$(O)/loader.a)
	$(if $(CMOCKA_LIBS),,$(error tests need cmocka: install libcmocka-dev, run ./configure))
	$(say) LINK $@
	$(Q)$(CC) $(C_FLAGS) $(LDFLAGS) $^ $(CMOCKA_LIBS) $(LIBS) -lpthread -o $@

$(BENCHES): $(O)/bench/%: $(O)/bench/%.o $(BENCH_SHARED) $(TEST_SHARED) $(O)/loader.a
	$(if $(CMOCKA_LIBS),,$(error benchmarks need cmocka: install libcmocka-dev, run ./configure))
	$(say) LINK $@
	$(Q)$(CC) $(C_FLAGS) $(LDFLAGS) $^ $(CMOCKA_LIBS) $(LIBS) -lpthread -o $@

# Written anew only when they change, so that another PREFIX, CC or CFLAGS rebuilds.
$(O)/bpf.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CLANG) $(BPF_CFLAGS))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(CLANG) $(BPF_CFLAGS))' >$@
$(O)/c.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CC) $(C_FLAGS))' | cmp -s - $@ || \
		echo '$(subst ','\'',$(CC) $(C_FLAGS))' >$@

-include $(PROGS:.o=.d) $(POLICIES:.o=.d) $(DISPATCHER:.o=.d) $(TEST_PROGS:.o=.d)
-include $(LOADER_OBJS:.o=.d) $(TEST_OBJS:.o=.d)
-include $(BENCH_PROGS:.o=.d) $(BENCH_OBJS:.o=.d)

# ---- the SDK: what policies are built with outside of the tree -----------------

TEMPLATE := $(addprefix $(O)/template/,$(notdir $(wildcard policies/template/*)))

sdk: $(O)/sdk.headers $(O)/switchyard.pc $(O)/dist/switchyard.pc $(TEMPLATE)

# The headers that the shipped policies include, wherever they are here, in one folder.
$(O)/sdk.headers: $(POLICIES)
	$(say) SDK $(O)/include/switchyard
	$(Q)rm -rf $(O)/include && mkdir -p $(O)/include/switchyard/lb
	$(Q)cat $(POLICIES:.o=.d) | tr -s ' \\' '\n' | sort -u | \
		grep -E '^(policies|progs|include/lb)/.*\.h$$' >$@
	$(Q)cp $$(grep -v '^include/' $@) $(O)/include/switchyard
	$(Q)cp $$(grep '^include/lb/' $@) $(O)/include/switchyard/lb

# For pkg-config: of this tree, and as it is installed.
$(O)/switchyard.pc: INCLUDED = $(abspath $(O))/include
$(O)/dist/switchyard.pc: INCLUDED = $(INCLUDEDIR)
$(O)/switchyard.pc $(O)/dist/switchyard.pc: dist/switchyard.pc.in $(O)/bpf.flags config.mk
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)sed -e 's|@INCLUDEDIR@|$(INCLUDED)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@CLANG@|$(CLANG)|' -e 's|@CFLAGS@|$(strip $(SDK_CFLAGS))|' $< >$@

# What `lbctl policy new` begins with.
$(O)/template/%: policies/template/%
	@mkdir -p $(@D)
	$(say) COPY $@
	$(Q)cp $< $@

config.mk: configure
	./configure $(CONFIGURE_ARGS)

# As last time, with what has been installed since.
reconfigure:
	./configure $(CONFIGURE_ARGS)

# lbctl under ASan and UBSan, with the objects of the normal build beside it.
sanitize: progs policies dispatcher
	@mkdir -p $(O)/asan
	@ln -sfn ../dispatcher $(O)/asan/dispatcher
	@ln -sfn ../progs $(O)/asan/progs
	@ln -sfn ../policies $(O)/asan/policies
	+$(Q)$(MAKE) O=$(O)/asan SANITIZE=1 lbctl tests

# ---- documents and installation ----------------------------------------------

MAN := $(if $(SCDOC),$(patsubst docs/%.scd,$(O)/docs/%,$(wildcard docs/*.scd)))
mandir = $(MANDIR)/man$(subst .,,$(suffix $(1)))
UNIT := $(patsubst dist/%.in,$(O)/dist/%,$(wildcard dist/*.service.in))

docs: $(MAN) $(UNIT)

# A line "@REASONS@" becomes the table of LB_REASONS.
$(O)/docs/%: docs/%.scd include/lb/reasons.h docs/reasons.sh
	@mkdir -p $(@D)
	$(say) SCDOC $@
	$(Q)CC='$(CC)' sh docs/reasons.sh <$< >$@.scd
	$(Q)$(SCDOC) <$@.scd >$@

$(O)/dist/%: dist/%.in $(O)/c.flags
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' $< >$@

install: all
	install -d $(addprefix $(DESTDIR)$(OBJDIR)/,progs policies dispatcher) \
		$(DESTDIR)$(SBINDIR) $(DESTDIR)$(UNITDIR) \
		$(addprefix $(DESTDIR)$(MANDIR)/,man7 man8) \
		$(DESTDIR)$(SYSCONFDIR)/switchyard $(DESTDIR)$(SDKDIR)/lb \
		$(DESTDIR)$(OBJDIR)/template $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 $(PROGS) $(DESTDIR)$(OBJDIR)/progs
	install -m 644 $(POLICIES) $(DESTDIR)$(OBJDIR)/policies
	install -m 644 $(DISPATCHER) $(DESTDIR)$(OBJDIR)/dispatcher
	install -m 755 $(O)/lbctl $(DESTDIR)$(SBINDIR)
	install -m 644 $(O)/include/switchyard/*.h $(DESTDIR)$(SDKDIR)
	install -m 644 $(O)/include/switchyard/lb/*.h $(DESTDIR)$(SDKDIR)/lb
	install -m 644 $(O)/dist/switchyard.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 $(TEMPLATE) $(DESTDIR)$(OBJDIR)/template
	$(foreach page,$(MAN),install -m 644 $(page) $(DESTDIR)$(call mandir,$(page)) && ) true
	$(if $(UNIT),install -m 644 $(UNIT) $(DESTDIR)$(UNITDIR))

# Leaves /etc/switchyard: it holds the user's configuration.
uninstall:
	rm -rf $(DESTDIR)$(OBJDIR) $(DESTDIR)$(SDKDIR)
	rm -f $(DESTDIR)$(SBINDIR)/lbctl $(DESTDIR)$(LIBDIR)/pkgconfig/switchyard.pc
	rm -f $(foreach page,$(MAN),$(DESTDIR)$(call mandir,$(page))/$(notdir $(page)))
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNIT)))

clean:
	rm -rf $(O)

distclean: clean
	rm -f config.mk

# ---- from an empty machine ---------------------------------------------------

deps:
	dist/install-deps build demo test

# All processors, unless -j says how many.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

demo:
	dist/install-deps build demo
	[ -e config.mk ] || ./configure
	+$(MAKE) $(JOBS) all $(O)/tests/net/pass.bpf.o
	tests/net/demo.sh

test:
	dist/install-deps build demo test
	[ -e config.mk ] || ./configure
	+@grep -q '^CMOCKA_LIBS := .' config.mk || $(MAKE) reconfigure
	+$(MAKE) $(JOBS) all tests
	tests/run

# What is said of policies, with storms of 10,000 swaps; `make test` has shorter ones.
POLICY_SUITES = $(wildcard $(patsubst %,tests/test_%.[cs]*,policies laws* gate* table flip hash \
	match* attempts admit client limits unknown generation lost_flows tunables cli_params \
	cli_policy cli_admission) $(patsubst %,tests/net/test_%.sh,policies own_policy drain admit \
	unknown swap)) tests/vm/test_6_1.sh

test-policies:
	dist/install-deps build demo test
	[ -e config.mk ] || ./configure
	+@grep -q '^CMOCKA_LIBS := .' config.mk || $(MAKE) reconfigure
	+$(MAKE) $(JOBS) all tests
	SWAPS=10000 tests/run --numbers --timeout 3600 $(sort $(POLICY_SUITES))

# The whole chain under each kernel that is supported; `make test` has the oldest.
test-vm:
	dist/install-deps build demo test
	[ -e config.mk ] || ./configure
	+@grep -q '^CMOCKA_LIBS := .' config.mk || $(MAKE) reconfigure
	+$(MAKE) $(JOBS) all tests
	tests/run vm

# The walk-throughs of docs/tutorials, as they are written; `make test` does them, too.
test-tutorials:
	dist/install-deps build demo test
	[ -e config.mk ] || ./configure
	+$(MAKE) $(JOBS) all
	tests/run net/tutorials

# What a packet costs, and what the peers do: docs/performance.md.
bench:
	dist/install-deps build demo bench
	[ -e config.mk ] || ./configure
	+@grep -q '^CMOCKA_LIBS := .' config.mk || $(MAKE) reconfigure
	+$(MAKE) $(JOBS) benches
	bench/run $(BENCH_ARGS)

# Is it slower than at commit BASE?
bench-compare:
	$(if $(BASE),,$(error bench-compare needs BASE=COMMIT))
	dist/install-deps build demo bench
	[ -e config.mk ] || ./configure
	+@grep -q '^CMOCKA_LIBS := .' config.mk || $(MAKE) reconfigure
	+$(MAKE) $(JOBS) benches
	bench/compare $(BENCH_ARGS) $(BASE)

SOURCES = $(sort $(wildcard $(addsuffix /*.[ch],include/lb progs policies dispatcher \
	loader tests tests/* bench)))
SCRIPTS = $(shell grep -lE '^\#!/(usr/)?bin/(env )?(ba)?sh' configure .ci/* dist/* docs/* \
	bench/* tests/* tests/*/* 2>/dev/null)

check-style: check-format check-shell

check-format:
	clang-format --dry-run --Werror $(SOURCES)

check-shell:
	shellcheck -x $(SCRIPTS)

print-sources:
	@printf '%s\n' $(SOURCES) $(SCRIPTS)
