/* SPDX-License-Identifier: GPL-2.0-only */
/* The bare XDP relay: loads bare.bpf.c, and waits. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "bare.skel.h"
#include "bench/bare.h"
#include "bench/relay.h"

static int install(struct bare_bpf *bpf, const struct relay_job *job)
{
	uint32_t zero = 0, out = if_nametoindex("out0");

	if (bpf_map_update_elem(bpf_map__fd(bpf->maps.out), &zero, &out, 0))
		return -errno;
	for (uint32_t i = 0; i < job->flows; i++) {
		const struct lab_way *w = &job->ways[i];
		struct bare_key key = { htonl(w->source.ip), htonl(w->in.ip), htons(w->source.port),
					htons(w->in.port) };
		struct bare_way way = { .to = { htonl(w->out.ip), htonl(w->sink.ip),
						htons(w->out.port), htons(w->sink.port) } };

		memcpy(way.dmac, job->sink_mac, sizeof(way.dmac));
		memcpy(way.smac, job->out_mac, sizeof(way.smac));
		if (bpf_map_update_elem(bpf_map__fd(bpf->maps.ways), &key, &way, 0))
			return -errno;
	}
	return 0;
}

static int serve(const struct relay_job *job, char *why, size_t why_size)
{
	struct bare_bpf *bpf = bare_bpf__open();
	struct bpf_link *link = NULL;
	double began;
	int err;

	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	if (!bpf)
		return -errno;
	bpf_map__set_max_entries(bpf->maps.ways, job->flows);
	err = bare_bpf__load(bpf);
	if (err)
		goto out;
	began = tandem_bench_now();
	err = install(bpf, job);
	if (err)
		goto out;
	link = bpf_program__attach_xdp(bpf->progs.bare_relay, (int)if_nametoindex("in0"));
	if (!link) {
		err = -errno;
		goto out;
	}
	tandem_relay_ready(job, tandem_bench_now() - began, 0, 0);
	tandem_relay_wait();
out:
	if (err)
		snprintf(why, why_size, "the bare XDP program: %s", strerror(-err));
	bpf_link__destroy(link);
	bare_bpf__destroy(bpf);
	return err;
}

const struct relay_kind tandem_relay_bare = {
	.name = "bare",
	.xdp = true,
	.help = "XDP program that only looks up and redirects",
	.serve = serve,
};
