/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration file: YAML, read through a schema, every key with a default,
 * so that an empty file (or none) runs. tandem.conf(5) describes each key.
 */
#ifndef TANDEM_CONFIG_H
#define TANDEM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A media address of the relay, and what to write into SDP for it (1:1 NAT). */
struct tandem_config_address {
	char *address;
	char *advertise; /* NULL: the address itself */
	char *name;	 /* NULL; what "direction" of the NG protocol calls it */
	bool standby;	 /* false; it moves between the nodes of a cluster */
};

/* Of the listeners "https:ADDR:PORT"; PEM. */
struct tandem_config_ng_tls {
	char *certificate; /* with its chain; NULL: no TLS */
	char *key;	   /* NULL: in the file of the certificate */
	char *ca;	   /* who may sign for clients */
	char *client;	   /* "none", or "require": it has to show a certificate */
};

/* SIP servers that drive the relay by the NG protocol. */
struct tandem_config_ng {
	char **listen; /* "udp:ADDR:PORT", and tcp:, http:, https:; empty: off */
	unsigned int listen_count;
	char **allow; /* networks that are listened to; empty: this host */
	unsigned int allow_count;
	char **hosts; /* names that HTTP clients have for this host, besides localhost */
	unsigned int hosts_count;
	struct tandem_config_ng_tls tls;
	uint32_t delete_delay_s; /* 0: media goes on after a delete that does not say */
};

/* How media of parties that signal from a network is secured. */
struct tandem_config_security {
	char *peer;   /* a network */
	char *policy; /* tandem_security_parse() */
	char *ice;    /* tandem_ice_mode_parse(); NULL: "auto" */
};

/* Entries of sip.deny, of sip.allow and of sip.deny_agents, at most. */
#define TANDEM_MAX_DENY 64

/* Networks in sip.trusted, at most. */
#define TANDEM_MAX_TRUSTED 64

/* In media.deny: every address of this host. */
#define TANDEM_DENY_SELF "self"

struct tandem_config_media {
	struct tandem_config_address *addresses; /* empty: every global address of the interfaces */
	unsigned int addresses_count;
	char **interfaces; /* empty: every interface that holds one of the addresses */
	unsigned int interfaces_count;
	uint16_t port_min;	  /* 16384 */
	uint16_t port_max;	  /* 32767 */
	uint32_t flow_capacity;	  /* 65536 */
	uint32_t stream_capacity; /* 4096 */
	uint32_t fan_capacity;	  /* 1024 */
	uint32_t leg_capacity;	  /* 16384 */
	uint32_t srtp_capacity;	  /* 8192 */
	uint32_t nexthop_age_ms;  /* 500 */
	char *frames; /* "auto"; "off": io_uring sends through the host's IP layer alone */
	uint32_t inactivity_timeout_s; /* 60: an established call without a packet */
	uint32_t hold_timeout_s;       /* 3600: the same while on hold in both directions */
	uint32_t setup_timeout_s;      /* 200: offered, never answered */
	char *learn; /* "nat": where SDP and signalling address differ; "off"; "always" */
	uint32_t learn_window_ms; /* 5000 */
	/* never relayed to: CIDR, "self"; default self, loopback, link-local, multicast, any */
	char **deny;
	unsigned int deny_count;
	char **allow; /* networks relayed to although deny has them */
	unsigned int allow_count;
	struct tandem_config_security *security; /* empty: all are "auto" */
	unsigned int security_count;
	uint32_t max_sessions;	   /* 10000 */
	char *play_dir;		   /* NULL: no files of announcements */
	uint32_t max_players;	   /* 100 */
	bool strict_payload_types; /* false */
};

#define TANDEM_MAX_CERTIFICATES 64

struct tandem_config_pair {
	char *certificate; /* PEM, with its chain */
	char *key;	   /* PEM; NULL: in the same file */
};

/* Certificates of the listeners "tls:ADDR:PORT". */
struct tandem_config_tls {
	char *certificate; /* PEM, with its chain; NULL: no TLS */
	char *key;	   /* PEM; NULL: in the file of the certificate */
	char *ca;	   /* PEM, who may sign for peers; NULL: whom the host trusts */
	char *client;	   /* "none", "request" or "require" a certificate of who connects */
	struct tandem_config_pair *certificates; /* more, for clients that ask for their names */
	unsigned int certificates_count;
};

/* Browsers, at the listeners "ws:ADDR:PORT" and "wss:". */
struct tandem_config_web {
	char *path;	/* that they ask for; NULL: any */
	char **origins; /* of pages that may connect; empty: any */
	unsigned int origins_count;
	uint32_t max_connections; /* 10000 */
	uint32_t max_per_source;  /* 100 */
};

/* Connections of TCP and TLS that others open. */
struct tandem_config_connections {
	uint32_t max_connections; /* 20000 */
	uint32_t max_per_source;  /* 500 */
	uint32_t handshake_s;	  /* 10, for TLS, and to be connected */
	uint32_t message_s;	  /* 30, for a message, and until the first one */
	uint32_t idle_s;	  /* 900, without anything received */
	uint32_t flow_timer_s;	  /* 120, between signs of life of phones with RFC 5626 */
};

struct tandem_config_sip {
	char **listen; /* "udp:ADDR:PORT", "tcp:[ADDR]:PORT"; empty: UDP and TCP port 5060 on every media address */
	unsigned int listen_count;
	char **domains; /* served; empty: the listen addresses themselves */
	unsigned int domains_count;
	uint32_t max_expires_s;	    /* 3600 */
	uint32_t min_expires_s;	    /* 60 */
	uint32_t default_expires_s; /* 3600 */
	uint32_t max_registrations; /* 100000 */
	uint32_t max_contacts;	    /* 10 per address of record */
	uint32_t max_transactions;  /* 20000 */
	uint32_t timer_c_s;	    /* 180 */
	uint32_t ring_s;	    /* 20 */
	uint32_t session_expires_s; /* 1800; 0: no session timers */
	uint32_t min_se_s;	    /* 90 */
	char *mode;		    /* "proxy", "redirect" */
	char *redirects;	    /* "follow", "pass": what is done with a 3xx */
	struct tandem_config_tls tls;
	struct tandem_config_web web;
	struct tandem_config_connections connections;
	char *auth;  /* "auto", "open", "register", "required"; see tandem_sip_auth_parse() */
	char *realm; /* NULL: see tandem_config_realm() */
	char **auth_algorithms; /* as offered: "sha256", "md5"; default both */
	unsigned int auth_algorithms_count;
	char **trusted; /* networks that need no credentials and have no limits */
	unsigned int trusted_count;
	uint32_t auth_failures; /* 10 a minute from one source */
	uint32_t auth_block_s;	/* 300 */
	char **name_servers;	/* "192.0.2.53", "[2001:db8::53]:53"; empty: those of the host */
	unsigned int name_servers_count;
	char *enum_suffix;    /* "e164.arpa" */
	uint32_t source_rate; /* 100 requests outside dialogs in a second from one source */
	char **deny;	      /* networks whose requests are dropped */
	unsigned int deny_count;
	char **allow; /* networks heard although deny has them, or their User-Agent is denied */
	unsigned int allow_count;
	char **deny_agents; /* parts of User-Agent; default: those of scanners */
	unsigned int deny_agents_count;
};

#define TANDEM_MAX_GATEWAYS 64
#define TANDEM_MAX_SOURCES  16 /* networks of a gateway */
#define TANDEM_MAX_ROUTES   256
#define TANDEM_MAX_WORDS    16 /* in from and via of a route */

/* Where calls leave to: docs/routing.md. */
struct tandem_config_gateway {
	char *name;
	char *uri;	       /* "sip:HOST[:PORT][;transport=udp]" */
	uint16_t priority;     /* 1; the lower is tried first */
	uint16_t weight;       /* 1; share among those of the same priority */
	uint32_t options_s;    /* 30; 0: not asked by OPTIONS */
	uint32_t timeout_s;    /* 4; to the first word of a call; 0: 32 s */
	uint32_t prefix_strip; /* 0; characters taken away from numbers in front */
	char *prefix_add;      /* NULL; put there */
	char *tls_name;	       /* NULL: the host of uri; what its certificate has to be for */
	char *tls_certificate; /* NULL: that of sip.tls; PEM, what it is shown */
	char *tls_key;	       /* NULL: in the same file */
	char **sources;	       /* networks it sends from, beside where uri leads */
	unsigned int sources_count;
	char *user;	     /* NULL; that the relay is to it, when it asks */
	char *password_file; /* NULL; with user */
	char *realm;	     /* NULL: whichever it asks in */
};

/* Who may call what, and by which way; the first that fits counts. */
struct tandem_config_route {
	char *to;     /* "+49*", "tel:", NULL: whatever */
	char *domain; /* "partner.example", "*.partner.example"; NULL: numbers and names here */
	char **from;  /* "users", "trusted", "any", gateways, networks; empty: users, trusted */
	unsigned int from_count;
	char **via; /* gateways, "dns", "enum", "deny" */
	unsigned int via_count;
};

/* The DPDK datapath's worker, tandem-dpdk: how it is reached, and how it starts. */
struct tandem_config_dpdk {
	char *socket;	  /* /run/tandem/dpdk.sock */
	char *eal;	  /* the worker's EAL arguments; "" */
	char *exceptions; /* where punts go, "0=tap:media0,1=none"; "" */
};

/* Call records. */
/* Recordings of calls. */
struct tandem_config_record {
	char *dir;		 /* where they are made; NULL: there are none */
	char *calls;		 /* "asked": those that a command asks for; "all" */
	uint32_t min_free_mb;	 /* 256; of the disk: with less they end */
	uint32_t max_recordings; /* 1000 */
	char *forward;		 /* "tcp:ADDRESS:PORT", who listens to parties; NULL: nobody */
	uint32_t forward_rate;	 /* 8000 samples a second */
};

struct tandem_config_cdr {
	char *database;	      /* a path, or "none"; NULL: beside `database` */
	char *log;	      /* a path, "stdout", "syslog"; "none" */
	uint32_t keep_days;   /* 30 */
	uint32_t max_records; /* 1000000 */
};

/* Taking the relay out of service. */
struct tandem_config_drain {
	uint32_t timeout_s;	/* 3600: then the process ends all the same */
	uint32_t retry_after_s; /* 30: what callers are told */
	char *redirect;		/* "host" or "host:port" that callers are sent to; NULL: 503 */
	char *registrations;	/* "accept" or "refuse" */
};

/* Where nodes of a cluster have their sessions in common. */
struct tandem_config_redis {
	char *server;	     /* "HOST" or "HOST:PORT" */
	char *user;	     /* NULL: the default one */
	char *password_file; /* NULL: no password */
	uint32_t db;	     /* 0 */
	bool tls;	     /* false */
	char *ca;	     /* PEM; NULL: whom the host trusts */
	char *certificate;   /* PEM, with its key; NULL: none is shown */
	char *tls_name;	     /* NULL: the host of server */
};

/* Several relays, docs/cluster.md. */
struct tandem_config_cluster {
	char *node;	 /* NULL: there is no cluster */
	char *prefix;	 /* "tandem", of keys */
	uint32_t keep_s; /* 3600: how long calls of a node that is gone are kept */
	bool location;	 /* false; registrations are shared, too */
	struct tandem_config_redis redis;
};

struct tandem_config {
	char *datapath;	      /* "auto", "xdp", "kmod", "dpdk", "uring" */
	char *control_socket; /* /run/tandem/control.sock */
	char *database;	      /* /var/lib/tandem/tandem.db; ":memory:" allowed */
	char *bpf_dir;	      /* /sys/fs/bpf/tandem */
	char *log_level;      /* "error", "warning", "info", "debug" */
	bool core_dumps;      /* false */
	char *log_format;     /* "text", "json" */
	char *log_output;     /* "stderr", "stdout" */
	struct tandem_config_media media;
	struct tandem_config_sip sip;
	struct tandem_config_dpdk dpdk;
	struct tandem_config_gateway *gateways;
	unsigned int gateways_count;
	struct tandem_config_route *routes;
	unsigned int routes_count;
	struct tandem_config_ng ng;
	struct tandem_config_cdr cdr;
	struct tandem_config_record record;
	struct tandem_config_drain drain;
	struct tandem_config_cluster cluster;
};

/* What is wrong with a file, and where. line 0: not tied to a line. */
struct tandem_config_error {
	unsigned int line;
	char key[128];
	char text[256];
};

/*
 * Read path (NULL: defaults alone). A missing file is an error when path is
 * given. Returns 0, or a negative errno with *err filled in.
 */
int tandem_config_load(struct tandem_config **cfgp, const char *path,
		       struct tandem_config_error *err);
/* The realm of passwords: sip.realm, or else the first of the domains, or else "tandem". */
const char *tandem_config_realm(const struct tandem_config *cfg);

/*
 * The file of call records in buf: as configured, or beside the database ("tandem.db" has
 * "tandem-cdr.db"). NULL when there is none: "none", or a database in memory.
 */
const char *tandem_config_cdr_database(const struct tandem_config *cfg, char *buf, size_t size);

void tandem_config_free(struct tandem_config *cfg);

#endif
