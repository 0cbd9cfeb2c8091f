/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration file: defaults, values, and errors that name key and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/config/config.h"
#include "userspace/config/listen.h"

static int load_bytes(struct tandem_config **cfg, const char *text, size_t len,
		      struct tandem_config_error *err)
{
	char path[] = "/tmp/tandem-config-XXXXXX";
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	ret = tandem_config_load(cfg, path, err);
	unlink(path);
	return ret;
}

static int load(struct tandem_config **cfg, const char *text, struct tandem_config_error *err)
{
	return load_bytes(cfg, text, strlen(text), err);
}

static void assert_media_defaults(const struct tandem_config *cfg)
{
	assert_int_equal(cfg->media.addresses_count, 0);
	assert_int_equal(cfg->media.interfaces_count, 0);
	assert_int_equal(cfg->media.port_min, 16384);
	assert_int_equal(cfg->media.port_max, 32767);
	assert_int_equal(cfg->media.flow_capacity, 65536);
	assert_int_equal(cfg->media.stream_capacity, 4096);
	assert_int_equal(cfg->media.fan_capacity, 1024);
	assert_int_equal(cfg->media.leg_capacity, 16384);
	assert_int_equal(cfg->media.srtp_capacity, 8192);
	assert_int_equal(cfg->media.nexthop_age_ms, 500);
	assert_int_equal(cfg->media.inactivity_timeout_s, 60);
	assert_int_equal(cfg->media.hold_timeout_s, 3600);
	assert_int_equal(cfg->media.setup_timeout_s, 200);
	assert_string_equal(cfg->media.frames, "auto");
	assert_string_equal(cfg->media.learn, "nat");
	assert_int_equal(cfg->media.learn_window_ms, 5000);
	assert_int_equal(cfg->media.deny_count, 10);
	assert_int_equal(cfg->media.security_count, 0);
	assert_int_equal(cfg->media.max_sessions, 10000);
	assert_false(cfg->media.strict_payload_types);
}

static void assert_sip_defaults(const struct tandem_config *cfg)
{
	assert_int_equal(cfg->sip.listen_count, 0);
	assert_int_equal(cfg->sip.domains_count, 0);
	assert_int_equal(cfg->sip.max_expires_s, 3600);
	assert_int_equal(cfg->sip.min_expires_s, 60);
	assert_int_equal(cfg->sip.default_expires_s, 3600);
	assert_int_equal(cfg->sip.max_registrations, 100000);
	assert_int_equal(cfg->sip.max_contacts, 10);
	assert_int_equal(cfg->sip.max_transactions, 20000);
	assert_int_equal(cfg->sip.timer_c_s, 180);
	assert_string_equal(cfg->sip.auth, "auto");
	assert_null(cfg->sip.realm);
	assert_string_equal(tandem_config_realm(cfg), "tandem");
	assert_int_equal(cfg->sip.auth_algorithms_count, 2);
	assert_string_equal(cfg->sip.auth_algorithms[0], "sha256");
	assert_string_equal(cfg->sip.auth_algorithms[1], "md5");
	assert_int_equal(cfg->sip.trusted_count, 0);
	assert_int_equal(cfg->sip.auth_failures, 10);
	assert_int_equal(cfg->sip.auth_block_s, 300);
	assert_int_equal(cfg->sip.source_rate, 100);
	assert_int_equal(cfg->sip.deny_count, 0);
	assert_int_equal(cfg->sip.allow_count, 0);
	assert_int_equal(cfg->sip.deny_agents_count, 9);
	assert_int_equal(cfg->sip.name_servers_count, 0);
	assert_string_equal(cfg->sip.enum_suffix, "e164.arpa");
}

static void assert_defaults(const struct tandem_config *cfg)
{
	assert_media_defaults(cfg);
	assert_sip_defaults(cfg);
	assert_string_equal(cfg->datapath, "auto");
	assert_string_equal(cfg->control_socket, "/run/tandem/control.sock");
	assert_string_equal(cfg->database, "/var/lib/tandem/tandem.db");
	assert_string_equal(cfg->bpf_dir, "/sys/fs/bpf/tandem");
	assert_string_equal(cfg->dpdk.socket, "/run/tandem/dpdk.sock");
	assert_string_equal(cfg->dpdk.eal, "");
	assert_string_equal(cfg->log_level, "info");
	assert_false(cfg->core_dumps);
	assert_string_equal(cfg->log_format, "text");
	assert_string_equal(cfg->log_output, "stderr");
	assert_null(cfg->cdr.database);
	assert_string_equal(cfg->cdr.log, "none");
	assert_int_equal(cfg->cdr.keep_days, 30);
	assert_int_equal(cfg->cdr.max_records, 1000000);
	assert_int_equal(cfg->drain.timeout_s, 3600);
	assert_int_equal(cfg->drain.retry_after_s, 30);
	assert_null(cfg->drain.redirect);
	assert_string_equal(cfg->drain.registrations, "accept");
	assert_int_equal(cfg->gateways_count, 0);
	assert_int_equal(cfg->routes_count, 0);
}

static void nothing_given(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# only a comment\n", "---\n# nothing\n" };
	struct tandem_config_error err;
	struct tandem_config *cfg;
	(void)state;

	assert_int_equal(tandem_config_load(&cfg, NULL, &err), 0);
	assert_defaults(cfg);
	tandem_config_free(cfg);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (load(&cfg, texts[i], &err))
			fail_msg("case %zu: line %u %s %s", i, err.line, err.key, err.text);
		assert_defaults(cfg);
		tandem_config_free(cfg);
	}
	tandem_config_free(NULL);
}

static void gateways_have_their_defaults(void **state)
{
	struct tandem_config_error err;
	struct tandem_config *cfg;
	const struct tandem_config_gateway *gw;
	int ret;

	(void)state;
	ret = load(&cfg,
		   "gateways:\n"
		   "  - {name: one, uri: 'sip:192.0.2.1'}\n"
		   "  - {name: two, uri: 'sip:two.test', options_s: 0, timeout_s: 0, weight: 0, "
		   "prefix_strip: 1, prefix_add: '00', sources: [10.0.0.0/8, 2001:db8::1]}\n"
		   "routes:\n"
		   "  - {to: '+49*', from: [users, one, 10.0.0.0/8], via: [one, two]}\n"
		   "  - {domain: '*.partner.test', via: [dns]}\n",
		   &err);
	if (ret)
		fail_msg("line %u: %s: %s", err.line, err.key, err.text);
	gw = cfg->gateways;
	assert_int_equal(cfg->gateways_count, 2);
	assert_int_equal(gw[0].priority, 1);
	assert_int_equal(gw[0].weight, 1);
	assert_int_equal(gw[0].options_s, 30);
	assert_int_equal(gw[0].timeout_s, 4);
	assert_int_equal(gw[0].prefix_strip, 0);
	assert_int_equal(gw[1].options_s, 0);
	assert_int_equal(gw[1].timeout_s, 0);
	assert_int_equal(gw[1].weight, 0);
	assert_int_equal(gw[1].sources_count, 2);
	assert_int_equal(cfg->routes_count, 2);
	assert_int_equal(cfg->routes[0].via_count, 2);
	assert_string_equal(cfg->sip.enum_suffix, "e164.arpa");
	tandem_config_free(cfg);
}

/* The shipped example names every key with its default, so it must change nothing. */
static void example_is_the_defaults(void **state)
{
	struct tandem_config_error err;
	struct tandem_config *cfg, *plain;
	(void)state;

	if (access("docs/tandem.conf.example", R_OK) != 0) {
		print_message("SKIPPED: run from the top of the source tree\n");
		skip();
	}
	if (tandem_config_load(&cfg, "docs/tandem.conf.example", &err))
		fail_msg("line %u: %s: %s", err.line, err.key, err.text);
	assert_defaults(cfg);
	assert_int_equal(tandem_config_load(&plain, NULL, &err), 0);
	for (unsigned int i = 0; i < plain->media.deny_count; i++)
		assert_string_equal(cfg->media.deny[i], plain->media.deny[i]);
	tandem_config_free(plain);
	tandem_config_free(cfg);
}

static void everything_given(void **state)
{
	static const char text[] =
		"datapath: uring\n"
		"control_socket: /tmp/t.sock\n"
		"database: \":memory:\"\n"
		"log_level: debug\n"
		"core_dumps: true\n"
		"media:\n"
		"  addresses:\n"
		"    - address: 192.0.2.1\n"
		"      advertise: 203.0.113.1\n"
		"    - address: \"2001:db8::1\"\n"
		"  interfaces: [eth1]\n"
		"  port_min: 20000\n"
		"  port_max: 20999\n"
		"  learn: \"off\"\n"
		"  deny: []\n"
		"  strict_payload_types: true\n"
		"sip:\n"
		"  listen: [\"udp:192.0.2.1:5060\", \"tcp:[2001:db8::1]:5062\"]\n"
		"  domains: [example.test]\n"
		"  max_expires_s: 600\n"
		"  auth: required\n"
		"  auth_algorithms: [md5]\n"
		"  trusted: [192.0.2.0/24, \"2001:db8::5\"]\n"
		"  auth_failures: 3\n";
	struct tandem_config_error err;
	struct tandem_config *cfg;
	(void)state;

	if (load(&cfg, text, &err))
		fail_msg("line %u %s %s", err.line, err.key, err.text);
	assert_string_equal(cfg->datapath, "uring");
	assert_string_equal(cfg->database, ":memory:");
	assert_string_equal(cfg->bpf_dir, "/sys/fs/bpf/tandem");
	assert_int_equal(cfg->media.addresses_count, 2);
	assert_string_equal(cfg->media.addresses[0].advertise, "203.0.113.1");
	assert_string_equal(cfg->media.addresses[1].address, "2001:db8::1");
	assert_null(cfg->media.addresses[1].advertise);
	assert_string_equal(cfg->media.interfaces[0], "eth1");
	assert_int_equal(cfg->media.port_max, 20999);
	assert_int_equal(cfg->media.deny_count, 0);
	assert_true(cfg->core_dumps);
	assert_true(cfg->media.strict_payload_types);
	assert_int_equal(cfg->sip.listen_count, 2);
	/* Not named, so it follows the narrower maximum. */
	assert_int_equal(cfg->sip.default_expires_s, 600);
	assert_string_equal(cfg->sip.auth, "required");
	assert_string_equal(tandem_config_realm(cfg), "example.test");
	assert_int_equal(cfg->sip.auth_algorithms_count, 1);
	assert_string_equal(cfg->sip.auth_algorithms[0], "md5");
	assert_int_equal(cfg->sip.trusted_count, 2);
	assert_int_equal(cfg->sip.auth_failures, 3);
	tandem_config_free(cfg);
}

static const struct {
	const char *text;
	unsigned int line;
	const char *key, *words;
} wrong[] = {
	/* keys */
	{ "datapath: auto\nmedla:\n  port_min: 2\n", 2, "medla", "unknown key" },
	{ "media:\n  port_mni: 20000\n", 2, "media.port_mni", "unknown key" },
	{ "media:\n  addresses:\n  - address: 192.0.2.1\n    addr: 1\n", 4,
	  "media.addresses[0].addr", "unknown key" },
	{ "Datapath: auto\n", 1, "Datapath", "unknown key" },
	{ "ng: {listen: [\"ws:127.0.0.1:2225\"]}\n", 1, "ng.listen[0]", "not of the form" },
	{ "ng: {listen: [\"udp:127.0.0.1:1\", \"http:localhost:2225\"]}\n", 1, "ng.listen[1]",
	  "not of the form" },
	{ "ng: {allow: [localhost]}\n", 1, "ng.allow[0]", "not a network" },
	{ "ng: {listen: [\"https:127.0.0.1:2226\"]}\n", 1, "ng.listen[0]", "ng.tls.certificate" },
	{ "ng: {tls: {key: /k}}\n", 1, "ng.tls.key", "of no certificate" },
	{ "ng: {tls: {certificate: /c, client: request}}\n", 1, "ng.tls.client", "none of" },
	{ "ng: {tls: {certificate: /c, client: require}}\n", 1, "ng.tls.client", "ng.tls.ca" },
	{ "ng: {delete_delay_s: 90000}\n", 1, "ng.delete_delay_s", "0 to 86400" },
	{ "datapath: auto\nlog_level: info\ndatapath: xdp\n", 3, "datapath", "first on line 1" },
	{ "media:\n  deny: []\n\n  deny: []\n", 4, "deny", "first on line 2" },
	{ "media:\n  addresses:\n  - address: 192.0.2.1\n  - advertise: 192.0.2.9\n", 4,
	  "media.addresses[1]", "has no address" },
	/* shapes */
	{ "just text\n", 0, "", "expected keys" },
	{ "media: 3\n", 1, "media", "expected keys" },
	{ "\nmedia:\nsip:\n", 2, "media", "expected keys" },
	{ "datapath: [xdp]\n", 1, "datapath", "expected a single value" },
	{ "sip:\n  domains: example.test\n", 2, "sip.domains", "expected a list" },
	{ "datapath: \"\"\n", 1, "datapath", "must not be empty" },
	/* YAML itself */
	{ "datapath: auto\nmedia:\n\tport_min: 2\n", 3, "", "not valid YAML" },
	{ "datapath: auto\nlog_level: \"info\n", 3, "", "not valid YAML" },
	{ "datapath: auto\nlog_level: \xff\xfe\n", 2, "", "not valid YAML" },
	{ "datapath: auto\n---\ndatapath: xdp\n", 3, "", "second YAML document" },
	{ "datapath: &a xdp\nlog_level: *a\n", 2, "log_level", "alias" },
	/* numbers */
	{ "media:\n  port_min: abc\n", 2, "media.port_min",
	  "'abc' is not a number from 2 to 65534" },
	{ "media:\n  port_max: 70000\n", 2, "media.port_max", "'70000'" },
	{ "media:\n  port_min: -4\n", 2, "media.port_min", "'-4'" },
	{ "media:\n  port_min: 0\n", 2, "media.port_min", "'0'" },
	{ "media:\n  flow_capacity: 99999999999\n", 2, "media.flow_capacity", "to 4194304" },
	{ "media:\n  nexthop_age_ms: 0\n", 2, "media.nexthop_age_ms", "from 1 to 60000" },
	{ "media:\n  learn_window_ms: 600000\n", 2, "media.learn_window_ms", "600000" },
	{ "media:\n  max_sessions: 1e3\n", 2, "media.max_sessions", "'1e3' is not a number" },
	{ "media:\n  hold_timeout_s: 60m\n", 2, "media.hold_timeout_s", "'60m'" },
	{ "media:\n  max_sessions: -18446744073709551615\n", 2, "media.max_sessions", "'-1844" },
	{ "media:\n  port_min: 040000\n", 2, "media.port_min", "'040000'" },
	{ "media:\n  port_min: 0x4000\n", 2, "media.port_min", "'0x4000'" },
	{ "media:\n  port_min: 16385\n", 2, "media.port_min", "odd" },
	{ "media:\n  port_max: 20000\n", 2, "media.port_max", "even" },
	{ "media:\n  port_min: 40000\n", 2, "media.port_min", "port_max 32767 is below" },
	{ "media:\n  port_max: 2001\n", 2, "media.port_max", "below port_min 16384" },
	{ "sip:\n  max_expires_s: 30\n", 2, "sip.max_expires_s", "min_expires_s 60 is above" },
	{ "sip:\n  default_expires_s: 10\n", 2, "sip.default_expires_s", "outside" },
	{ "media:\n  security:\n    - {peer: 10.0.0.0/8, policy: srtp}\n", 3, "media.security[0]",
	  "'srtp' is none of" },
	{ "media:\n  security:\n    - {peer: ten, policy: dtls}\n", 3, "media.security[0]",
	  "'ten'" },
	{ "media:\n  security:\n    - {peer: 10.0.0.0/8}\n", 3, "media.security[0]", "no policy" },
	{ "media:\n  security:\n    - {policy: dtls}\n", 3, "media.security[0]", "no peer" },
	{ "media:\n  security:\n    - {peer: 10.0.0.0/8, policy: dtls}\n"
	  "    - {peer: 10.0.0.0/8, policy: plain}\n",
	  4, "media.security[1]", "given twice" },
	{ "media:\n  strict_payload_types: maybe\n", 2, "media.strict_payload_types", "'maybe'" },
	/* words and paths */
	{ "datapath: none\n", 1, "datapath", "'none' is none of auto, xdp, kmod, dpdk, uring" },
	{ "dpdk:\n  socket: dpdk.sock\n", 2, "dpdk.socket", "absolute" },
	{ "dpdk:\n  eal: \"\"\n", 2, "dpdk.eal", "must not be empty" },
	{ "log_level: loud\n", 1, "log_level", "'loud'" },
	{ "media:\n  frames: \"on\"\n", 2, "media.frames", "'on' is none of auto, off" },
	{ "media:\n  learn: sometimes\n", 2, "media.learn", "'sometimes'" },
	{ "control_socket: run/x\n", 1, "control_socket", "absolute" },
	{ "control_socket: /0123456789012345678901234567890123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789\n",
	  1, "control_socket", "107 bytes" },
	{ "database: memory\n", 1, "database", "absolute" },
	{ "bpf_dir: bpf\n", 1, "bpf_dir", "absolute" },
	/* addresses */
	{ "media:\n  addresses:\n    - address: host.example\n", 3, "media.addresses[0].address",
	  "not an IP address" },
	{ "media:\n  addresses: [{address: 0.0.0.0}]\n", 2, "media.addresses[0].address",
	  "not the address of one host" },
	{ "media:\n  addresses: [{address: \"ff02::1\"}]\n", 2, "media.addresses[0].address",
	  "not the address of one host" },
	{ "media:\n  addresses:\n    - address: 192.0.2.1\n    - address: 192.0.2.1\n", 4,
	  "media.addresses[1].address", "twice" },
	{ "media:\n  addresses:\n    - address: 192.0.2.1\n      advertise: \"2001:db8::1\"\n", 4,
	  "media.addresses[0].advertise", "family" },
	{ "media:\n  interfaces:\n    - eth0\n    - an-interface-name-too-long\n", 4,
	  "media.interfaces[1]", "not an interface" },
	{ "media:\n  deny:\n    - 10.0.0.0/8\n    - 10.0.0.0/33\n", 4, "media.deny[1]",
	  "10.0.0.0/33" },
	{ "media:\n  allow: [192.0.2.1/32, self]\n", 2, "media.allow[1]", "'self'" },
	{ "sip:\n  listen:\n    - udp:192.0.2.1:5060\n    - sctp:192.0.2.1:5060\n", 4,
	  "sip.listen[1]", "sctp" },
	{ "sip:\n  listen: [\"udp:0.0.0.0:5060\"]\n", 2, "sip.listen[0]", "name one address" },
	{ "sip:\n  listen: [\"tls:192.0.2.1:5061\"]\n", 2, "sip.listen[0]", "certificate" },
	{ "sip:\n  tls:\n    client: maybe\n", 3, "sip.tls.client", "maybe" },
	{ "sip:\n  tls:\n    key: /a\n", 3, "sip.tls.key", "no certificate" },
	{ "sip:\n  tls:\n    certificates:\n      - {certificate: /a}\n", 3, "sip.tls.certificates",
	  "no name" },
	{ "sip:\n  tls:\n    certificate: /a\n    certificates:\n      - {key: /b}\n", 5,
	  "sip.tls.certificates[0]", "no certificate" },
	{ "gateways:\n  - {name: a, uri: \"sip:a\", tls_key: /a}\n", 2, "gateways[0]",
	  "no certificate" },
	{ "sip:\n  auth: maybe\n", 2, "sip.auth", "'maybe' is none of auto, open," },
	{ "sip:\n  realm: 'a \"b\"'\n", 2, "sip.realm", "printable ASCII" },
	{ "sip:\n  realm: "
	  "\"0123456789012345678901234567890123456789012345678901234567890123456\"\n",
	  2, "sip.realm", "64 printable" },
	{ "sip:\n  auth_algorithms: []\n", 2, "sip.auth_algorithms", "none of sha256" },
	{ "sip:\n  auth_algorithms: [md5, sha1]\n", 2, "sip.auth_algorithms[1]", "'sha1'" },
	{ "sip:\n  auth_algorithms: [md5, md5]\n", 2, "sip.auth_algorithms[1]", "twice" },
	{ "gateways:\n  - name: one\n", 2, "gateways[0]", "has no uri" },
	{ "gateways:\n  - {name: a, uri: 'sip:a', user: b}\n", 2, "gateways[0]",
	  "has user without password_file" },
	{ "gateways:\n  - {name: a, uri: 'sip:a', realm: b}\n", 2, "gateways[0]",
	  "has realm without user" },
	{ "gateways:\n  - {name: a, uri: 'sip:a', user: b, password_file: c}\n", 2, "gateways[0]",
	  "must be an absolute path" },
	{ "gateways:\n  - {name: a, uri: 'sip:a', user: 'b\"', password_file: /c}\n", 2,
	  "gateways[0]", "is not up to 64 printable" },
	{ "sip:\n  session_expires_s: 60\n", 2, "sip.session_expires_s", "is neither 0 nor" },
	{ "sip:\n  min_se_s: 30\n", 2, "sip.min_se_s", "from 90 to" },
	{ "sip:\n  min_se_s: 0\n", 2, "sip.min_se_s", "from 90 to" },
	{ "gateways:\n  - uri: sip:a\n", 2, "gateways[0]", "has no name" },
	{ "gateways:\n  - {name: one, uri: 'sip:a'}\n  - {name: one, uri: 'sip:b'}\n", 3,
	  "gateways[1]", "name one is given twice" },
	{ "gateways:\n  - {name: users, uri: 'sip:a'}\n", 2, "gateways[0]", "'users' is no name" },
	{ "gateways:\n  - {name: 10.0.0.1, uri: 'sip:a'}\n", 2, "gateways[0]",
	  "'10.0.0.1' is no name" },
	{ "gateways:\n  - {name: a, uri: 'tel:1'}\n", 2, "gateways[0]", "is not of the form sip:" },
	{ "gateways:\n  - name: a\n    uri: 'sip:a'\n    weight: 70000\n", 4, "gateways[0].weight",
	  "" },
	{ "gateways:\n  - name: a\n    uri: 'sip:a'\n    options_s: 30s\n", 4,
	  "gateways[0].options_s", "'30s' is not a number from 0 to 86400" },
	{ "gateways:\n  - {name: a, uri: 'sip:a', prefix_add: 0x}\n", 2, "gateways[0]",
	  "prefix_add '0x' is no part of a number" },
	{ "gateways:\n  - {name: a, uri: 'sip:a', sources: [b]}\n", 2, "gateways[0]",
	  "source 'b' is not a network" },
	{ "routes:\n  - {to: '*', via: [carrier]}\n", 2, "routes[0]",
	  "via 'carrier' is none of dns, enum, deny, a gateway" },
	{ "routes:\n  - {to: '*', from: [carrier], via: [enum]}\n", 2, "routes[0]",
	  "from 'carrier' is none of users" },
	{ "routes:\n  - {to: '*', via: [dns]}\n", 2, "routes[0]",
	  "via dns is for routes with a domain" },
	{ "routes:\n  - {domain: '*', via: [enum]}\n", 2, "routes[0]",
	  "via enum is for routes without a domain" },
	{ "routes:\n  - {to: '*'}\n", 2, "routes[0]", "has no via" },
	{ "routes:\n  - {via: [enum]}\n", 2, "routes[0]", "has neither to nor domain" },
	{ "routes:\n  - {domain: 'a b', via: [dns]}\n", 2, "routes[0]",
	  "domain 'a b' is not one such as" },
	{ "sip:\n  name_servers:\n    - ns.example\n", 3, "sip.name_servers[0]",
	  "'ns.example' is not of the form 192.0.2.53" },
	{ "sip:\n  enum_suffix: a/b\n", 2, "sip.enum_suffix", "'a/b' is not a domain" },
	{ "sip:\n  trusted:\n    - 10.0.0.0/8\n    - trunk.example\n", 4, "sip.trusted[1]",
	  "'trunk.example' is not a network" },
	{ "sip:\n  source_rate: 0\n", 2, "sip.source_rate", "'0' is not a number from 1" },
	{ "sip:\n  deny: [10.0.0.0/8, everybody]\n", 2, "sip.deny[1]", "'everybody'" },
	{ "sip:\n  allow: [10.0.0.0/40]\n", 2, "sip.allow[0]", "10.0.0.0/40" },
	{ "log_format: xml\n", 1, "log_format", "'xml' is none of text, json" },
	{ "log_output: syslog\n", 1, "log_output", "'syslog'" },
	{ "cdr:\n  database: calls.db\n", 2, "cdr.database", "absolute path or none" },
	{ "cdr:\n  log: calls.log\n", 2, "cdr.log", "absolute path, stdout, syslog or none" },
	{ "cdr:\n  keep_days: 0\n", 2, "cdr.keep_days", "from 1 to 3650" },
	{ "drain:\n  redirect: \"sip:b@example.test\"\n", 2, "drain.redirect", "not a host" },
	{ "drain:\n  registrations: drop\n", 2, "drain.registrations", "'drop'" },
	{ "sip:\n  domains: [\"a b\"]\n", 2, "sip.domains[0]", "not a domain" },
};

static void errors_name_key_and_line(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct tandem_config_error err;
		struct tandem_config *cfg;

		if (load(&cfg, wrong[i].text, &err) != -EINVAL)
			fail_msg("accepted: %s", wrong[i].text);
		assert_null(cfg);
		if (err.line != wrong[i].line || strcmp(err.key, wrong[i].key) != 0 ||
		    !strstr(err.text, wrong[i].words) || !err.text[0])
			fail_msg("%s-> line %u, key '%s': %s", wrong[i].text, err.line, err.key,
				 err.text);
	}
}

static void call_records_are_beside_the_database(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{ "log_level: info\n", "/var/lib/tandem/tandem-cdr.db" },
		{ "database: /x/calls\n", "/x/calls-cdr.db" },
		{ "database: \":memory:\"\n", NULL },
		{ "database: \":memory:\"\ncdr:\n  database: /x/y\n", "/x/y" },
		{ "cdr:\n  database: none\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_config_error err;
		struct tandem_config *cfg;
		const char *path;
		char buf[64];

		assert_int_equal(load(&cfg, cases[i].text, &err), 0);
		path = tandem_config_cdr_database(cfg, buf, sizeof(buf));
		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
		else
			assert_null(path);
		tandem_config_free(cfg);
	}
}

static void unreadable_files(void **state)
{
	struct tandem_config_error err;
	struct tandem_config *cfg;
	char *big = malloc(300 * 1024);
	(void)state;

	assert_int_equal(tandem_config_load(&cfg, "/nonexistent/tandem.conf", &err), -ENOENT);
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(tandem_config_load(&cfg, "/tmp", &err), -EISDIR);
	assert_non_null(big);
	memset(big, '#', 300 * 1024);
	assert_int_equal(load_bytes(&cfg, big, 300 * 1024, &err), -EFBIG);
	assert_int_equal(load_bytes(&cfg, "a\0b", 3, &err), -EINVAL);
	free(big);
}

static void listen_syntax(void **state)
{
	static const struct {
		const char *text, *back;
	} cases[] = {
		{ "udp:192.0.2.1:5060", "udp:192.0.2.1:5060" },
		{ "tcp:[2001:db8::1]:5061", "tcp:[2001:db8::1]:5061" },
		{ "udp:192.0.2.1", NULL },
		{ "udp:192.0.2.1:", NULL },
		{ "udp:192.0.2.1:0", NULL },
		{ "udp:192.0.2.1:65536", NULL },
		{ "udp:192.0.2.1:50a0", NULL },
		{ "udp:2001:db8::1:5060", NULL },
		{ "udp:[2001:db8::1]5060", NULL },
		{ "udp:[2001:db8::1", NULL },
		{ "tls:192.0.2.1:5061", "tls:192.0.2.1:5061" },
		{ "sctp:192.0.2.1:5061", NULL },
		{ "192.0.2.1:5060", NULL },
		{ "udp::5060", NULL },
		{ "udp:", NULL },
		{ "", NULL },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_listen listen;
		char buf[64];

		if ((tandem_listen_parse(&listen, cases[i].text) == 0) != (cases[i].back != NULL))
			fail_msg("%s", cases[i].text);
		if (cases[i].back)
			assert_string_equal(tandem_listen_format(&listen, buf, sizeof(buf)),
					    cases[i].back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given),
		cmocka_unit_test(everything_given),
		cmocka_unit_test(gateways_have_their_defaults),
		cmocka_unit_test(example_is_the_defaults),
		cmocka_unit_test(call_records_are_beside_the_database),
		cmocka_unit_test(unreadable_files),
		cmocka_unit_test(errors_name_key_and_line),
		cmocka_unit_test(listen_syntax),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
