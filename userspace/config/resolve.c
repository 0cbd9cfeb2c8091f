/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/resolve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SIP_PORT     5060
#define SHARED_FLOWS 1024U /* multicast groups, and further senders to one port */

_Static_assert(TANDEM_MAX_OWN >= TANDEM_MAX_LISTEN + TANDEM_NG_MAX_LISTEN,
	       "all ports of signalling are known to sessions");

struct resolver {
	struct tandem_resolved *out;
	const struct tandem_config *cfg;
	const struct tandem_host *host;
	struct tandem_config_error *err;
};

static int fail(const struct resolver *r, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void warn(const struct resolver *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(const struct resolver *r, const char *key, const char *fmt, ...)
{
	va_list ap;

	memset(r->err, 0, sizeof(*r->err));
	snprintf(r->err->key, sizeof(r->err->key), "%s", key);
	va_start(ap, fmt);
	vsnprintf(r->err->text, sizeof(r->err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void warn(const struct resolver *r, const char *fmt, ...)
{
	struct tandem_resolved *out = r->out;
	va_list ap;

	if (out->warnings_count == TANDEM_MAX_WARNINGS)
		return;
	va_start(ap, fmt);
	vsnprintf(out->warnings[out->warnings_count++], sizeof(out->warnings[0]), fmt, ap);
	va_end(ap);
}

static bool interface_wanted(const struct tandem_config *cfg, const char *name)
{
	for (unsigned int i = 0; i < cfg->media.interfaces_count; i++) {
		if (strcmp(cfg->media.interfaces[i], name) == 0)
			return true;
	}
	return cfg->media.interfaces_count == 0;
}

static void add_local(struct tandem_resolved *out, const struct ip_addr *ip,
		      const struct ip_addr *advertise)
{
	size_t n = out->sessions.locals_count++;

	out->sessions.locals[n].ip = *ip;
	out->sessions.advertise[n] = *advertise;
	out->datapath.locals[n].ip = *ip;
	out->datapath.locals_count = out->sessions.locals_count;
}

static bool has_local(const struct tandem_resolved *out, const struct ip_addr *ip)
{
	for (size_t i = 0; i < out->sessions.locals_count; i++) {
		if (tandem_ip_equal(&out->sessions.locals[i].ip, ip))
			return true;
	}
	return false;
}

static int found_locals(const struct resolver *r)
{
	struct tandem_resolved *out = r->out;
	size_t left_out = 0;

	for (size_t i = 0; i < r->host->addresses_count; i++) {
		const struct tandem_host_address *address = &r->host->addresses[i];

		if (!interface_wanted(r->cfg, address->ifname) ||
		    !tandem_host_address_global(&address->ip) || has_local(out, &address->ip))
			continue;
		if (out->sessions.locals_count < TANDEM_MAX_LOCALS)
			add_local(out, &address->ip, &address->ip);
		else
			left_out++;
	}
	if (!out->sessions.locals_count)
		return fail(r, "media.addresses",
			    "none is given, and no interface that is up%s has a global address",
			    r->cfg->media.interfaces_count ? " of media.interfaces" : "");
	if (left_out)
		warn(r,
		     "media.addresses: the first %d of this host's addresses are used, %zu are not",
		     TANDEM_MAX_LOCALS, left_out);
	return 0;
}

static int given_locals(const struct resolver *r)
{
	const struct tandem_config_media *media = &r->cfg->media;

	for (unsigned int i = 0; i < media->addresses_count; i++) {
		const struct tandem_config_address *entry = &media->addresses[i];
		struct ip_addr ip, shown;

		if (tandem_ip_parse(&ip, entry->address) ||
		    tandem_ip_parse(&shown, entry->advertise ? entry->advertise : entry->address))
			return fail(r, "media.addresses", "%.60s is not an address",
				    entry->address);
		r->out->sessions.standby[r->out->sessions.locals_count] = entry->standby;
		add_local(r->out, &ip, &shown);
	}
	return 0;
}

static int add_interface(const struct resolver *r, const char *name)
{
	struct tandem_resolved *out = r->out;
	size_t n = out->datapath.interfaces_count;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(out->names[i], name) == 0)
			return 0;
	}
	if (n == TANDEM_MAX_INTERFACES)
		return fail(r, "media.interfaces", "more than %d", TANDEM_MAX_INTERFACES);
	snprintf(out->names[n], sizeof(out->names[n]), "%s", name);
	out->interfaces[n] = out->names[n];
	out->datapath.interfaces_count++;
	return 0;
}

static int given_interfaces(const struct resolver *r)
{
	const struct tandem_config_media *media = &r->cfg->media;

	for (unsigned int i = 0; i < media->interfaces_count; i++) {
		const char *name = media->interfaces[i];
		bool known = false;

		for (size_t j = 0; j < r->host->addresses_count && !known; j++)
			known = strcmp(r->host->addresses[j].ifname, name) == 0;
		if (!known && !if_nametoindex(name))
			return fail(r, "media.interfaces", "there is no interface %s", name);
		if (add_interface(r, name))
			return -EINVAL;
	}
	return 0;
}

/* Adds the interfaces that hold a local, unless some were named. */
static int holding_interfaces(const struct resolver *r)
{
	for (size_t i = 0; i < r->out->sessions.locals_count; i++) {
		const struct ip_addr *ip = &r->out->sessions.locals[i].ip;
		char text[TANDEM_ENDPOINT_STRLEN];
		bool held = false;

		for (size_t j = 0; j < r->host->addresses_count; j++) {
			const struct tandem_host_address *address = &r->host->addresses[j];

			if (!tandem_ip_equal(&address->ip, ip))
				continue;
			held = true;
			if (!r->cfg->media.interfaces_count && add_interface(r, address->ifname))
				return -EINVAL;
		}
		if (held || r->out->sessions.standby[i])
			continue;
		tandem_ip_format(ip, text, sizeof(text));
		if (!r->cfg->media.interfaces_count)
			return fail(r, "media.addresses", "%s is on no interface that is up", text);
		warn(r, "media.addresses: %s is on no interface that is up", text);
	}
	if (!r->out->datapath.interfaces_count)
		return fail(r, "media.interfaces",
			    "name them: none is known by an address that is here now");
	return 0;
}

static int check_ports(const struct resolver *r)
{
	const struct tandem_config_media *media = &r->cfg->media;
	const struct tandem_port_range range = { media->port_min, media->port_max };
	struct tandem_datapath_config *dp = &r->out->datapath;
	uint32_t ports = (uint32_t)media->port_max - media->port_min + 1;
	uint32_t slots = (uint32_t)dp->locals_count * ports;
	struct tandem_port_range overlap;

	if (slots > media->flow_capacity && media->addresses_count)
		return fail(r, "media.flow_capacity",
			    "%" PRIu32 " is below %zu addresses times %" PRIu32
			    " ports: set it to %" PRIu32 " or narrow the port range",
			    media->flow_capacity, dp->locals_count, ports, slots);
	dp->flow_capacity = media->flow_capacity;
	if (slots + SHARED_FLOWS > media->flow_capacity && !media->addresses_count)
		dp->flow_capacity = slots + SHARED_FLOWS;
	else if (slots == media->flow_capacity)
		warn(r, "media.flow_capacity: room for the media ports alone, not for multicast "
			"groups or a second sender to a port");
	if (slots > media->flow_capacity) {
		warn(r,
		     "media.flow_capacity: raised to %" PRIu32 " for %zu addresses; name the "
		     "addresses that are needed",
		     dp->flow_capacity, dp->locals_count);
	}
	if (tandem_host_ephemeral_overlap(r->host, &range, &overlap))
		warn(r,
		     "media ports %u-%u are also handed out to any program "
		     "(net.ipv4.ip_local_port_range); reserve them: sysctl "
		     "net.ipv4.ip_local_reserved_ports=%u-%u",
		     overlap.first, overlap.last, range.first, range.last);
	return 0;
}

static int resolve_deny(const struct resolver *r)
{
	struct tandem_sessions_config *ss = &r->out->sessions;
	size_t max = sizeof(ss->deny) / sizeof(ss->deny[0]);

	for (unsigned int i = 0; i < r->cfg->media.deny_count; i++) {
		if (!strcmp(r->cfg->media.deny[i], TANDEM_DENY_SELF))
			ss->deny_self = true;
		else if (ss->deny_count == max ||
			 tandem_prefix_parse(&ss->deny[ss->deny_count++], r->cfg->media.deny[i]))
			return fail(r, "media.deny", "entry %u cannot be used", i);
	}
	max = sizeof(ss->allow) / sizeof(ss->allow[0]);
	for (unsigned int i = 0; i < r->cfg->media.allow_count; i++) {
		if (ss->allow_count == max ||
		    tandem_prefix_parse(&ss->allow[ss->allow_count++], r->cfg->media.allow[i]))
			return fail(r, "media.allow", "entry %u cannot be used", i);
	}
	return 0;
}

static int resolve_security(const struct resolver *r)
{
	struct tandem_sessions_config *ss = &r->out->sessions;

	for (unsigned int i = 0; i < r->cfg->media.security_count; i++) {
		const struct tandem_config_security *entry = &r->cfg->media.security[i];
		struct tandem_security_rule *rule;

		if (ss->security_count == TANDEM_MAX_SECURITY)
			return fail(r, "media.security", "more than %d entries",
				    TANDEM_MAX_SECURITY);
		rule = &ss->security[ss->security_count++];
		if (tandem_prefix_parse(&rule->peer, entry->peer) ||
		    tandem_security_parse(&rule->security, entry->policy) ||
		    (entry->ice && tandem_ice_mode_parse(&rule->ice, entry->ice)))
			return fail(r, "media.security", "entry %u cannot be used", i);
	}
	return 0;
}

static int resolve_listen(const struct resolver *r)
{
	bool off = strcmp(r->cfg->sip.mode, "off") == 0;
	struct tandem_resolved *out = r->out;

	for (unsigned int i = 0; i < r->cfg->sip.listen_count && !off; i++) {
		if (i == TANDEM_MAX_LISTEN ||
		    tandem_listen_parse(&out->listen[out->listen_count++], r->cfg->sip.listen[i]))
			return fail(r, "sip.listen", "entry %u cannot be used", i);
	}
	for (size_t i = 0; i < out->sessions.locals_count && !r->cfg->sip.listen_count && !off;
	     i++) {
		struct tandem_listen listen = {
			.transport = "udp",
			.local = { .ip = out->sessions.locals[i].ip, .port = SIP_PORT },
		};

		out->listen[out->listen_count++] = listen;
		listen.transport = "tcp";
		out->listen[out->listen_count++] = listen;
	}
	for (size_t i = 0; i < out->listen_count; i++) {
		if (strcmp(out->listen[i].transport, "udp") == 0)
			out->sessions.own[out->sessions.own_count++] = out->listen[i].local;
	}
	return 0;
}

static int learn_mode(const char *word)
{
	if (strcmp(word, "off") == 0)
		return TANDEM_LEARN_OFF;
	return strcmp(word, "always") == 0 ? TANDEM_LEARN_ALWAYS : TANDEM_LEARN_NAT;
}

/*
 * Streams of SRTP are kept beside the control socket, which no two relays share either. Without
 * a database no call outlives the process.
 */
static void place_srtp_file(struct tandem_resolved *out, const struct tandem_config *cfg)
{
	static const char socket[] = ".sock";
	size_t len = strlen(cfg->control_socket);

	if (strcmp(cfg->database, ":memory:") == 0)
		return;
	if (len > strlen(socket) && strcmp(cfg->control_socket + len - strlen(socket), socket) == 0)
		len -= strlen(socket);
	snprintf(out->srtp_file, sizeof(out->srtp_file), "%.*s.srtp", (int)len,
		 cfg->control_socket);
	out->datapath.srtp_file = out->srtp_file;
}

static void copy_plain(struct tandem_resolved *out, const struct tandem_config *cfg)
{
	const struct tandem_config_media *media = &cfg->media;
	struct tandem_datapath_config *dp = &out->datapath;
	struct tandem_sessions_config *ss = &out->sessions;

	dp->port_min = ss->port_min = media->port_min;
	dp->port_max = ss->port_max = media->port_max;
	dp->stream_capacity = media->stream_capacity;
	dp->fan_capacity = media->fan_capacity;
	dp->leg_capacity = media->leg_capacity;
	dp->srtp_capacity = media->srtp_capacity;
	dp->nexthop_age_ms = media->nexthop_age_ms;
	dp->no_frames = strcmp(media->frames, "off") == 0;
	dp->bpf_dir = cfg->bpf_dir;
	dp->dpdk_socket = cfg->dpdk.socket;
	dp->interfaces = out->interfaces;
	ss->inactivity_timeout_s = media->inactivity_timeout_s;
	ss->hold_timeout_s = media->hold_timeout_s;
	ss->setup_timeout_s = media->setup_timeout_s;
	ss->learn = learn_mode(media->learn);
	ss->learn_window_ms = media->learn_window_ms;
	ss->max_sessions = media->max_sessions;
	ss->strict_payload_types = media->strict_payload_types;
}

int tandem_resolve(struct tandem_resolved *out, const struct tandem_config *cfg,
		   const struct tandem_host *host, struct tandem_config_error *err)
{
	const struct resolver r = { out, cfg, host, err };
	int ret;

	memset(out, 0, sizeof(*out));
	copy_plain(out, cfg);
	place_srtp_file(out, cfg);
	ret = cfg->media.addresses_count ? given_locals(&r) : found_locals(&r);
	if (!ret)
		ret = given_interfaces(&r);
	if (!ret)
		ret = holding_interfaces(&r);
	if (!ret)
		ret = check_ports(&r);
	if (!ret)
		ret = resolve_deny(&r);
	if (!ret)
		ret = resolve_security(&r);
	if (!ret)
		ret = resolve_listen(&r);
	if (!ret)
		tandem_config_resolve_ng(out, cfg);
	if (!ret)
		tandem_config_resolve_cluster(out, cfg);
	return ret;
}
