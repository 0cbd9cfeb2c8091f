/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of forwards, and what keeps the plane in line with it. */
#include "userspace/session/forward.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/diff.h"
#include "userspace/util/log.h"

#define MODULE	 "forward"
#define RETRY_MS 5000

struct tandem_forward *tandem_forward_find(const struct tandem_sessions *ss, const char *name)
{
	struct tandem_forward *f = ss->forwards;

	while (f && strcmp(f->spec.name, name))
		f = f->next;
	return f;
}

void tandem_forward_insert(struct tandem_sessions *ss, struct tandem_forward *f)
{
	struct tandem_forward **p = &ss->forwards;

	while (*p && strcmp((*p)->spec.name, f->spec.name) < 0)
		p = &(*p)->next;
	f->next = *p;
	*p = f;
}

static void unlink_forward(struct tandem_sessions *ss, const struct tandem_forward *f)
{
	struct tandem_forward **p = &ss->forwards;

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
}

bool tandem_forward_exists(const struct tandem_sessions *ss, const char *name)
{
	return tandem_forward_find(ss, name) != NULL;
}

size_t tandem_forwards_count(const struct tandem_sessions *ss)
{
	const struct tandem_forward *f;
	size_t n = 0;

	for (f = ss->forwards; f; f = f->next)
		n++;
	return n;
}

bool tandem_forward_wants(const struct tandem_sessions *ss, uint64_t flow_id)
{
	const struct tandem_forward *f = ss->forwards;

	while (f && f->number != flow_id >> 16)
		f = f->next;
	return f && (flow_id == tandem_forward_flow_id(f, TANDEM_RTP) ||
		     (f->spec.rtcp && flow_id == tandem_forward_flow_id(f, TANDEM_RTCP)));
}

int tandem_forward_create(struct tandem_sessions *ss, struct tandem_forward **fp, const json_t *doc,
			  const struct tandem_forward *before, const json_t *stored_keys, char *why,
			  size_t why_size)
{
	struct tandem_forward *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	err = tandem_forward_parse(&f->spec, doc, why, why_size);
	if (!err) {
		f->doc = json_deep_copy(doc);
		err = f->doc ? 0 : -ENOMEM;
	}
	if (!err && !before)
		before = tandem_forward_find(ss, f->spec.name);
	if (before) {
		f->number = before->number;
		f->started_ms = before->started_ms;
		memcpy(f->picked, before->picked, sizeof(f->picked));
	} else {
		f->number = ss->next_number;
		f->started_ms = ss->env.epoch_ms(ss->env.arg);
	}
	snprintf(f->id, sizeof(f->id), "%012llx", (unsigned long long)f->number);
	if (!err)
		err = tandem_forward_settle_keys(ss, f, stored_keys);
	if (!err)
		err = tandem_forward_take_ports(ss, f, why, why_size);
	if (err)
		tandem_forward_destroy(ss, f);
	else
		*fp = f;
	return err;
}

void tandem_forward_destroy(struct tandem_sessions *ss, struct tandem_forward *f)
{
	if (!f)
		return;
	tandem_forward_release_ports(ss, f);
	tandem_forward_flows_clean(&f->flows);
	tandem_forward_spec_clean(&f->spec);
	json_decref(f->doc);
	free(f);
}

/* Lead the plane from one set of flows to another; the first error of what is to be set. */
static int apply(struct tandem_sessions *ss, const struct tandem_forward_flows *from,
		 const struct tandem_forward_flows *to)
{
	struct tandem_change changes[2 * TANDEM_FORWARD_FLOWS];
	size_t i, n = tandem_diff(from->specs, from->n, to->specs, to->n, changes);
	int err;

	for (i = 0; i < n; i++)
		changes[i].result = -ECANCELED; /* unless the plane gets as far as that */
	err = n ? ss->env.apply(ss->plane, changes, n) : 0;
	for (i = 0; i < n && !err; i++) {
		if (changes[i].op == TANDEM_FLOW_SET)
			err = changes[i].result;
	}
	return err;
}

/* Whatever is there of it: one that is broken may be in part, and this has to work without memory. */
static void remove_flows(struct tandem_sessions *ss, const struct tandem_forward *f)
{
	struct tandem_change change = { .op = TANDEM_FLOW_REMOVE };
	int comp;

	for (comp = TANDEM_RTP; comp <= (f->spec.rtcp ? TANDEM_RTCP : TANDEM_RTP); comp++) {
		change.spec.id = tandem_forward_flow_id(f, comp);
		tandem_forward_key(f, comp, &change.spec.key);
		change.result = 0;
		ss->env.apply(ss->plane, &change, 1);
	}
}

static const char *why_not(int err)
{
	switch (err) {
	case -EEXIST:
		return "another forward has the same \"from\" and \"to\"";
	case -ENOSPC:
		return "media.flow_capacity, fan_capacity, leg_capacity or srtp_capacity is too "
		       "small";
	default:
		return strerror(-err);
	}
}

/*
 * Put f in the place of `before` (NULL: there is none), whose flows have the same ids: what stays
 * keeps its counts, and there is no moment without a rule. On failure all is as it was.
 */
static int replace(struct tandem_sessions *ss, struct tandem_forward *f,
		   struct tandem_forward *before, char *why, size_t why_size)
{
	static const struct tandem_forward_flows none;
	const struct tandem_forward_flows *from = before ? &before->flows : &none;
	int err;

	f->taps = tandem_forward_taps(ss, f);
	err = tandem_forward_compile(f, &f->flows);
	if (err == -ENODEV)
		snprintf(why, why_size, "interface: there is no %s", f->spec.interface);
	if (err)
		return err;
	/* nobody knows what there is of one that is broken */
	if (before && before->broken) {
		remove_flows(ss, before);
		from = &none;
	}
	err = apply(ss, from, &f->flows);
	if (err) {
		snprintf(why, why_size, "the flows cannot be installed: %s", why_not(err));
		if (apply(ss, &f->flows, from) && before)
			before->broken = true;
		return err;
	}
	if (before) {
		unlink_forward(ss, before);
		tandem_forward_destroy(ss, before);
	}
	tandem_forward_insert(ss, f);
	return 0;
}

int tandem_forward_set(struct tandem_sessions *ss, const json_t *doc, const char **name, char *why,
		       size_t why_size)
{
	struct tandem_forward *f, *before;
	int err;

	*why = '\0';
	err = tandem_forward_create(ss, &f, doc, NULL, NULL, why, why_size);
	if (err)
		return err;
	before = tandem_forward_find(ss, f->spec.name);
	if (!before && tandem_forwards_count(ss) >= ss->cfg.max_sessions) {
		snprintf(why, why_size, "there are %u forwards already (max_sessions)",
			 ss->cfg.max_sessions);
		err = -ENOSPC;
	}
	if (!err)
		err = replace(ss, f, before, why, why_size);
	if (err) {
		tandem_forward_destroy(ss, f);
		return err;
	}
	if (f->number == ss->next_number)
		ss->next_number++;
	tandem_forward_save(ss, f);
	*name = f->spec.name;
	return 0;
}

int tandem_forward_remove(struct tandem_sessions *ss, const char *name)
{
	struct tandem_forward *f = tandem_forward_find(ss, name);
	int err = -ENOENT;

	/* also of one that could not be taken up, and is only there */
	if (ss->store)
		err = tandem_store_forward_remove(ss->store, name);
	if (!f)
		return err;
	if (err && err != -ENOENT && ss->store)
		tandem_log(TANDEM_LOG_ERROR, MODULE,
			   "%s: still stored, and would come back at a restart", name);
	remove_flows(ss, f);
	tandem_tap_gone(ss, f->number);
	unlink_forward(ss, f);
	tandem_forward_destroy(ss, f);
	return 0;
}

/* All flows anew: the plane keeps the counts of those it has. */
static void install(struct tandem_sessions *ss, struct tandem_forward *f)
{
	static const struct tandem_forward_flows none;
	int err;

	tandem_forward_flows_clean(&f->flows);
	f->taps = tandem_forward_taps(ss, f);
	err = tandem_forward_compile(f, &f->flows);
	if (!err)
		err = apply(ss, &none, &f->flows);
	if (err && !f->broken)
		tandem_log(TANDEM_LOG_ERROR, MODULE, "%s: not installed, to be tried again: %s",
			   f->spec.name, strerror(-err));
	else if (!err && f->broken)
		tandem_log(TANDEM_LOG_INFO, MODULE, "%s: installed", f->spec.name);
	f->broken = err != 0;
	f->retry_ms = tandem_sessions_now(ss) + RETRY_MS;
}

void tandem_forwards_install(struct tandem_sessions *ss)
{
	struct tandem_forward *f;

	for (f = ss->forwards; f; f = f->next)
		install(ss, f);
}

void tandem_forwards_retap(struct tandem_sessions *ss)
{
	struct tandem_forward *f;

	for (f = ss->forwards; f; f = f->next) {
		if (tandem_forward_taps(ss, f) != f->taps)
			install(ss, f);
	}
}

void tandem_forwards_tick(struct tandem_sessions *ss)
{
	uint64_t now = tandem_sessions_now(ss);
	struct tandem_forward *f;

	for (f = ss->forwards; f; f = f->next) {
		if (f->broken && now >= f->retry_ms)
			install(ss, f);
		if (f->unsaved && now >= f->retry_ms) {
			f->retry_ms = now + RETRY_MS;
			tandem_forward_save(ss, f);
		}
	}
}

void tandem_forwards_free(struct tandem_sessions *ss)
{
	struct tandem_forward *f;

	while ((f = ss->forwards)) {
		ss->forwards = f->next;
		tandem_forward_destroy(ss, f);
	}
}
