/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/xdp_module.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/genl.h"
#include "relay.skel.h"
#include "relay_module.skel.h"
#include "userspace/datapath/kmod_client.h"
#include "userspace/datapath/xdp.h"
#include "userspace/util/log.h"

#define MODULE	   "xdp"
#define MODULE_BTF "/sys/kernel/btf/tandem"
#define WHY_NO_BTF "the kernel module has no BTF (kmod/btf.sh)"

/* The programs of both objects have their variables in one memory. */
_Static_assert(sizeof(struct relay_bpf__bss) == sizeof(struct relay_module_bpf__bss) &&
		       offsetof(struct relay_bpf__bss, ways_void_ns) ==
			       offsetof(struct relay_module_bpf__bss, ways_void_ns) &&
		       offsetof(struct relay_bpf__bss, ways_watched_ns) ==
			       offsetof(struct relay_module_bpf__bss, ways_watched_ns) &&
		       offsetof(struct relay_bpf__bss, lost_on) ==
			       offsetof(struct relay_module_bpf__bss, lost_on) &&
		       offsetof(struct relay_bpf__bss, tap_bytes) ==
			       offsetof(struct relay_module_bpf__bss, tap_bytes),
	       "the same variables at the same places");

void tandem_xdp_module_init(struct tandem_xdp_module *m)
{
	m->genl.fd = -1;
	m->lock_fd = -1;
	m->srtp.fd = -1;
}

/* What was opened, of the module and of its programs. */
static void release(struct tandem_xdp_module *m)
{
	tandem_kmod_srtp_close(&m->srtp);
	memset(&m->srtp, 0, sizeof(m->srtp));
	if (m->skel)
		relay_module_bpf__destroy(m->skel);
	m->skel = NULL;
	tandem_genl_close(&m->genl);
	if (m->lock_fd >= 0)
		close(m->lock_fd);
	tandem_xdp_module_init(m);
}

void tandem_xdp_module_give_up(struct tandem_xdp_module *m, const char *why)
{
	tandem_log(TANDEM_LOG_WARNING, MODULE, "SRTP is not done by the kernel module: %s", why);
	snprintf(m->why, sizeof(m->why), "%s", why);
	tandem_xdp_module_close(m, false);
}

void tandem_xdp_module_find(struct tandem_xdp_module *m, bool srtp)
{
	char why[sizeof(m->why)] = "";
	int err;

	if (!srtp)
		return;
	err = tandem_kmod_connect(&m->genl, why, sizeof(why));
	if (err == -ENOENT || err == -EPERM)
		return; /* no module, nothing to tell; or no right to anything */
	if (!err && access(MODULE_BTF, R_OK)) {
		snprintf(why, sizeof(why), WHY_NO_BTF);
		err = -ENOENT;
	}
	if (!err)
		err = tandem_kmod_lock(&m->lock_fd, why, sizeof(why));
	if (!err) {
		err = tandem_kmod_srtp_device(&m->srtp);
		if (err)
			snprintf(why, sizeof(why), "/dev/tandem: %s", strerror(-err));
	}
	if (err)
		tandem_xdp_module_give_up(m, why);
	else
		m->used = true;
}

/* ---- configuration and programs ---- */

struct table_answer {
	struct relay_config config;
	uint32_t number;
	bool found;
};

static void table_message(const struct nlmsghdr *nlh, void *arg)
{
	struct table_answer *a = arg;

	a->found = !tandem_genl_get(nlh, TANDEM_ATTR_CONFIG, &a->config, sizeof(a->config)) &&
		   !tandem_genl_get(nlh, TANDEM_ATTR_TABLE, &a->number, sizeof(a->number));
}

static int table_get(struct tandem_xdp_module *m, struct table_answer *answer)
{
	struct tandem_genl_request req;
	int err;

	answer->found = false;
	tandem_genl_begin(&m->genl, &req, TANDEM_CMD_CONFIG_GET, 0);
	err = tandem_genl_talk(&m->genl, &req, table_message, answer);
	if (err)
		return err;
	return answer->found ? 0 : -EPROTO;
}

/* A table for keys alone. One with flows is the kmod datapath's, and stays. */
static int configure(struct tandem_xdp_module *m, const struct relay_config *relay, bool fresh,
		     uint32_t *number, char *why, size_t why_size)
{
	const struct relay_config keys_alone = {
		.abi_version = relay->abi_version,
		.srtps = relay->srtps,
		.srtp_streams = relay->srtp_streams,
	};
	struct table_answer table;
	int err = table_get(m, &table);

	if (!err && fresh && !table.config.slots)
		tandem_kmod_command(&m->genl, TANDEM_CMD_RESET);
	err = tandem_kmod_configure(&m->genl, &keys_alone, 0, why, why_size);
	if (err)
		return err;
	m->configured = true;
	err = table_get(m, &table);
	if (err)
		snprintf(why, why_size, "%s", tandem_kmod_why(err));
	*number = table.number;
	return err;
}

static int share_maps(struct tandem_datapath *dp)
{
	struct relay_module_bpf *skel = dp->module.skel;
	const struct bpf_map *from;
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map(map, skel->obj)
	{
		if (map == skel->maps.rodata)
			continue;
		from = map == skel->maps.bss
			       ? dp->skel->maps.bss
			       : bpf_object__find_map_by_name(dp->skel->obj, bpf_map__name(map));
		err = from ? bpf_map__reuse_fd(map, bpf_map__fd(from)) : -ENOENT;
		if (err)
			return err;
	}
	return 0;
}

int tandem_xdp_module_load(struct tandem_datapath *dp, const struct relay_config *relay, bool fresh,
			   char *why, size_t why_size)
{
	struct tandem_xdp_module *m = &dp->module;
	uint32_t number = 0;
	int err = configure(m, relay, fresh, &number, why, why_size);

	if (err)
		return err;
	m->skel = relay_module_bpf__open();
	if (!m->skel) {
		err = -errno;
	} else {
		m->skel->rodata->by_module = true;
		m->skel->rodata->module_table = number;
		err = share_maps(dp);
	}
	if (!err)
		err = relay_module_bpf__load(m->skel);
	if (err)
		snprintf(why, why_size, "the kernel did not take programs that call its module: %s",
			 strerror(-err));
	return err;
}

int tandem_xdp_module_relay_fd(const struct tandem_xdp_module *m)
{
	return bpf_program__fd(m->skel->progs.tandem_relay_module);
}

int tandem_xdp_module_copy_fd(const struct tandem_xdp_module *m)
{
	return bpf_program__fd(m->skel->progs.tandem_copy_module);
}

/* ---- keys ---- */

/* What is being written is not looked at: whoever did it may have died between the two. */
static bool has_keys(const struct tandem_datapath *dp)
{
	const struct tandem_kmod_srtp *there = &dp->module.srtp;

	for (uint32_t i = 1; i < there->count; i++) {
		const struct srtp_keys *k = &dp->memory.srtp_keys[i];

		if (k->suite != SRTP_SUITE_NONE && !(k->gen & 1) && there->keys[i].id != k->id)
			return false;
	}
	return true;
}

int tandem_xdp_module_srtp_open(struct tandem_datapath *dp, struct tandem_srtp_sets *sets)
{
	struct tandem_xdp_module *m = &dp->module;
	int err = tandem_kmod_srtp_open(&m->srtp, &m->genl, &dp->table.relay, sets);

	if (err)
		return err;
	return has_keys(dp) ? 0 : -ESTALE;
}

int tandem_xdp_module_set(struct tandem_xdp_module *m, uint32_t index, const struct srtp_keys *keys)
{
	int err = tandem_kmod_srtp_send(&m->genl, index, keys);

	if (err && !m->error)
		m->error = err;
	return err;
}

/* ---- life ---- */

void tandem_xdp_module_close(struct tandem_xdp_module *m, bool keep)
{
	if (m->configured && !keep)
		tandem_kmod_command(&m->genl, TANDEM_CMD_RESET);
	m->configured = false;
	m->used = false;
	release(m);
}

const char *tandem_xdp_module_probe(void)
{
	struct tandem_genl genl;
	char why[128];

	if (tandem_kmod_connect(&genl, why, sizeof(why)))
		return NULL;
	tandem_genl_close(&genl);
	return access(MODULE_BTF, R_OK) ? "SRTP by XDP itself: " WHY_NO_BTF
					: "SRTP by the kernel module";
}
