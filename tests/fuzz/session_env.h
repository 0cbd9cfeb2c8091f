/* SPDX-License-Identifier: GPL-2.0-only */
/* What sessions have around them under a fuzzer: a clock of its own, and no datapath. */
#ifndef TANDEM_TESTS_FUZZ_SESSION_ENV_H
#define TANDEM_TESTS_FUZZ_SESSION_ENV_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/session/env.h"

#define FUZZ_FLOWS_MAX 1024

static uint64_t fuzz_clock_ms = 1000000;
static int64_t fuzz_epoch_ms = 1700000000000;
/* the flows that are installed, without what they borrow */
static struct tandem_flow_spec fuzz_flows[FUZZ_FLOWS_MAX];
static size_t fuzz_flows_count;
/* what happens with what is sent, and what has come in; NULL: nothing */
static void (*fuzz_sent_h)(const struct tandem_endpoint *local,
			   const struct tandem_endpoint *remote, const void *payload, size_t len);
static void (*fuzz_dispatch_h)(const struct tandem_event_handlers *handlers, void *arg);

static inline size_t fuzz_flow_find(uint64_t id)
{
	size_t i = 0;

	while (i < fuzz_flows_count && fuzz_flows[i].id != id)
		i++;
	return i;
}

static inline int fuzz_apply(struct tandem_plane *plane, struct tandem_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct tandem_flow_spec *spec = &changes[i].spec;
		size_t found = fuzz_flow_find(spec->id);

		changes[i].result = 0;
		if (changes[i].op == TANDEM_FLOW_REMOVE) {
			/* what has not been installed cannot be removed */
			CHECK(found < fuzz_flows_count);
			fuzz_flows[found] = fuzz_flows[--fuzz_flows_count];
			continue;
		}
		/* nothing may leave in the clear for who is to have SRTP: no keys, no way */
		CHECK(!spec->srtp_out || spec->srtp_out->suite);
		CHECK(!spec->srtp_in || spec->srtp_in->id);
		if (found == fuzz_flows_count)
			fuzz_flows_count++;
		CHECK(fuzz_flows_count <= FUZZ_FLOWS_MAX);
		fuzz_flows[found] = *spec;
		fuzz_flows[found].fan = NULL;
		fuzz_flows[found].srtp_in = fuzz_flows[found].srtp_in_old = NULL;
		fuzz_flows[found].srtp_out = NULL;
	}
	return 0;
}

static inline int fuzz_read(struct tandem_plane *plane, uint64_t id,
			    struct tandem_flow_stats *stats)
{
	return -ENOENT;
}

static inline int fuzz_list(struct tandem_plane *plane, tandem_installed_h *h, void *arg)
{
	for (size_t i = 0; i < fuzz_flows_count; i++)
		h(&fuzz_flows[i], arg);
	return 0;
}

static inline int fuzz_send(struct tandem_plane *plane, const struct tandem_endpoint *local,
			    const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	if (fuzz_sent_h)
		fuzz_sent_h(local, remote, payload, len);
	return 0;
}

static inline void fuzz_dispatch(struct tandem_plane *plane,
				 const struct tandem_event_handlers *handlers, void *arg)
{
	if (fuzz_dispatch_h)
		fuzz_dispatch_h(handlers, arg);
}

static inline int fuzz_counters(struct tandem_plane *plane, struct reason_counters *fast,
				struct reason_counters *slow)
{
	memset(fast, 0, sizeof(*fast));
	memset(slow, 0, sizeof(*slow));
	return 0;
}

static inline void fuzz_retry(struct tandem_plane *plane)
{
}

static inline bool fuzz_key_spent(const struct tandem_plane *plane, uint64_t id)
{
	return false;
}

static inline bool fuzz_key_counted(struct tandem_plane *plane, uint64_t id,
				    struct tandem_srtp_seed *seed)
{
	return false;
}

static inline void fuzz_keys_seed(struct tandem_plane *plane, const struct tandem_srtp_seed *seeds,
				  size_t n)
{
}

static inline uint64_t fuzz_monotonic_ms(void *arg)
{
	return fuzz_clock_ms;
}

static inline int64_t fuzz_now_epoch_ms(void *arg)
{
	return fuzz_epoch_ms + (int64_t)fuzz_clock_ms;
}

static inline const char *fuzz_name(const struct tandem_plane *plane)
{
	return "none";
}

static inline int fuzz_route(const struct tandem_endpoint *to, struct ip_addr *from, void *arg)
{
	return -ENETUNREACH;
}

static const struct tandem_session_env fuzz_env = {
	.apply = fuzz_apply,
	.read = fuzz_read,
	.list = fuzz_list,
	.name = fuzz_name,
	.describe = fuzz_name,
	.send = fuzz_send,
	.dispatch = fuzz_dispatch,
	.counters = fuzz_counters,
	.retry = fuzz_retry,
	.key_spent = fuzz_key_spent,
	.key_counted = fuzz_key_counted,
	.keys_seed = fuzz_keys_seed,
	.monotonic_ms = fuzz_monotonic_ms,
	.epoch_ms = fuzz_now_epoch_ms,
	.route = fuzz_route,
	.seed = 1,
};

#endif
