/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole SIP server and those it talks to, by real sockets, with time that passes only when the
 * script says so. After each script, and as long as the longest timers take, the server must be as
 * it was: no call, no session, no flow, no transaction, no registration, no connection, no
 * descriptor and no memory more; and it must answer.
 *
 * Input: what does not begin with "#" is a datagram of alice's. Else the first line is a remark, and
 * records follow, with a line of "%" between any two:
 *
 *   a INVITE sip:bob@...   alice sends this, made whole; see sip_text.h and sip_peers.h
 *   a=...                  alice sends just this: a datagram, or by TCP a piece of the stream
 *   B 200 OK               bob answers the last request he has; B1: the one before
 *   + 500                  so many milliseconds pass
 *   - t                    this connection ends
 *   ~ NAME TYPE ...        a line for the zone of the name server
 *   ! drain                the operator: drain, undrain, end one, block 127.0.0.2, unblock 127.0.0.2,
 *                          reload, show
 *   ! mute                 gateway one does not answer OPTIONS
 *   ! poor 3               of libre's allocations that follow the third fails
 *
 * With TRACE=1 in its environment it shows what is sent and received.
 */
#include "tests/fuzz/script.h"
#include "tests/fuzz/sip_dns.h"
#include "tests/fuzz/sip_text.h"

#include <poll.h>
#include <sanitizer/allocator_interface.h>

#define RECORDS_MAX    64
#define ADVANCE_MAX_MS 300000 /* of all records */
#define GROWTH_MAX     (8 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text filled, whole;
static uint64_t advance_left_ms;

/* ---- messages ---- */

/* The rest of the text after its headers, which end with an empty line, or with the text. */
static size_t head_length(const struct text *t)
{
	const char *end = memmem(t->p, t->len, "\r\n\r\n", 4);

	return end ? (size_t)(end - t->p) + 2 : t->len;
}

static bool has_header(const struct text *t, const char *name)
{
	size_t head = head_length(t), len = strlen(name);

	for (size_t i = 0; i + 2 + len < head; i++) {
		if (t->p[i] == '\r' && t->p[i + 1] == '\n' &&
		    !strncasecmp(t->p + i + 2, name, len) && t->p[i + 2 + len] == ':')
			return true;
	}
	return false;
}

static void add_contact(const struct peer *p)
{
	bool v6 = strchr(p->ip, ':') != NULL;

	if (!has_header(&filled, "Contact"))
		text_print(&whole, "Contact: <sip:%s@%s%s%s:%u%s>\r\n", p->name, v6 ? "[" : "",
			   p->ip, v6 ? "]" : "", p->port ? p->port : 5060,
			   p->tcp ? ";transport=tcp" : "");
}

/* The headers that are in the text, and its body. */
static void add_rest(size_t line)
{
	size_t head = head_length(&filled), body = head + 2 < filled.len ? head + 2 : filled.len;

	if (line + 2 < head) {
		text_add(&whole, filled.p + line + 2, head - line - 2);
		if (whole.p[whole.len - 1] != '\n')
			text_add(&whole, "\r\n", 2);
	}
	if (body < filled.len && !has_header(&filled, "Content-Type"))
		text_print(&whole, "Content-Type: application/sdp\r\n");
	if (!has_header(&filled, "Content-Length"))
		text_print(&whole, "Content-Length: %zu\r\n", filled.len - body);
	text_add(&whole, "\r\n", 2);
	text_add(&whole, filled.p + body, filled.len - body);
}

static size_t first_line(void)
{
	const char *end = memmem(filled.p, filled.len, "\r\n", 2);

	return end ? (size_t)(end - filled.p) : filled.len;
}

static void add_via(const struct peer *p, unsigned int number)
{
	bool v6 = strchr(p->ip, ':') != NULL;

	if (!has_header(&filled, "Via"))
		text_print(&whole, "Via: SIP/2.0/%s %s%s%s:%u;branch=z9hG4bK%c%u;rport\r\n",
			   p->tcp ? "TCP" : "UDP", v6 ? "[" : "", p->ip, v6 ? "]" : "",
			   p->port ? p->port : 5060, p->letter, number);
}

static void compose_request(const struct peer *p, unsigned int number)
{
	size_t line = first_line(), method = 0, uri;

	while (method < line && filled.p[method] != ' ')
		method++;
	uri = method < line ? method + 1 : line;
	text_add(&whole, filled.p, line);
	text_print(&whole, " SIP/2.0\r\n");
	add_via(p, number);
	if (!has_header(&filled, "Max-Forwards"))
		text_print(&whole, "Max-Forwards: 70\r\n");
	if (!has_header(&filled, "From"))
		text_print(&whole, "From: <sip:%s@example.test>;tag=%c\r\n", p->name, p->letter);
	if (!has_header(&filled, "To") && method == 8)
		text_print(&whole, "To: <sip:%s@example.test>\r\n", p->name);
	else if (!has_header(&filled, "To"))
		text_print(&whole, "To: <%.*s>\r\n", (int)(line - uri), filled.p + uri);
	if (!has_header(&filled, "Call-ID"))
		text_print(&whole, "Call-ID: one\r\n");
	if (!has_header(&filled, "CSeq"))
		text_print(&whole, "CSeq: %u %.*s\r\n", number, (int)method, filled.p);
	add_contact(p);
	add_rest(line);
}

static void compose_response(const struct peer *p, const char *request)
{
	static const char *const copied[] = { "From", "Call-ID", "CSeq" };
	size_t line = first_line(), len;
	const char *to = message_header(request, "To", 0, &len);

	text_print(&whole, "SIP/2.0 ");
	text_add(&whole, filled.p, line);
	text_add(&whole, "\r\n", 2);
	if (!has_header(&filled, "Via"))
		text_lines(&whole, request, "Via", "Via", false);
	if (!has_header(&filled, "Record-Route"))
		text_lines(&whole, request, "Record-Route", "Record-Route", false);
	if (!has_header(&filled, "To") && to) {
		text_print(&whole, "To: ");
		text_add(&whole, to, len);
		if (!memmem(to, len, "tag=", 4))
			text_print(&whole, ";tag=%c", p->letter);
		text_add(&whole, "\r\n", 2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
		const char *val = message_header(request, copied[i], 0, &len);

		if (val && !has_header(&filled, copied[i]))
			text_line(&whole, copied[i], val, len);
	}
	add_contact(p);
	add_rest(line);
}

/* "B1 200 OK": p answers the last request but one. */
static void answer(struct peer *p, const char *data, size_t size, unsigned int number)
{
	unsigned int back = 0;
	const char *request;

	if (size && *data >= '0' && *data < '0' + PEER_LAST) {
		back = (unsigned int)(*data++ - '0');
		size--;
	}
	request = peer_last(p, true, back);
	if (!request)
		return;
	if (size && *data == ' ') {
		data++;
		size--;
	}
	text_fill(&filled, p, data, size, number);
	compose_response(p, request);
	peer_send(&world, p, whole.p, whole.len);
}

static void request(struct peer *p, const char *data, size_t size, unsigned int number)
{
	bool as_it_is = size && *data == '=';

	if (size) {
		data++;
		size--;
	}
	text_fill(&filled, p, data, size, number);
	if (as_it_is) {
		peer_send(&world, p, filled.p, filled.len);
		return;
	}
	compose_request(p, number);
	peer_send(&world, p, whole.p, whole.len);
}

/* ---- the other records ---- */

/* As the local API does it. */
static void end_call(const char *text)
{
	const char *found = tandem_session_find(world.ss, text);
	char call[512];

	if (!found || strlen(found) >= sizeof(call))
		return;
	strcpy(call, found);
	CHECK(!tandem_session_end(world.ss, call, "ended by the operator"));
	tandem_sip_session_ended(world.sip, call, "ended by the operator");
}

static void show(void)
{
	json_t *all[] = {
		tandem_sessions_json(world.ss),	     tandem_sip_registrations_json(world.sip),
		tandem_sip_gateways_json(world.sip), tandem_sip_blocks_json(world.sip),
		tandem_sip_auth_json(world.sip),     tandem_sip_connections_json(world.sip),
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		char *text = json_dumps(all[i], 0);

		CHECK(text);
		free(text);
		json_decref(all[i]);
	}
}

static void operate(const char *data, size_t size)
{
	char word[64], why[128];

	snprintf(word, sizeof(word), "%.*s", (int)size, data);
	if (!strncmp(word, "end ", 4)) {
		end_call(word + 4);
	} else if (!strcmp(word, "drain") || !strcmp(word, "undrain")) {
		tandem_sip_drain(world.sip, *word == 'd');
	} else if (!strncmp(word, "block ", 6)) {
		(void)tandem_sip_block_add(world.sip, word + 6, 5, why, sizeof(why));
	} else if (!strncmp(word, "unblock ", 8)) {
		(void)tandem_sip_block_remove(world.sip, word + 8, why, sizeof(why));
	} else if (!strcmp(word, "reload")) {
		tandem_sip_reload(world.sip);
	} else if (!strncmp(word, "poor ", 5)) {
		poor = (unsigned int)strtoul(word + 5, NULL, 10);
	} else if (!strcmp(word, "mute")) {
		peer_mute = true;
	} else if (!strcmp(word, "show")) {
		show();
	}
	world_run(&world);
}

static void advance(const char *data, size_t size)
{
	char digits[16];
	uint64_t ms;

	snprintf(digits, sizeof(digits), "%.*s", (int)size, data);
	ms = strtoul(digits, NULL, 10);
	ms = ms < advance_left_ms ? ms : advance_left_ms;
	advance_left_ms -= ms;
	world_advance(&world, ms);
}

static void run_record(const char *data, size_t size, unsigned int number)
{
	char what = *data;
	struct peer *p = peer_find((char)(what | 0x20));
	const char *rest = data + 1;

	size--;
	filled.len = whole.len = 0;
	if (p && what == p->letter) {
		request(p, rest, size, number);
		return;
	}
	if (p) {
		answer(p, rest, size, number);
		return;
	}
	/* the others have a space in front */
	if (!size)
		return;
	rest++;
	size--;
	if (what == '+')
		advance(rest, size);
	else if (what == '~')
		dns_add(rest, size);
	else if (what == '!')
		operate(rest, size);
	else if (what == '-' && size && (p = peer_find(*rest)))
		peer_hang_up(p);
}

/* ---- afterwards ---- */

static bool outside(void)
{
	struct pollfd fds[2 * ARRAY_SIZE(peers) + 1];
	size_t n = 0, i;

	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		fds[n++] = (struct pollfd){ .fd = peers[i].fd, .events = POLLIN };
		fds[n++] = (struct pollfd){ .fd = peers[i].listen_fd, .events = POLLIN };
	}
	fds[n++] = (struct pollfd){ .fd = dns.fd, .events = POLLIN };
	if (poll(fds, n, 0) <= 0)
		return false;
	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		if (fds[2 * i].revents || fds[2 * i + 1].revents)
			peer_read(&peers[i]);
	}
	if (fds[n - 1].revents)
		dns_read();
	return true;
}

/* It still does what it is there for. */
static void check_alive(void)
{
	static const char ask[] = "OPTIONS sip:example.test\nCall-ID: alive\n";
	struct peer *p = peer_find('a');
	const char *got;
	size_t len;

	filled.len = whole.len = 0;
	text_fill(&filled, p, ask, sizeof(ask) - 1, 0);
	compose_request(p, 0);
	peer_send(&world, p, whole.p, whole.len);
	got = peer_last(p, false, 0);
	CHECK(got && !strncmp(got, "SIP/2.0 200", 11));
	got = message_header(got, "Call-ID", 0, &len);
	CHECK(got && !strncmp(got, "alive\r", 6));
	world_rest(&world);
}

static void settle(void)
{
	tandem_sip_drain(world.sip, false);
	peers_reset();
	dns.lines_count = 0;
	peer_mute = false;
	poor = 0;
	peer_gone = true;
	world_run(&world);
	world_settle(&world);
	peer_gone = false;
	peers_reset();
	check_alive();
	peers_reset();
}

/* Memory that is found, but not given back: what all inputs together have left. */
static void check_growth(size_t before)
{
	static ssize_t grown;

	grown += (ssize_t)(__sanitizer_get_current_allocated_bytes() - before);
	CHECK(grown < GROWTH_MAX);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)loopback_enter();
	/* libre says there what it thinks of messages */
	CHECK(freopen("/dev/null", "w", stdout));
	tandem_log_set_level(TANDEM_LOG_ERROR);
	peers_open();
	dns_open();
	world_open(&world, outside);
	settle();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t before = __sanitizer_get_current_allocated_bytes();

	peer_trace = getenv("TRACE") != NULL;
	fuzz_random = 1;
	advance_left_ms = ADVANCE_MAX_MS;
	if (size && *data == '#')
		script_run(data, size, RECORDS_MAX, run_record);
	else
		peer_send(&world, peer_find('a'), (const char *)data, size);
	settle();
	check_growth(before);
	return 0;
}
