/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/schema.h"

#include "core/abi.h"
#include "userspace/ng/ng.h"
#include "userspace/util/digest.h"

#define OPT	 CYAML_FLAG_OPTIONAL
#define OPT_PTR	 (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define TEXT_MAX 255
#define LIST_MAX 64

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX),
};

static const cyaml_schema_field_t address_fields[] = {
	/* Not marked as required: libcyaml would report its absence under another key. */
	CYAML_FIELD_STRING_PTR("address", OPT_PTR, struct tandem_config_address, address, 1,
			       TEXT_MAX),
	CYAML_FIELD_STRING_PTR("advertise", OPT_PTR, struct tandem_config_address, advertise, 1,
			       TEXT_MAX),
	CYAML_FIELD_STRING_PTR("name", OPT_PTR, struct tandem_config_address, name, 1, TEXT_MAX),
	CYAML_FIELD_BOOL("standby", OPT, struct tandem_config_address, standby),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t address_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tandem_config_address, address_fields),
};

static const cyaml_schema_field_t security_fields[] = {
	CYAML_FIELD_STRING_PTR("peer", OPT_PTR, struct tandem_config_security, peer, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR("policy", OPT_PTR, struct tandem_config_security, policy, 1,
			       TEXT_MAX),
	CYAML_FIELD_STRING_PTR("ice", OPT_PTR, struct tandem_config_security, ice, 1, TEXT_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t security_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tandem_config_security, security_fields),
};

#define MEDIA_NUMBER(name) CYAML_FIELD_UINT(#name, OPT, struct tandem_config_media, name)

static const cyaml_schema_field_t media_fields[] = {
	CYAML_FIELD_SEQUENCE("addresses", OPT_PTR, struct tandem_config_media, addresses,
			     &address_entry, 0, TANDEM_MAX_LOCALS),
	CYAML_FIELD_SEQUENCE("interfaces", OPT_PTR, struct tandem_config_media, interfaces,
			     &text_entry, 0, LIST_MAX),
	MEDIA_NUMBER(port_min),
	MEDIA_NUMBER(port_max),
	MEDIA_NUMBER(flow_capacity),
	MEDIA_NUMBER(stream_capacity),
	MEDIA_NUMBER(fan_capacity),
	MEDIA_NUMBER(leg_capacity),
	MEDIA_NUMBER(srtp_capacity),
	MEDIA_NUMBER(nexthop_age_ms),
	CYAML_FIELD_STRING_PTR("frames", OPT_PTR, struct tandem_config_media, frames, 1, TEXT_MAX),
	MEDIA_NUMBER(inactivity_timeout_s),
	MEDIA_NUMBER(hold_timeout_s),
	MEDIA_NUMBER(setup_timeout_s),
	CYAML_FIELD_STRING_PTR("learn", OPT_PTR, struct tandem_config_media, learn, 1, TEXT_MAX),
	MEDIA_NUMBER(learn_window_ms),
	CYAML_FIELD_SEQUENCE("deny", OPT_PTR, struct tandem_config_media, deny, &text_entry, 0, 32),
	CYAML_FIELD_SEQUENCE("allow", OPT_PTR, struct tandem_config_media, allow, &text_entry, 0,
			     32),
	CYAML_FIELD_SEQUENCE("security", OPT_PTR, struct tandem_config_media, security,
			     &security_entry, 0, LIST_MAX),
	MEDIA_NUMBER(max_sessions),
	CYAML_FIELD_STRING_PTR("play_dir", OPT_PTR, struct tandem_config_media, play_dir, 1,
			       TEXT_MAX),
	MEDIA_NUMBER(max_players),
	CYAML_FIELD_BOOL("strict_payload_types", OPT, struct tandem_config_media,
			 strict_payload_types),
	CYAML_FIELD_END,
};

#define TLS_TEXT(name)                                                                             \
	CYAML_FIELD_STRING_PTR(#name, OPT_PTR, struct tandem_config_tls, name, 1, TEXT_MAX)

#define PAIR_TEXT(name)                                                                            \
	CYAML_FIELD_STRING_PTR(#name, OPT_PTR, struct tandem_config_pair, name, 1, TEXT_MAX)

static const cyaml_schema_field_t pair_fields[] = {
	PAIR_TEXT(certificate),
	PAIR_TEXT(key),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t pair_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tandem_config_pair, pair_fields),
};

static const cyaml_schema_field_t tls_fields[] = {
	TLS_TEXT(certificate),
	TLS_TEXT(key),
	TLS_TEXT(ca),
	TLS_TEXT(client),
	CYAML_FIELD_SEQUENCE("certificates", OPT_PTR, struct tandem_config_tls, certificates,
			     &pair_entry, 0, TANDEM_MAX_CERTIFICATES),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t web_fields[] = {
	CYAML_FIELD_STRING_PTR("path", OPT_PTR, struct tandem_config_web, path, 1, TEXT_MAX),
	CYAML_FIELD_SEQUENCE("origins", OPT_PTR, struct tandem_config_web, origins, &text_entry, 0,
			     LIST_MAX),
	CYAML_FIELD_UINT("max_connections", OPT, struct tandem_config_web, max_connections),
	CYAML_FIELD_UINT("max_per_source", OPT, struct tandem_config_web, max_per_source),
	CYAML_FIELD_END,
};

#define CONNECTIONS(name) CYAML_FIELD_UINT(#name, OPT, struct tandem_config_connections, name)

static const cyaml_schema_field_t connections_fields[] = {
	CONNECTIONS(max_connections),
	CONNECTIONS(max_per_source),
	CONNECTIONS(handshake_s),
	CONNECTIONS(message_s),
	CONNECTIONS(idle_s),
	CONNECTIONS(flow_timer_s),
	CYAML_FIELD_END,
};

#define SIP_NUMBER(name) CYAML_FIELD_UINT(#name, OPT, struct tandem_config_sip, name)

static const cyaml_schema_field_t sip_fields[] = {
	CYAML_FIELD_SEQUENCE("listen", OPT_PTR, struct tandem_config_sip, listen, &text_entry, 0,
			     LIST_MAX),
	CYAML_FIELD_SEQUENCE("domains", OPT_PTR, struct tandem_config_sip, domains, &text_entry, 0,
			     LIST_MAX),
	CYAML_FIELD_MAPPING("tls", OPT, struct tandem_config_sip, tls, tls_fields),
	CYAML_FIELD_MAPPING("web", OPT, struct tandem_config_sip, web, web_fields),
	CYAML_FIELD_MAPPING("connections", OPT, struct tandem_config_sip, connections,
			    connections_fields),
	SIP_NUMBER(max_expires_s),
	SIP_NUMBER(min_expires_s),
	SIP_NUMBER(default_expires_s),
	SIP_NUMBER(max_registrations),
	SIP_NUMBER(max_contacts),
	SIP_NUMBER(max_transactions),
	SIP_NUMBER(timer_c_s),
	SIP_NUMBER(ring_s),
	SIP_NUMBER(session_expires_s),
	SIP_NUMBER(min_se_s),
	CYAML_FIELD_STRING_PTR("mode", OPT_PTR, struct tandem_config_sip, mode, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR("redirects", OPT_PTR, struct tandem_config_sip, redirects, 1,
			       TEXT_MAX),
	CYAML_FIELD_STRING_PTR("auth", OPT_PTR, struct tandem_config_sip, auth, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR("realm", OPT_PTR, struct tandem_config_sip, realm, 1, TEXT_MAX),
	CYAML_FIELD_SEQUENCE("auth_algorithms", OPT_PTR, struct tandem_config_sip, auth_algorithms,
			     &text_entry, 0, TANDEM_DIGEST_ALGS),
	CYAML_FIELD_SEQUENCE("trusted", OPT_PTR, struct tandem_config_sip, trusted, &text_entry, 0,
			     TANDEM_MAX_TRUSTED),
	SIP_NUMBER(auth_failures),
	SIP_NUMBER(auth_block_s),
	SIP_NUMBER(source_rate),
	CYAML_FIELD_SEQUENCE("name_servers", OPT_PTR, struct tandem_config_sip, name_servers,
			     &text_entry, 0, 8),
	CYAML_FIELD_STRING_PTR("enum_suffix", OPT_PTR, struct tandem_config_sip, enum_suffix, 1,
			       TEXT_MAX),
	CYAML_FIELD_SEQUENCE("deny", OPT_PTR, struct tandem_config_sip, deny, &text_entry, 0,
			     TANDEM_MAX_DENY),
	CYAML_FIELD_SEQUENCE("allow", OPT_PTR, struct tandem_config_sip, allow, &text_entry, 0,
			     TANDEM_MAX_DENY),
	CYAML_FIELD_SEQUENCE("deny_agents", OPT_PTR, struct tandem_config_sip, deny_agents,
			     &text_entry, 0, TANDEM_MAX_DENY),
	CYAML_FIELD_END,
};

#define GATEWAY_TEXT(name)                                                                         \
	CYAML_FIELD_STRING_PTR(#name, OPT_PTR, struct tandem_config_gateway, name, 1, TEXT_MAX)
#define GATEWAY_NUMBER(name) CYAML_FIELD_UINT(#name, OPT, struct tandem_config_gateway, name)

static const cyaml_schema_field_t gateway_fields[] = {
	GATEWAY_TEXT(name),
	GATEWAY_TEXT(uri),
	GATEWAY_NUMBER(priority),
	GATEWAY_NUMBER(weight),
	GATEWAY_NUMBER(options_s),
	GATEWAY_NUMBER(timeout_s),
	GATEWAY_NUMBER(prefix_strip),
	GATEWAY_TEXT(prefix_add),
	GATEWAY_TEXT(user),
	GATEWAY_TEXT(password_file),
	GATEWAY_TEXT(realm),
	GATEWAY_TEXT(tls_name),
	GATEWAY_TEXT(tls_certificate),
	GATEWAY_TEXT(tls_key),
	CYAML_FIELD_SEQUENCE("sources", OPT_PTR, struct tandem_config_gateway, sources, &text_entry,
			     0, TANDEM_MAX_SOURCES),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t gateway_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tandem_config_gateway, gateway_fields),
};

static const cyaml_schema_field_t route_fields[] = {
	CYAML_FIELD_STRING_PTR("to", OPT_PTR, struct tandem_config_route, to, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR("domain", OPT_PTR, struct tandem_config_route, domain, 1, TEXT_MAX),
	CYAML_FIELD_SEQUENCE("from", OPT_PTR, struct tandem_config_route, from, &text_entry, 1,
			     TANDEM_MAX_WORDS),
	CYAML_FIELD_SEQUENCE("via", OPT_PTR, struct tandem_config_route, via, &text_entry, 1, 8),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t route_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tandem_config_route, route_fields),
};

#define DPDK_TEXT(name)                                                                            \
	CYAML_FIELD_STRING_PTR(#name, OPT_PTR, struct tandem_config_dpdk, name, 1, 4 * TEXT_MAX)

static const cyaml_schema_field_t dpdk_fields[] = {
	DPDK_TEXT(socket),
	DPDK_TEXT(eal),
	DPDK_TEXT(exceptions),
	CYAML_FIELD_END,
};

#define NG_TLS_TEXT(name)                                                                          \
	CYAML_FIELD_STRING_PTR(#name, OPT_PTR, struct tandem_config_ng_tls, name, 1, TEXT_MAX)

static const cyaml_schema_field_t ng_tls_fields[] = {
	NG_TLS_TEXT(certificate), NG_TLS_TEXT(key), NG_TLS_TEXT(ca),
	NG_TLS_TEXT(client),	  CYAML_FIELD_END,
};

static const cyaml_schema_field_t ng_fields[] = {
	CYAML_FIELD_SEQUENCE("listen", OPT_PTR, struct tandem_config_ng, listen, &text_entry, 0,
			     TANDEM_NG_MAX_LISTEN),
	CYAML_FIELD_SEQUENCE("allow", OPT_PTR, struct tandem_config_ng, allow, &text_entry, 0,
			     TANDEM_NG_MAX_ALLOW),
	CYAML_FIELD_SEQUENCE("hosts", OPT_PTR, struct tandem_config_ng, hosts, &text_entry, 0,
			     TANDEM_NG_MAX_HOSTS),
	CYAML_FIELD_MAPPING("tls", OPT, struct tandem_config_ng, tls, ng_tls_fields),
	CYAML_FIELD_UINT("delete_delay_s", OPT, struct tandem_config_ng, delete_delay_s),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t record_fields[] = {
	CYAML_FIELD_STRING_PTR("dir", OPT_PTR, struct tandem_config_record, dir, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR("calls", OPT_PTR, struct tandem_config_record, calls, 1, TEXT_MAX),
	CYAML_FIELD_UINT("min_free_mb", OPT, struct tandem_config_record, min_free_mb),
	CYAML_FIELD_UINT("max_recordings", OPT, struct tandem_config_record, max_recordings),
	CYAML_FIELD_STRING_PTR("forward", OPT_PTR, struct tandem_config_record, forward, 1,
			       TEXT_MAX),
	CYAML_FIELD_UINT("forward_rate", OPT, struct tandem_config_record, forward_rate),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t cdr_fields[] = {
	CYAML_FIELD_STRING_PTR("database", OPT_PTR, struct tandem_config_cdr, database, 1,
			       TEXT_MAX),
	CYAML_FIELD_STRING_PTR("log", OPT_PTR, struct tandem_config_cdr, log, 1, TEXT_MAX),
	CYAML_FIELD_UINT("keep_days", OPT, struct tandem_config_cdr, keep_days),
	CYAML_FIELD_UINT("max_records", OPT, struct tandem_config_cdr, max_records),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t drain_fields[] = {
	CYAML_FIELD_UINT("timeout_s", OPT, struct tandem_config_drain, timeout_s),
	CYAML_FIELD_UINT("retry_after_s", OPT, struct tandem_config_drain, retry_after_s),
	CYAML_FIELD_STRING_PTR("redirect", OPT_PTR, struct tandem_config_drain, redirect, 1,
			       TEXT_MAX),
	CYAML_FIELD_STRING_PTR("registrations", OPT_PTR, struct tandem_config_drain, registrations,
			       1, TEXT_MAX),
	CYAML_FIELD_END,
};

#define REDIS_TEXT(name)                                                                           \
	CYAML_FIELD_STRING_PTR(#name, OPT_PTR, struct tandem_config_redis, name, 1, TEXT_MAX)

static const cyaml_schema_field_t redis_fields[] = {
	REDIS_TEXT(server),
	REDIS_TEXT(user),
	REDIS_TEXT(password_file),
	CYAML_FIELD_UINT("db", OPT, struct tandem_config_redis, db),
	CYAML_FIELD_BOOL("tls", OPT, struct tandem_config_redis, tls),
	REDIS_TEXT(ca),
	REDIS_TEXT(certificate),
	REDIS_TEXT(tls_name),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t cluster_fields[] = {
	CYAML_FIELD_STRING_PTR("node", OPT_PTR, struct tandem_config_cluster, node, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR("prefix", OPT_PTR, struct tandem_config_cluster, prefix, 1,
			       TEXT_MAX),
	CYAML_FIELD_UINT("keep_s", OPT, struct tandem_config_cluster, keep_s),
	CYAML_FIELD_BOOL("location", OPT, struct tandem_config_cluster, location),
	CYAML_FIELD_MAPPING("redis", OPT, struct tandem_config_cluster, redis, redis_fields),
	CYAML_FIELD_END,
};

#define TOP_TEXT(name)                                                                             \
	CYAML_FIELD_STRING_PTR(#name, OPT_PTR, struct tandem_config, name, 1, TEXT_MAX)

static const cyaml_schema_field_t top_fields[] = {
	TOP_TEXT(datapath),
	TOP_TEXT(control_socket),
	TOP_TEXT(database),
	TOP_TEXT(bpf_dir),
	TOP_TEXT(log_level),
	CYAML_FIELD_BOOL("core_dumps", OPT, struct tandem_config, core_dumps),
	TOP_TEXT(log_format),
	TOP_TEXT(log_output),
	CYAML_FIELD_MAPPING("media", OPT, struct tandem_config, media, media_fields),
	CYAML_FIELD_MAPPING("sip", OPT, struct tandem_config, sip, sip_fields),
	CYAML_FIELD_MAPPING("dpdk", OPT, struct tandem_config, dpdk, dpdk_fields),
	CYAML_FIELD_SEQUENCE("gateways", OPT_PTR, struct tandem_config, gateways, &gateway_entry, 0,
			     TANDEM_MAX_GATEWAYS),
	CYAML_FIELD_SEQUENCE("routes", OPT_PTR, struct tandem_config, routes, &route_entry, 0,
			     TANDEM_MAX_ROUTES),
	CYAML_FIELD_MAPPING("ng", OPT, struct tandem_config, ng, ng_fields),
	CYAML_FIELD_MAPPING("cdr", OPT, struct tandem_config, cdr, cdr_fields),
	CYAML_FIELD_MAPPING("record", OPT, struct tandem_config, record, record_fields),
	CYAML_FIELD_MAPPING("drain", OPT, struct tandem_config, drain, drain_fields),
	CYAML_FIELD_MAPPING("cluster", OPT, struct tandem_config, cluster, cluster_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t tandem_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct tandem_config, top_fields),
};
