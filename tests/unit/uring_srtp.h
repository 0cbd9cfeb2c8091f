/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The io_uring datapath with key sets, and packets that are protected by it:
 *
 *   caller --RTP--> :BASE [ relay ] :BASE+2 --SRTP--> callee
 */
#ifndef TANDEM_TEST_URING_SRTP_H
#define TANDEM_TEST_URING_SRTP_H

#include "tests/unit/uring_fixture.h"

#include "userspace/datapath/srtp_sets.h"

#define TAG	10
#define RTP_LEN 172

static struct tandem_srtp_sets *sets;

static inline int setup_sets_mode(void **state, unsigned int without)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct tandem_datapath_config cfg = config();
	char why[256];

	f->fds_before = open_fds();
	assert_int_equal(tandem_srtp_sets_alloc(&sets, 8), 0);
	cfg.srtp = sets;
	if (tandem_uring_open(&f->dp, &cfg, without, why, sizeof(why))) {
		print_error("%s\n", why);
		return -1;
	}
	f->caller = phone_open("127.0.0.1");
	f->callee = phone_open("127.0.0.1");
	*state = f;
	return 0;
}

static inline int setup_sets(void **state)
{
	return setup_sets_mode(state, 0);
}

static inline int teardown_sets(void **state)
{
	int leaked = teardown(state);

	tandem_srtp_sets_free(sets);
	return leaked;
}

/* Of sets with one key number, packets of one can be read with the other. */
static inline struct tandem_srtp set_of(uint64_t id, uint8_t suite, int key)
{
	struct tandem_srtp s = { .id = id, .suite = suite, .streams = 4 };

	memset(s.key, key, sizeof(s.key));
	memset(s.salt, key + 1, sizeof(s.salt));
	return s;
}

static inline void there(struct fixture *f, const struct tandem_srtp *out)
{
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);

	spec.srtp_out = out;
	assert_int_equal(set(f, &spec), 0);
}

/* A packet as the callee gets it. */
static inline size_t protected_of(struct fixture *f, uint16_t seq, uint32_t ssrc,
				  unsigned char *buf, size_t size)
{
	unsigned char plain[RTP_LEN];
	uint16_t port;
	ssize_t len;

	rtp(plain, seq, ssrc);
	send_to(&f->caller, "127.0.0.1", BASE, plain, sizeof(plain));
	len = receive(&f->callee, buf, size, &port);
	assert_true(len > RTP_LEN);
	assert_memory_equal(buf, plain, 12);
	assert_memory_not_equal(buf + 12, plain + 12, RTP_LEN - 12);
	return (size_t)len;
}

static inline size_t protected(struct fixture *f, uint16_t seq, unsigned char *buf, size_t size)
{
	return protected_of(f, seq, 0x1234, buf, size);
}

#endif
