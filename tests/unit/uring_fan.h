/* SPDX-License-Identifier: GPL-2.0-only */
/* A flow of the io_uring datapath that has a fan. */
#ifndef TANDEM_TESTS_URING_FAN_H
#define TANDEM_TESTS_URING_FAN_H

#include "tests/unit/uring_fixture.h"

#define FLOW 1
#define SSRC 0x1234

static inline struct tandem_flow_spec fan_spec(struct fixture *f, const struct tandem_fan *fan)
{
	struct tandem_flow_spec spec = spec_of(FLOW, "127.0.0.1", BASE, &f->caller, &f->callee);

	spec.egress[EGRESS_RTP].flags = 0;
	spec.fan = fan;
	return spec;
}

static inline void set_fan(struct fixture *f, const struct tandem_fan *fan)
{
	struct tandem_flow_spec spec = fan_spec(f, fan);

	assert_int_equal(set(f, &spec), 0);
}

static inline void send_ssrc(struct fixture *f, uint16_t seq, uint32_t ssrc)
{
	unsigned char buf[172];

	send_to(&f->caller, "127.0.0.1", BASE, buf, rtp(buf, seq, ssrc));
}

#endif
