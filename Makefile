# SPDX-License-Identifier: GPL-2.0-only
# tandem: build, demonstrate, test. "make help" lists the targets.

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
UNITDIR ?= $(PREFIX)/lib/systemd/system

ifeq ($(origin CC),default)
CC          := gcc
endif
CLANG       ?= clang-16
BPFTOOL     ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG  ?= pkg-config
FUZZ_SECONDS ?= 20

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-unused-parameter -Werror
CPPFLAGS_ALL := -D_GNU_SOURCE -DTANDEM_VERSION='"$(VERSION)"' -I. -Iuserspace/uring -I$(BUILD)/bpf -I$(BUILD)/bench -I$(BUILD)/tests/bpf -I$(BUILD)/tests/kmod
CFLAGS ?= -O2 -g
CFLAGS_ALL := -std=gnu11 $(WARN) $(CFLAGS)
ASAN   := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined

# libre's own pkg-config file leaves the feature macros of its headers out.
RE_CPPFLAGS := -DHAVE_INTTYPES_H -DHAVE_STDBOOL_H -DHAVE_INET6 -isystem /usr/include/re
LDLIBS = -lbpf -luring -lsqlite3 -lcyaml -lyaml -ljansson -lre -lwebsockets -lhiredis -lsndfile -lspeexdsp -lopus -lspandsp -lpcap -lssl $(CRYPTO_LIBS) -lm -lpthread

# Asked for when used: on a fresh machine `make deps demo` starts without a compiler.
TRIPLET = $(shell $(CC) -dumpmachine)
BPF_CFLAGS = -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror \
	-I. -Ibpf -I/usr/include/$(TRIPLET)

# bench/install.c and bench/srtp.c are programs of their own; the rest of bench/ is the command "tandem bench".
LIB_SRCS  := $(filter-out userspace/main.c bench/install.c bench/srtp.c %.bpf.c,$(wildcard userspace/*.c userspace/*/*.c bench/*.c))
# Ciphers of SRTP: ipsec-mb besides OpenSSL, where it is installed.
IPSEC_MB  := $(wildcard /usr/include/intel-ipsec-mb.h)
LIB_SRCS  := $(filter-out userspace/srtp/$(if $(IPSEC_MB),no_)ipsec_mb.c,$(LIB_SRCS))
CRYPTO_LIBS := -lcrypto $(if $(IPSEC_MB),-lIPSec_MB)
BPF_SRCS  := $(wildcard bpf/*.bpf.c tests/bpf/*.bpf.c tests/kmod/*.bpf.c bench/*.bpf.c)
BPF_OBJS  := $(BPF_SRCS:%.bpf.c=$(BUILD)/%.bpf.o)
SKELETONS := $(BPF_OBJS:.bpf.o=.skel.h)
UNIT_SRCS := $(wildcard tests/unit/test_*.c)
UNIT_BINS := $(UNIT_SRCS:tests/unit/%.c=$(BUILD)/tests/unit/%)
BPFT_SRCS := $(wildcard tests/bpf/*.c)
BPFT_BINS := $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(filter-out %.bpf.c,$(BPFT_SRCS)))
TOOL_SRCS := $(wildcard tests/tools/*.c)
TOOL_BINS := $(TOOL_SRCS:tests/tools/%.c=$(BUILD)/tests/tools/%)
CHURN     := $(BUILD)/tests/tools/churn
FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BINS := $(FUZZ_SRCS:tests/fuzz/%.c=$(BUILD)/tests/fuzz/%)
# DPDK has its own headers and flags, and the worker its own env.h.
DPDK_FOUND := $(shell $(PKG_CONFIG) --exists libdpdk 2>/dev/null && echo yes)
DPDK_SRCS := $(wildcard dpdk/*.c)
DPDK_OBJS := $(DPDK_SRCS:%.c=$(BUILD)/dpdk/%.o)
DPDK_CPPFLAGS = -D_GNU_SOURCE -I. -Idpdk $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags libdpdk))
DPDK_LIBS = $(shell $(PKG_CONFIG) --libs libdpdk) -lrte_bus_vdev
KMODT_SRCS := $(filter-out %.bpf.c,$(wildcard tests/kmod/*.c))
KMODT_BINS := $(KMODT_SRCS:tests/kmod/%.c=$(BUILD)/tests/kmod/%)
BENCH_BINS := $(BUILD)/bench/install $(BUILD)/bench/srtp

# make V=1 shows the commands in full.
ifneq ($(V),1)
Q   := @
say = @printf '  %-5s %s\n' $(1) $(2)
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help all core bpf userspace kmod kmod-test dpdk dpdk-test dpdk-bench deps demo run test unit vectors fuzz netns test-tools lint \
	format bench install uninstall clean

##@ Building (V=1 shows the commands)
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

all: core bpf userspace dpdk ## build everything that runs

deps: ## install the Debian packages that building, demo and tests need (root)
	tests/deps.sh

# What is installed decides on what is built. "make deps test" therefore installs first, and
# make starts over with this file included.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
-include $(BUILD)/deps.mk
$(BUILD)/deps.mk: tests/deps.sh
	@mkdir -p $(@D)
	tests/deps.sh
	@touch $@
endif

core: ## check that the core stands alone: no libc, no #ifdef, for BPF and for the host
	@tests/lint/core.sh $(CLANG) $(CC)

bpf: $(BPF_OBJS) ## compile the XDP program and its skeleton

userspace: $(BUILD)/tandem ## compile the tandem program

ifdef DPDK_FOUND
dpdk: $(BUILD)/tandem-dpdk ## compile the worker of the DPDK datapath, where DPDK is installed
else
dpdk:
	@echo "dpdk: skipped: DPDK not found (install dpdk-dev)"
endif

kmod: ## compile the kernel module (needs kernel headers)
	@BUILD=$(BUILD) kmod/build.sh

##@ Running
demo: all test-tools ## a real call between two phones through the relay, in namespaces (root)
	tests/netns/demo.sh

run: $(BUILD)/tandem ## run the relay on this host with default configuration (root)
	$(BUILD)/tandem run

##@ Checking
test: lint core all $(BENCH_BINS) unit vectors dpdk-test kmod-test fuzz netns ## all of the below in one go (root)

unit: $(UNIT_BINS) ## unit tests under AddressSanitizer and UBSan
	@CMOCKA_MESSAGE_OUTPUT=TAP prove --failures --comments --exec tests/own_net.sh $(sort $(UNIT_BINS)) \
		|| { echo "unit tests failed" >&2; exit 1; }

vectors: $(BPFT_BINS) bpf ## packet vectors through XDP and the userspace build of the core (root)
	@prove --failures --comments --exec tests/own_net.sh $(sort $(BPFT_BINS))

ifdef DPDK_FOUND
dpdk-bench: userspace dpdk $(BUILD)/bench/dpdk-mill ## what a frame costs the DPDK worker, beside testpmd: in memory, and by AF_XDP (root)
	BUILD=$(BUILD) bench/dpdk.sh

dpdk-test: all test-tools $(BUILD)/tests/dpdk/vectors $(BUILD)/tests/dpdk/control ## packet vectors, a client that misbehaves and calls through the DPDK worker (root)
	CMOCKA_MESSAGE_OUTPUT=TAP prove --failures --comments --exec tests/own_net.sh $(BUILD)/tests/dpdk/vectors $(BUILD)/tests/dpdk/control
	prove --timer --failures --comments tests/dpdk/*.t
else
dpdk-bench:
	@echo "dpdk-bench: skipped: DPDK not found (install dpdk-dev)"

dpdk-test:
	@echo "dpdk-test: SKIPPED: DPDK not found (install dpdk-dev)" >&2
endif

fuzz: $(FUZZ_BINS) ## every parser, FUZZ_SECONDS each
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_BINS)

kmod-test: kmod userspace test-tools $(KMODT_BINS) ## load the kernel module in an emulated machine, with calls through it
	@BUILD=$(BUILD) prove --timer --failures --comments tests/kmod/*.t

test-tools: $(TOOL_BINS)

# Two at a time, as most of them wait for phones most of the time; but of these never two.
NETNS_BUSY := bench,churn,feedback,hundred_calls,impair,impairment,webrtc
netns: all test-tools $(CHURN).asan ## end-to-end calls with real phones in network namespaces (root)
	@prove --jobs 2 --rules 'seq=tests/netns/{$(NETNS_BUSY)}.t' --rules 'par=**' \
		--timer --failures --comments tests/netns/*.t

lint: ## formatting, licences, include directions, scripts, spelling
	@tests/lint/lint.sh

format: ## rewrite the sources in the house style
	clang-format -i $$(git ls-files '*.c' '*.h')

bench: all test-tools $(BENCH_BINS) $(if $(DPDK_FOUND),$(BUILD)/bench/dpdk-mill) ## measure the relay beside bare limit programs and peers, about eight minutes (root)
	@BUILD=$(BUILD) bench/run.sh

##@ Installing
install: userspace dpdk ## install program, man pages and unit file under PREFIX
	install -D -m 755 $(BUILD)/tandem $(DESTDIR)$(PREFIX)/sbin/tandem
	[ ! -x $(BUILD)/tandem-dpdk ] || install -D -m 755 $(BUILD)/tandem-dpdk $(DESTDIR)$(PREFIX)/sbin/tandem-dpdk
	install -D -m 644 docs/man/tandem.8 $(DESTDIR)$(PREFIX)/share/man/man8/tandem.8
	install -D -m 644 docs/man/tandem.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/tandem.conf.5
	install -D -m 644 docs/tandem.conf.example $(DESTDIR)$(PREFIX)/share/doc/tandem/tandem.conf.example
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|/usr/local/sbin|$(PREFIX)/sbin|' docs/tandem.service > $(DESTDIR)$(UNITDIR)/tandem.service
	chmod 644 $(DESTDIR)$(UNITDIR)/tandem.service

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/tandem $(DESTDIR)$(PREFIX)/sbin/tandem-dpdk $(DESTDIR)$(PREFIX)/share/man/man8/tandem.8 \
		$(DESTDIR)$(PREFIX)/share/man/man5/tandem.conf.5 $(DESTDIR)$(UNITDIR)/tandem.service
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/tandem

clean: ## remove the build folder
	rm -rf $(BUILD)

# --- rules ---------------------------------------------------------------

$(BUILD)/%.bpf.o: %.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

# Where there are ciphers, this order of instructions needs the fewest registers, and so the least stack.
$(BUILD)/bpf/relay.bpf.o $(BUILD)/bpf/relay_module.bpf.o $(BUILD)/tests/bpf/srtp.bpf.o: BPF_CFLAGS += -mllvm -pre-RA-sched=list-hybrid

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$(notdir $*))_bpf > $@

# Three builds of the same sources: as shipped, under sanitizers, for the fuzzers.
define variant
$(BUILD)/$(1)/%.o: %.c | $(SKELETONS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$(2) $(CPPFLAGS_ALL) $$(EXTRA_CPPFLAGS) $(3) -MMD -MP -c $$< -o $$@

$(BUILD)/$(1)/libtandem.a: $(LIB_SRCS:%.c=$(BUILD)/$(1)/%.o)
	$$(call say,AR,$$@)
	$(Q)rm -f $$@ && $(AR) rcs $$@ $$^

$(BUILD)/$(1)/userspace/sip/%.o: EXTRA_CPPFLAGS = $(RE_CPPFLAGS)
$(BUILD)/$(1)/userspace/main.o $(BUILD)/$(1)/userspace/loop.o $(BUILD)/$(1)/userspace/run.o: \
	EXTRA_CPPFLAGS = $(RE_CPPFLAGS)
$(BUILD)/$(1)/userspace/capture/sip.o $(BUILD)/$(1)/userspace/replay/dialog.o: EXTRA_CPPFLAGS = $(RE_CPPFLAGS)
$(BUILD)/$(1)/userspace/cluster/%.o: EXTRA_CPPFLAGS = $(RE_CPPFLAGS)
$(BUILD)/$(1)/tests/unit/test_sip%.o: EXTRA_CPPFLAGS = $(RE_CPPFLAGS)
$(BUILD)/$(1)/tests/unit/test_cluster%.o: EXTRA_CPPFLAGS = $(RE_CPPFLAGS)
$(BUILD)/$(1)/tests/fuzz/fuzz_sip%.o: EXTRA_CPPFLAGS = $(RE_CPPFLAGS)
endef

FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
$(eval $(call variant,release,$$(CC),$$(CFLAGS_ALL)))
$(eval $(call variant,asan,$$(CC),-std=gnu11 $$(WARN) $$(ASAN)))
$(eval $(call variant,fuzz,$$(CLANG),-std=gnu11 -Wall -Wno-gnu -Werror -fsanitize=fuzzer-no-link $$(FUZZ_FLAGS)))

# Another heap: glibc's gets holes between messages that live for half a minute, and grows for hours.
$(BUILD)/tandem: $(BUILD)/release/userspace/main.o $(BUILD)/release/libtandem.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(LDLIBS) -ljemalloc -o $@

# The drivers are plugins that the EAL finds by itself.
$(BUILD)/tandem-dpdk: $(DPDK_OBJS) $(BUILD)/release/libtandem.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(DPDK_LIBS) $(CRYPTO_LIBS) -lcyaml -lyaml -o $@

$(BUILD)/dpdk/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(DPDK_CPPFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/dpdk-asan/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 $(WARN) $(ASAN) $(DPDK_CPPFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/dpdk/vectors: $(BUILD)/asan/tests/bpf/vectors.o $(BUILD)/dpdk-asan/tests/dpdk/vec_dpdk.o \
		$(patsubst %.c,$(BUILD)/dpdk-asan/%.o,$(filter-out dpdk/main.c,$(DPDK_SRCS))) $(BUILD)/asan/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ASAN) $^ $(LDLIBS) $(DPDK_LIBS) -o $@

$(BUILD)/tests/dpdk/control: $(BUILD)/dpdk-asan/tests/dpdk/control.o \
		$(patsubst %.c,$(BUILD)/dpdk-asan/%.o,$(filter-out dpdk/main.c,$(DPDK_SRCS))) $(BUILD)/asan/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ASAN) $^ $(LDLIBS) $(DPDK_LIBS) -lcmocka -o $@

$(BUILD)/bench/dpdk-mill: $(patsubst %.c,$(BUILD)/dpdk/%.o,$(wildcard bench/dpdk/*.c)) $(filter-out %/main.o,$(DPDK_OBJS)) $(BUILD)/release/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(DPDK_LIBS) $(CRYPTO_LIBS) -o $@

$(BUILD)/tandem.asan: $(BUILD)/asan/userspace/main.o $(BUILD)/asan/libtandem.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ASAN) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/tests/unit/%: $(BUILD)/asan/tests/unit/%.o $(BUILD)/asan/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ASAN) $^ $(LDLIBS) $(TEST_LIBS) -lcmocka -o $@

$(BUILD)/tests/unit/test_srtp_oracle: TEST_LIBS := -lsrtp2

$(BUILD)/tests/bpf/%: $(BUILD)/asan/tests/bpf/%.o $(BUILD)/asan/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ASAN) $^ $(LDLIBS) -lcmocka -o $@

# The tools stand alone, but for those that open a plane, run an ICE agent or share a model with a command.
$(CHURN): $(BUILD)/release/libtandem.a
$(CHURN): TOOL_LIBS := -lbpf -luring $(CRYPTO_LIBS)
$(BUILD)/tests/tools/icepeer: $(BUILD)/release/libtandem.a
$(BUILD)/tests/tools/icepeer: TOOL_LIBS := -lcrypto
$(BUILD)/tests/tools/impair: $(BUILD)/release/libtandem.a
$(BUILD)/tests/tools/%: $(BUILD)/release/tests/tools/%.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $^ $(TOOL_LIBS) -lm -lpthread -o $@

$(CHURN).asan: $(BUILD)/asan/tests/tools/churn.o $(BUILD)/asan/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ASAN) $^ -lbpf -luring $(CRYPTO_LIBS) -lpthread -o $@

# Static: it runs where there is no library.
$(BUILD)/tests/kmod/kfuncs $(BUILD)/tests/kmod/xdp: TOOL_LIBS := -lbpf -lelf -lz
$(BUILD)/tests/kmod/%: $(BUILD)/release/tests/kmod/%.o $(BUILD)/release/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) -static -Wl,--no-warnings $^ $(TOOL_LIBS) $(CRYPTO_LIBS) -o $@

$(BUILD)/tests/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(BUILD)/fuzz/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer $^ $(LDLIBS) -o $@

$(BUILD)/bench/%: $(BUILD)/release/bench/%.o $(BUILD)/release/libtandem.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $^ $(LDLIBS) $(BENCH_LIBS) -o $@

$(BUILD)/bench/srtp: BENCH_LIBS := -lsrtp2

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
