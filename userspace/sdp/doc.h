/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the SDP library: the document and what its files share.
 *
 * The text is held twice, at equal offsets. `text` has its line ends replaced by NUL and is
 * otherwise as received: printing and edits work on it. `words` is cut into words by the
 * typed view, whose strings point there.
 */
#ifndef TANDEM_USERSPACE_SDP_DOC_H
#define TANDEM_USERSPACE_SDP_DOC_H

#include "userspace/sdp/sdp.h"

enum tandem_sdp_eol {
	TANDEM_SDP_EOL_NONE, /* the last line only */
	TANDEM_SDP_EOL_LF,
	TANDEM_SDP_EOL_CRLF,
};

struct tandem_sdp_span {
	uint32_t off; /* of the type letter, in text and in words */
	uint32_t len; /* without the line end */
	int16_t section;
	uint8_t eol;
};

struct tandem_sdp {
	char *text;
	char *words;
	size_t size; /* bytes as received */
	struct tandem_sdp_span *lines;
	size_t nlines;
	struct tandem_sdp_session session;
	struct tandem_sdp_group *groups;
	struct tandem_sdp_media *media;
	size_t nmedia;
	/* session level defaults that the media views take over */
	bool has_ice;
	bool has_fingerprint;
	const char *setup;
};

/* scan.c */

/** Cut the next word at a blank and move *cursor past it; NULL at the end of the line. */
char *tandem_sdp_next_word(char **cursor);

/** Strict decimal number, 0..max, nothing else in the word. @return 0 or -EBADMSG */
int tandem_sdp_scan_number(const char *word, uint32_t max, uint32_t *value);

/** True for one or more digits and nothing else. */
bool tandem_sdp_is_number(const char *word);

/** True for a token of RFC 8866 section 9. */
bool tandem_sdp_is_token(const char *word);

/**
 * Find word n (from 0) of text. @return its first character, its length in *len; NULL: no
 * such word
 */
const char *tandem_sdp_word(const char *text, size_t n, size_t *len);

/** Number of words in text. */
size_t tandem_sdp_word_count(const char *text);

/**
 * Parse "nettype addrtype address[/ttl][/count]" at *cursor, cutting it into words.
 * @return 0, -EBADMSG or -EMSGSIZE, with *reason set
 */
int tandem_sdp_scan_addr(char **cursor, struct tandem_sdp_addr *addr, const char **reason);

/* line.c */

/** Type letter of a line; 0: an empty line. */
char tandem_sdp_line_type(const struct tandem_sdp *sdp, size_t i);

/** The untouched value of line i; "" for an empty line. */
const char *tandem_sdp_line_text(const struct tandem_sdp *sdp, size_t i);

/** The value of line i for cutting into words. */
char *tandem_sdp_line_words(struct tandem_sdp *sdp, size_t i);

/**
 * If line i is the attribute `name`, its value ("" for a flag), else NULL.
 */
const char *tandem_sdp_line_attr(const struct tandem_sdp *sdp, size_t i, const char *name);

/** The lines of a section: *first and one past the last in *end. @return 0 or -EINVAL */
int tandem_sdp_section(const struct tandem_sdp *sdp, int section, size_t *first, size_t *end);

/** Fill err, which may be NULL; line counts from 0, SIZE_MAX: none. @return code */
int tandem_sdp_fail(struct tandem_sdp_error *err, int code, size_t line, const char *reason);

/* view_session.c, view_media.c: the typed view; sections are known, words are uncut */
int tandem_sdp_view_session(struct tandem_sdp *sdp, struct tandem_sdp_error *err);
int tandem_sdp_view_media(struct tandem_sdp *sdp, size_t media, struct tandem_sdp_error *err);
void tandem_sdp_view_clean(struct tandem_sdp *sdp);

/** Direction named by an attribute. @return 0 or -ENOENT */
int tandem_sdp_scan_dir(const char *name, enum tandem_sdp_dir *dir);

/** Cut "name[:value]" in place. @return the value, "" for a flag */
char *tandem_sdp_cut_attr(char *line);

#endif
