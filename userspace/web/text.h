/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SIP messages between WebSocket frames, which have one message each (RFC 7118 section 5), and
 * a stream, where Content-Length tells the end of one.
 */
#ifndef TANDEM_WEB_TEXT_H
#define TANDEM_WEB_TEXT_H

#include <stddef.h>
#include <sys/types.h>

#define TANDEM_WEB_MESSAGE_MAX 65536 /* octets */

/*
 * The length of the first message in a stream. 0: it is not whole yet. -EBADMSG: it is longer than
 * TANDEM_WEB_MESSAGE_MAX, or has no or several Content-Length.
 */
ssize_t tandem_web_text_length(const char *stream, size_t len);

/*
 * The message in a frame as a stream needs it: with a Content-Length that is true. *outp is
 * malloc'd. 0; -EBADMSG when it has no end of headers, several Content-Length, or one that is
 * more than there is (RFC 3261 section 18.3 has extra octets ignored); -ENOMEM.
 */
int tandem_web_text_inward(char **outp, size_t *out_len, const char *frame, size_t len);

/*
 * A message of the stream as it goes to the browser: transport and sent-by of the top Via of a
 * request, which libre has filled in for the stream, become via ("SIP/2.0/WSS 192.0.2.1:8443").
 * A response stays as it is. *outp is malloc'd. 0, -EBADMSG or -ENOMEM.
 */
int tandem_web_text_outward(char **outp, size_t *out_len, const char *message, size_t len,
			    const char *via);

#endif
