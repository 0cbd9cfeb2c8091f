/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bindings as other nodes of a cluster, or who else writes to their Redis, have them. Input: ids and
 * texts in turn, each with a NUL behind it; a text that is empty removes, "mark" and "sweep" do that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/sip/local.h"
#include "userspace/sip/location.h"
#include "userspace/sip/shared.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void changed(uint64_t number, bool gone, void *arg)
{
	(void)number;
	(void)gone;
	(void)arg;
	CHECK(!"nothing is made here");
}

static void removed(const char *id, void *arg)
{
	(void)id;
	(void)arg;
	CHECK(!"nobody registers here");
}

static bool alive(const char *node, void *arg)
{
	(void)arg;
	return *node != 'x';
}

static enum tandem_shared_address address(const char *ip, void *arg)
{
	(void)ip;
	(void)arg;
	return TANDEM_SHARED_OWN;
}

/* The next string of the input, ended by a NUL. */
static char *next_text(const uint8_t **data, size_t *size)
{
	size_t len = strnlen((const char *)*data, *size);
	char *text = strndup((const char *)*data, len);

	CHECK(text);
	if (len < *size)
		len++;
	*data += len;
	*size -= len;
	return text;
}

static void step(struct tandem_sip *ts, const char *id, const char *text)
{
	int err;

	if (!*text) {
		tandem_sip_shared_drop(ts, id);
	} else if (!strcmp(text, "mark")) {
		tandem_sip_shared_mark(ts, *id ? id : NULL);
	} else if (!strcmp(text, "sweep")) {
		tandem_sip_shared_sweep(ts, *id ? id : NULL);
	} else {
		err = tandem_sip_shared_take(ts, id, text);
		CHECK(!err || err == -EALREADY || err == -EBADMSG || err == -ENOSPC);
		CHECK(err || !strncmp(id, "a/", 2) || tandem_location_by_id(ts->loc, id));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tandem_shared_config cfg = { "a",	"1",	 changed, removed,
							 alive, address, NULL };
	struct tandem_listener listener = { .tp = SIP_TRANSP_UDP };
	struct tandem_sip ts = { .listeners = &listener, .listeners_count = 1 };
	json_t *json;

	ts.cfg.max_registrations = 1;
	ts.cfg.max_expires_s = 3600;
	CHECK(!sa_set_str(&listener.addr, "192.0.2.1", 5060));
	CHECK(!tandem_location_alloc(&ts.loc, NULL));
	CHECK(!tandem_sip_share(&ts, &cfg));
	while (size) {
		char *id = next_text(&data, &size), *text = next_text(&data, &size);

		step(&ts, id, text);
		free(id);
		free(text);
	}
	CHECK(!tandem_location_count(ts.loc));
	json = tandem_location_json(ts.loc);
	CHECK(json);
	json_decref(json);
	tandem_sip_share_end(&ts);
	tandem_location_free(ts.loc);
	return 0;
}
