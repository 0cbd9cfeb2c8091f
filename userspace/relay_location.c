/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the SIP side, whose registrations they are, and the cluster, which carries them. */
#include <errno.h>
#include <stdio.h>

#include "userspace/cluster/location.h"
#include "userspace/handover/handover.h"
#include "userspace/relay.h"
#include "userspace/sip/shared.h"

_Static_assert(TANDEM_CLUSTER_SECRET_SIZE == TANDEM_SHARED_KEY_SIZE, "one is given as the other");

/* ---- from the cluster to SIP -------------------------------------------------- */

static void tell(void *arg)
{
	tandem_sip_shared_tell(((struct tandem_relay *)arg)->sip);
}

static char *text(uint64_t number, void *arg)
{
	return tandem_sip_shared_text(((struct tandem_relay *)arg)->sip, number);
}

static int take(const char *id, const char *binding, void *arg)
{
	return tandem_sip_shared_take(((struct tandem_relay *)arg)->sip, id, binding);
}

static void drop(const char *id, void *arg)
{
	tandem_sip_shared_drop(((struct tandem_relay *)arg)->sip, id);
}

static void mark(const char *node, void *arg)
{
	tandem_sip_shared_mark(((struct tandem_relay *)arg)->sip, node);
}

static void sweep(const char *node, void *arg)
{
	tandem_sip_shared_sweep(((struct tandem_relay *)arg)->sip, node);
}

static void secret(const uint8_t key[TANDEM_CLUSTER_SECRET_SIZE], void *arg)
{
	tandem_sip_share_key(((struct tandem_relay *)arg)->sip, key);
}

/* ---- and back ------------------------------------------------------------------ */

static void changed(uint64_t number, bool gone, void *arg)
{
	tandem_cluster_location_changed(((struct tandem_relay *)arg)->location, number, gone);
}

static void removed(const char *id, void *arg)
{
	tandem_cluster_location_removed(((struct tandem_relay *)arg)->location, id);
}

static bool alive(const char *node, void *arg)
{
	return tandem_cluster_location_alive(((struct tandem_relay *)arg)->location, node);
}

static enum tandem_shared_address address(const char *ip, void *arg)
{
	static const enum tandem_shared_address of[] = {
		[TANDEM_CLUSTER_OWN] = TANDEM_SHARED_OWN,
		[TANDEM_CLUSTER_HERE] = TANDEM_SHARED_HERE,
		[TANDEM_CLUSTER_AWAY] = TANDEM_SHARED_AWAY,
	};

	return of[tandem_cluster_address(((struct tandem_relay *)arg)->cluster, ip)];
}

int tandem_relay_open_location(struct tandem_relay *relay)
{
	static const struct tandem_cluster_bindings bindings = { tell, text,  take,  drop,
								 mark, sweep, secret };
	struct tandem_shared_config cfg = {
		.node = relay->resolved.cluster.node,
		.changed_h = changed,
		.removed_h = removed,
		.alive_h = alive,
		.address_h = address,
		.arg = relay,
	};
	int ret;

	if (!relay->resolved.cluster.location)
		return 0;
	ret = tandem_cluster_location_open(&relay->location, relay->cluster, &bindings, relay);
	if (!ret) {
		cfg.run = tandem_cluster_location_run(relay->location);
		ret = tandem_sip_share(relay->sip, &cfg);
	}
	if (ret == -EADDRNOTAVAIL)
		snprintf(relay->why, sizeof(relay->why),
			 "sip.listen has no udp:, tcp: or tls: address that stays with this node");

	return ret ? tandem_relay_failed(relay, "cluster.location", ret) : 0;
}

void tandem_relay_close_location(struct tandem_relay *relay)
{
	if (relay->sip)
		tandem_sip_share_end(relay->sip);
	tandem_cluster_location_close(relay->location, !tandem_handover_agreed(relay->handover));
	relay->location = NULL;
}
