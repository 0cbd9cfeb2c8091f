/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of the NG protocol, without what carries them. */
#ifndef TANDEM_NG_CALLS_H
#define TANDEM_NG_CALLS_H

#include "userspace/ng/ng.h"
#include "userspace/ng/params.h"

struct tandem_ng_calls {
	struct tandem_sessions *sessions;
	const struct tandem_ng_config *cfg;
	json_int_t started_s; /* epoch */
	json_int_t offered;   /* calls that began */
	json_int_t refused;   /* offers that were not taken */
};

/* The name of the session that a request is about, and who has sent it; NULL: there is none. */
const char *tandem_ng_session(const struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      enum tandem_party_id *party);

/*
 * Each carries out one command and puts its answer into reply, without "result" where that is
 * "ok". Negative errno, with why in words: constant, or p's.
 */
int tandem_ng_offer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		    const char **why);
int tandem_ng_answer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		     const char **why);
int tandem_ng_delete(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		     const char **why);
int tandem_ng_query(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		    const char **why);
int tandem_ng_list(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		   const char **why);
int tandem_ng_statistics(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			 json_t *reply, const char **why);

/*
 * media.c: for those whom from-tag, label, address, to-tag and to-label name, or the whole call;
 * the answer has a "warning" where silence cannot be had.
 */
int tandem_ng_block_dtmf(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			 json_t *reply, const char **why);
int tandem_ng_unblock_dtmf(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   json_t *reply, const char **why);
int tandem_ng_block_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			  json_t *reply, const char **why);
int tandem_ng_unblock_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			    json_t *reply, const char **why);
int tandem_ng_silence_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			    json_t *reply, const char **why);
int tandem_ng_unsilence_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      json_t *reply, const char **why);

/* A description has come from this party of the session: keep the label that it has, if any. */
int tandem_ng_label(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		    const char *name, enum tandem_party_id party);

/* What flags of a description ask for of the party that it is of. */
int tandem_ng_flagged_acts(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   const char *name, enum tandem_party_id party);

/* play.c: what parties are to hear of the relay itself. */
int tandem_ng_play_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			 json_t *reply, const char **why);
int tandem_ng_stop_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			 json_t *reply, const char **why);
int tandem_ng_play_dtmf(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			json_t *reply, const char **why);

/* What query tells of one session. -ENOENT, -ENOMEM. */
int tandem_ng_describe(struct tandem_ng_calls *calls, const char *name, json_t *reply);

/*
 * The answer to a request, with "result" and all; a new reference, NULL on no memory. *command: what
 * it was, as tandem_ng_command_name() has it.
 */
json_t *tandem_ng_command(struct tandem_ng_calls *calls, const json_t *dict, size_t *command,
			  unsigned int *unknown);

/* The names of commands, the last one "unknown"; NULL behind it. */
#define TANDEM_NG_COMMANDS 32
const char *tandem_ng_command_name(size_t command);

#endif
