/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of sessions in time: offers and answers of both parties, some refused, sources that
 * are learned, ICE with browsers, restarts of the relay. When all sessions have been ended, there is
 * no flow, no port in use, and nothing in the store.
 *
 * Input: a script (script.h). The digit is one of three calls, or one of the flows that there are:
 *
 *   A0 offer 5 1     from A, with the policies of A and B; its description follows
 *   B0 answer 1 5    from B, the same
 *   0 rollback, 0 confirm, 0 lasts 90, 0 end
 *   0 act 1 0 2      silence (0: block, 2: DTMF; 8 more: no longer) of party 0, media 2; 9: all
 *   A0 publish 5 1   by A; it is answered at once
 *   0 subscribe 2 3 5  the third subscriber wants what both (1: A, 2: B) send, by policy 5
 *   B0 subscribed 2  its answer
 *   0 unsubscribe 2
 *   begin, commit    what is saved in between is saved together
 *   3 source 7       a packet on the port of flow 3, from port 7007 of the host that it is to come
 *                    from, 255: from the exact source; the head of it follows
 *   3 stun 7         a check from 203.0.113.7 with the right credentials; 3 stun 7 use: that nominates the pair
 *   3 dtls           from the source of the flow; the record follows
 *   check            the last check of the relay's own is answered
 *   + 500            so many milliseconds pass
 *   restart, show
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/script.h"
#include "tests/fuzz/session_env.h"
#include "userspace/media/ice.h"
#include "userspace/media/stun.h"
#include "userspace/session/compile.h"
#include "userspace/session/model.h"
#include "userspace/session/wire_state.h"
#include "userspace/store/store.h"

#define CALLS	       3
#define RECORDS_MAX    64
#define ADVANCE_MAX_MS 40000
#define PORT_MIN       20000
#define PORT_MAX       20199

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tandem_sessions *ss;
static struct tandem_store *store;

/* what the next dispatch hands over; one of them */
static const struct tandem_unknown_source *next_source;
static const struct tandem_datagram *next_datagram;

/* the last check that the relay has sent */
static struct {
	struct tandem_endpoint local, remote;
	uint8_t id[TANDEM_STUN_ID];
} check;

static const char *call_name(unsigned int i)
{
	static const char *const names[CALLS] = { "zero", "one", "two" };

	return names[i % CALLS];
}

/* ---- the relay ---- */

static void dispatch(const struct tandem_event_handlers *handlers, void *arg)
{
	if (next_source)
		handlers->unknown_source(next_source, arg);
	if (next_datagram)
		handlers->datagram(next_datagram, arg);
	next_source = NULL;
	next_datagram = NULL;
}

static void sent(const struct tandem_endpoint *local, const struct tandem_endpoint *remote,
		 const void *payload, size_t len)
{
	struct tandem_stun m;

	CHECK(local->port >= PORT_MIN && local->port <= PORT_MAX && remote->port);
	if (tandem_stun_parse(&m, payload, len) || m.class != TANDEM_STUN_REQUEST)
		return;
	check.local = *local;
	check.remote = *remote;
	memcpy(check.id, m.id, sizeof(check.id));
}

static void over(enum tandem_owner owner, const char *call_id, const char *why, bool established,
		 json_t *report, void *arg)
{
	(void)owner;
	(void)established;
	(void)arg;
	CHECK(*call_id && *why && report);
	json_decref(report);
}

static void open_sessions(void)
{
	static struct tandem_sessions_config cfg = {
		.locals_count = 2,
		.port_min = PORT_MIN,
		.port_max = PORT_MAX,
		.max_sessions = 10,
		.inactivity_timeout_s = 30,
		.hold_timeout_s = 60,
		.setup_timeout_s = 60,
		.learn = TANDEM_LEARN_ALWAYS,
		.learn_window_ms = 5000,
	};

	CHECK(!tandem_ip_parse(&cfg.locals[0].ip, "10.0.0.1"));
	CHECK(!tandem_ip_parse(&cfg.locals[1].ip, "2001:db8:1::1"));
	CHECK(!tandem_sessions_alloc_with(&ss, &fuzz_env, &cfg, NULL, store, NULL, NULL));
	tandem_sessions_on_over(ss, over, NULL);
}

/* Flows stay in the datapath, sessions in the store; neither may become more by it. */
static void restart(void)
{
	size_t sessions = tandem_sessions_count(ss), flows = fuzz_flows_count;

	if (ss->together)
		tandem_sessions_commit(ss);
	tandem_sessions_free(ss);
	open_sessions();
	CHECK(tandem_sessions_count(ss) <= sessions && fuzz_flows_count <= flows);
}

/* ---- offers and answers ---- */

static struct tandem_signal signal_of(enum tandem_party_id party, const char *policies)
{
	unsigned int a = TANDEM_SECURITY_AUTO, b = TANDEM_SECURITY_AUTO;
	struct tandem_signal sig;

	(void)sscanf(policies, "%1u %1u", &a, &b);
	sig = (struct tandem_signal){
		.source_security = (enum tandem_security)(a % (TANDEM_SECURITY_DTLS + 1)),
		.target_security = (enum tandem_security)(b % (TANDEM_SECURITY_DTLS + 1)),
	};
	CHECK(!tandem_ip_parse(&sig.source.ip, party ? "198.51.100.20" : "192.0.2.10"));
	CHECK(!tandem_ip_parse(&sig.target.ip, party ? "192.0.2.10" : "198.51.100.20"));
	sig.source.port = sig.target.port = 5060;
	return sig;
}

static void open_call(const char *call)
{
	const struct tandem_dialog dialog = { .call_id = call,
					      .from_uri = "sip:a@x",
					      .to_uri = "sip:b@x",
					      .from_tag = "ta",
					      .to_tag = "tb" };

	if (!tandem_session_find(ss, call))
		CHECK(!tandem_session_open(ss, &dialog));
}

static void publish(const char *call, const char *what, const char *sdp, size_t len)
{
	const struct tandem_signal sig = signal_of(TANDEM_PARTY_A, what);
	char *out = NULL;
	size_t out_len;

	open_call(call);
	if (tandem_session_publish(ss, call, &sig, sdp, len, &out, &out_len))
		CHECK(!out);
	free(out);
}

static const char *tag_of(unsigned int subscriber)
{
	static const char *const tags[] = { "s0", "s1", "s2", "ta" };

	return tags[subscriber % 4];
}

static void subscribe(const char *call, const char *what)
{
	unsigned int subscriber, parties, policy;
	struct tandem_signal sig;
	struct tandem_sdp *sdp;
	char *out = NULL;
	size_t out_len;

	if (sscanf(what, "%u %u %u", &subscriber, &parties, &policy) != 3)
		return;
	sig = signal_of(TANDEM_PARTY_A, "2 0");
	sig.target_security = (enum tandem_security)(policy % (TANDEM_SECURITY_DTLS + 1));
	if (tandem_session_subscribe(ss, call, tag_of(subscriber), parties & 3, &sig, &out,
				     &out_len)) {
		CHECK(!out);
		return;
	}
	CHECK(!tandem_sdp_parse(&sdp, out, out_len, NULL));
	tandem_sdp_free(sdp);
	free(out);
}

static void subscribed(const char *call, const char *what, const char *sdp, size_t len)
{
	const struct tandem_signal sig = signal_of(TANDEM_PARTY_B, "");

	(void)tandem_session_subscribed(ss, TANDEM_OWNER_SIP, call,
					tag_of((unsigned int)atoi(what)), &sig, sdp, len);
}

/* "offer 5 1" or "answer ..."; the description is what it passes on as: a description again. */
static void describe(unsigned int number, enum tandem_party_id party, const char *what,
		     const char *sdp, size_t len)
{
	bool answer = !strncmp(what, "answer", 6);
	struct tandem_signal sig;
	struct tandem_sdp *before, *after;
	const char *call = call_name(number);
	char *out = NULL;
	size_t out_len;

	if (!strncmp(what, "publish", 7))
		publish(call, what + strcspn(what, " "), sdp, len);
	else if (!strncmp(what, "subscribed ", 11))
		subscribed(call, what + 11, sdp, len);
	if (!answer && strncmp(what, "offer", 5))
		return;
	sig = signal_of(party, what + strcspn(what, " "));
	open_call(call);
	if (answer ? tandem_session_answer(ss, call, party, &sig, sdp, len, &out, &out_len)
		   : tandem_session_offer(ss, call, party, &sig, sdp, len, &out, &out_len)) {
		CHECK(!out);
		return;
	}
	CHECK(!tandem_sdp_parse(&before, sdp, len, NULL));
	CHECK(!tandem_sdp_parse(&after, out, out_len, NULL));
	CHECK(tandem_sdp_media_count(before) == tandem_sdp_media_count(after));
	tandem_sdp_free(before);
	tandem_sdp_free(after);
	free(out);
}

static void act(const char *call, const char *what)
{
	struct tandem_act_target target = { .call = call, .media = -1 };
	enum tandem_party_id from;
	int wanted, party, media;
	bool partly;

	if (sscanf(what, "%d %d %d", &wanted, &party, &media) != 3)
		return;
	from = party & 1;
	target.party = party == 9 ? NULL : &from;
	target.media = media == 9 ? -1 : media & 0x3f;
	target.all = wanted & 16;
	(void)tandem_session_act(ss, &target, 1U << (wanted & 7) % 3, wanted & 8, &partly);
}

static void change(unsigned int number, const char *what)
{
	const char *call = call_name(number);
	bool known = tandem_session_find(ss, call) != NULL;

	if (!strcmp(what, "rollback"))
		(void)tandem_session_rollback(ss, call);
	else if (!strcmp(what, "confirm"))
		(void)tandem_session_confirm(ss, call);
	else if (!strncmp(what, "act ", 4))
		act(call, what + 4);
	else if (!strncmp(what, "lasts ", 6))
		(void)tandem_session_lasts(ss, call, (uint32_t)strtoul(what + 6, NULL, 10));
	else if (!strncmp(what, "subscribe ", 10))
		subscribe(call, what + 10);
	else if (!strncmp(what, "unsubscribe ", 12))
		(void)tandem_session_unsubscribe(ss, TANDEM_OWNER_SIP, call,
						 tag_of((unsigned int)atoi(what + 12)));
	else if (!strcmp(what, "end"))
		CHECK(known == !tandem_session_end(ss, call, "over"));
}

/* ---- what comes in ---- */

static struct tandem_endpoint stranger(unsigned int last)
{
	struct tandem_endpoint e = { .port = 7000 };

	CHECK(!tandem_ip_parse(&e.ip, "203.0.113.0"));
	e.ip.b[15] = (uint8_t)last;
	return e;
}

static struct tandem_endpoint local_of(const struct tandem_flow_spec *flow)
{
	return (struct tandem_endpoint){ flow->key.local, ntohs(flow->key.local_port) };
}

static struct tandem_ice *agent_of(uint64_t flow_id)
{
	const struct tandem_session *s = tandem_sessions_by_number(ss,
								   tandem_flow_id_session(flow_id));
	size_t media = tandem_flow_id_media(flow_id);
	const struct tandem_wire *wire;

	if (!s || media >= s->agreed.n)
		return NULL;
	wire = s->agreed.v[media].leg[tandem_flow_id_from(flow_id)].secure.wire;
	return wire ? wire->ice : NULL;
}

static void source(const struct tandem_flow_spec *flow, unsigned int last, const char *head,
		   size_t len)
{
	struct tandem_unknown_source src = { .flow_id = flow->id,
					     .local = local_of(flow),
					     .remote = { flow->key.remote,
							 (uint16_t)(7000 + last) },
					     .len = len };

	src.from_peer = last == 255;
	src.head_len = len < sizeof(src.head) ? len : sizeof(src.head);
	memcpy(src.head, head, src.head_len);
	next_source = &src;
	tandem_sessions_dispatch(ss);
}

static void datagram(const struct tandem_flow_spec *flow, enum tandem_datagram_kind kind,
		     const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	const struct tandem_datagram d = { .kind = kind,
					   .flow_id = flow->id,
					   .local = local_of(flow),
					   .remote = *remote,
					   .from_peer = kind == TANDEM_DATAGRAM_DTLS,
					   .payload = payload,
					   .len = len };

	next_datagram = &d;
	tandem_sessions_dispatch(ss);
}

static void stun(const struct tandem_flow_spec *flow, unsigned int last, bool use)
{
	const struct tandem_ice *ice = agent_of(flow->id);
	struct tandem_endpoint remote = stranger(last);
	uint8_t buf[512], id[TANDEM_STUN_ID] = { (uint8_t)last };
	struct tandem_stun_writer out;

	if (!ice)
		return;
	tandem_stun_start(&out, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_REQUEST, id);
	tandem_stun_put_username(&out, tandem_ice_ufrag(ice),
				 tandem_ice_remote_ufrag(ice) ? tandem_ice_remote_ufrag(ice)
							      : "early");
	tandem_stun_put_priority(&out, 1 << 24);
	tandem_stun_put_role(&out, true, 1);
	if (use)
		tandem_stun_put_use_candidate(&out);
	tandem_stun_put_integrity(&out, tandem_ice_pwd(ice), strlen(tandem_ice_pwd(ice)));
	datagram(flow, TANDEM_DATAGRAM_STUN, &remote, buf, (size_t)tandem_stun_finish(&out));
}

static void answer_check(void)
{
	struct tandem_stun_writer out;
	const struct tandem_ice *ice;
	const char *pwd;
	uint8_t buf[512];
	size_t i = 0;

	while (i < fuzz_flows_count) {
		struct tandem_endpoint local = local_of(&fuzz_flows[i]);

		if (tandem_endpoint_equal(&local, &check.local))
			break;
		i++;
	}
	ice = i < fuzz_flows_count ? agent_of(fuzz_flows[i].id) : NULL;
	pwd = ice ? tandem_ice_remote_pwd(ice) : NULL;
	if (!pwd)
		return;
	tandem_stun_start(&out, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_SUCCESS,
			  check.id);
	tandem_stun_put_mapped(&out, &check.local);
	tandem_stun_put_integrity(&out, pwd, strlen(pwd));
	datagram(&fuzz_flows[i], TANDEM_DATAGRAM_STUN, &check.remote, buf,
		 (size_t)tandem_stun_finish(&out));
}

static void arrive(unsigned int number, const char *what, const char *rest, size_t len)
{
	const struct tandem_flow_spec flow =
		fuzz_flows[fuzz_flows_count ? number % fuzz_flows_count : 0];
	struct tandem_endpoint remote = { flow.key.remote, ntohs(flow.key.remote_port) };
	unsigned int last = 0;
	char use[4] = "";

	if (!fuzz_flows_count)
		return;
	if (sscanf(what, "source %u", &last) == 1)
		source(&flow, last, rest, len);
	else if (sscanf(what, "stun %u %3s", &last, use) >= 1)
		stun(&flow, last, *use);
	else if (!strcmp(what, "dtls"))
		datagram(&flow, TANDEM_DATAGRAM_DTLS, &remote, rest, len);
}

/* ---- the script ---- */

static void advance(unsigned long ms)
{
	uint64_t end = fuzz_clock_ms + (ms < ADVANCE_MAX_MS ? ms : ADVANCE_MAX_MS);

	while (fuzz_clock_ms < end) {
		fuzz_clock_ms += end - fuzz_clock_ms < 1000 ? end - fuzz_clock_ms : 1000;
		tandem_sessions_timer(ss);
		tandem_sessions_tick(ss);
	}
}

static void show(void)
{
	json_t *all = tandem_sessions_json(ss), *stats = tandem_sessions_stats_json(ss);

	CHECK(all && stats);
	for (unsigned int i = 0; i < CALLS; i++)
		json_decref(tandem_session_json(ss, call_name(i)));
	json_decref(all);
	json_decref(stats);
}

static void run_record(const char *record, size_t size, unsigned int number)
{
	const char *eol = memchr(record, '\n', size);
	size_t len = eol ? (size_t)(eol - record) : size;
	const char *rest = eol ? eol + 1 : record + size, *what = NULL;
	size_t rest_len = size - (size_t)(rest - record);
	char line[64];

	(void)number;
	snprintf(line, sizeof(line), "%.*s", (int)len, record);
	if (*line == '+')
		advance(strtoul(line + 1, NULL, 10));
	else if (!strcmp(line, "check"))
		answer_check();
	else if (!strcmp(line, "restart"))
		restart();
	else if (!strcmp(line, "begin") && !ss->together)
		tandem_sessions_begin(ss);
	else if (!strcmp(line, "commit") && ss->together)
		tandem_sessions_commit(ss);
	else if (!strcmp(line, "show"))
		show();
	else if ((what = strchr(line, ' ')) && (*line == 'A' || *line == 'B'))
		describe((unsigned int)atoi(line + 1), *line - 'A', what + 1, rest, rest_len);
	else if (what) {
		change((unsigned int)atoi(line), what + 1);
		arrive((unsigned int)atoi(line), what + 1, rest, rest_len);
	}
}

static void count_row(const char *id, const char *json, void *arg)
{
	(void)id;
	(void)json;
	++*(size_t *)arg;
}

/* All that is left ends; then it is as if it had never been. */
static void check_over(void)
{
	size_t rows = 0;

	if (ss->together)
		tandem_sessions_commit(ss);
	for (unsigned int i = 0; i < CALLS; i++)
		(void)tandem_session_end(ss, call_name(i), "over");
	CHECK(!tandem_sessions_count(ss) && !fuzz_flows_count);
	for (size_t i = 0; i < ss->cfg.locals_count; i++)
		CHECK(tandem_ports_available(ss->ports, i) == (PORT_MAX - PORT_MIN + 1) / 2);
	CHECK(!tandem_store_session_list(store, count_row, &rows) && !rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[128];

	if (!ss) {
		tandem_log_set_level(TANDEM_LOG_ERROR);
		fuzz_dispatch_h = dispatch;
		fuzz_sent_h = sent;
		CHECK(!tandem_store_open(&store, ":memory:", why, sizeof(why)));
		open_sessions();
	}
	memset(&check, 0, sizeof(check));
	script_run(data, size, RECORDS_MAX, run_record);
	check_over();
	return 0;
}
