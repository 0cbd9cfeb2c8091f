/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of a replay, what it takes of a capture, and its judgement of what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "tests/unit/capture_file.h"
#include "userspace/replay/compare.h"
#include "userspace/replay/options.h"
#include "userspace/replay/script.h"

#define T0     1700000000000000000ULL
#define MS     1000000ULL
#define SSRC   0x11223344U
#define COUNT  50
#define PACKET 172

static struct tandem_script script;
static uint32_t words[200][PACKET / 4]; /* what comes back: aligned as a listener's */
static struct tandem_heard heard[200];
static size_t heard_count;

/* ---- options ---------------------------------------------------------------------- */

static int parse(struct tandem_replay_options *o, const char *line)
{
	static char copy[512];
	char *argv[32] = { "replay" };
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return tandem_replay_options_parse(o, argc, argv);
}

static void options(void **state)
{
	static const char *const wrong[] = {
		"",
		"a.pcap",
		"a.pcap b.pcap --to 192.0.2.1:1",
		"a.pcap --to 192.0.2.1",
		"a.pcap --to 192.0.2.1:0",
		"a.pcap --to 192.0.2.1:1 --from ::1",
		"a.pcap --to 192.0.2.1:1 --speed 0",
		"a.pcap --to 192.0.2.1:1 --speed nan",
		"a.pcap --to 192.0.2.1:1 --loss 101",
		"a.pcap --to 192.0.2.1:1 --loss -1",
		"a.pcap --to 192.0.2.1:1 --clone 0",
		"a.pcap --to 192.0.2.1:1 --clone 10001",
		"a.pcap --to 192.0.2.1:1 --ssrc 0x100000000",
		"a.pcap --to 192.0.2.1:1 --ssrc -1",
		"a.pcap --to 192.0.2.1:1 --port 65536",
		"a.pcap --to 192.0.2.1:1 --expect b.pcap",
		"a.pcap --to 192.0.2.1:1 --fast --loss 1",
		"a.pcap --to 192.0.2.1:1 --what",
		"--listen 192.0.2.1:1",
		"a.pcap --call 1 --proxy 192.0.2.1:1 --caller 192.0.2.2:1",
		"a.pcap --call 0 --proxy 192.0.2.1:1 --caller 192.0.2.2:1 --callee 192.0.2.3:1",
		"a.pcap --call 1 --proxy 192.0.2.1:1 --caller 192.0.2.2:1 --callee 192.0.2.3:1 "
		"--to 192.0.2.4:1",
		"--call 1 --proxy 192.0.2.1:1 --caller 192.0.2.2:1 --callee 192.0.2.3:1",
	};
	struct tandem_replay_options o;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		print_message("%s\n", wrong[i]);
		assert_int_equal(parse(&o, wrong[i]), 2);
	}
	assert_int_equal(parse(&o, "a.pcap --to [2001:db8::1]:6000 --from 2001:db8::2 --ssrc 0x10 "
				   "--ssrc 17 --port 5004 --speed 2.5 --clone 10000 --jitter 1.5"),
			 -1);
	assert_string_equal(o.file, "a.pcap");
	assert_int_equal(o.to.port, 6000);
	assert_true(o.has_from);
	assert_int_equal(o.from.port, 0);
	assert_int_equal(o.ssrc_count, 2);
	assert_int_equal(o.ssrcs[1], 17);
	assert_int_equal(o.clones, 10000);
	assert_int_equal(o.network.jitter_ns, 1500000);
	assert_true(o.impaired);
	assert_int_equal(parse(&o, "--listen 192.0.2.1:1 --expect b.pcap"), -1);
	assert_null(o.file);
	assert_int_equal(parse(&o, "a.pcap --call 3 --proxy 192.0.2.1:5060 --caller 192.0.2.2:1 "
				   "--callee 192.0.2.3:2 --loss 1 --speed 2"),
			 -1);
	assert_int_equal(o.call, 3);
	assert_int_equal(o.callee.port, 2);
}

/* ---- what is taken of a capture ----------------------------------------------------- */

static int load(const char *path, unsigned int clones, uint32_t ssrc, uint16_t port)
{
	const struct tandem_replay_options o = { .file = path,
						 .clones = clones,
						 .ssrcs = { ssrc },
						 .ssrc_count = ssrc != 0,
						 .ports = { port },
						 .port_count = port != 0 };

	return tandem_script_load(&script, &o);
}

/* Two streams of one source, one of another; RTCP and others on the way. */
static void what_is_taken(void **state)
{
	char path[] = "/tmp/tandem-test-replay-XXXXXX";
	const uint8_t report[8] = { 0x80, 200, 0, 1, 0x11, 0x22, 0x33, 0x44 };
	struct capture_file file;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	capture_begin(&file, DLT_EN10MB);
	for (unsigned int i = 0; i < 10; i++) {
		capture_rtp(&file, T0 + i * 20 * MS, 0, SSRC, i, i * 160);
		capture_rtp(&file, T0 + i * 20 * MS - 5 * MS, 0, SSRC + 1, i, i * 160);
	}
	capture_udp(&file, T0 + 7 * MS, 4000, 6000, report, sizeof(report));
	capture_udp(&file, T0 + 7 * MS, 4000, 6000, "not RTP", 7);
	capture_finish(&file);
	assert_int_equal(write(fd, file.data, file.len), file.len);
	close(fd);

	assert_int_equal(load(path, 1, 0, 0), 0);
	assert_int_equal(script.count, 21);
	assert_int_equal(script.flows, 1);
	assert_int_equal(script.streams, 2);
	assert_int_equal(script.packets[0].at_ns, 0);
	for (size_t i = 1; i < script.count; i++)
		assert_true(script.packets[i].at_ns >= script.packets[i - 1].at_ns);
	tandem_script_free(&script);
	assert_int_equal(load(path, 2, 0, 0), 0);
	assert_int_equal(script.count, 20);
	tandem_script_free(&script);
	assert_int_equal(load(path, 2, SSRC + 1, 6000), 0);
	assert_int_equal(script.count, 10);
	assert_int_equal(script.packets[9].at_ns, 180 * MS);
	tandem_script_free(&script);
	assert_int_equal(load(path, 1, SSRC + 2, 0), -ENOENT);
	assert_int_equal(load(path, 1, 0, 6001), -ENOENT);
	unlink(path);
	capture_end(&file);
}

/* ---- what comes back ---------------------------------------------------------------- */

static void put_rtp(uint8_t *to, uint8_t pt, uint32_t ssrc, unsigned int seq, uint32_t ts, int fill)
{
	const uint32_t header[3] = { htonl(0x80000000U | (uint32_t)pt << 16 | (seq & 0xffff)),
				     htonl(ts), htonl(ssrc) };

	memcpy(to, header, sizeof(header));
	memset(to + 12, fill, PACKET - 12);
}

/* COUNT packets, across the end of the sequence numbers; each of its own payload, or all alike. */
static void expect(bool silent)
{
	memset(&script, 0, sizeof(script));
	script.packets = calloc(COUNT, sizeof(*script.packets));
	script.count = script.room = COUNT;
	for (unsigned int i = 0; i < COUNT; i++) {
		script.packets[i].data = malloc(PACKET);
		script.packets[i].len = PACKET;
		put_rtp(script.packets[i].data, 0, SSRC, 65500 + i, i * 160,
			silent ? 0xff : (int)i);
	}
	heard_count = 0;
}

/* Packet i of the script, as another SSRC and payload type, with something added. */
static uint8_t *hear(unsigned int i, uint32_t ssrc, unsigned int add, uint32_t add_ts, bool silent)
{
	uint8_t *data = (uint8_t *)words[heard_count];

	put_rtp(data, 8, ssrc, 65500 + i + add, i * 160 + add_ts, silent ? 0xff : (int)i);
	heard[heard_count++] = (struct tandem_heard){ data, PACKET, 0 };
	return data;
}

static struct tandem_comparison judge(unsigned int copies)
{
	struct tandem_comparison c;

	assert_int_equal(tandem_compare(&c, &script, heard, heard_count, copies), 0);
	tandem_script_free(&script);
	return c;
}

static void translated(void **state)
{
	struct tandem_comparison c;

	(void)state;
	expect(false);
	for (unsigned int i = 0; i < COUNT; i++)
		hear(i, 0xbeef, 1000, 0xfffffff0, false);
	c = judge(1);
	assert_true(c.same);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.streams[0].ssrc, SSRC);
	assert_int_equal(c.streams[0].came_as, 0xbeef);
	assert_int_equal(c.streams[0].seq_offset, 1000);
	assert_int_equal(c.streams[0].ts_offset, 0xfffffff0);
	assert_int_equal(c.streams[0].pt_from, 0);
	assert_int_equal(c.streams[0].pt_to, 8);
	assert_int_equal(c.streams[0].expected, COUNT);
	tandem_comparison_clean(&c);
}

/* Nothing but the payload tells which packet it was, and that is the same in all. */
static void silence(void **state)
{
	struct tandem_comparison c;

	(void)state;
	expect(true);
	for (unsigned int i = 0; i < COUNT; i++)
		hear(i, 0xbeef, 7, 0, true);
	c = judge(1);
	assert_true(c.same);
	assert_int_equal(c.streams[0].seq_offset, 7);
	tandem_comparison_clean(&c);
}

static void every_fault(void **state)
{
	struct tandem_comparison c;

	(void)state;
	expect(false);
	for (unsigned int i = 1; i < COUNT; i++) {
		if (i == 20) {
			hear(21, SSRC, 0, 0, false);
			hear(20, SSRC, 0, 0, false);
			i++;
			continue;
		}
		hear(i, SSRC, 0, i == 45, false);
		if (i == 30)
			hear(i, SSRC, 0, 0, false);
		if (i == 40)
			heard[heard_count - 1].data[100] ^= 1;
		if (i == 41)
			heard[heard_count - 1].data[1] |= 0x80;
	}
	hear(COUNT + 5, SSRC, 0, 0, false);
	hear(3, SSRC + 9, 0, 0, false);
	heard[heard_count - 1].len = 11; /* no RTP: it does not count */
	c = judge(1);
	assert_false(c.same);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.streams[0].missing, 1);
	assert_int_equal(c.streams[0].duplicates, 1);
	assert_int_equal(c.streams[0].disordered, 1);
	assert_int_equal(c.streams[0].altered, 2);
	assert_int_equal(c.streams[0].unmapped, 1);
	assert_int_equal(c.streams[0].unexpected, 1);
	assert_int_equal(c.strangers, 0);
	tandem_comparison_clean(&c);
}

/* Three copies are expected: two come, and one stream that is not of the script. */
static void copies(void **state)
{
	struct tandem_comparison c;

	(void)state;
	expect(false);
	for (unsigned int i = 0; i < COUNT; i++) {
		hear(i, SSRC, 0, 0, false);
		hear(i, SSRC + 1, 0, 0, false);
	}
	for (unsigned int i = 0; i < 10; i++)
		memset(hear(i, 99, 0, 0, false) + 12, 0xaa, PACKET - 12);
	c = judge(3);
	assert_false(c.same);
	assert_int_equal(c.count, 3);
	assert_true(c.streams[0].came && c.streams[1].came && !c.streams[2].came);
	assert_int_equal(c.streams[2].missing, COUNT);
	assert_int_equal(c.strangers, 10);
	tandem_comparison_clean(&c);

	expect(false);
	heard_count = 0;
	c = judge(1);
	assert_false(c.same);
	tandem_comparison_clean(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),     cmocka_unit_test(what_is_taken),
		cmocka_unit_test(translated),  cmocka_unit_test(silence),
		cmocka_unit_test(every_fault), cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
