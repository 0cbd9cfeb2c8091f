/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/ng/bencode.h"

static int read_json(json_t **valuep, const char *buf, size_t len, size_t *used)
{
	json_error_t error;

	*valuep = json_loadb(buf, len, JSON_DISABLE_EOF_CHECK, &error);
	if (*valuep) {
		*used = (size_t)error.position;
		return 0;
	}
	switch (json_error_code(&error)) {
	case json_error_premature_end_of_input:
		return -EAGAIN;
	case json_error_out_of_memory:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

static int read_cookie(struct tandem_ng_message *msg, const char *buf, size_t len)
{
	const char *space = memchr(buf, ' ', len);

	msg->cookie = NULL;
	if (!space)
		return len > TANDEM_NG_COOKIE_MAX ? -EBADMSG : -EAGAIN;
	if (space == buf || space - buf > TANDEM_NG_COOKIE_MAX)
		return -EBADMSG;
	msg->cookie = buf;
	msg->cookie_len = (size_t)(space - buf);
	return 0;
}

/* Senders put line ends behind messages, and some a NUL. */
static size_t skip_blanks(const char *buf, size_t at, size_t len)
{
	while (at < len && (!buf[at] || strchr(" \r\n\t", buf[at])))
		at++;
	return at;
}

static int read_dict(struct tandem_ng_message *msg, const char *buf, size_t start, size_t len,
		     size_t *used)
{
	size_t taken = 0;
	int err;

	if (start == len)
		return -EAGAIN;
	msg->format = buf[start] == '{' ? TANDEM_NG_JSON : TANDEM_NG_BENCODE;
	if (msg->format == TANDEM_NG_JSON)
		err = read_json(&msg->dict, buf + start, len - start, &taken);
	else
		err = tandem_bencode_decode(&msg->dict, buf + start, len - start, &taken);
	if (err)
		return err;
	if (!json_is_object(msg->dict)) {
		json_decref(msg->dict);
		return -EBADMSG;
	}
	*used = skip_blanks(buf, start + taken, len);
	return 0;
}

int tandem_ng_message_read(struct tandem_ng_message *msg, const char *buf, size_t len, size_t *used)
{
	int err = read_cookie(msg, buf, len);

	return err ? err : read_dict(msg, buf, msg->cookie_len + 1, len, used);
}

int tandem_ng_message_read_plain(struct tandem_ng_message *msg, const char *buf, size_t len,
				 size_t *used)
{
	msg->cookie = NULL;
	msg->cookie_len = 0;
	return read_dict(msg, buf, skip_blanks(buf, 0, len), len, used);
}

int tandem_ng_message_reply(const struct tandem_ng_message *msg, const json_t *reply, char **outp,
			    size_t *len)
{
	size_t body_len, head_len = msg->cookie ? msg->cookie_len + 1 : 0;
	char *body;
	int err = 0;

	if (msg->format == TANDEM_NG_JSON) {
		body = json_dumps(reply, JSON_COMPACT);
		body_len = body ? strlen(body) : 0;
		err = body ? 0 : -ENOMEM;
	} else {
		err = tandem_bencode_encode(reply, &body, &body_len);
	}
	if (err)
		return err;
	*len = head_len + body_len;
	*outp = malloc(*len);
	if (*outp && head_len) {
		memcpy(*outp, msg->cookie, msg->cookie_len);
		(*outp)[msg->cookie_len] = ' ';
	}
	if (*outp)
		memcpy(*outp + head_len, body, body_len);
	free(body);
	return *outp ? 0 : -ENOMEM;
}
