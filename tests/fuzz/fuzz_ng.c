/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the NG protocol: what is read of one is within it, comes back as it was when it is
 * written and read again, and its flags and codecs can be anything.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/ng/bencode.h"
#include "userspace/ng/codecs.h"
#include "userspace/ng/message.h"
#include "userspace/ng/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_codecs(const struct tandem_ng_params *p)
{
	size_t len;
	char *out;

	if (!p->sdp || tandem_ng_codecs_apply(&p->codecs, p->sdp, p->sdp_len, &out, &len))
		return;
	CHECK(!out || len <= p->sdp_len + 2); /* a line end that was missing */
	free(out);
}

/* The same description has the same version, however often it comes. */
static void check_origin(const struct tandem_ng_edits *edits, char **sdp, size_t *len)
{
	json_t *seen = json_object(), *before;

	if (!tandem_ng_origin(edits, seen, sdp, len)) {
		before = json_deep_copy(seen);
		CHECK(!tandem_ng_origin(edits, seen, sdp, len));
		CHECK(json_equal(seen, before));
		json_decref(before);
	}
	json_decref(seen);
}

static void check_edits(const struct tandem_ng_params *p)
{
	char *sdp = p->sdp ? malloc(p->sdp_len + 1) : NULL;
	size_t len = p->sdp_len;

	if (!sdp)
		return;
	memcpy(sdp, p->sdp, len);
	sdp[len] = '\0';
	if (!tandem_ng_edit(&p->edits, &sdp, &len))
		CHECK(len == strlen(sdp) || memchr(p->sdp, '\0', p->sdp_len));
	check_origin(&p->edits, &sdp, &len);
	free(sdp);
}

static void check_again(const json_t *value)
{
	size_t len, used;
	json_t *again;
	char *out;

	CHECK(!tandem_bencode_encode(value, &out, &len));
	CHECK(!tandem_bencode_decode(&again, out, len, &used));
	CHECK(used == len);
	CHECK(json_equal(value, again));
	json_decref(again);
	free(out);
}

static void check_message(const struct tandem_ng_message *msg)
{
	struct tandem_ng_params p;
	char *out;
	size_t len;

	tandem_ng_params_read(&p, msg->dict);
	CHECK(strlen(p.warning) < sizeof(p.warning));
	check_codecs(&p);
	check_edits(&p);
	if (msg->format == TANDEM_NG_BENCODE)
		check_again(msg->dict);
	if (!tandem_ng_message_reply(msg, msg->dict, &out, &len)) {
		CHECK(len > msg->cookie_len);
		free(out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct tandem_ng_message msg;
	size_t used;

	CHECK(text);
	memcpy(text, data, size);
	if (!tandem_ng_message_read(&msg, text, size, &used)) {
		CHECK(used <= size);
		check_message(&msg);
		json_decref(msg.dict);
	}
	if (!tandem_ng_message_read_plain(&msg, text, size, &used)) {
		CHECK(used <= size && !msg.cookie);
		check_message(&msg);
		json_decref(msg.dict);
	}
	free(text);
	return 0;
}
