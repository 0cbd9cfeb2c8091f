/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The octets of a request, for where libre makes no message of them: enough of a parser to answer it,
 * and to mend what RFC 2543 allowed. It reads within the octets given, and allocates nothing.
 */
#ifndef TANDEM_SIP_RAW_H
#define TANDEM_SIP_RAW_H

#include "userspace/sip/libre.h"

/* Names are those of the header fields; values have no white space around them. p NULL: absent. */
struct tandem_raw {
	struct pl method;
	struct pl uri;	   /* p NULL: the first line is not three words with one space between */
	struct pl version; /* from "SIP/" to the end of the first line */
	struct pl via;	   /* the first Via line, maybe of several values */
	struct pl top;	   /* the first value in it */
	struct pl from;
	struct pl to;
	struct pl callid;
	struct pl cseq;
	struct pl agent;
	struct pl length; /* Content-Length */
	struct pl header; /* all lines after the first, with the empty one */
};

/*
 * Read a request of len octets. 0; -ENODATA when the empty line after the header is not there (yet),
 * -EBADMSG for what is no request of SIP, of any version.
 */
int tandem_raw_read(struct tandem_raw *raw, const char *p, size_t len);

/*
 * The next header field of *rest, and *rest goes beyond it; continuation lines (RFC 3261 section
 * 7.3.1) belong to it. Its name is empty where a line has none. False at the empty line.
 */
bool tandem_raw_field(struct pl *rest, struct pl *name, struct pl *value);

/* True for the name of a field, in any case, or its compact form. compact 0: it has none. */
bool tandem_raw_is(const struct pl *name, const char *full, char compact);

/* The next of the values that commas separate in *rest, and *rest goes beyond it. False at the end. */
bool tandem_raw_value(struct pl *rest, struct pl *value);

/*
 * A parameter of a Via value, found by name. whole: from its semicolon on. False when there is none. Either
 * may be NULL.
 */
bool tandem_raw_via_param(const struct pl *via, const char *name, struct pl *value,
			  struct pl *whole);

/* The sent-by of a Via value, which may be of a version of SIP not known; "host" or "host:port". */
bool tandem_raw_sent_by(const struct pl *via, struct pl *sent_by);

/*
 * True when every value of a Via line, and each parameter in it, is more than separators: as much as has to be asked
 * of one before it is mended.
 */
bool tandem_raw_via_sound(const struct pl *line);

/*
 * The length of the body that follows a header with left octets after it. -EBADMSG: that cannot be
 * told, or there are fewer.
 */
int tandem_raw_body_len(const struct tandem_raw *raw, size_t left);

#endif
