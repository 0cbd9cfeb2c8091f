/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/outflow.h"

#include <errno.h>
#include <string.h>

/* The end of a parameter: the next semicolon outside of quotes. */
static const char *param_end(const char *p, const char *end)
{
	bool quoted = false;

	for (; p < end && (quoted || *p != ';'); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p + 1 < end)
			p++;
	}

	return p;
}

static void trim(struct pl *pl)
{
	while (pl->l && (*pl->p == ' ' || *pl->p == '\t')) {
		pl->p++;
		pl->l--;
	}
	while (pl->l && (pl->p[pl->l - 1] == ' ' || pl->p[pl->l - 1] == '\t'))
		pl->l--;
}

/* The value of a parameter; libre takes the '+' in a name for a pattern, and quotes for nothing. */
static bool find_param(const struct pl *params, const char *name, struct pl *value)
{
	const char *p = params->p, *end, *stop, *eq;

	if (!pl_isset(params))
		return false;
	end = p + params->l;
	for (; p < end; p = stop + 1) {
		struct pl key = { .p = p };

		stop = param_end(p, end);
		eq = memchr(p, '=', (size_t)(stop - p));
		if (!eq)
			continue;
		key.l = (size_t)(eq - p);
		trim(&key);
		if (pl_strcasecmp(&key, name))
			continue;
		value->p = eq + 1;
		value->l = (size_t)(stop - eq - 1);
		trim(value);
		return true;
	}

	return false;
}

static int read_reg_id(uint32_t *reg_id, const struct pl *pl)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < pl->l && i < 10; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return -EBADMSG;
		value = value * 10 + (uint64_t)(pl->p[i] - '0');
	}
	if (i < pl->l || !value || value > INT32_MAX)
		return -EBADMSG;
	*reg_id = (uint32_t)value;

	return 0;
}

/* Quoted, and with nothing in it that would have to be escaped when it is written again. */
static int read_instance(char instance[TANDEM_INSTANCE_SIZE], struct pl pl)
{
	size_t i;

	if (pl.l < 2 || pl.p[0] != '"' || pl.p[pl.l - 1] != '"')
		return -EBADMSG;
	pl.p++;
	pl.l -= 2;
	for (i = 0; i < pl.l; i++) {
		if (pl.p[i] <= ' ' || pl.p[i] > '~' || pl.p[i] == '"' || pl.p[i] == '\\')
			return -EBADMSG;
	}

	return pl.l ? tandem_sip_copy(instance, TANDEM_INSTANCE_SIZE, &pl) : -EBADMSG;
}

int tandem_outbound_read(struct tandem_outbound *out, const struct sip_msg *msg,
			 const struct sip_addr *addr)
{
	struct pl reg_id, instance;

	memset(out, 0, sizeof(*out));
	if (!find_param(&addr->params, "reg-id", &reg_id) ||
	    !find_param(&addr->params, "+sip.instance", &instance) ||
	    !sip_msg_hdr_has_value(msg, SIP_HDR_SUPPORTED, "outbound"))
		return 0;
	if (read_instance(out->instance, instance))
		return -EBADMSG;

	return read_reg_id(&out->reg_id, &reg_id);
}

bool tandem_outbound_is_direct(const struct sip_msg *msg)
{
	return sip_msg_hdr_count(msg, SIP_HDR_VIA) <= 1;
}

static bool edge_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct sip_addr addr;
	struct pl ob;

	(void)msg;
	(void)arg;

	return !sip_addr_decode(&addr, &hdr->val) && !msg_param_exists(&addr.uri.params, "ob", &ob);
}

bool tandem_outbound_has_edge(const struct sip_msg *msg)
{
	return sip_msg_hdr_apply(msg, true, SIP_HDR_PATH, edge_handler, NULL) != NULL;
}

static bool is_same_phone(const struct tandem_binding *a, const struct tandem_binding *b)
{
	return a->reg_id && b->reg_id && !strcmp(a->instance, b->instance);
}

/* Of UDP nobody knows: its phone keeps it open by STUN, or comes back by another. */
bool tandem_outbound_is_open(const struct tandem_binding *b)
{
	return !tandem_sip_is_stream(b->tp) || tandem_binding_connected(b);
}

bool tandem_outbound_passed_over(struct tandem_binding *const *list, size_t count, size_t i)
{
	const struct tandem_binding *b = list[i], *best = NULL;
	size_t k;

	for (k = 0; k < count; k++) {
		if (!is_same_phone(list[k], b))
			continue;
		if (!best || list[k]->serial > best->serial) {
			if (!best || tandem_outbound_is_open(list[k]) ||
			    !tandem_outbound_is_open(best))
				best = list[k];
		} else if (!tandem_outbound_is_open(best) && tandem_outbound_is_open(list[k])) {
			best = list[k];
		}
	}

	return best && best != b;
}

bool tandem_outbound_stands_in(const struct tandem_binding *b, const struct tandem_binding *used)
{
	return b != used && is_same_phone(b, used) && tandem_outbound_is_open(b);
}
