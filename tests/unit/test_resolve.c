/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration meets a host: addresses, interfaces, ports. */
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

#include "userspace/config/resolve.h"

struct row {
	const char *ifname, *ip;
};

static const struct row two_nics[] = {
	{ "lo", "127.0.0.1" },	   { "lo", "::1" },	      { "eth0", "192.0.2.1" },
	{ "eth0", "fe80::1" },	   { "eth0", "2001:db8::1" }, { "eth1", "198.51.100.1" },
	{ "eth1", "169.254.7.7" },
};

struct fixture {
	struct tandem_config *cfg;
	struct tandem_host host;
	struct tandem_resolved *out;
	struct tandem_config_error err;
};

static void set_up(struct fixture *f, const char *text, const struct row *rows, size_t n)
{
	char path[] = "/tmp/tandem-resolve-XXXXXX";
	int fd = mkstemp(path);

	memset(f, 0, sizeof(*f));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	if (tandem_config_load(&f->cfg, path, &f->err))
		fail_msg("%u %s %s", f->err.line, f->err.key, f->err.text);
	unlink(path);
	f->out = malloc(sizeof(*f->out));
	f->host.addresses = calloc(n, sizeof(*f->host.addresses));
	f->host.addresses_count = n;
	f->host.ephemeral = (struct tandem_port_range){ 32768, 60999 };
	for (size_t i = 0; i < n; i++) {
		snprintf(f->host.addresses[i].ifname, IFNAMSIZ, "%s", rows[i].ifname);
		assert_int_equal(tandem_ip_parse(&f->host.addresses[i].ip, rows[i].ip), 0);
	}
}

static int resolve(struct fixture *f, const char *text)
{
	set_up(f, text, two_nics, sizeof(two_nics) / sizeof(two_nics[0]));
	return tandem_resolve(f->out, f->cfg, &f->host, &f->err);
}

static void tear_down(struct fixture *f)
{
	tandem_config_free(f->cfg);
	tandem_host_clean(&f->host);
	free(f->out);
}

/* "192.0.2.1 2001:db8::1" */
static const char *locals_text(const struct tandem_resolved *out, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < out->datapath.locals_count; i++) {
		char ip[TANDEM_ENDPOINT_STRLEN];

		used += (size_t)snprintf(
			buf + used, size - used, "%s%s", i ? " " : "",
			tandem_ip_format(&out->datapath.locals[i].ip, ip, sizeof(ip)));
	}
	return buf;
}

static const char *interfaces_text(const struct tandem_resolved *out, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < out->datapath.interfaces_count; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? " " : "",
					 out->datapath.interfaces[i]);
	return buf;
}

static void addresses_and_interfaces(void **state)
{
	static const struct {
		const char *text, *locals, *interfaces;
		size_t warnings;
	} cases[] = {
		{ "", "192.0.2.1 2001:db8::1 198.51.100.1", "eth0 eth1", 0 },
		{ "media: {interfaces: [eth1]}", "198.51.100.1", "eth1", 0 },
		{ "media: {addresses: [{address: 198.51.100.1}]}", "198.51.100.1", "eth1", 0 },
		{ "media: {addresses: [{address: 127.0.0.1}]}", "127.0.0.1", "lo", 0 },
		{ "media: {addresses: [{address: 192.0.2.1}], interfaces: [eth0, eth1]}",
		  "192.0.2.1", "eth0 eth1", 0 },
		{ "media: {addresses: [{address: 192.0.2.99}], interfaces: [eth0]}", "192.0.2.99",
		  "eth0", 1 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		char buf[512];

		if (resolve(&f, cases[i].text))
			fail_msg("%s: %s %s", cases[i].text, f.err.key, f.err.text);
		assert_string_equal(locals_text(f.out, buf, sizeof(buf)), cases[i].locals);
		assert_string_equal(interfaces_text(f.out, buf, sizeof(buf)), cases[i].interfaces);
		assert_int_equal(f.out->warnings_count, cases[i].warnings);
		tear_down(&f);
	}
}

static void does_not_go_together(void **state)
{
	static const struct {
		const char *text, *key, *words;
	} cases[] = {
		{ "media: {addresses: [{address: 192.0.2.99}]}", "media.addresses",
		  "192.0.2.99 is on no interface" },
		{ "media: {interfaces: [tandem-none]}", "media.addresses", "of media.interfaces" },
		{ "media: {addresses: [{address: 192.0.2.1}], interfaces: [tandem-none]}",
		  "media.interfaces", "no interface tandem-none" },
		{ "media: {addresses: [{address: 192.0.2.1}], flow_capacity: 16383}",
		  "media.flow_capacity", "1 addresses times 16384 ports: set it to 16384" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;

		assert_int_equal(resolve(&f, cases[i].text), -EINVAL);
		assert_string_equal(f.err.key, cases[i].key);
		if (!strstr(f.err.text, cases[i].words))
			fail_msg("%s: %s", cases[i].text, f.err.text);
		tear_down(&f);
	}
}

static void nothing_but_loopback(void **state)
{
	static const struct row rows[] = { { "lo", "127.0.0.1" } };
	struct fixture f;
	(void)state;

	set_up(&f, "", rows, 1);
	assert_int_equal(tandem_resolve(f.out, f.cfg, &f.host, &f.err), -EINVAL);
	assert_string_equal(f.err.key, "media.addresses");
	tear_down(&f);
}

static void many_addresses(void **state)
{
	struct row rows[20];
	char text[20][32];
	struct fixture f;
	(void)state;

	for (int i = 0; i < 20; i++) {
		snprintf(text[i], sizeof(text[i]), "192.0.2.%d", i + 1);
		rows[i] = (struct row){ "eth0", text[i] };
	}
	set_up(&f, "", rows, 20);
	assert_int_equal(tandem_resolve(f.out, f.cfg, &f.host, &f.err), 0);
	assert_int_equal(f.out->datapath.locals_count, TANDEM_MAX_LOCALS);
	assert_int_equal(f.out->listen_count, 2 * TANDEM_MAX_LOCALS);
	assert_int_equal(f.out->datapath.flow_capacity, TANDEM_MAX_LOCALS * 16384 + 1024);
	assert_int_equal(f.out->datapath.interfaces_count, 1);
	assert_int_equal(f.out->warnings_count, 2);
	tear_down(&f);
}

static void everything_arrives(void **state)
{
	struct tandem_listen *listen;
	struct fixture f;
	char buf[64];
	(void)state;

	assert_int_equal(resolve(&f, "bpf_dir: /sys/fs/bpf/x\n"
				     "media: {addresses: [{address: 192.0.2.1, advertise: "
				     "203.0.113.9}], port_min: 20000, port_max: 20099,"
				     " learn: always, deny: [10.0.0.0/8, self], allow: "
				     "[10.7.0.0/16], max_sessions: 7,"
				     " security: [{peer: 10.1.0.0/16, policy: sdes_require}]}\n"),
			 0);
	assert_string_equal(f.out->datapath.bpf_dir, "/sys/fs/bpf/x");
	assert_string_equal(f.out->datapath.srtp_file, "/run/tandem/control.srtp");
	assert_int_equal(f.out->datapath.port_min, 20000);
	assert_int_equal(f.out->sessions.port_max, 20099);
	assert_int_equal(f.out->sessions.learn, TANDEM_LEARN_ALWAYS);
	assert_int_equal(f.out->sessions.max_sessions, 7);
	assert_int_equal(f.out->sessions.deny_count, 1);
	assert_int_equal(f.out->sessions.deny[0].prefix, 104);
	assert_true(f.out->sessions.deny_self);
	assert_int_equal(f.out->sessions.allow_count, 1);
	assert_int_equal(f.out->sessions.allow[0].prefix, 112);
	assert_int_equal(f.out->sessions.security_count, 1);
	assert_int_equal(f.out->sessions.security[0].peer.prefix, 112);
	assert_int_equal(f.out->sessions.security[0].security, TANDEM_SECURITY_SDES_REQUIRE);
	assert_string_equal(tandem_ip_format(&f.out->sessions.advertise[0], buf, sizeof(buf)),
			    "203.0.113.9");
	assert_int_equal(f.out->listen_count, 2);
	listen = f.out->listen;
	assert_string_equal(tandem_listen_format(&listen[0], buf, sizeof(buf)),
			    "udp:192.0.2.1:5060");
	assert_string_equal(tandem_listen_format(&listen[1], buf, sizeof(buf)),
			    "tcp:192.0.2.1:5060");
	/* where media may not go: UDP alone */
	assert_int_equal(f.out->sessions.own_count, 1);
	assert_memory_equal(&f.out->sessions.own[0], &listen[0].local, sizeof(listen[0].local));
	assert_int_equal(f.out->datapath.flow_capacity, 65536);
	assert_int_equal(f.out->warnings_count, 0);
	tear_down(&f);
}

static void ng_by_all_its_ways(void **state)
{
	static const enum tandem_ng_transport want[] = { TANDEM_NG_UDP, TANDEM_NG_TCP,
							 TANDEM_NG_HTTP };
	struct fixture f;
	char buf[64];
	(void)state;

	assert_int_equal(resolve(&f, "sip: {mode: off}\n"
				     "ng: {listen: [\"udp:127.0.0.1:2223\", \"tcp:[::1]:2224\","
				     " \"http:127.0.0.1:2225\"], hosts: [relay.example.org]}\n"),
			 0);
	assert_int_equal(f.out->ng.listen_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(f.out->ng.listen[i].transport, want[i]);
	assert_string_equal(tandem_endpoint_format(&f.out->ng.listen[2].local, buf, sizeof(buf)),
			    "127.0.0.1:2225");
	assert_int_equal(f.out->ng.hosts_count, 1);
	assert_string_equal(f.out->ng.hosts[0], "relay.example.org");
	assert_int_equal(f.out->ng.allow_count, 2);
	/* where media may not go: UDP alone */
	assert_int_equal(f.out->sessions.own_count, 1);
	tear_down(&f);
}

/* Beside the control socket, whatever that is called; none if no call outlives the process. */
static void where_srtp_is_kept(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{ "control_socket: /tmp/x/a.sock\n", "/tmp/x/a.srtp" },
		{ "control_socket: /tmp/x.sock/socket\n", "/tmp/x.sock/socket.srtp" },
		{ "control_socket: /.sock\n", "/.srtp" },
		{ "database: ':memory:'\n", NULL },
	};
	struct fixture f;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(resolve(&f, cases[i].text), 0);
		if (cases[i].path)
			assert_string_equal(f.out->datapath.srtp_file, cases[i].path);
		else
			assert_null(f.out->datapath.srtp_file);
		tear_down(&f);
	}
}

/* Media ports take all the room there is: what else could have some is said. */
static void no_room_for_groups(void **state)
{
	struct fixture f;
	(void)state;

	assert_int_equal(resolve(&f, "media: {addresses: [{address: 192.0.2.1}], "
				     "flow_capacity: 16384}\n"),
			 0);
	assert_int_equal(f.out->datapath.flow_capacity, 16384);
	assert_int_equal(f.out->warnings_count, 1);
	assert_non_null(strstr(f.out->warnings[0], "media.flow_capacity: room for the media"));
	tear_down(&f);
	assert_int_equal(resolve(&f,
				 "media: {flow_capacity: 16384}\n"
				 "sip: {listen: ['udp:192.0.2.1:5070', 'tcp:192.0.2.1:5070']}\n"),
			 0);
	assert_int_equal(f.out->sessions.own_count, 1);
	assert_int_equal(f.out->sessions.own[0].port, 5070);
	assert_int_equal(f.out->datapath.flow_capacity,
			 f.out->datapath.locals_count * 16384 + 1024);
	tear_down(&f);
}

static void ports_shared_with_the_kernel(void **state)
{
	static const struct {
		struct tandem_port_range media;
		const char *reserved;
		bool overlap;
	} cases[] = {
		{ { 16384, 32767 }, "", false },
		{ { 16384, 32769 }, "", true },
		{ { 40000, 40099 }, "", true },
		{ { 40000, 40099 }, "22,40000-40099\n", false },
		{ { 40000, 40099 }, "40001-40099\n", true },
		{ { 61000, 62001 }, "", false },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_host host = { .ephemeral = { 32768, 60999 } };
		struct tandem_port_range overlap;

		host.reserved_count = tandem_port_ranges_parse(cases[i].reserved, host.reserved,
							       16);
		if (tandem_host_ephemeral_overlap(&host, &cases[i].media, &overlap) !=
		    cases[i].overlap)
			fail_msg("case %zu", i);
	}
}

static void the_real_host(void **state)
{
	struct tandem_host host;
	bool loopback = false;
	(void)state;

	assert_int_equal(tandem_host_init(&host), 0);
	for (size_t i = 0; i < host.addresses_count; i++)
		loopback |= strcmp(host.addresses[i].ifname, "lo") == 0;
	if (!loopback)
		print_message("note: no loopback interface is up here\n");
	assert_true(host.ephemeral.last >= host.ephemeral.first);
	tandem_host_clean(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_interfaces),
		cmocka_unit_test(does_not_go_together),
		cmocka_unit_test(nothing_but_loopback),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(everything_arrives),
		cmocka_unit_test(ng_by_all_its_ways),
		cmocka_unit_test(where_srtp_is_kept),
		cmocka_unit_test(no_room_for_groups),
		cmocka_unit_test(ports_shared_with_the_kernel),
		cmocka_unit_test(the_real_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
