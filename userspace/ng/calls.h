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
	char instance[17];    /* a random number in hexadecimal: this relay, since it was started */
};

/* The name of the session that a request is about, and who has sent it; NULL: there is none. */
const char *tandem_ng_session(const struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      enum tandem_party_id *party);

/* The session, and which of its parties are meant. */
struct tandem_ng_chosen {
	char name[TANDEM_SESSION_NAME_SIZE];
	bool party[2];
};

/*
 * By the flag all, from-tag, label or address. -EINVAL: nobody is named; -ENOENT: there is none such;
 * why in words.
 */
int tandem_ng_choose(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		     struct tandem_ng_chosen *chosen, const char **why);

/* offer.c: parts of what is done with descriptions. */
int tandem_ng_open_session(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   char name[TANDEM_SESSION_NAME_SIZE]);
void tandem_ng_read_signal(const struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   struct tandem_signal *sig);
bool tandem_ng_knows_interfaces(const struct tandem_ng_calls *calls,
				const struct tandem_ng_params *p);
/* Who gets a description, and what it is to say of the length of packets: ms, 0 for nothing. */
struct tandem_ng_receiver {
	const char *name; /* of the session; NULL: nothing is kept of what has been told */
	enum tandem_party_id party;
	unsigned int ptime;
};
/* sdp: malloc'd, and freed here. */
int tandem_ng_put_sdp(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		      const struct tandem_ng_receiver *to, json_t *reply, char *sdp, size_t len);
/* What an error of sessions means to a client. */
const char *tandem_ng_why_text(int err);

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

/* record.c: of a call, with all of its branches. */
int tandem_ng_start_recording(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      json_t *reply, const char **why);
int tandem_ng_pause_recording(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      json_t *reply, const char **why);
int tandem_ng_stop_recording(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			     json_t *reply, const char **why);
/* Of the session, if the request says so. Why it is not, constant, or NULL. */
const char *tandem_ng_record(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			     const char *name);

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
int tandem_ng_start_forwarding(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			       json_t *reply, const char **why);
int tandem_ng_stop_forwarding(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
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

/* subscribe.c: media of one party for many. */
int tandem_ng_publish(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		      json_t *reply, const char **why);
int tandem_ng_subscribe_request(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
				json_t *reply, const char **why);
int tandem_ng_subscribe_answer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			       json_t *reply, const char **why);
int tandem_ng_unsubscribe(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
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
