/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/operate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "userspace/session/session.h"
#include "userspace/sip/sip.h"
#include "userspace/util/log.h"

#define SECONDS_MAX (3650 * 86400LL)

struct request {
	struct tandem_operate *op;
	const json_t *params;
	char *why;
	size_t why_size;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* An optional number of seconds; def where there is none. */
static int read_seconds(const struct request *req, const char *key, uint32_t def, uint32_t *seconds)
{
	const json_t *value = json_object_get(req->params, key);
	json_int_t n = json_integer_value(value);

	*seconds = def;
	if (!value)
		return 0;
	if (!json_is_integer(value) || n < 1 || n > SECONDS_MAX) {
		snprintf(req->why, req->why_size, "\"%s\" is not a number from 1 to %lld", key,
			 SECONDS_MAX);
		return -EINVAL;
	}
	*seconds = (uint32_t)n;
	return 0;
}

static int read_network(const struct request *req, const char **network)
{
	*network = json_string_value(json_object_get(req->params, "network"));
	if (*network)
		return 0;
	snprintf(req->why, req->why_size, "\"network\" is missing or no string");
	return -EINVAL;
}

static int given(json_t *doc, json_t **result)
{
	*result = doc;
	return doc ? 0 : -ENOMEM;
}

static int block_add(const struct request *req, json_t **result)
{
	const char *network;
	uint32_t seconds;
	int ret = read_network(req, &network);

	if (!ret)
		ret = read_seconds(req, "seconds", 0, &seconds);
	if (!ret)
		ret = tandem_sip_block_add(req->op->sip, network, seconds, req->why, req->why_size);
	return ret ? ret : given(json_pack("{s:s}", "blocked", network), result);
}

static int block_remove(const struct request *req, json_t **result)
{
	const char *network;
	int ret = read_network(req, &network);

	if (!ret)
		ret = tandem_sip_block_remove(req->op->sip, network, req->why, req->why_size);
	return ret ? ret : given(json_pack("{s:s}", "removed", network), result);
}

static int block_list(const struct request *req, json_t **result)
{
	return given(tandem_sip_blocks_json(req->op->sip), result);
}

static int drain_show(const struct request *req, json_t **result)
{
	const struct tandem_operate *op = req->op;
	uint64_t now = now_ms();
	struct tandem_sip_stats stats;
	json_t *left = json_null();

	tandem_sip_stats(op->sip, &stats);
	if (op->draining)
		left = json_integer(op->drain_until_ms > now
					    ? (json_int_t)(op->drain_until_ms - now) / 1000
					    : 0);
	return given(json_pack("{s:b, s:I, s:I, s:o}", "draining", op->draining, "sessions",
			       (json_int_t)tandem_sessions_count(op->sessions), "transactions",
			       (json_int_t)stats.transactions, "left_s", left),
		     result);
}

static int drain_start(const struct request *req, json_t **result)
{
	uint32_t seconds;
	int ret = read_seconds(req, "timeout_s", req->op->drain_timeout_s, &seconds);

	if (ret)
		return ret;
	req->op->draining = true;
	req->op->drain_until_ms = now_ms() + seconds * 1000ULL;
	tandem_sip_drain(req->op->sip, true);
	return drain_show(req, result);
}

static int drain_stop(const struct request *req, json_t **result)
{
	req->op->draining = false;
	tandem_sip_drain(req->op->sip, false);
	return drain_show(req, result);
}

static const struct {
	const char *name;
	int (*fn)(const struct request *req, json_t **result);
} calls[] = {
	{ "block.add", block_add },	  { "block.list", block_list },
	{ "block.remove", block_remove }, { "drain.start", drain_start },
	{ "drain.stop", drain_stop },	  { "drain.show", drain_show },
};

int tandem_operate_call(const char *call, const json_t *params, json_t **result, char *why,
			size_t why_size, void *arg)
{
	const struct request req = { arg, params, why, why_size };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, call))
			continue;
		if (req.op->sip)
			return calls[i].fn(&req, result);
		snprintf(why, why_size, "the relay is still starting");
		return -EAGAIN;
	}
	return -ENOSYS;
}

bool tandem_operate_done(struct tandem_operate *op)
{
	size_t sessions;
	struct tandem_sip_stats stats;

	if (!op->draining)
		return false;
	sessions = tandem_sessions_count(op->sessions);
	tandem_sip_stats(op->sip, &stats);
	if (!sessions && !stats.transactions) {
		tandem_log(TANDEM_LOG_INFO, "run", "drained: no call is left");
		return true;
	}
	if (now_ms() < op->drain_until_ms)
		return false;
	tandem_log(TANDEM_LOG_WARNING, "run", "drain: the time is over, calls are left: %zu",
		   sessions);
	return true;
}
