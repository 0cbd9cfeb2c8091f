/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/replay.h"

#include <stdio.h>
#include <string.h>

#include "userspace/replay/report.h"

/* Of what is expected, all RTP of the file. */
static int load_expected(struct tandem_script *s, const char *path)
{
	const struct tandem_replay_options all = { .file = path, .clones = 2 /* no RTCP */ };

	return tandem_script_load(s, &all);
}

/* 0, or a negative errno having said why. */
static int send_script(struct tandem_replay_result *r, const struct tandem_script *script)
{
	struct tandem_sources *sources;
	int err = tandem_sources_open(&sources, r->o, r->sources);

	if (err)
		return err;
	err = tandem_pace_run(script, r->o, sources, &r->pace);
	if (err)
		fprintf(stderr, "tandem: replay: %s\n", strerror(-err));
	else if (r->pace.failed)
		fprintf(stderr, "tandem: packets could not be sent: %s\n",
			strerror(tandem_sources_error(sources)));
	tandem_sources_close(sources);
	return err;
}

static int run(struct tandem_replay_result *r, const struct tandem_script *script,
	       const struct tandem_script *expected)
{
	struct tandem_listener *listener = NULL;
	const struct tandem_heard *heard;
	size_t count;
	int err = r->listened ? tandem_listener_start(&listener, r->o) : 0;

	if (!err && r->o->file)
		err = send_script(r, script);
	if (!err && r->listened) {
		tandem_listener_stop(listener, r->o->wait_ns);
		heard = tandem_listener_heard(listener, &count);
		r->heard = count;
		r->heard_missed = tandem_listener_missed(listener);
		if (r->compared)
			err = tandem_compare(&r->comparison, expected, heard, count, r->o->clones);
	}
	tandem_listener_free(listener);
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
