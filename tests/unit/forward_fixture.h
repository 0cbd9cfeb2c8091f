/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of forwards share: setting one, and looking at its flow. */
#ifndef TANDEM_TESTS_FORWARD_FIXTURE_H
#define TANDEM_TESTS_FORWARD_FIXTURE_H

#include "tests/unit/session_fixture.h"

#include "userspace/session/forward.h"

#define SOURCE	 "\"name\":\"f\",\"from\":\"192.0.2.7:4000\""
#define OUT	 "\"out\":[{\"to\":\"198.51.100.1:6000\"}]"
#define ONE	 "{" SOURCE "," OUT "}"
#define TWO_LEGS "{\"to\":\"198.51.100.1:6000\"},{\"to\":\"198.51.100.2:6002\"}"

static char why[256]; /* of the last tandem_forward_set() that failed */

static inline json_t *parse(const char *text)
{
	json_error_t error;
	json_t *doc = json_loads(text, 0, &error);

	if (!doc)
		fail_msg("%s: %s", error.text, text);
	return doc;
}

static inline int set(struct fixture *fx, const char *text)
{
	json_t *doc = parse(text);
	const char *name;
	int err = tandem_forward_set(fx->ss, doc, &name, why, sizeof(why));

	json_decref(doc);
	return err;
}

static inline void set_ok(struct fixture *fx, const char *text)
{
	if (set(fx, text))
		fail_msg("%s: %s", why, text);
}

/* The flow of the only forward. */
static inline const struct tandem_flow_spec *flow(const struct fixture *fx,
						  enum tandem_component comp)
{
	size_t i;

	for (i = 0; i < fx->plane.n; i++) {
		if (tandem_flow_id_component(fx->plane.specs[i].id) == comp)
			return &fx->plane.specs[i];
	}
	fail_msg("no such flow");
	return NULL;
}

static inline const struct tandem_egress *leg(const struct fixture *fx, size_t i)
{
	const struct tandem_fan *fan = flow(fx, TANDEM_RTP)->fan;

	assert_non_null(fan);
	assert_true(i < fan->leg_count);
	return &fan->legs[i].leg.egress;
}

static inline json_t *show(struct fixture *fx, const char *name)
{
	json_t *js = tandem_forward_json(fx->ss, name);

	assert_non_null(js);
	return js;
}

#endif
