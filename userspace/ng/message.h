/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A message of the NG protocol: a cookie, a space, and a dictionary in bencode or JSON. The answer
 * has the same cookie and the same encoding. A plain one is the dictionary alone.
 */
#ifndef TANDEM_NG_MESSAGE_H
#define TANDEM_NG_MESSAGE_H

#include <jansson.h>
#include <stddef.h>

#define TANDEM_NG_COOKIE_MAX  255
#define TANDEM_NG_MESSAGE_MAX (128U * 1024)

enum tandem_ng_format {
	TANDEM_NG_BENCODE,
	TANDEM_NG_JSON,
};

struct tandem_ng_message {
	const char *cookie; /* into the text it was read from; no NUL behind it. NULL: none */
	size_t cookie_len;
	enum tandem_ng_format format;
	json_t *dict; /* a reference of the message's own */
};

/*
 * The message that buf begins with; *used octets of it, line ends and spaces behind it included.
 * -EBADMSG: it is none. With the cookie set, that much could be read of it. -EAGAIN: more of it has
 * to come. -ENOMEM. After 0, json_decref(msg->dict).
 */
int tandem_ng_message_read(struct tandem_ng_message *msg, const char *buf, size_t len,
			   size_t *used);

/* The same of a plain message. */
int tandem_ng_message_read_plain(struct tandem_ng_message *msg, const char *buf, size_t len,
				 size_t *used);

/* What is answered to msg: malloc'd text. -ENOMEM. */
int tandem_ng_message_reply(const struct tandem_ng_message *msg, const json_t *reply, char **outp,
			    size_t *len);

#endif
