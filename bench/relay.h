/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A relay under test: something that runs in the namespace of its lane and carries the
 * lane's flows. Built-in kinds run in a child of this process; any other relay is
 * a script (docs/benchmark.md has what is asked of one).
 */
#ifndef TANDEM_BENCH_RELAY_H
#define TANDEM_BENCH_RELAY_H

#include <stdbool.h>
#include <sys/types.h>

#include "bench/lab.h"
#include "userspace/datapath/datapath.h"

#define RELAY_MAX_PIDS 8

/* What a relay says when it is ready, or why it is not. */
struct relay_report {
	int err;
	char why[256];
	double install_s;	    /* from the first flow handed to it to the last one taken */
	double fast_s;		    /* of that, in the fast path alone; 0: not known */
	uint32_t installed;	    /* flows */
	pid_t pids[RELAY_MAX_PIDS]; /* whose CPU time is the relay's */
	size_t pids_count;
	struct tandem_srtp srtp; /* of a script: what all flows arrive with; suite 0: as RTP */
	bool polls; /* it takes its CPU without a pause: stopped while others have their turn */
};

/* What a built-in relay is given. */
struct relay_job {
	const struct lab_way *ways;
	uint32_t flows;
	uint32_t copies;  /* of each packet; more than 1 only where the kind says that it can */
	uint8_t suite_in; /* enum srtp_suite: what arrives is SRTP; 0: RTP */
	uint8_t suite;	  /* the same of what leaves */
	const uint8_t *sink_mac; /* next hop on out0 */
	const uint8_t *out_mac;	 /* of out0 */
	int report_fd;
};

struct seal; /* seal.h */

struct relay_kind {
	const char *name;
	bool xdp;	    /* has a program on in0 */
	bool copies;	    /* can send more than one of each packet */
	bool unprotects;    /* takes SRTP */
	bool protects;	    /* what leaves it is SRTP */
	unsigned int files; /* descriptors that it needs for each flow */
	const char *help;
	/*
	 * In a child, in the relay's namespace, with SIGTERM blocked: install the flows, call
	 * tandem_relay_ready(), relay until SIGTERM is pending, and clean up. 0 or a negative errno,
	 * which is reported, with why, when the relay had not become ready.
	 */
	int (*serve)(const struct relay_job *job, char *why, size_t why_size);
};

extern const struct relay_kind tandem_relay_bare;
extern const struct relay_kind tandem_relay_xdp;
extern const struct relay_kind tandem_relay_xdp_captured;
extern const struct relay_kind tandem_relay_uring;
extern const struct relay_kind tandem_relay_mmsg;
extern const struct relay_kind tandem_relay_dpdk;
extern const struct relay_kind tandem_relay_xdp_srtp;
extern const struct relay_kind tandem_relay_uring_srtp;
extern const struct relay_kind tandem_relay_dpdk_srtp;
extern const struct relay_kind tandem_relay_xdp_unsrtp;
extern const struct relay_kind tandem_relay_uring_unsrtp;
extern const struct relay_kind tandem_relay_dpdk_unsrtp;
extern const struct relay_kind tandem_relay_xdp_resrtp;
extern const struct relay_kind tandem_relay_uring_resrtp;
extern const struct relay_kind tandem_relay_dpdk_resrtp;

struct relay {
	char name[32];
	const struct relay_kind *kind; /* NULL: the direct lane, or a script */
	const char *script;
	size_t lane;
	bool passes;	   /* XDP_PASS has been put in front of it */
	uint8_t suite;	   /* enum srtp_suite, for kinds that protect or unprotect */
	struct seal *seal; /* what is sent to it, while it is up; NULL: RTP */

	/* While it is up. */
	pid_t pid;
	int fd, input;
	uint32_t flows, copies;
	struct lab_way *ways; /* as the relay wants its packets */
	struct relay_report report;
	uint64_t memory; /* of the whole machine, that it took; 0: not known */
};

/* Built-in kinds, ended by NULL. */
extern const struct relay_kind *const tandem_relay_kinds[];

/*
 * Parse "xdp", "direct", or "name=path/of/script". -EINVAL when there is none such.
 */
int tandem_relay_parse(struct relay *relay, const char *text);

/*
 * Start it with so many flows and copies of each packet, and wait until it is ready, timeout_s at most. avoid_cpu is
 * left to the generator where there is more than one. 0 or a negative errno; says why.
 */
int tandem_relay_start(struct relay *relay, const struct lab *lab, uint32_t flows, uint32_t copies,
		       unsigned int avoid_cpu, double timeout_s);
void tandem_relay_stop(struct relay *relay);

/*
 * Its turn begins or ends. A relay that polls is stopped in between, for several such would share the
 * CPUs that are left to them; of others nothing is changed.
 */
void tandem_relay_turn(const struct relay *relay, bool on);

/* True while its process has not ended by itself. */
bool tandem_relay_alive(struct relay *relay);

/*
 * For serve(): all flows were taken in install_s seconds, fast_s of them in the fast path. worker is a
 * process besides this one, which polls; 0: there is none.
 */
void tandem_relay_ready(const struct relay_job *job, double install_s, double fast_s, pid_t worker);

/* For serve(): wait for SIGTERM; or a descriptor that becomes readable then. */
void tandem_relay_wait(void);
int tandem_relay_stop_fd(void);

/* relay_script.c: the same for a script, in a child that it execs; and what it says. */
int tandem_script_exec(const struct relay *relay, int input, int output);
int tandem_script_read(struct relay *relay, double timeout_s);
int tandem_script_flows(const struct relay *relay);

/* Seconds of the monotonic clock. */
double tandem_bench_now(void);

#endif
