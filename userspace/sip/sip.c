/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/block.h"
#include "userspace/sip/body.h"
#include "userspace/sip/conns.h"
#include "userspace/sip/datagram.h"
#include "userspace/sip/gateway.h"
#include "userspace/sip/header.h"
#include "userspace/sip/local.h"
#include "userspace/sip/location.h"
#include "userspace/sip/names.h"
#include "userspace/sip/routing.h"
#include "userspace/sip/shared.h"
#include "userspace/sip/tls.h"
#include "userspace/sip/tx.h"
#include "userspace/sip/unreadable.h"
#include "userspace/util/log.h"
#include "userspace/web/web.h"

#define HASH_SIZE	4096
#define EXPIRE_MS	5000
#define LINGER_CHECK_MS 1000
#define WINDOW_MS	(64 * SIP_T1) /* how long libre keeps an answered transaction */
#define CALL_ID_MAX	255
#define NAMESERVERS_MAX 8

/* libre makes up a random To tag for each message; a repeated request must get the same one. */
static void set_tag(const struct tandem_sip *ts, const struct sip_msg *msg)
{
	((struct sip_msg *)msg)->tag = tandem_token_request(ts->key, msg) ^
				       hash_joaat_pl(&msg->via.branch);
}

/* Two elements that read different ones of a doubled header see different requests. */
static bool has_doubles(const struct sip_msg *msg)
{
	static const enum sip_hdrid once[] = { SIP_HDR_FROM,	     SIP_HDR_TO,
					       SIP_HDR_CALL_ID,	     SIP_HDR_CSEQ,
					       SIP_HDR_MAX_FORWARDS, SIP_HDR_CONTENT_LENGTH };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(once); i++) {
		if (sip_msg_hdr_count(msg, once[i]) > 1)
			return true;
	}

	return false;
}

static bool is_sip(const struct uri *uri)
{
	return !pl_strcasecmp(&uri->scheme, "sip") || !pl_strcasecmp(&uri->scheme, "sips");
}

/* Headers in a Request-URI are for who makes a request of it (RFC 3261 section 19.1.5). */
static bool is_wellformed(const struct sip_msg *msg)
{
	return tandem_header_ids_true(msg) && !has_doubles(msg) && tandem_header_cseq_fits(msg) &&
	       tandem_header_quotes_close(msg, SIP_HDR_FROM) &&
	       tandem_header_quotes_close(msg, SIP_HDR_TO) && tandem_sip_uri_clean(&msg->ruri) &&
	       !pl_isset(&msg->uri.headers) &&
	       (!is_sip(&msg->uri) || tandem_sip_host_bracketed(&msg->ruri));
}

static bool is_complete(const struct sip_msg *msg)
{
	struct pl body;

	if (!is_wellformed(msg))
		return false;

	return pl_isset(&msg->via.sentby) && pl_isset(&msg->via.branch) && pl_isset(&msg->callid) &&
	       msg->callid.l <= CALL_ID_MAX && pl_isset(&msg->from.auri) &&
	       pl_isset(&msg->from.tag) && pl_isset(&msg->to.auri) && pl_isset(&msg->cseq.met) &&
	       !tandem_body_get(&body, msg);
}

/* An ACK cannot be refused, and is known by its first line: some copy the CSeq of the INVITE. */
static bool method_matches(const struct sip_msg *msg)
{
	return !pl_cmp(&msg->cseq.met, &msg->met) ||
	       (!pl_strcmp(&msg->met, "ACK") && !pl_strcmp(&msg->cseq.met, "INVITE"));
}

static void handle_request(struct tandem_sip *ts, const struct sip_msg *msg)
{
	const struct tandem_unreadable *u = tandem_unreadable_of(msg);
	bool ack = !pl_strcmp(&msg->met, "ACK");

	if (u) {
		tandem_unreadable_answer(ts, msg, u);
		return;
	}
	set_tag(ts, msg);
	if (!is_complete(msg) || !method_matches(msg)) {
		if (!ack && pl_isset(&msg->via.sentby))
			tandem_sip_refuse(ts, msg, 400, NULL);
	} else if (ack) {
		tandem_sip_proxy_ack(ts, msg);
	} else if (!pl_strcmp(&msg->met, "CANCEL")) {
		/* libre has answered those whose transaction exists */
		tandem_sip_refuse(ts, msg, 481, NULL);
	} else if (!pl_strcmp(&msg->met, "REGISTER") && tandem_sip_is_local(ts, &msg->uri)) {
		tandem_sip_register(ts, msg);
	} else {
		tandem_sip_proxy(ts, msg);
	}
}

static bool request_handler(const struct sip_msg *msg, void *arg)
{
	struct tandem_sip *ts = arg;
	struct tandem_log_scope scope;

	if (ts->closing || !tandem_sip_unmask(ts, msg) || tandem_block_drops(ts->block, msg))
		return true;

	tandem_log_enter(&scope, msg->callid.p ? msg->callid.p : "", msg->callid.l);
	handle_request(ts, msg);
	tandem_log_leave(&scope);

	return true;
}

static bool response_handler(const struct sip_msg *msg, void *arg)
{
	struct tandem_sip *ts = arg;

	if (!ts->closing && pl_isset(&msg->via.branch))
		tandem_sip_stray_response(ts, msg);

	return true;
}

static void reload_certificates(struct tandem_sip *ts, bool always)
{
	if (tandem_sip_tls_reload(ts->tls, always) > 0 && ts->web)
		tandem_web_reload(ts->web);
}

static void expire_handler(void *arg)
{
	struct tandem_sip *ts = arg;

	tandem_location_expire(ts->loc);
	reload_certificates(ts, false);
	tmr_start(&ts->tmr_expire, EXPIRE_MS, expire_handler, ts);
}

static void linger_handler(void *arg)
{
	struct tandem_sip *ts = arg;

	tandem_tx_expire(ts);
	tmr_start(&ts->tmr_linger, LINGER_CHECK_MS, linger_handler, ts);
}

static void window_handler(void *arg)
{
	struct tandem_sip *ts = arg;

	ts->replied = 0;
	tmr_start(&ts->tmr_window, WINDOW_MS, window_handler, ts);
}

static void set_default(uint32_t *value, uint32_t value_default)
{
	if (!*value)
		*value = value_default;
}

static int copy_config(struct tandem_sip *ts, const struct tandem_sip_config *cfg)
{
	size_t i;
	int err = 0;

	ts->cfg = *cfg;
	ts->cfg.listen = NULL;
	memset(&ts->cfg.tls, 0, sizeof(ts->cfg.tls));
	memset(&ts->cfg.web, 0, sizeof(ts->cfg.web));
	ts->cfg.domains = NULL;
	ts->cfg.realm = NULL;
	ts->cfg.trusted = NULL;
	ts->cfg.deny = ts->cfg.allow = NULL;
	ts->cfg.deny_agents = NULL;
	ts->cfg.drain_redirect = NULL;
	ts->cfg.gateways = NULL;
	ts->cfg.routes = NULL;
	ts->cfg.enum_suffix = NULL;
	ts->cfg.name_servers = NULL;
	set_default(&ts->cfg.max_expires_s, 3600);
	set_default(&ts->cfg.min_expires_s, 60);
	set_default(&ts->cfg.default_expires_s, 3600);
	set_default(&ts->cfg.max_registrations, 100000);
	set_default(&ts->cfg.max_contacts, 10);
	set_default(&ts->cfg.max_transactions, 20000);
	set_default(&ts->cfg.timer_c_s, 180);
	set_default(&ts->cfg.ring_s, 20);
	set_default(&ts->cfg.min_se_s, 90);
	set_default(&ts->cfg.drain_retry_after_s, 30);
	set_default(&ts->cfg.connections.max_connections, 20000);
	set_default(&ts->cfg.connections.max_per_source, 500);
	set_default(&ts->cfg.connections.handshake_s, 10);
	set_default(&ts->cfg.connections.message_s, 30);
	set_default(&ts->cfg.connections.idle_s, 900);
	set_default(&ts->cfg.connections.flow_timer_s, 120);

	ts->domains = mem_zalloc(sizeof(*ts->domains) * (cfg->domains_count + 1), NULL);
	ts->listeners = mem_zalloc(sizeof(*ts->listeners) * (cfg->listen_count + 1), NULL);
	ts->stacks = mem_zalloc(sizeof(*ts->stacks) * (cfg->listen_count + 1), NULL);
	if (!ts->domains || !ts->listeners || !ts->stacks)
		return -ENOMEM;
	for (i = 0; i < cfg->domains_count && !err; i++, ts->domains_count++)
		err = -str_dup(&ts->domains[i], cfg->domains[i]);
	if (!err && cfg->drain_redirect)
		err = -str_dup(&ts->drain_redirect, cfg->drain_redirect);

	return err;
}

static int listen_all(struct tandem_sip *ts, const struct tandem_sip_config *cfg, char *why,
		      size_t size)
{
	size_t i;
	int err;

	for (i = 0; i < cfg->listen_count; i++) {
		struct tandem_listener *l = &ts->listeners[i];

		err = tandem_sip_listener_parse(l, cfg->listen[i]);
		if (!err && (l->tp == SIP_TRANSP_TLS || l->tp == SIP_TRANSP_WSS) && !ts->tls) {
			err = tandem_sip_tls_alloc(&ts->tls, &cfg->tls, why, size);
			if (err)
				return err;
		}
		if (!err && l->tp != SIP_TRANSP_WS && l->tp != SIP_TRANSP_WSS)
			err = tandem_sip_stack_listen(ts, l, request_handler, response_handler);
		if (err) {
			snprintf(why, size, "%s: %s", cfg->listen[i],
				 err == -EINVAL ? "not udp:ADDRESS:PORT, tcp:, tls:, ws: or wss:"
						: strerror(-err));
			return err;
		}
		ts->listeners_count++;
	}

	/* last, as the first stack is the one that is used where nothing tells which */
	return tandem_sip_browsers_start(ts, cfg, request_handler, response_handler, why, size);
}

static int read_server(struct sa *server, const char *text)
{
	if (!sa_decode(server, text, strlen(text)))
		return 0;

	return -sa_set_str(server, text, DNS_PORT);
}

static int read_servers(struct sa *servers, uint32_t *count, const struct tandem_sip_config *cfg,
			char *why, size_t size)
{
	char domain[256];
	size_t i;

	if (!cfg->name_servers_count)
		return dns_srv_get(domain, sizeof(domain), servers, count) ? -ENOENT : 0;
	*count = 0;
	for (i = 0; i < cfg->name_servers_count && i < NAMESERVERS_MAX; i++) {
		if (read_server(&servers[i], cfg->name_servers[i])) {
			snprintf(why, size, "'%.60s' is not the address of a name server",
				 cfg->name_servers[i]);
			return -EINVAL;
		}
		++*count;
	}

	return 0;
}

/* Names in URIs need a resolver; without one, only literal addresses can be called. */
static int open_resolver(struct tandem_sip *ts, const struct tandem_sip_config *cfg, char *why,
			 size_t size)
{
	struct sa servers[NAMESERVERS_MAX];
	uint32_t count = ARRAY_SIZE(servers);
	int err = read_servers(servers, &count, cfg, why, size);

	if (err == -EINVAL)
		return err;
	if (err || !count || dnsc_alloc(&ts->dnsc, NULL, servers, count) ||
	    tandem_names_alloc(&ts->names, servers, count))
		tandem_log(TANDEM_LOG_WARNING, "sip",
			   "no name server: host names are not resolved");

	return 0;
}

static int make_key(struct tandem_sip *ts, struct tandem_store *store)
{
	size_t i;

	if (store)
		return tandem_store_secret(store, "sip-route", ts->key, sizeof(ts->key));
	for (i = 0; i < sizeof(ts->key); i++)
		ts->key[i] = (uint8_t)rand_u32();

	return 0;
}

static int open_tables(struct tandem_sip *ts, struct tandem_store *store)
{
	int err;

	err = hash_alloc(&ts->ht_branch, HASH_SIZE);
	if (!err)
		err = hash_alloc(&ts->ht_call, HASH_SIZE);
	if (err)
		return -err;

	return tandem_location_alloc(&ts->loc, store);
}

int tandem_sip_alloc(struct tandem_sip **sipp, const struct tandem_sip_config *cfg,
		     struct tandem_sessions *sessions, struct tandem_store *store, char *why,
		     size_t why_size)
{
	struct tandem_sip *ts;
	int err;

	if (!sipp || !cfg || !why || !why_size)
		return -EINVAL;

	why[0] = '\0';
	ts = calloc(1, sizeof(*ts));
	if (!ts)
		return -ENOMEM;
	ts->ss = sessions;
	tmr_init(&ts->tmr_linger);
	tmr_init(&ts->tmr_expire);
	tmr_init(&ts->tmr_window);

	err = copy_config(ts, cfg);
	if (!err)
		err = make_key(ts, store);
	if (!err)
		err = open_tables(ts, store);
	if (!err)
		err = open_resolver(ts, cfg, why, why_size);
	if (!err)
		err = tandem_gateways_alloc(&ts->gateways, ts, cfg, why, why_size);
	if (!err)
		err = tandem_routing_alloc(&ts->routing, ts->gateways, cfg, why, why_size);
	if (!err)
		err = tandem_auth_alloc(&ts->auth, ts, cfg, store, why, why_size);
	if (!err)
		err = tandem_block_alloc(&ts->block, cfg, store);
	if (!err)
		err = tandem_conns_alloc(&ts->conns, ts);
	if (!err)
		err = tandem_datagrams_alloc(&ts->datagrams, ts);
	if (!err)
		err = listen_all(ts, cfg, why, why_size);
	if (!err)
		err = tandem_gateways_secure(ts->gateways, cfg, why, why_size);
	if (err) {
		if (!why[0])
			snprintf(why, why_size, "SIP: %s", strerror(-err));
		tandem_sip_free(ts);
		return err;
	}

	tmr_start(&ts->tmr_linger, LINGER_CHECK_MS, linger_handler, ts);
	tmr_start(&ts->tmr_expire, EXPIRE_MS, expire_handler, ts);
	tmr_start(&ts->tmr_window, WINDOW_MS, window_handler, ts);
	tandem_auth_start(ts->auth);
	tandem_gateways_start(ts->gateways);
	*sipp = ts;

	return 0;
}

static bool free_tx(struct le *le, void *arg)
{
	(void)arg;
	mem_deref(le->data);

	return false;
}

void tandem_sip_free(struct tandem_sip *ts)
{
	size_t i;

	if (!ts)
		return;

	ts->closing = true;
	tmr_cancel(&ts->tmr_linger);
	tmr_cancel(&ts->tmr_expire);
	tmr_cancel(&ts->tmr_window);
	tandem_web_close(ts->web);
	tandem_sip_stacks_close(ts);
	if (ts->ht_call)
		(void)hash_apply(ts->ht_call, free_tx, NULL);
	tandem_gateways_free(ts->gateways);
	tandem_sip_stacks_free(ts);
	tandem_sip_tls_free(ts->tls);
	tandem_routing_free(ts->routing);
	tandem_names_free(ts->names);
	mem_deref(ts->dnsc);
	mem_deref(ts->ht_branch);
	mem_deref(ts->ht_call);
	tandem_auth_free(ts->auth);
	tandem_block_free(ts->block);
	tandem_sip_share_end(ts);
	tandem_location_free(ts->loc);
	tandem_conns_free(ts->conns);
	tandem_datagrams_free(ts->datagrams);
	for (i = 0; i < ts->domains_count; i++)
		mem_deref(ts->domains[i]);
	mem_deref(ts->domains);
	mem_deref(ts->drain_redirect);
	mem_deref(ts->listeners);
	free(ts);
}

static bool give_up(struct tandem_branch *b, void *arg)
{
	if (b->tx->initial && b->tx->active && b->opened && !strcmp(b->session, arg)) {
		b->opened = false;
		tandem_fork_give_up(b, 408);
	}

	return false;
}

void tandem_sip_session_ended(struct tandem_sip *ts, const char *call, const char *why)
{
	char call_id[TANDEM_SESSION_NAME_SIZE];
	struct tandem_log_scope scope;

	if (!ts || !call)
		return;

	(void)re_snprintf(call_id, sizeof(call_id), "%b", call, strcspn(call, " "));
	tandem_log_enter(&scope, call_id, strlen(call_id));
	tandem_log(TANDEM_LOG_INFO, "sip", "%s: session ended: %s", call, why ? why : "");
	(void)tandem_tx_find_branch(ts, call_id, give_up, (void *)call);
	tandem_log_leave(&scope);
}

void tandem_sip_reload(struct tandem_sip *ts)
{
	if (ts)
		reload_certificates(ts, true);
}

void tandem_sip_stats(const struct tandem_sip *ts, struct tandem_sip_stats *stats)
{
	stats->registrations = tandem_location_count(ts->loc);
	stats->transactions = ts->active;
}

int tandem_sip_block_add(struct tandem_sip *ts, const char *network, uint32_t seconds, char *why,
			 size_t why_size)
{
	int err = tandem_block_add(ts->block, network, seconds, why, why_size);

	if (!err)
		tandem_conns_close_blocked(ts->conns);

	return err;
}

int tandem_sip_block_remove(struct tandem_sip *ts, const char *network, char *why, size_t why_size)
{
	return tandem_block_remove(ts->block, network, why, why_size);
}

json_t *tandem_sip_blocks_json(const struct tandem_sip *ts)
{
	return tandem_block_json(ts->block);
}

json_t *tandem_sip_dropped_json(const struct tandem_sip *ts)
{
	return tandem_block_counters_json(ts->block);
}

json_t *tandem_sip_connections_json(const struct tandem_sip *ts)
{
	return tandem_conns_json(ts->conns);
}

json_t *tandem_sip_datagrams_json(const struct tandem_sip *ts)
{
	return tandem_datagrams_json(ts->datagrams);
}

json_t *tandem_sip_web_json(const struct tandem_sip *ts)
{
	return ts->web ? tandem_web_json(ts->web) : json_null();
}

json_t *tandem_sip_gateways_json(const struct tandem_sip *ts)
{
	return tandem_gateways_json(ts->gateways);
}

json_t *tandem_sip_auth_json(const struct tandem_sip *ts)
{
	return tandem_auth_json(ts->auth);
}

json_t *tandem_sip_registrations_json(const struct tandem_sip *ts)
{
	return tandem_location_json(ts->loc);
}
