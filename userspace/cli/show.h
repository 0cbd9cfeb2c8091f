/* SPDX-License-Identifier: GPL-2.0-only */
/* The local API's answers, for people. Private to userspace/cli. */
#ifndef TANDEM_CLI_SHOW_H
#define TANDEM_CLI_SHOW_H

#include <jansson.h>
#include <stdio.h>

/* Each prints doc, as its call in userspace/control/api.h returns it, within width columns. */
void tandem_show_sessions(const json_t *doc, FILE *out, unsigned int width);
void tandem_show_session(const json_t *doc, FILE *out, unsigned int width);
void tandem_show_gateways(const json_t *doc, FILE *out, unsigned int width);
void tandem_show_registrations(const json_t *doc, FILE *out, unsigned int width);
void tandem_show_stats(const json_t *doc, FILE *out, unsigned int width);
void tandem_show_forwards(const json_t *doc, FILE *out, unsigned int width);
void tandem_show_users(const json_t *doc, FILE *out, unsigned int width);
void tandem_show_forward(const json_t *doc, FILE *out, unsigned int width);

/* The same for a list of RTP streams within one. */
void tandem_show_streams(const json_t *list, FILE *out, unsigned int width);

/* A line with a label, and the text of a field; the line of duration_s. */
void tandem_show_line(const json_t *doc, const char *label, const char *key, FILE *out);
void tandem_show_duration(const json_t *doc, FILE *out);

#endif
