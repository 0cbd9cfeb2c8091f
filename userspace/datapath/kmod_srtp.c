/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/kmod_srtp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/genl.h"
#include "userspace/util/sparse.h"

int tandem_kmod_srtp_device(struct tandem_kmod_srtp *srtp)
{
	srtp->fd = open("/dev/tandem", O_RDWR | O_CLOEXEC);
	return srtp->fd < 0 ? -errno : 0;
}

static int map_streams(struct tandem_kmod_srtp *srtp, uint32_t count)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)count * sizeof(struct srtp_stream);
	void *map;

	size = (size + page - 1) / page * page;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, srtp->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	srtp->map = map;
	srtp->map_size = size;
	return 0;
}

static void keys_message(const struct nlmsghdr *nlh, void *arg)
{
	struct tandem_kmod_srtp *srtp = arg;
	uint32_t index;

	if (!tandem_genl_get(nlh, TANDEM_ATTR_SRTP_INDEX, &index, sizeof(index)) &&
	    index < srtp->count)
		tandem_genl_get(nlh, TANDEM_ATTR_SRTP_KEYS, &srtp->keys[index],
				sizeof(srtp->keys[index]));
}

int tandem_kmod_srtp_open(struct tandem_kmod_srtp *srtp, struct tandem_genl *genl,
			  const struct relay_config *relay, struct tandem_srtp_sets *sets)
{
	struct tandem_genl_request req;
	int err;

	srtp->count = relay->srtps;
	srtp->keys = tandem_sparse_alloc(srtp->count, sizeof(*srtp->keys));
	if (!srtp->keys)
		return -ENOMEM;
	err = map_streams(srtp, relay->srtp_streams);
	if (err)
		return err;
	close(srtp->fd); /* while it is open, the module cannot go */
	srtp->fd = -1;
	srtp->sets = sets;
	tandem_srtp_sets_move(sets, srtp->map);
	tandem_genl_begin(genl, &req, TANDEM_CMD_SRTP_GET, NLM_F_DUMP);
	return tandem_genl_talk(genl, &req, keys_message, srtp);
}

void tandem_kmod_srtp_close(struct tandem_kmod_srtp *srtp)
{
	if (srtp->sets)
		tandem_srtp_sets_move(srtp->sets, NULL);
	if (srtp->map)
		munmap(srtp->map, srtp->map_size);
	for (uint32_t i = 0; srtp->keys && i < srtp->count; i++) {
		if (srtp->keys[i].suite != SRTP_SUITE_NONE)
			explicit_bzero(&srtp->keys[i], sizeof(srtp->keys[i]));
	}
	tandem_sparse_free(srtp->keys, srtp->count, sizeof(*srtp->keys));
	if (srtp->fd >= 0)
		close(srtp->fd);
}

int tandem_kmod_srtp_send(struct tandem_genl *genl, uint32_t index, const struct srtp_keys *keys)
{
	struct tandem_genl_request req;
	int err;

	tandem_genl_begin(genl, &req, TANDEM_CMD_SRTP_SET, 0);
	tandem_genl_put(&req, TANDEM_ATTR_SRTP_INDEX, &index, sizeof(index));
	if (keys)
		tandem_genl_put(&req, TANDEM_ATTR_SRTP_KEYS, keys, sizeof(*keys));
	err = tandem_genl_talk(genl, &req, NULL, NULL);
	explicit_bzero(&req, sizeof(req));
	return err;
}
