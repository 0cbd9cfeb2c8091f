/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "userspace/config/listen.h"
#include "userspace/config/schema.h"
#include "userspace/session/session.h"
#include "userspace/util/digest.h"
#include "userspace/util/endpoint.h"
#include "userspace/util/log.h"

struct checker {
	const struct tandem_config *cfg;
	const struct tandem_yaml *y;
	struct tandem_config_error *err;
};

#define wrong(c, key, ...) tandem_config_wrong((c)->err, (c)->y, key, __VA_ARGS__)

int tandem_config_wrong(struct tandem_config_error *err, const struct tandem_yaml *y,
			const char *key, const char *fmt, ...)
{
	va_list ap;

	snprintf(err->key, sizeof(err->key), "%s", key);
	err->line = tandem_yaml_line(y, key);
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int check_words(const struct checker *c)
{
	const struct tandem_config *cfg = c->cfg;
	enum tandem_log_level level;

	if (strcmp(cfg->datapath, "auto") != 0 && strcmp(cfg->datapath, "xdp") != 0 &&
	    strcmp(cfg->datapath, "kmod") != 0 && strcmp(cfg->datapath, "dpdk") != 0 &&
	    strcmp(cfg->datapath, "uring") != 0)
		return wrong(c, "datapath", "'%.40s' is none of auto, xdp, kmod, dpdk, uring",
			     cfg->datapath);
	if (tandem_log_level_parse(cfg->log_level, &level))
		return wrong(c, "log_level", "'%.40s' is none of error, warning, info, debug",
			     cfg->log_level);
	if (strcmp(cfg->media.frames, "auto") != 0 && strcmp(cfg->media.frames, "off") != 0)
		return wrong(c, "media.frames", "'%.40s' is none of auto, off", cfg->media.frames);
	if (cfg->media.play_dir && cfg->media.play_dir[0] != '/')
		return wrong(c, "media.play_dir", "must be an absolute path");
	if (strcmp(cfg->media.learn, "nat") != 0 && strcmp(cfg->media.learn, "off") != 0 &&
	    strcmp(cfg->media.learn, "always") != 0)
		return wrong(c, "media.learn", "'%.40s' is none of nat, off, always",
			     cfg->media.learn);
	if (strcmp(cfg->sip.mode, "proxy") != 0 && strcmp(cfg->sip.mode, "redirect") != 0 &&
	    strcmp(cfg->sip.mode, "off") != 0)
		return wrong(c, "sip.mode", "'%.40s' is none of proxy, redirect, off",
			     cfg->sip.mode);
	if (strcmp(cfg->sip.mode, "off") == 0 && cfg->gateways_count)
		return wrong(c, "gateways", "need SIP: sip.mode is off");
	if (strcmp(cfg->sip.redirects, "follow") != 0 && strcmp(cfg->sip.redirects, "pass") != 0)
		return wrong(c, "sip.redirects", "'%.40s' is none of follow, pass",
			     cfg->sip.redirects);
	return 0;
}

static bool is_one_of(const char *text, const char *a, const char *b, const char *d)
{
	return !strcmp(text, a) || !strcmp(text, b) || (d && !strcmp(text, d));
}

static int check_operation(const struct checker *c)
{
	const struct tandem_config *cfg = c->cfg;
	const char *redirect = cfg->drain.redirect;

	if (!is_one_of(cfg->log_format, "text", "json", NULL))
		return wrong(c, "log_format", "'%.40s' is none of text, json", cfg->log_format);
	if (!is_one_of(cfg->log_output, "stderr", "stdout", NULL))
		return wrong(c, "log_output", "'%.40s' is none of stderr, stdout", cfg->log_output);
	if (!is_one_of(cfg->drain.registrations, "accept", "refuse", NULL))
		return wrong(c, "drain.registrations", "'%.40s' is none of accept, refuse",
			     cfg->drain.registrations);
	if (redirect && strcspn(redirect, " \t\r\n@;,<>?/\"") != strlen(redirect))
		return wrong(c, "drain.redirect", "'%.60s' is not a host, or host:port", redirect);
	return 0;
}

static int check_paths(const struct checker *c)
{
	const struct tandem_config *cfg = c->cfg;
	size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	struct tandem_endpoint listener;

	if (cfg->control_socket[0] != '/')
		return wrong(c, "control_socket", "must be an absolute path");
	if (strlen(cfg->control_socket) > max)
		return wrong(c, "control_socket", "longer than the %zu bytes of a Unix socket",
			     max);
	if (cfg->dpdk.socket[0] != '/')
		return wrong(c, "dpdk.socket", "must be an absolute path");
	if (strlen(cfg->dpdk.socket) > max)
		return wrong(c, "dpdk.socket", "longer than the %zu bytes of a Unix socket", max);
	if (cfg->database[0] != '/' && strcmp(cfg->database, ":memory:") != 0)
		return wrong(c, "database", "must be an absolute path or :memory:");
	if (cfg->bpf_dir[0] != '/')
		return wrong(c, "bpf_dir", "must be an absolute path");
	if (cfg->cdr.database && cfg->cdr.database[0] != '/' &&
	    strcmp(cfg->cdr.database, "none") != 0)
		return wrong(c, "cdr.database", "must be an absolute path or none");
	if (cfg->record.dir && cfg->record.dir[0] != '/')
		return wrong(c, "record.dir", "must be an absolute path");
	if (cfg->record.forward &&
	    (strncmp(cfg->record.forward, "tcp:", 4) ||
	     tandem_endpoint_parse(&listener, cfg->record.forward + 4) || !listener.port))
		return wrong(c, "record.forward", "'%.60s' is not of the form tcp:192.0.2.1:5000",
			     cfg->record.forward);
	if (!is_one_of(cfg->record.calls, "asked", "all", NULL))
		return wrong(c, "record.calls", "'%.40s' is none of asked, all", cfg->record.calls);
	if (strcmp(cfg->record.calls, "all") == 0 && !cfg->record.dir)
		return wrong(c, "record.calls", "needs a record.dir");
	if (cfg->cdr.log[0] != '/' && !is_one_of(cfg->cdr.log, "none", "stdout", "syslog"))
		return wrong(c, "cdr.log", "must be an absolute path, stdout, syslog or none");
	return 0;
}

/* YAML 1.1 has many words for truth, and libcyaml takes any other word for true. */
static int check_boolean(const struct checker *c, const char *key)
{
	const char *text = tandem_yaml_scalar(c->y, key);

	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return wrong(c, key, "'%.40s' is neither true nor false", text);
	return 0;
}

static int check_booleans(const struct checker *c)
{
	static const char *const keys[] = { "media.strict_payload_types", "core_dumps",
					    "cluster.redis.tls" };
	char key[64];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (check_boolean(c, keys[i]))
			return -EINVAL;
	}
	for (unsigned int i = 0; i < c->cfg->media.addresses_count; i++) {
		snprintf(key, sizeof(key), "media.addresses[%u].standby", i);
		if (check_boolean(c, key))
			return -EINVAL;
	}
	return 0;
}

/* libcyaml stops at the first odd character ("60m" is 60), and reads 010 as eight. */
static bool is_decimal(const char *text)
{
	return (*text != '0' || !text[1]) && text[strspn(text, "0123456789")] == '\0';
}

static int check_numbers(const struct checker *c)
{
	for (size_t i = 0; i < tandem_config_numbers_count; i++) {
		const struct tandem_config_number *number = &tandem_config_numbers[i];
		uint32_t value = tandem_config_number_get(c->cfg, number);
		const char *text = tandem_yaml_scalar(c->y, number->path);
		char plain[16];

		snprintf(plain, sizeof(plain), "%" PRIu32, value);
		if (value < number->min || value > number->max || (text && !is_decimal(text)))
			return wrong(c, number->path,
				     "'%.40s' is not a number from %" PRIu32 " to %" PRIu32,
				     text ? text : plain, number->min, number->max);
	}
	return 0;
}

static int check_relations(const struct checker *c)
{
	const struct tandem_config_media *media = &c->cfg->media;
	const struct tandem_config_sip *sip = &c->cfg->sip;

	/* RFC 3550 section 11: RTP takes an even port and RTCP the odd one above it. */
	if (media->port_min % 2 != 0)
		return wrong(c, "media.port_min", "%u is odd; RTP ports are even", media->port_min);
	if (media->port_max % 2 != 1)
		return wrong(c, "media.port_max",
			     "%u is even; the last port belongs to RTCP and is odd",
			     media->port_max);
	if (media->port_max < media->port_min)
		return wrong(c,
			     tandem_yaml_line(c->y, "media.port_max") ? "media.port_max"
								      : "media.port_min",
			     "port_max %u is below port_min %u", media->port_max, media->port_min);
	if (sip->min_expires_s > sip->max_expires_s)
		return wrong(c,
			     tandem_yaml_line(c->y, "sip.min_expires_s") ? "sip.min_expires_s"
									 : "sip.max_expires_s",
			     "min_expires_s %" PRIu32 " is above max_expires_s %" PRIu32,
			     sip->min_expires_s, sip->max_expires_s);
	if (sip->session_expires_s && sip->session_expires_s < sip->min_se_s)
		return wrong(c,
			     tandem_yaml_line(c->y, "sip.session_expires_s")
				     ? "sip.session_expires_s"
				     : "sip.min_se_s",
			     "session_expires_s %" PRIu32 " is neither 0 nor min_se_s %" PRIu32
			     " or more",
			     sip->session_expires_s, sip->min_se_s);
	/* The default adapts to a narrower range, unless it was asked for. */
	if (tandem_yaml_line(c->y, "sip.default_expires_s") &&
	    (sip->default_expires_s < sip->min_expires_s ||
	     sip->default_expires_s > sip->max_expires_s))
		return wrong(c, "sip.default_expires_s",
			     "%" PRIu32 " is outside min_expires_s %" PRIu32
			     " to max_expires_s %" PRIu32,
			     sip->default_expires_s, sip->min_expires_s, sip->max_expires_s);
	return 0;
}

static bool is_group(const struct ip_addr *ip)
{
	return tandem_ip_is_v4(ip) ? ip->b[12] >= 224 : ip->b[0] == 0xff;
}

static int check_address(const struct checker *c, const char *key, const char *text,
			 struct ip_addr *ip)
{
	if (tandem_ip_parse(ip, text))
		return wrong(c, key, "'%.60s' is not an IP address", text);
	if (tandem_ip_is_any(ip) || is_group(ip))
		return wrong(c, key, "%.60s is not the address of one host", text);
	return 0;
}

static int check_media_address(const struct checker *c, unsigned int i)
{
	const struct tandem_config_address *entry = &c->cfg->media.addresses[i];
	struct ip_addr ip, shown, other;
	char key[64];

	snprintf(key, sizeof(key), "media.addresses[%u]", i);
	if (!entry->address)
		return wrong(c, key, "has no address");
	snprintf(key, sizeof(key), "media.addresses[%u].address", i);
	if (check_address(c, key, entry->address, &ip))
		return -EINVAL;
	for (unsigned int j = 0; j < i; j++) {
		if (!tandem_ip_parse(&other, c->cfg->media.addresses[j].address) &&
		    tandem_ip_equal(&other, &ip))
			return wrong(c, key, "%s is given twice", entry->address);
	}
	if (!entry->advertise)
		return 0;
	snprintf(key, sizeof(key), "media.addresses[%u].advertise", i);
	if (check_address(c, key, entry->advertise, &shown))
		return -EINVAL;
	if (tandem_ip_family(&shown) != tandem_ip_family(&ip))
		return wrong(c, key, "is not of the family of address %s", entry->address);
	return 0;
}

static int check_networks(const struct checker *c, const char *name, char *const *list,
			  unsigned int count, const char *word)
{
	struct tandem_prefix block;
	char key[64];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%s[%u]", name, i);
		if (!(word && !strcmp(list[i], word)) && tandem_prefix_parse(&block, list[i]))
			return wrong(c, key, "'%.60s' is not a network such as 10.0.0.0/8",
				     list[i]);
	}
	return 0;
}

static int check_media_lists(const struct checker *c)
{
	const struct tandem_config_media *media = &c->cfg->media;
	char key[64];
	int err;

	for (unsigned int i = 0; i < media->addresses_count; i++) {
		if (check_media_address(c, i))
			return -EINVAL;
	}
	for (unsigned int i = 0; i < media->interfaces_count; i++) {
		snprintf(key, sizeof(key), "media.interfaces[%u]", i);
		if (strlen(media->interfaces[i]) >= IFNAMSIZ || strchr(media->interfaces[i], '/'))
			return wrong(c, key, "'%.60s' is not an interface name",
				     media->interfaces[i]);
	}
	err = check_networks(c, "media.deny", media->deny, media->deny_count, TANDEM_DENY_SELF);
	return err ? err : check_networks(c, "media.allow", media->allow, media->allow_count, NULL);
}

static int check_security(const struct checker *c)
{
	const struct tandem_config_media *media = &c->cfg->media;
	struct tandem_prefix block, other;
	enum tandem_security security;
	enum tandem_ice_mode mode;
	char key[64];

	for (unsigned int i = 0; i < media->security_count; i++) {
		const struct tandem_config_security *entry = &media->security[i];

		snprintf(key, sizeof(key), "media.security[%u]", i);
		if (!entry->peer || !entry->policy)
			return wrong(c, key, "has no %s", entry->peer ? "policy" : "peer");
		if (tandem_prefix_parse(&block, entry->peer))
			return wrong(c, key, "peer '%.60s' is not a network such as 10.0.0.0/8",
				     entry->peer);
		if (tandem_security_parse(&security, entry->policy))
			return wrong(c, key,
				     "policy '%.40s' is none of auto, pass, plain, sdes_prefer, "
				     "sdes_require, dtls",
				     entry->policy);
		if (entry->ice && tandem_ice_mode_parse(&mode, entry->ice))
			return wrong(c, key, "ice '%.40s' is none of auto, lite, full", entry->ice);
		for (unsigned int j = 0; j < i; j++) {
			if (!tandem_prefix_parse(&other, media->security[j].peer) &&
			    other.prefix == block.prefix && tandem_ip_equal(&other.ip, &block.ip))
				return wrong(c, key, "peer %s is given twice", entry->peer);
		}
	}
	return 0;
}

static int check_tls(const struct checker *c)
{
	const struct tandem_config_tls *tls = &c->cfg->sip.tls;

	if (!is_one_of(tls->client, "none", "request", "require"))
		return wrong(c, "sip.tls.client", "'%.40s' is none of none, request, require",
			     tls->client);
	if (!tls->certificate && tls->key)
		return wrong(c, "sip.tls.key", "is of no certificate");
	if (!tls->certificate && tls->certificates_count)
		return wrong(c, "sip.tls.certificates",
			     "without sip.tls.certificate, for clients that ask for no name");
	for (unsigned int i = 0; i < tls->certificates_count; i++) {
		char key[64];

		snprintf(key, sizeof(key), "sip.tls.certificates[%u]", i);
		if (!tls->certificates[i].certificate)
			return wrong(c, key, "has no certificate");
	}

	return 0;
}

static int check_sip_lists(const struct checker *c)
{
	const struct tandem_config_sip *sip = &c->cfg->sip;
	struct tandem_listen listen;
	char key[64];

	for (unsigned int i = 0; i < sip->listen_count; i++) {
		snprintf(key, sizeof(key), "sip.listen[%u]", i);
		if (tandem_listen_parse(&listen, sip->listen[i]))
			return wrong(c, key,
				     "'%.60s' is not of the form udp:192.0.2.1:5060 or "
				     "tcp:[2001:db8::1]:5060, or tls:, ws:, wss:",
				     sip->listen[i]);
		if (tandem_listen_secure(&listen) && !sip->tls.certificate)
			return wrong(c, key, "TLS needs a sip.tls.certificate");
		/* It goes into Via and Record-Route, where others must be able to reach it. */
		if (tandem_ip_is_any(&listen.local.ip) || is_group(&listen.local.ip))
			return wrong(c, key, "name one address; the others learn it from Via");
	}
	for (unsigned int i = 0; i < sip->domains_count; i++) {
		snprintf(key, sizeof(key), "sip.domains[%u]", i);
		if (strcspn(sip->domains[i], " \t\r\n@;,<>/") != strlen(sip->domains[i]))
			return wrong(c, key, "'%.60s' is not a domain name", sip->domains[i]);
	}
	return 0;
}

static int check_sip_deny(const struct checker *c)
{
	const struct tandem_config_sip *sip = &c->cfg->sip;
	int err = check_networks(c, "sip.deny", sip->deny, sip->deny_count, NULL);

	return err ? err : check_networks(c, "sip.allow", sip->allow, sip->allow_count, NULL);
}

static int check_algorithms(const struct checker *c)
{
	const struct tandem_config_sip *sip = &c->cfg->sip;
	enum tandem_digest_alg alg;
	char key[64];

	if (!sip->auth_algorithms_count)
		return wrong(c, "sip.auth_algorithms", "names none of sha256, md5");
	for (unsigned int i = 0; i < sip->auth_algorithms_count; i++) {
		snprintf(key, sizeof(key), "sip.auth_algorithms[%u]", i);
		if (tandem_digest_parse(&alg, sip->auth_algorithms[i]))
			return wrong(c, key, "'%.40s' is none of sha256, md5",
				     sip->auth_algorithms[i]);
		if (i && !strcmp(sip->auth_algorithms[0], sip->auth_algorithms[i]))
			return wrong(c, key, "%s is given twice", sip->auth_algorithms[i]);
	}
	return 0;
}

static int check_auth(const struct checker *c)
{
	const struct tandem_config_sip *sip = &c->cfg->sip;
	const char *realm = tandem_config_realm(c->cfg);

	if (strcmp(sip->auth, "auto") != 0 && strcmp(sip->auth, "open") != 0 &&
	    strcmp(sip->auth, "register") != 0 && strcmp(sip->auth, "required") != 0)
		return wrong(c, "sip.auth", "'%.40s' is none of auto, open, register, required",
			     sip->auth);
	if (tandem_realm_check(realm))
		return wrong(c, "sip.realm",
			     "'%.60s' is not one to %d printable ASCII characters without \" "
			     "and \\",
			     realm, TANDEM_REALM_SIZE - 1);
	if (check_algorithms(c))
		return -EINVAL;
	return check_networks(c, "sip.trusted", sip->trusted, sip->trusted_count, NULL);
}

int tandem_config_check(const struct tandem_config *cfg, const struct tandem_yaml *y,
			struct tandem_config_error *err)
{
	static int (*const checks[])(const struct checker *c) = {
		check_words,	 check_paths,	    check_booleans, check_numbers,
		check_relations, check_media_lists, check_security, check_tls,
		check_sip_lists, check_sip_deny,    check_auth,	    check_operation,
	};
	const struct checker c = { cfg, y, err };

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int ret = checks[i](&c);

		if (ret)
			return ret;
	}
	if (tandem_config_check_ng(cfg, y, err) || tandem_config_check_cluster(cfg, y, err))
		return -EINVAL;
	return tandem_config_check_routing(cfg, y, err);
}
