/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole SIP server under a fuzzer: its time, its randomness, and how it looks when nothing is
 * going on. Time stands still but for world_advance(); random numbers are the same for each input.
 * Both are had by functions under the names of those that the server, libre and libc would call.
 */
#ifndef TANDEM_TESTS_FUZZ_SIP_WORLD_H
#define TANDEM_TESTS_FUZZ_SIP_WORLD_H

#include <dirent.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>

#include "tests/fuzz/session_env.h"
#include "tests/loopback.h"
#include "tests/poor.h"
#include "userspace/session/model.h"
#include "userspace/sip/gateway.h"
#include "userspace/sip/local.h"
#include "userspace/sip/location.h"
#include "userspace/store/store.h"
#include "userspace/util/log.h"

#define WORLD_RELAY "127.0.0.1:5060"
#define WORLD_REALM "example.test"

/*
 * All has an end within this time. Of calls that nobody ends, for want of media, and of what they leave
 * it is a few minutes; of a connection of the relay's to itself 900 s, when libre gives it up.
 */
#define WORLD_LONGEST_MS 1200000
/* Then caches and blocks have been forgotten too. */
#define WORLD_FORGET_MS 4000000
#define WORLD_PORT_MIN	20000
#define WORLD_PORT_MAX	20199
#define WORLD_TICK_MS	1000

struct world {
	struct tandem_sessions *ss;
	struct tandem_store *store;
	struct tandem_sip *sip;
	struct tmr tick;
	bool (*outside_h)(void); /* has the others read and answer; true: there was something */
	int wake_fd;
	unsigned int rounds; /* of libre's loop, that are left */
	char idle[4096];     /* what libre shows when nothing is going on */
	size_t idle_fds;
};

static struct world world;
static uint64_t fuzz_random;

/* ---- in place of others ---- */

uint64_t tmr_jiffies(void)
{
	return fuzz_clock_ms;
}

time_t time(time_t *t)
{
	time_t now = (time_t)(fuzz_now_epoch_ms(NULL) / 1000);

	if (t)
		*t = now;
	return now;
}

/* splitmix64 */
uint64_t rand_u64(void)
{
	uint64_t z = (fuzz_random += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint32_t rand_u32(void)
{
	return (uint32_t)rand_u64();
}

uint16_t rand_u16(void)
{
	return (uint16_t)rand_u64();
}

ssize_t getrandom(void *buf, size_t len, unsigned int flags)
{
	(void)flags;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)rand_u64();
	return (ssize_t)len;
}

/* ---- its loop ---- */

static inline void world_round(int flags, void *arg)
{
	struct world *w = arg;

	(void)flags;
	if (!--w->rounds)
		re_cancel();
}

/* Take what has arrived, and what comes of that, and fire the timers that are due. */
static inline void world_rounds(struct world *w, unsigned int rounds)
{
	unsigned int i = 0;

	do {
		w->rounds = rounds;
		CHECK(!re_main(NULL));
	} while (w->outside_h() && i++ < 16);
}

/* Until a connection is taken and what came by it read. */
static inline void world_run(struct world *w)
{
	world_rounds(w, 4);
}

static inline void world_tick(void *arg)
{
	struct world *w = arg;

	tmr_start(&w->tick, WORLD_TICK_MS, world_tick, w);
	tandem_sessions_tick(w->ss);
}

/* From timer to timer, as the server would see it. */
static inline void world_advance(struct world *w, uint64_t ms)
{
	uint64_t end = fuzz_clock_ms + ms, next;

	while ((next = tmr_next_timeout(NULL)) && fuzz_clock_ms + next <= end) {
		fuzz_clock_ms += next;
		tandem_sessions_timer(w->ss);
		world_rounds(w, 1);
	}
	fuzz_clock_ms = end;
	world_run(w);
}

/* ---- at rest ---- */

static inline int world_print(const char *p, size_t size, void *arg)
{
	char *text = arg;
	size_t used = strlen(text);

	if (used + size < sizeof(world.idle)) {
		memcpy(text + used, p, size);
		text[used + size] = '\0';
	}
	return 0;
}

/* Transports, and client and server transactions, as libre lists them. */
static inline void world_describe(const struct world *w, char *text)
{
	struct re_printf pf = { world_print, text };

	text[0] = '\0';
	for (size_t i = 0; i < w->sip->stacks_count; i++)
		CHECK(!sip_debug(&pf, w->sip->stacks[i].sip));
}

static void world_ended(const char *call, const char *why, void *arg)
{
	tandem_sip_session_ended(((struct world *)arg)->sip, call, why);
}

static inline bool world_found(struct le *le, void *arg)
{
	(void)le;
	(void)arg;
	return true;
}

/* Descriptors that are open; show: each in a line. The pipes are libFuzzer's own, to a symbolizer. */
static inline size_t world_fds(bool show)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	size_t n = 0;

	CHECK(dir);
	while ((entry = readdir(dir))) {
		char to[256];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, to, sizeof(to));

		if (len > 0 && strncmp(to, "pipe:", 5))
			n++;
		if (show && len > 0)
			fprintf(stderr, "%s -> %.*s\n", entry->d_name, (int)len, to);
	}
	closedir(dir);
	return n;
}

/* No call, no session, no transaction, no registration, and nothing of libre's that was not there. */
static inline bool world_is_idle(const struct world *w)
{
	const struct tandem_sip *sip = w->sip;
	char text[sizeof(w->idle)];

	if (tandem_sessions_count(w->ss) || fuzz_flows_count || sip->active ||
	    sip->lingering_count || !list_isempty(&sip->lingering) ||
	    tandem_location_count(sip->loc) || hash_apply(sip->ht_branch, world_found, NULL) ||
	    hash_apply(sip->ht_call, world_found, NULL))
		return false;
	world_describe(w, text);
	return !strcmp(text, w->idle);
}

static inline void world_stuck(const struct world *w)
{
	char text[sizeof(w->idle)];

	world_describe(w, text);
	fprintf(stderr,
		"%zu sessions, %zu flows, %zu transactions and %zu that linger, %zu "
		"registrations\n%sat rest it is\n%s",
		tandem_sessions_count(w->ss), fuzz_flows_count, w->sip->active,
		w->sip->lingering_count, tandem_location_count(w->sip->loc), text, w->idle);
	(void)world_fds(true);
	abort();
}

/* Have everything come to its end; a server that does not is wedged. */
static inline void world_rest(struct world *w)
{
	uint64_t left = WORLD_LONGEST_MS;

	while (!world_is_idle(w)) {
		if (!left)
			world_stuck(w);
		left -= WORLD_TICK_MS;
		world_advance(w, WORLD_TICK_MS);
	}
}

/* As the relay counts those that others have opened. */
static inline json_int_t world_connections(const struct world *w)
{
	json_t *doc = tandem_sip_connections_json(w->sip);
	json_int_t open = json_integer_value(json_object_get(doc, "open"));

	CHECK(json_is_integer(json_object_get(doc, "open")));
	json_decref(doc);
	return open;
}

static inline void world_count_row(const char *id, const char *json, void *arg)
{
	(void)id;
	(void)json;
	++*(size_t *)arg;
}

/* Sessions and contacts in the store, and media ports that are not free. */
static inline size_t world_kept(const struct world *w)
{
	const size_t pairs = (WORLD_PORT_MAX - WORLD_PORT_MIN + 1) / 2;
	size_t rows = 0, contacts;

	CHECK(!tandem_store_session_list(w->store, world_count_row, &rows));
	CHECK(!tandem_store_contact_count(w->store, &contacts));
	for (size_t i = 0; i < w->ss->cfg.locals_count; i++)
		rows += pairs - tandem_ports_available(w->ss->ports, i);
	return rows + contacts;
}

/* What calls have shown of gateways is kept for good, but not from one input to the next. */
static inline void world_forgive(const struct world *w)
{
	for (size_t i = 0; i < w->sip->gateways->count; i++) {
		struct tandem_gateway *gw = &w->sip->gateways->list[i];

		gw->up = true;
		gw->asked_failed = gw->asked_well = gw->calls_failed = 0;
	}
}

/* The same, and then have it forgotten. */
static inline void world_settle(struct world *w)
{
	world_rest(w);
	world_forgive(w);
	fuzz_clock_ms += WORLD_FORGET_MS;
	world_run(w);
	world_rest(w);
	if (world_connections(w) || world_kept(w) || world_fds(false) != w->idle_fds)
		world_stuck(w);
}

/* ---- its configuration ---- */

static const char *const world_listen[] = { "udp:" WORLD_RELAY, "tcp:" WORLD_RELAY,
					    "udp:[::1]:5060", "tcp:[::1]:5060" };
static const char *const world_domains[] = { "example.test" };
static const char *const world_agents[] = { "scanner" };
static const char *const world_servers[] = { "127.0.0.9:5353" };
static const char *const world_any[] = { "any" };
static const char *const world_users[] = { "users" };
static const char *const world_from[] = { "one" };
static const char *const world_both[] = { "one", "two" };
static const char *const world_named[] = { "named", "one" };
static const char *const world_deny[] = { "deny" };
static const char *const world_dns[] = { "dns" };
static const char *const world_enum[] = { "enum", "two" };

static const struct tandem_route_config world_routes[] = {
	{ .to = "+1*", .from = world_from, .from_count = 1, .via = world_named, .via_count = 2 },
	{ .to = "+2900*", .via = world_deny, .via_count = 1 },
	{ .to = "+49*", .from = world_users, .from_count = 1, .via = world_both, .via_count = 2 },
	{ .to = "+8*", .from = world_any, .from_count = 1, .via = world_enum, .via_count = 2 },
	{ .to = "+*", .from = world_any, .from_count = 1, .via = world_both, .via_count = 2 },
	{ .domain = "*.test",
	  .from = world_any,
	  .from_count = 1,
	  .via = world_dns,
	  .via_count = 1 },
};

static inline struct tandem_prefix world_prefix(const char *text)
{
	struct tandem_prefix prefix;

	CHECK(!tandem_prefix_parse(&prefix, text));
	return prefix;
}

static inline void world_open_sessions(struct world *w)
{
	static struct tandem_sessions_config cfg = {
		.port_min = WORLD_PORT_MIN,
		.port_max = WORLD_PORT_MAX,
		.locals_count = 2,
		.inactivity_timeout_s = 30,
		.hold_timeout_s = 60,
		.setup_timeout_s = 60,
		.learn = TANDEM_LEARN_NAT,
		.learn_window_ms = 5000,
		.max_sessions = 20,
		.security_count = 2,
	};

	CHECK(!tandem_ip_parse(&cfg.locals[0].ip, "127.0.0.1"));
	CHECK(!tandem_ip_parse(&cfg.locals[1].ip, "::1"));
	cfg.security[0] = (struct tandem_security_rule){ .peer = world_prefix("127.0.0.8/32"),
							 .security = TANDEM_SECURITY_DTLS };
	cfg.security[1] = (struct tandem_security_rule){ .peer = world_prefix("127.0.0.6/32"),
							 .security = TANDEM_SECURITY_SDES_PREFER };
	CHECK(!tandem_sessions_alloc_with(&w->ss, &fuzz_env, &cfg, NULL, w->store, world_ended, w));
}

/* The file has the password of gateway two. */
static inline void world_open_sip(struct world *w, const char *file)
{
	const struct tandem_gateway_config gateways[] = {
		{ .name = "one", .uri = "sip:127.0.0.5:5060", .options_s = 60, .timeout_s = 2 },
		{ .name = "two",
		  .uri = "sip:127.0.0.6:5060",
		  .priority = 1,
		  .prefix_strip = 1,
		  .prefix_add = "00",
		  .user = "relay",
		  .password_file = file },
		{ .name = "named", .uri = "sip:gateway.test" },
	};
	const struct tandem_prefix trusted[] = { world_prefix("127.0.0.2/31"),
						 world_prefix("127.0.0.7/32"),
						 world_prefix("127.0.0.8/32"),
						 world_prefix("::1/128") };
	const struct tandem_sip_config cfg = {
		.listen = world_listen,
		.listen_count = ARRAY_SIZE(world_listen),
		.domains = world_domains,
		.domains_count = ARRAY_SIZE(world_domains),
		.max_expires_s = 120,
		.min_expires_s = 5,
		.default_expires_s = 60,
		.max_registrations = 20,
		.max_contacts = 4,
		.max_transactions = 100,
		.timer_c_s = 20,
		.ring_s = 3,
		.session_expires_s = 120,
		.follow_redirects = true,
		.auth = TANDEM_SIP_AUTH_REQUIRED,
		.realm = WORLD_REALM,
		.trusted = trusted,
		.trusted_count = ARRAY_SIZE(trusted),
		.auth_failures = 5,
		.auth_block_s = 20,
		.source_rate = 1000,
		.connections = { .max_connections = 3,
				 .max_per_source = 2,
				 .message_s = 5,
				 .idle_s = 60 },
		.deny_agents = world_agents,
		.deny_agents_count = ARRAY_SIZE(world_agents),
		.drain_redirect = "other.test",
		.gateways = gateways,
		.gateways_count = ARRAY_SIZE(gateways),
		.routes = world_routes,
		.routes_count = ARRAY_SIZE(world_routes),
		.name_servers = world_servers,
		.name_servers_count = ARRAY_SIZE(world_servers),
	};
	char why[256] = "";

	if (tandem_sip_alloc(&w->sip, &cfg, w->ss, w->store, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
}

static inline void world_add_user(struct world *w, const char *name, const char *password)
{
	struct tandem_user user = { .realm = WORLD_REALM };

	strcpy(user.name, name);
	for (int i = 0; i < TANDEM_DIGEST_ALGS; i++) {
		CHECK(!tandem_digest_ha1((enum tandem_digest_alg)i, name, WORLD_REALM, password,
					 user.ha1[i]));
		user.has[i] = true;
	}
	CHECK(!tandem_store_user_add(w->store, &user));
}

/* How it looks at rest is what it is to look like again after each input. */
static inline void world_open(struct world *w, bool (*outside_h)(void))
{
	char file[] = "/tmp/tandem-fuzz-XXXXXX", why[256];
	int fd = mkstemp(file);

	CHECK(fd >= 0 && dprintf(fd, "sesame\n") > 0 && !close(fd));
	w->outside_h = outside_h;
	CHECK(!libre_init());
	CHECK(!tandem_store_open(&w->store, ":memory:", why, sizeof(why)));
	world_add_user(w, "alice", "wonder");
	world_add_user(w, "dave", "wave");
	world_open_sessions(w);
	world_open_sip(w, file);
	CHECK(!unlink(file));
	tmr_init(&w->tick);
	world_tick(w);
	w->wake_fd = eventfd(1, EFD_CLOEXEC);
	CHECK(w->wake_fd >= 0 && !fd_listen(w->wake_fd, FD_READ, world_round, w));
	world_describe(w, w->idle);
	world_advance(w, 40000);
	world_rest(w);
	w->idle_fds = world_fds(false);
}

#endif
