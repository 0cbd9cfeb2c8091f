/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a JSON document strictly: every function returns 0, or -EINVAL having written
 * what is wrong, with the place: "out[3].dscp: a number from 0 to 63 is expected".
 */
#ifndef TANDEM_SESSION_READER_H
#define TANDEM_SESSION_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "userspace/util/endpoint.h"

struct tandem_reader {
	char *why;
	size_t why_size;
	char path[128]; /* of the object that is being read; "" at the top */
};

/* Say what is wrong with key (NULL: with the object itself). Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int tandem_reader_fail(struct tandem_reader *r,
							     const char *key, const char *fmt, ...);

/* Step into obj[key], or into its element i; leave with the length that was returned. */
size_t tandem_reader_enter(struct tandem_reader *r, const char *key);
size_t tandem_reader_enter_at(struct tandem_reader *r, const char *key, size_t i);
void tandem_reader_leave(struct tandem_reader *r, size_t length);

/* js is an object with none but these keys (a list that NULL ends). */
int tandem_reader_keys(struct tandem_reader *r, const json_t *js, const char *const *keys);

/* The value of a key, if there is one; else *out stays as it is. */
int tandem_reader_bool(struct tandem_reader *r, const json_t *js, const char *key, bool *out);
int tandem_reader_int(struct tandem_reader *r, const json_t *js, const char *key, json_int_t min,
		      json_int_t max, json_int_t *out);

/* An SSRC: a number, or text such as "0x11223344". */
int tandem_reader_ssrc(struct tandem_reader *r, const char *key, const json_t *value,
		       uint32_t *out);

/*
 * An address, if there is one, with its port unless bare is allowed: then the port may be
 * 0 or left out.
 */
int tandem_reader_endpoint(struct tandem_reader *r, const json_t *js, const char *key, bool bare,
			   struct tandem_endpoint *out);

/* A key of an object that is a number from 0 to max; or -1. */
int tandem_reader_number_key(const char *key, int max);

#endif
