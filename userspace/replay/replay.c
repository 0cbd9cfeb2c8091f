/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/replay/call.h"
#include "userspace/replay/report.h"

#define PORT_STEP 2 /* between sources: RTP has the even port, RTCP the one above */

/* Of what is expected, all RTP of the file. */
static int load_expected(struct tandem_script *s, const char *path)
{
	const struct tandem_replay_options all = { .file = path, .clones = 2 /* no RTCP */ };

	return tandem_script_load(s, &all);
}

/* Where each source sends from and to. 0, or a negative errno having said why. */
static int plan_sources(struct tandem_source *list, const struct tandem_replay_options *o,
			uint32_t count)
{
	const uint64_t last = count - 1;

	if (o->from.port && o->from.port + last * PORT_STEP > UINT16_MAX) {
		fputs("tandem: there are not so many ports above that of --from\n", stderr);
		return -ERANGE;
	}
	if (o->to.port + last * o->to_step > UINT16_MAX) {
		fputs("tandem: --to-step leads beyond the last port\n", stderr);
		return -ERANGE;
	}
	for (uint32_t i = 0; i < count; i++) {
		list[i] = (struct tandem_source){ o->from, o->to };
		list[i].to.port = (uint16_t)(o->to.port + i * o->to_step);
		if (o->from.port)
			list[i].from.port = (uint16_t)(o->from.port + i * PORT_STEP);
	}
	return 0;
}

/* 0, or a negative errno having said why. */
static int send_script(struct tandem_replay_result *r, const struct tandem_script *script)
{
	struct tandem_source *list = calloc(r->sources, sizeof(*list));
	struct tandem_sources *sources = NULL;
	int err = list ? plan_sources(list, r->o, r->sources) : -ENOMEM;

	if (!err)
		err = tandem_sources_open(&sources, list, r->sources, r->o->clones > 1);
	if (!err)
		err = tandem_pace_run(script, r->o, sources, &r->pace);
	if (err == -ENOMEM)
		fprintf(stderr, "tandem: replay: %s\n", strerror(-err));
	else if (!err && r->pace.failed)
		fprintf(stderr, "tandem: packets could not be sent: %s\n",
			strerror(tandem_sources_error(sources)));
	tandem_sources_close(sources);
	free(list);
	return err;
}

static void judge(struct tandem_replay_result *r, struct tandem_listener *listener,
		  const struct tandem_script *expected, int *err)
{
	const struct tandem_heard *heard;
	size_t count;

	tandem_listener_stop(listener, r->o->wait_ns);
	heard = tandem_listener_heard(listener, &count);
	r->heard = count;
	r->heard_missed = tandem_listener_missed(listener);
	if (r->compared)
		*err = tandem_compare(&r->comparison, expected, heard, count, r->o->clones);
}

static int run(struct tandem_replay_result *r, const struct tandem_script *script,
	       const struct tandem_script *expected)
{
	struct tandem_listener *listener = NULL;
	int fds[TANDEM_REPLAY_LISTEN_MAX], err = 0;
	unsigned int n = 0;

	while (!err && n < r->o->listen_count) {
		fds[n] = tandem_listener_socket(&r->o->listen[n]);
		if (fds[n] < 0)
			err = fds[n];
		else
			n++;
	}
	if (!err && n)
		err = tandem_listener_start(&listener, fds, n);
	if (!err && r->o->file)
		err = send_script(r, script);
	if (!err && listener)
		judge(r, listener, expected, &err);
	tandem_listener_free(listener);
	while (n--)
		close(fds[n]);
	return err;
}

int tandem_replay_main(int argc, char **argv)
{
	struct tandem_script script = { 0 }, expected = { 0 };
	struct tandem_replay_result r = { 0 };
	struct tandem_replay_options o;
	int status = tandem_replay_options_parse(&o, argc, argv);

	if (status >= 0)
		return status;
	status = 1;
	r.o = &o;
	r.listened = o.listen_count > 0;
	r.compared = o.expect != NULL;
	if (o.call) {
		if (tandem_call_run(&r))
			goto out;
		tandem_replay_report(&r, stdout);
		status = r.pace.failed || !r.comparison.same;
		goto out;
	}
	if ((o.file && tandem_script_load(&script, &o)) ||
	    (o.expect && load_expected(&expected, o.expect)))
		goto out;
	r.sources = script.flows * o.clones;
	r.streams = script.streams * o.clones;
	if (run(&r, &script, &expected))
		goto out;
	tandem_replay_report(&r, stdout);
	status = r.pace.failed || (r.compared && !r.comparison.same);
out:
	tandem_comparison_clean(&r.comparison);
	tandem_script_free(&expected);
	tandem_script_free(&script);
	return status;
}
