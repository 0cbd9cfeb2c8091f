/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/compile.h"
#include "userspace/session/diff.h"

/* Those of a call with audio and video; each time is a round trip to the datapath's worker. */
#define REMOVED_AT_ONCE 8

/* What is installed after changes of which some may have failed. */
static size_t installed_after(const struct tandem_session *s, const struct tandem_flow_spec *wanted,
			      size_t wanted_count, const struct tandem_change *changes, size_t n,
			      struct tandem_flow_spec *after)
{
	size_t i, k, count = 0;

	for (i = 0; i < wanted_count; i++) {
		for (k = 0; k < n && changes[k].spec.id != wanted[i].id;)
			k++;
		if (k == n || !changes[k].result) {
			after[count++] = wanted[i];
			continue;
		}
		/* what was there before has stayed, as it was */
		for (k = 0; k < s->installed_count; k++) {
			if (s->installed[k].id == wanted[i].id)
				after[count++] = s->installed[k];
		}
	}
	return count;
}

static int apply(struct tandem_sessions *ss, const struct tandem_session *s,
		 struct tandem_change *changes, size_t n)
{
	int err;
	size_t i;

	if (!n)
		return 0;
	for (i = 0; i < n; i++)
		changes[i].result = -ECANCELED; /* unless the plane gets as far as that */
	err = ss->env.apply(ss->plane, changes, n);
	for (i = 0; i < n; i++) {
		if (!changes[i].result ||
		    (changes[i].op == TANDEM_FLOW_REMOVE && changes[i].result == -ENOENT))
			continue;
		tandem_session_log(s, TANDEM_LOG_ERROR, "flow %016llx not %s: %s",
				   (unsigned long long)changes[i].spec.id,
				   changes[i].op == TANDEM_FLOW_SET ? "installed" : "removed",
				   strerror(-changes[i].result));
		if (changes[i].op == TANDEM_FLOW_SET && !err)
			err = changes[i].result;
	}
	return err;
}

static const struct tandem_srtp *keep_key(struct tandem_srtp *keys, size_t *n,
					  const struct tandem_srtp *key)
{
	if (!key)
		return NULL;
	keys[*n] = *key;
	return &keys[(*n)++];
}

/* Give the specs keys of their own: those that they point to may change with the session. */
static void keep_keys(struct tandem_flow_spec *specs, size_t count, struct tandem_srtp *keys,
		      size_t *n)
{
	size_t i;

	for (i = 0; i < count; i++) {
		specs[i].srtp_in = keep_key(keys, n, specs[i].srtp_in);
		specs[i].srtp_in_old = keep_key(keys, n, specs[i].srtp_in_old);
		specs[i].srtp_out = keep_key(keys, n, specs[i].srtp_out);
	}
}

static size_t count_keys(const struct tandem_flow_spec *specs, size_t count)
{
	size_t i, n = 0;

	for (i = 0; i < count; i++)
		n += !!specs[i].srtp_in + !!specs[i].srtp_in_old + !!specs[i].srtp_out;
	return n;
}

static void free_keys(struct tandem_srtp *keys, size_t n)
{
	if (keys)
		explicit_bzero(keys, n * sizeof(*keys));
	free(keys);
}

void tandem_flows_clean(struct tandem_session *s)
{
	tandem_compile_clean(s->installed, s->installed_count);
	free(s->installed);
	free_keys(s->installed_keys, s->installed_keys_count);
	s->installed = NULL;
	s->installed_keys = NULL;
	s->installed_count = s->installed_keys_count = 0;
}

/* Fans that are in the list of what is installed are no longer the other's. */
static void leave_fans(const struct tandem_flow_spec *after, size_t n,
		       struct tandem_flow_spec *specs, size_t count)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < n && after[k].fan != specs[i].fan;)
			k++;
		if (k < n)
			specs[i].fan = NULL;
	}
}

static bool has_key(const struct tandem_flow_spec *spec, uint64_t id)
{
	uint32_t i;

	for (i = 0; spec->fan && i < spec->fan->key_count; i++) {
		if (spec->fan->keys[i].id == id)
			return true;
	}
	return spec->srtp_out && spec->srtp_out->id == id;
}

static void note_key(struct tandem_srtp *out, const struct tandem_flow_spec *specs, size_t n)
{
	size_t k;

	for (k = 0; k < n && out->suite && !out->sealed; k++)
		out->sealed = has_key(&specs[k], out->id);
}

/* Should its flows be gone for a while, nobody knows how far it has been used. */
static void note_sealed(struct tandem_session *s, const struct tandem_flow_spec *specs, size_t n)
{
	size_t i;

	for (i = 0; i < s->agreed.n * 2; i++) {
		struct tandem_secure_leg *secure = &s->agreed.v[i / 2].leg[i % 2].secure;

		note_key(&secure->rtp.out, specs, n);
		note_key(&secure->rtcp.out, specs, n);
	}
}

static void changed(const struct tandem_sessions *ss, const struct tandem_session *s)
{
	if (ss->changed_h)
		ss->changed_h(s->number, ss->changed_arg);
}

int tandem_flows_sync(struct tandem_sessions *ss, struct tandem_session *s)
{
	size_t max = s->agreed.n * TANDEM_FLOWS_PER_MEDIA, n, wanted_count = 0;
	struct tandem_flow_spec *wanted = calloc(max + 1, sizeof(*wanted));
	struct tandem_flow_spec *after = calloc(max + 1, sizeof(*after));
	struct tandem_change *changes = calloc(max + s->installed_count + 1, sizeof(*changes));
	size_t keys_count = 0, keys_max;
	struct tandem_srtp *keys;
	int err = -ENOMEM;

	if (!wanted || !after || !changes)
		goto out;
	s->taps = tandem_session_taps(ss, s);
	err = tandem_compile(s, &ss->cfg, wanted);
	if (err < 0)
		goto out;
	wanted_count = (size_t)err;
	err = -ENOMEM;
	/* what is installed will be some of both */
	keys_max = count_keys(wanted, wanted_count) + s->installed_keys_count;
	keys = keys_max ? calloc(keys_max, sizeof(*keys)) : NULL;
	if (keys_max && !keys)
		goto out;
	n = tandem_diff(s->installed, s->installed_count, wanted, wanted_count, changes);
	err = apply(ss, s, changes, n);
	n = installed_after(s, wanted, wanted_count, changes, n, after);
	note_sealed(s, after, n);
	keep_keys(after, n, keys, &keys_count);
	leave_fans(after, n, wanted, wanted_count);
	leave_fans(after, n, s->installed, s->installed_count);
	tandem_flows_clean(s);
	s->installed = after;
	s->installed_count = n;
	s->installed_keys = keys;
	s->installed_keys_count = keys_count;
	after = NULL;
	changed(ss, s);
	if (s->source_session && !err)
		err = tandem_flows_sync(ss, s->source_session);
out:
	if (wanted)
		tandem_compile_clean(wanted, wanted_count);
	free(wanted);
	free(after);
	free(changes);
	return err;
}

void tandem_flows_remove(struct tandem_sessions *ss, struct tandem_session *s)
{
	/* not allocated: this has to work when there is no memory left */
	struct tandem_change changes[REMOVED_AT_ONCE];
	size_t i, n;

	for (i = 0; i < s->installed_count; i += n) {
		for (n = 0; n < REMOVED_AT_ONCE && i + n < s->installed_count; n++) {
			changes[n].op = TANDEM_FLOW_REMOVE;
			changes[n].spec = s->installed[i + n];
		}
		apply(ss, s, changes, n);
	}
	tandem_compile_clean(s->installed, s->installed_count);
	s->installed_count = 0;
	tandem_tap_gone(ss, s->number);
	changed(ss, s);
}
