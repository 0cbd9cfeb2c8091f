/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What comes back to a replay, of which anybody can send: the input is packets, each behind an octet with
 * its length and one that says whether it is expected, comes, or both.
 */
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/replay/compare.h"

#define PACKETS_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *copy(const uint8_t *data, size_t len)
{
	uint8_t *to = malloc(len ? len : 1);

	CHECK(to);
	return memcpy(to, data, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tandem_script_packet packets[PACKETS_MAX];
	struct tandem_heard heard[PACKETS_MAX];
	struct tandem_script script = { .packets = packets };
	struct tandem_comparison c;
	uint64_t received = 0;
	size_t count = 0;

	while (size > 2 && size - 2 >= data[0] && script.count < PACKETS_MAX &&
	       count < PACKETS_MAX) {
		size_t len = data[0];

		if (data[1] != 1)
			packets[script.count++] = (struct tandem_script_packet){
				.data = copy(data + 2, len), .len = (uint16_t)len
			};
		if (data[1] != 0)
			heard[count++] = (struct tandem_heard){ copy(data + 2, len), (uint16_t)len,
								0 };
		data += len + 2;
		size -= len + 2;
	}
	CHECK(!tandem_compare(&c, &script, heard, count, 2));
	for (size_t i = 0; i < c.count; i++) {
		CHECK(c.streams[i].missing <= c.streams[i].expected);
		CHECK(c.streams[i].duplicates <= c.streams[i].received);
		received += c.streams[i].received + c.streams[i].unexpected;
	}
	CHECK(received + c.strangers <= count);
	tandem_comparison_clean(&c);
	for (size_t i = 0; i < script.count; i++)
		free(packets[i].data);
	for (size_t i = 0; i < count; i++)
		free(heard[i].data);
	return 0;
}
