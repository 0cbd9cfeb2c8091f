/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER(section, name, def, min, max)                                                       \
	{                                                                                          \
#section "." #name, offsetof(struct tandem_config, section.name),                  \
			sizeof(((struct tandem_config *)NULL)->section.name), (def), min, (max)    \
	}

#define DAY_S 86400

/*
 * No number may be 0, so a 0 in the struct means that the file did not name the
 * key, or named it wrongly; tandem_yaml_line() tells the two apart.
 */
const struct tandem_config_number tandem_config_numbers[] = {
	NUMBER(media, port_min, 16384, 2, 65534),
	NUMBER(media, port_max, 32767, 3, 65535),
	NUMBER(media, flow_capacity, 65536, 2, 4194304),
	NUMBER(media, stream_capacity, 4096, 1, 1048576),
	NUMBER(media, fan_capacity, 1024, 1, 262144),
	NUMBER(media, leg_capacity, 16384, 1, 4194304),
	NUMBER(media, srtp_capacity, 8192, 1, 1048576),
	NUMBER(media, nexthop_age_ms, 500, 1, 60000),
	NUMBER(media, inactivity_timeout_s, 60, 5, DAY_S),
	NUMBER(media, hold_timeout_s, 3600, 5, 7 * DAY_S),
	NUMBER(media, setup_timeout_s, 200, 5, 3600),
	NUMBER(media, learn_window_ms, 5000, 100, 60000),
	NUMBER(media, max_sessions, 10000, 1, 1000000),
	NUMBER(media, max_players, 100, 1, 1000),
	NUMBER(sip, max_expires_s, 3600, 1, 30 * DAY_S),
	NUMBER(sip, min_expires_s, 60, 1, DAY_S),
	NUMBER(sip, default_expires_s, 3600, 1, 30 * DAY_S),
	NUMBER(sip, max_registrations, 100000, 1, 10000000),
	NUMBER(sip, max_contacts, 10, 1, 100),
	NUMBER(sip, max_transactions, 20000, 10, 1000000),
	NUMBER(sip, timer_c_s, 180, 10, 3600),
	NUMBER(sip, ring_s, 20, 1, 3600),
	NUMBER(sip, session_expires_s, 1800, 0, DAY_S),
	NUMBER(sip, min_se_s, 90, 90, DAY_S),
	NUMBER(sip, web.max_connections, 10000, 1, 1000000),
	NUMBER(sip, web.max_per_source, 100, 1, 1000000),
	NUMBER(sip, connections.max_connections, 20000, 1, 1000000),
	NUMBER(sip, connections.max_per_source, 500, 1, 1000000),
	NUMBER(sip, connections.handshake_s, 10, 1, 32),
	NUMBER(sip, connections.message_s, 30, 1, 32),
	NUMBER(sip, connections.idle_s, 900, 5, 900),
	NUMBER(sip, connections.flow_timer_s, 120, 5, 720),
	NUMBER(sip, auth_failures, 10, 1, 10000),
	NUMBER(sip, auth_block_s, 300, 1, DAY_S),
	NUMBER(sip, source_rate, 100, 1, 100000),
	NUMBER(ng, delete_delay_s, 0, 0, DAY_S),
	NUMBER(cdr, keep_days, 30, 1, 3650),
	NUMBER(cdr, max_records, 1000000, 100, 100000000),
	NUMBER(record, min_free_mb, 256, 1, 1048576),
	NUMBER(record, max_recordings, 1000, 1, 100000),
	NUMBER(record, forward_rate, 8000, 8000, 48000),
	NUMBER(drain, timeout_s, 3600, 1, 7 * DAY_S),
	NUMBER(drain, retry_after_s, 30, 1, DAY_S),
	NUMBER(cluster, keep_s, 3600, 60, 7 * DAY_S),
	NUMBER(cluster, redis.db, 0, 0, 65535),
};
const size_t tandem_config_numbers_count = sizeof(tandem_config_numbers) /
					   sizeof(tandem_config_numbers[0]);

static const struct {
	size_t offset;
	const char *def;
} texts[] = {
	{ offsetof(struct tandem_config, datapath), "auto" },
	{ offsetof(struct tandem_config, control_socket), "/run/tandem/control.sock" },
	{ offsetof(struct tandem_config, database), "/var/lib/tandem/tandem.db" },
	{ offsetof(struct tandem_config, bpf_dir), "/sys/fs/bpf/tandem" },
	{ offsetof(struct tandem_config, log_level), "info" },
	{ offsetof(struct tandem_config, log_format), "text" },
	{ offsetof(struct tandem_config, log_output), "stderr" },
	{ offsetof(struct tandem_config, cdr.log), "none" },
	{ offsetof(struct tandem_config, record.calls), "asked" },
	{ offsetof(struct tandem_config, drain.registrations), "accept" },
	{ offsetof(struct tandem_config, cluster.prefix), "tandem" },
	{ offsetof(struct tandem_config, media.frames), "auto" },
	{ offsetof(struct tandem_config, media.learn), "nat" },
	{ offsetof(struct tandem_config, sip.auth), "auto" },
	{ offsetof(struct tandem_config, sip.mode), "proxy" },
	{ offsetof(struct tandem_config, sip.redirects), "follow" },
	{ offsetof(struct tandem_config, sip.tls.client), "none" },
	{ offsetof(struct tandem_config, ng.tls.client), "none" },
	{ offsetof(struct tandem_config, sip.enum_suffix), "e164.arpa" },
	{ offsetof(struct tandem_config, dpdk.socket), "/run/tandem/dpdk.sock" },
	{ offsetof(struct tandem_config, dpdk.eal), "" },
	{ offsetof(struct tandem_config, dpdk.exceptions), "" },
};

/* A caller who could make the relay send here would reach its host or its link. */
static const char *const denied[] = {
	"self",	  "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
	"::/128", "::1/128",   "fe80::/10",   "ff00::/8",
};

/* The better first, for phones take the first that they know. */
static const char *const algorithms[] = { "sha256", "md5" };

/* How scanners call themselves who do not care to hide it. */
static const char *const scanners[] = {
	"friendly-scanner", "sipvicious", "sundayddr",	  "sip-scan", "sipcli", "iWar",
	"VaxSIP",	    "pplsip",	  "siparmyknife",
};

const struct tandem_config_number *tandem_config_number_find(const char *path)
{
	for (size_t i = 0; i < tandem_config_numbers_count; i++) {
		if (strcmp(tandem_config_numbers[i].path, path) == 0)
			return &tandem_config_numbers[i];
	}
	return NULL;
}

uint32_t tandem_config_number_get(const struct tandem_config *cfg,
				  const struct tandem_config_number *number)
{
	const char *at = (const char *)cfg + number->offset;
	uint32_t wide;
	uint16_t narrow;

	if (number->size == sizeof(narrow)) {
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, at, sizeof(wide));
	return wide;
}

static void number_set(struct tandem_config *cfg, const struct tandem_config_number *number,
		       uint32_t value)
{
	uint16_t narrow = (uint16_t)value;

	memcpy((char *)cfg + number->offset,
	       number->size == sizeof(narrow) ? (const void *)&narrow : (const void *)&value,
	       number->size);
}

static int default_list(char ***list, unsigned int *count, const char *const *def, size_t n)
{
	*list = calloc(n, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		(*list)[i] = strdup(def[i]);
		if (!(*list)[i])
			return -ENOMEM;
		++*count;
	}
	return 0;
}

static int default_lists(struct tandem_config *cfg, const struct tandem_yaml *y)
{
	int err = 0;

	/* "deny: []" is a decision; only its absence is not. */
	if (!tandem_yaml_line(y, "media.deny"))
		err = default_list(&cfg->media.deny, &cfg->media.deny_count, denied,
				   sizeof(denied) / sizeof(denied[0]));
	if (!err && !tandem_yaml_line(y, "sip.auth_algorithms"))
		err = default_list(&cfg->sip.auth_algorithms, &cfg->sip.auth_algorithms_count,
				   algorithms, sizeof(algorithms) / sizeof(algorithms[0]));
	if (!err && !tandem_yaml_line(y, "sip.deny_agents"))
		err = default_list(&cfg->sip.deny_agents, &cfg->sip.deny_agents_count, scanners,
				   sizeof(scanners) / sizeof(scanners[0]));
	return err;
}

int tandem_config_defaults(struct tandem_config *cfg, const struct tandem_yaml *y)
{
	for (size_t i = 0; i < tandem_config_numbers_count; i++) {
		const struct tandem_config_number *number = &tandem_config_numbers[i];

		if (!tandem_yaml_line(y, number->path))
			number_set(cfg, number, number->def);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char **text = (char **)((char *)cfg + texts[i].offset);

		if (*text)
			continue;
		*text = strdup(texts[i].def);
		if (!*text)
			return -ENOMEM;
	}
	tandem_config_default_gateways(cfg, y);
	return default_lists(cfg, y);
}
