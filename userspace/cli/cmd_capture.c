/* SPDX-License-Identifier: GPL-2.0-only */
/* tandem capture: packets of calls, from the running relay to files. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/cli/capture_file.h"
#include "userspace/cli/command.h"
#include "userspace/control/client.h"

#define BLOCK_MAX (1U << 20)
#define POLL_MS	  200

struct order {
	struct tandem_options common; /* config, socket */
	json_t *request;
	struct capture_file_options file;
	unsigned long seconds, packets; /* 0: until it is interrupted */
	bool help;
};

static volatile sig_atomic_t ended, wanted;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		wanted = 1;
	else
		ended = 1;
}

static const struct option longs[] = {
	{ "call", required_argument, NULL, 'i' },    { "user", required_argument, NULL, 'u' },
	{ "address", required_argument, NULL, 'a' }, { "ssrc", required_argument, NULL, 'S' },
	{ "all", no_argument, NULL, 'A' },	     { "direction", required_argument, NULL, 'd' },
	{ "clear", no_argument, NULL, 'C' },	     { "headers", no_argument, NULL, 'H' },
	{ "write", required_argument, NULL, 'w' },   { "seconds", required_argument, NULL, 't' },
	{ "packets", required_argument, NULL, 'n' }, { "size", required_argument, NULL, 'm' },
	{ "files", required_argument, NULL, 'f' },   { "last", required_argument, NULL, 'r' },
	{ "socket", required_argument, NULL, 's' },  { "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },	     { 0 },
};

static const char usage[] =
	"usage: tandem capture --call ID|--user NAME|--address IP|--ssrc NUMBER|--all\n"
	"    [--direction in|out|both | --clear] [--headers] [-w FILE]\n"
	"    [--seconds N] [--packets N] [--size MIB [--files N]] [--last SECONDS]\n"
	"    [--socket PATH] [-c FILE]\n"
	"\n"
	"  Packets of calls and forwards as the relay gets and sends them, as pcapng to FILE\n"
	"  (- or none: stdout). The calls stay in the fast path.\n"
	"  --call       Call-ID or id of a session, or name of a forward\n"
	"  --user       in From or To: the user, or user@host\n"
	"  --clear      what arrives, authentic and deciphered\n"
	"  --headers    nothing of RTP behind its first 12 bytes\n"
	"  --size       begin another file after so much; --files keeps the last ones\n"
	"  --last       keep so many seconds in memory; written at SIGUSR1, and at the end\n";

static int number(const char *name, const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 0);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *out && *out <= max)
		return 0;
	fprintf(stderr, "tandem: --%s: '%s' is not a number from 1 to %lu\n", name, text, max);
	return -EINVAL;
}

static int set_text(struct order *o, const char *key, const char *text)
{
	if (!json_object_set_new(o->request, key, json_string(text)))
		return 0;
	fprintf(stderr, "tandem: '%s' is not valid UTF-8\n", text);
	return -EINVAL;
}

static int set_request(struct order *o, int letter, const char *value)
{
	unsigned long n;

	switch (letter) {
	case 'i':
		return set_text(o, "id", value);
	case 'u':
		return set_text(o, "user", value);
	case 'a':
		return set_text(o, "address", value);
	case 'd':
		return set_text(o, "direction", value);
	case 'S':
		if (number("ssrc", value, 0xffffffff, &n))
			return -EINVAL;
		return json_object_set_new(o->request, "ssrc", json_integer((json_int_t)n));
	case 'A':
		return json_object_set_new(o->request, "all", json_true());
	case 'C':
		return json_object_set_new(o->request, "clear", json_true());
	case 'H':
		return json_object_set_new(o->request, "headers", json_true());
	default:
		return -EINVAL;
	}
}

static int set(struct order *o, int letter, const char *value)
{
	unsigned long n;
	int err = 0;

	switch (letter) {
	case 'w':
		o->file.name = value;
		return 0;
	case 't':
		return number("seconds", value, 1000000, &o->seconds);
	case 'n':
		return number("packets", value, ~0UL, &o->packets);
	case 'm':
		err = number("size", value, 1 << 20, &n);
		o->file.size = (uint64_t)n << 20;
		return err;
	case 'f':
		err = number("files", value, 9999, &n);
		o->file.files = (unsigned int)n;
		return err;
	case 'r':
		err = number("last", value, 3600, &n);
		o->file.memory_s = (unsigned int)n;
		return err;
	case 's':
		o->common.socket = value;
		return 0;
	case 'c':
		o->common.config = value;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	default:
		return set_request(o, letter, value);
	}
}

/* What does not go together. */
static int check(const struct order *o)
{
	const char *wrong = NULL;

	if (o->file.files && !o->file.size)
		wrong = "--files is for --size";
	else if (o->file.size && !strcmp(o->file.name, "-"))
		wrong = "--size wants a file (-w)";
	else if (o->file.memory_s && !strcmp(o->file.name, "-"))
		wrong = "--last wants a file (-w)";
	else if (!strcmp(o->file.name, "-") && isatty(STDOUT_FILENO))
		wrong = "packets are not for a terminal: -w FILE";
	if (wrong)
		fprintf(stderr, "tandem: %s\n", wrong);
	return wrong ? -EINVAL : 0;
}

static int parse(struct order *o, int argc, char **argv)
{
	int letter, err = 0;

	memset(o, 0, sizeof(*o));
	o->file.name = "-";
	o->request = json_pack("{s:s}", "call", "capture.start");
	if (!o->request)
		return -ENOMEM;
	optind = 0;
	while (!err && !o->help && (letter = getopt_long(argc, argv, "w:s:c:h", longs, NULL)) != -1)
		err = letter == '?' ? -EINVAL : set(o, letter, optarg);
	if (!err && optind != argc && !o->help) {
		fprintf(stderr, "tandem: '%s' is one too many\n", argv[optind]);
		err = -EINVAL;
	}
	return err || o->help ? err : check(o);
}

/* What has come, as far as it makes blocks. */
struct input {
	unsigned char *bytes;
	size_t len;
};

/* Takes the blocks that are whole. */
static int take_blocks(struct input *in, struct capture_file *file)
{
	size_t at = 0;
	int err = 0;

	while (!err && in->len - at >= 12) {
		uint32_t len;

		memcpy(&len, in->bytes + at + 4, sizeof(len));
		if (len < 12 || len > BLOCK_MAX || len % 4) {
			fputs("tandem: the relay sends no pcapng\n", stderr);
			return -EPROTO;
		}
		if (in->len - at < len)
			break;
		err = capture_file_block(file, in->bytes + at, len);
		at += len;
	}
	memmove(in->bytes, in->bytes + at, in->len - at);
	in->len -= at;
	return err;
}

/* > 0: more may come. 0: it is over. */
static int receive(int fd, struct input *in, struct capture_file *file)
{
	ssize_t n = recv(fd, in->bytes + in->len, 2 * BLOCK_MAX - in->len, 0);
	int err;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	in->len += (size_t)n;
	err = take_blocks(in, file);
	if (!err && !n && in->len)
		return -EPROTO;
	return err ? err : n > 0;
}

static bool is_enough(const struct order *o, const struct capture_file *file, time_t since)
{
	return ended || (o->packets && capture_file_packets(file) >= o->packets) ||
	       (o->seconds && time(NULL) - since >= (time_t)o->seconds);
}

static int read_all(const struct order *o, int fd, struct capture_file *file)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct input in = { .bytes = malloc(2 * BLOCK_MAX) };
	const time_t since = time(NULL);
	bool asked = false;
	int ret = in.bytes ? 1 : -ENOMEM;

	while (ret > 0) {
		if (!asked && is_enough(o, file, since)) {
			shutdown(fd, SHUT_WR); /* what is on its way still comes */
			asked = true;
		}
		if (wanted) {
			wanted = 0;
			ret = capture_file_dump(file) ? -EIO : 1;
		}
		if (ret > 0 && poll(&p, 1, POLL_MS) > 0)
			ret = receive(fd, &in, file);
	}
	free(in.bytes);
	/* perhaps in the middle of a block */
	if (asked || (ret && ret != -EPROTO && ret != -ECONNRESET))
		return ret;
	fputs("tandem: the relay has ended it\n", stderr);
	return -ECONNRESET;
}

static int capture(const struct order *o, const char *path)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct capture_file *file = NULL;
	int fd = tandem_client_connect(path, 0), err;

	if (fd < 0) {
		fprintf(stderr, "tandem: %s: %s\n", path, strerror(-fd));
		return fd;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	err = capture_file_open(&file, &o->file);
	if (!err) {
		err = read_all(o, fd, file);
		fprintf(stderr, "%llu packets captured, %llu lost\n",
			(unsigned long long)capture_file_packets(file),
			(unsigned long long)capture_file_lost(file));
		if (capture_file_close(file) && !err)
			err = -EIO;
	}
	close(fd);
	return err;
}

int tandem_cmd_capture(const struct tandem_command *cmd, int argc, char **argv)
{
	struct order o;
	int err = parse(&o, argc, argv), status = TANDEM_EXIT_USAGE;
	json_t *answer;

	(void)cmd;
	if (err || o.help) {
		fputs(usage, err ? stderr : stdout);
		json_decref(o.request);
		return err ? TANDEM_EXIT_USAGE : TANDEM_EXIT_OK;
	}
	answer = tandem_command_call(&o.common, o.request, &status);
	if (!answer)
		return status;
	err = capture(&o, json_string_value(json_object_get(answer, "socket")));
	json_decref(answer);
	return err ? TANDEM_EXIT_FAILURE : TANDEM_EXIT_OK;
}
