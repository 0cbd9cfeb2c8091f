/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Relays of others, by a script. It reads the flows from stdin, a line each, and "go"; sets
 * the relay up in the namespace it finds itself in; and writes lines:
 *
 *   pid N              a process whose CPU time is the relay's
 *   polls              those processes take their CPUs without a pause; the benchmark stops them
 *                      (SIGSTOP) while it is another's turn
 *   flow I ADDR PORT   flow I is to be sent there, in place of where it was said to go
 *   srtp SUITE HEX     all flows are to come to it as SRTP, with this master key and salt
 *   install SECONDS    what setting the flows up took
 *   error TEXT         it cannot be done
 *   ready
 *
 * It ends, with all that it started, on SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/relay.h"
#include "core/srtp_suite.h"
#include "userspace/media/sdes.h"

#define WRITE_WAIT_MS 20000

int tandem_script_exec(const struct relay *relay, int input, int output)
{
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		return 1;
	execl(relay->script, relay->script, (char *)NULL);
	fprintf(stderr, "bench: %s: %s\n", relay->script, strerror(errno));
	return 127;
}

/* A script that does not read must not hold the benchmark up. */
static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };
		ssize_t n;

		if (poll(&pfd, 1, WRITE_WAIT_MS) != 1)
			return -ETIMEDOUT;
		n = write(fd, data, len);
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static const char *quad(uint32_t ip, char *buf)
{
	struct in_addr a = { htonl(ip) };

	return inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
}

int tandem_script_flows(const struct relay *relay)
{
	char ip[4][INET_ADDRSTRLEN], line[256];
	int err = fcntl(relay->input, F_SETFL, O_NONBLOCK) ? -errno : 0;

	for (uint32_t i = 0; i < relay->flows && !err; i++) {
		const struct lab_way *w = &relay->ways[i];
		int n = snprintf(line, sizeof(line), "flow %u %s %u %s %u %s %u %s %u\n", i,
				 quad(w->source.ip, ip[0]), w->source.port, quad(w->in.ip, ip[1]),
				 w->in.port, quad(w->out.ip, ip[2]), w->out.port,
				 quad(w->sink.ip, ip[3]), w->sink.port);

		err = write_all(relay->input, line, (size_t)n);
	}
	return err ? err : write_all(relay->input, "go\n", 3);
}

/* "SUITE HEX", the suite as RFC 4568 has it. 0 or -EPROTO. */
static int take_key(struct tandem_srtp *key, const char *words)
{
	const char *hex = strchr(words, ' ');
	uint8_t octets[sizeof(key->key) + sizeof(key->salt)];
	size_t n = 0, size;

	key->suite = hex ? tandem_sdes_suite_by_name(words, (size_t)(hex - words)) : 0;
	if (!key->suite)
		return -EPROTO;
	size = srtp_key_len(key->suite);
	for (hex++; n < sizeof(octets) && sscanf(hex, "%2hhx", &octets[n]) == 1; hex += 2)
		n++;
	if (n != size + srtp_salt_len(key->suite) || strlen(hex))
		return -EPROTO;
	memcpy(key->key, octets, size);
	memcpy(key->salt, octets + size, n - size);
	return 0;
}

/* One line of the script: 1 when it is ready, 0 to go on, or a negative errno. */
static int take_line(struct relay *relay, const char *line)
{
	struct relay_report *r = &relay->report;
	char ip[64];
	unsigned int i, port;
	struct in_addr a;
	int pid;

	if (strcmp(line, "ready") == 0)
		return 1;
	if (strncmp(line, "error ", 6) == 0) {
		snprintf(r->why, sizeof(r->why), "%.200s", line + 6);
		return -EIO;
	}
	if (sscanf(line, "pid %d", &pid) == 1) {
		if (r->pids_count < RELAY_MAX_PIDS)
			r->pids[r->pids_count++] = pid;
		return 0;
	}
	if (strcmp(line, "polls") == 0) {
		r->polls = true;
		return 0;
	}
	if (strncmp(line, "srtp ", 5) == 0 && take_key(&r->srtp, line + 5) == 0)
		return 0;
	if (sscanf(line, "install %lf", &r->install_s) == 1)
		return 0;
	if (sscanf(line, "flow %u %63s %u", &i, ip, &port) == 3 && i < relay->flows && port &&
	    port < 65536 && inet_pton(AF_INET, ip, &a) == 1) {
		relay->ways[i].in = (struct lab_end){ ntohl(a.s_addr), (uint16_t)port };
		return 0;
	}
	snprintf(r->why, sizeof(r->why), "%s said: %.100s", relay->script, line);
	return -EPROTO;
}

static int wait_readable(int fd, double until)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	double left = until - tandem_bench_now();

	if (left <= 0)
		return -ETIMEDOUT;
	return poll(&pfd, 1, (int)(left * 1000) + 1) == 1 ? 0 : -ETIMEDOUT;
}

int tandem_script_read(struct relay *relay, double timeout_s)
{
	double until = tandem_bench_now() + timeout_s;
	char buf[4096];
	size_t len = 0;
	int ret = 0;

	while (!ret) {
		char *end;
		ssize_t n;

		ret = wait_readable(relay->fd, until);
		if (ret)
			break;
		n = read(relay->fd, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			return -ECHILD;
		len += (size_t)n;
		buf[len] = '\0';
		while (!ret && (end = strchr(buf, '\n'))) {
			*end = '\0';
			ret = take_line(relay, buf);
			len -= (size_t)(end + 1 - buf);
			memmove(buf, end + 1, len + 1);
		}
		if (!ret && len == sizeof(buf) - 1)
			ret = -EMSGSIZE;
	}
	if (ret < 0)
		return ret;
	relay->report.installed = relay->flows;
	return 0;
}
