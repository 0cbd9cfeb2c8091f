/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ICE agent on real sockets, for trying it with others. Descriptions go over stdin and stdout,
 * a line each: "ufrag X", "pwd X", "lite", "candidate VALUE", "end"; and to it "restart". It tells
 * "selected COMPONENT LOCAL REMOTE", "lost COMPONENT", "failed"; sends back, over the selected
 * pair, what comes from it and is no STUN; and at the end of stdin prints its counters.
 *
 * icepeer [--lite] [--controlling] [--components N] ADDRESS...
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/media/ice.h"
#include "userspace/media/stun.h"

struct tool {
	struct tandem_ice *ice;
	struct tandem_ice_config cfg;
	struct tandem_ice_local locals[TANDEM_ICE_LOCALS];
	int fds[TANDEM_ICE_LOCALS];
	char ufrag[TANDEM_ICE_CRED_MAX + 1];
	bool lite; /* the other side */
	char line[4096];
	size_t line_len;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void die(const char *what, int err)
{
	fprintf(stderr, "icepeer: %s: %s\n", what, strerror(err));
	exit(1);
}

static void send_h(const struct tandem_endpoint *local, const struct tandem_endpoint *remote,
		   const void *data, size_t len, void *arg)
{
	struct tool *t = arg;
	struct sockaddr_storage ss;
	socklen_t ss_len = tandem_endpoint_to_sockaddr(remote, &ss);

	for (size_t i = 0; i < t->cfg.locals_count; i++) {
		if (tandem_endpoint_equal(&t->locals[i].addr, local))
			(void)sendto(t->fds[i], data, len, 0, (struct sockaddr *)&ss, ss_len);
	}
}

/* The networks of the test are its own. */
static bool allowed_h(const struct tandem_endpoint *remote, void *arg)
{
	(void)remote;
	(void)arg;
	return true;
}

static void selected_h(unsigned int component, const struct tandem_endpoint *local,
		       const struct tandem_endpoint *remote, void *arg)
{
	char l[TANDEM_ENDPOINT_STRLEN], r[TANDEM_ENDPOINT_STRLEN];

	(void)arg;
	printf("selected %u %s %s\n", component, tandem_endpoint_format(local, l, sizeof(l)),
	       tandem_endpoint_format(remote, r, sizeof(r)));
}

static void failed_h(void *arg)
{
	(void)arg;
	printf("failed\n");
}

static void lost_h(unsigned int component, void *arg)
{
	(void)arg;
	printf("lost %u\n", component);
}

static const struct tandem_ice_ops ops = { .send = send_h,
					   .allowed = allowed_h,
					   .selected = selected_h,
					   .failed = failed_h,
					   .consent_lost = lost_h };

/* A socket for each component on this address. */
static void bind_all(struct tool *t, const char *text)
{
	for (unsigned int c = 1; c <= t->cfg.components; c++) {
		size_t i = t->cfg.locals_count++;
		struct tandem_endpoint ep = { 0 };
		struct sockaddr_storage ss;
		socklen_t len;

		if (i >= TANDEM_ICE_LOCALS || tandem_ip_parse(&ep.ip, text))
			die(text, EINVAL);
		len = tandem_endpoint_to_sockaddr(&ep, &ss);
		t->fds[i] = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (t->fds[i] < 0 || bind(t->fds[i], (struct sockaddr *)&ss, len) ||
		    getsockname(t->fds[i], (struct sockaddr *)&ss, &len))
			die(text, errno);
		t->locals[i].component = c;
		(void)tandem_endpoint_from_sockaddr(&t->locals[i].addr, (struct sockaddr *)&ss);
	}
}

static void describe(const struct tool *t)
{
	char text[TANDEM_CANDIDATE_STRLEN];
	struct tandem_candidate c;

	printf("ufrag %s\npwd %s\n", tandem_ice_ufrag(t->ice), tandem_ice_pwd(t->ice));
	for (size_t i = 0; !tandem_ice_local_candidate(t->ice, i, &c); i++) {
		if (tandem_candidate_format(&c, text, sizeof(text)) > 0)
			printf("candidate %s\n", text);
	}
	printf("end\n");
}

static void command(struct tool *t, char *line)
{
	struct tandem_ice_remote remote = { t->ufrag, NULL, t->lite };
	char *value = strchr(line, ' ');
	struct tandem_candidate c;
	int err = 0;

	if (value)
		*value++ = '\0';
	if (!strcmp(line, "ufrag") && value) {
		snprintf(t->ufrag, sizeof(t->ufrag), "%s", value);
	} else if (!strcmp(line, "lite")) {
		t->lite = true;
	} else if (!strcmp(line, "pwd") && value) {
		remote.pwd = value;
		err = tandem_ice_set_remote(t->ice, &remote, now_ms());
	} else if (!strcmp(line, "candidate") && value) {
		err = tandem_candidate_parse(&c, value, strlen(value));
		if (!err)
			(void)tandem_ice_add_remote(t->ice, &c, now_ms());
	} else if (!strcmp(line, "end")) {
		tandem_ice_end_of_candidates(t->ice, now_ms());
	} else if (!strcmp(line, "restart")) {
		err = tandem_ice_restart(t->ice);
		describe(t);
	} else {
		err = -EINVAL;
	}
	if (err)
		die(line, -err);
}

/* False at the end of stdin. */
static bool commands(struct tool *t)
{
	ssize_t n = read(0, t->line + t->line_len, sizeof(t->line) - 1 - t->line_len);
	char *end;

	if (n <= 0)
		return false;
	t->line_len += (size_t)n;
	while ((end = memchr(t->line, '\n', t->line_len))) {
		size_t used = (size_t)(end - t->line) + 1;

		*end = '\0';
		command(t, t->line);
		memmove(t->line, t->line + used, t->line_len - used);
		t->line_len -= used;
	}
	return true;
}

static void receive(struct tool *t, size_t i)
{
	struct tandem_endpoint from, remote;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint8_t buf[2048];
	ssize_t n = recvfrom(t->fds[i], buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len);

	if (n < 0 || tandem_endpoint_from_sockaddr(&from, (struct sockaddr *)&ss))
		return;
	if (tandem_stun_is(buf, (size_t)n))
		(void)tandem_ice_input(t->ice, &t->locals[i].addr, &from, buf, (size_t)n, now_ms());
	else if (tandem_ice_selected(t->ice, t->locals[i].component, NULL, &remote) &&
		 tandem_endpoint_equal(&remote, &from))
		send_h(&t->locals[i].addr, &from, buf, (size_t)n, t);
}

static int wait_ms(const struct tool *t)
{
	uint64_t due = tandem_ice_deadline(t->ice), now = now_ms();

	if (due == UINT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

static void run(struct tool *t)
{
	struct pollfd fds[TANDEM_ICE_LOCALS + 1] = { { .fd = 0, .events = POLLIN } };
	size_t n = t->cfg.locals_count;

	for (size_t i = 0; i < n; i++)
		fds[i + 1] = (struct pollfd){ .fd = t->fds[i], .events = POLLIN };
	for (;;) {
		if (poll(fds, n + 1, wait_ms(t)) < 0)
			die("poll", errno);
		if (fds[0].revents && !commands(t))
			return;
		for (size_t i = 0; i < n; i++) {
			if (fds[i + 1].revents)
				receive(t, i);
		}
		tandem_ice_tick(t->ice, now_ms());
	}
}

int main(int argc, char **argv)
{
	static struct tool t = { .cfg = { .components = 1, .ops = &ops } };
	const struct tandem_ice_counters *n;
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--lite"))
			t.cfg.lite = true;
		else if (!strcmp(argv[i], "--controlling"))
			t.cfg.controlling = true;
		else if (!strcmp(argv[i], "--components") && i + 1 < argc)
			t.cfg.components = (unsigned int)atoi(argv[++i]);
		else
			bind_all(&t, argv[i]);
	}
	t.cfg.locals = t.locals;
	t.cfg.arg = &t;
	err = tandem_ice_alloc(&t.ice, &t.cfg);
	if (err)
		die("arguments", -err);
	describe(&t);
	run(&t);
	n = tandem_ice_counters(t.ice);
#define X(name, help) printf("counter %s %llu\n", #name, (unsigned long long)n->name);
	TANDEM_ICE_COUNTERS(X)
#undef X
	tandem_ice_free(t.ice);
	return 0;
}
