/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to a generic netlink family, and what it answers. One socket, one request at a time. */
#ifndef TANDEM_DATAPATH_GENL_H
#define TANDEM_DATAPATH_GENL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define TANDEM_GENL_ROOM 1024 /* bytes of attributes in a request */

struct tandem_genl {
	int fd;
	uint16_t family;
	uint32_t seq;
	uint32_t version; /* of the family, as the kernel has it */
};

struct tandem_genl_request {
	const void *more; /* attributes that follow those in attrs, whole and aligned */
	size_t more_len;
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[TANDEM_GENL_ROOM];
};

/* Look the family up. -ENOENT when the kernel does not have it. */
int tandem_genl_open(struct tandem_genl *g, const char *family);
void tandem_genl_close(struct tandem_genl *g);

/* flags: NLM_F_DUMP or 0. */
void tandem_genl_begin(const struct tandem_genl *g, struct tandem_genl_request *req, uint8_t cmd,
		       uint16_t flags);

/* Add an attribute; the caller sees to it that all of them fit. */
void tandem_genl_put(struct tandem_genl_request *req, uint16_t attr, const void *data, size_t len);

/* Called for each message of the answer. */
typedef void(tandem_genl_h)(const struct nlmsghdr *nlh, void *arg);

/* Send, and read the answer to its end; h may be NULL. 0 or a negative errno, also the kernel's. */
int tandem_genl_talk(struct tandem_genl *g, struct tandem_genl_request *req, tandem_genl_h *h,
		     void *arg);

/* Write an attribute to where there is room for it, aligned. Returns its length, padding included. */
size_t tandem_genl_write(void *to, uint16_t attr, const void *data, size_t len);

/* Copy an attribute of a message; -ENOENT when it is not there, or shorter than size. */
int tandem_genl_get(const struct nlmsghdr *nlh, uint16_t attr, void *data, size_t size);

#endif
