/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of userspace/play. One lock for all of it: the controller's thread and the two of its
 * own hold it for moments, never while something is decoded.
 *
 *   play.c    what the controller asks for
 *   voice.c   the packets of one voice
 *   pace.c    the thread that sends them
 *   make.c    the thread that decodes and encodes, and what is kept of that
 */
#ifndef TANDEM_PLAY_LOCAL_H
#define TANDEM_PLAY_LOCAL_H

#include <pthread.h>
#include <stdbool.h>

#include "userspace/play/play.h"
#include "userspace/play/source.h"

#define PLAY_FRAME_NS  20000000ULL
#define PLAY_BUCKETS   256
#define PLAY_PACKET    (12 + TANDEM_PLAY_PAYLOAD_MAX)
#define PLAY_NO_EVENTS (-1)

/* A source, for as long as a voice plays it or it is being decoded. */
struct play_held {
	struct tandem_source *source;
	unsigned int refs;
};

/* What is sent to one party of one session. */
struct play_voice {
	struct play_voice *next;	/* of the bucket */
	struct play_voice *next_active; /* of those that send */
	uint64_t number;
	enum tandem_party_id hearer;

	/* as the session has it now */
	uint64_t flow_id[2];
	struct tandem_endpoint local[2];
	enum tandem_play_codec codec;
	uint8_t pt;
	int event_pt; /* or PLAY_NO_EVENTS */
	uint32_t event_clock;

	uint32_t ssrc;
	uint16_t seq;
	uint32_t ts;
	uint32_t packets, octets; /* for sender reports */
	bool active;
	bool spurt;	    /* the next packet of audio is the first of a talkspurt */
	uint64_t due_ns;    /* of the next packet */
	uint64_t report_ns; /* of the next sender report */

	bool playing;
	struct play_held *held;
	struct tandem_clip *clip; /* NULL: being made */
	uint64_t ticket;	  /* of what is wanted of the maker */
	bool wanted;
	uint32_t frame, repeats, left; /* next frame; times, frames to go */
	int64_t last;		       /* frame that was sent; -1: none */

	struct tandem_play_event events[TANDEM_PLAY_EVENTS];
	uint32_t event_first, event_count;
	uint32_t event_tick; /* of the first one */
	uint32_t event_ts;
};

struct tandem_play {
	struct tandem_sessions *sessions;
	struct tandem_plane *plane;
	int dir_fd;
	char *dir;
	uint32_t max_players;

	pthread_mutex_t lock;
	pthread_cond_t to_pace, to_make;
	pthread_t pacer, maker;
	bool threads;
	int stopping;

	struct play_voice *buckets[PLAY_BUCKETS];
	struct play_voice *active;
	uint32_t players, voices;
	uint64_t tickets;
	uint64_t packets, lost;

	struct tandem_clip *clips; /* with a key, the one used last in front */
	size_t clips_octets;	   /* of all there are */
};

/* voice.c: with the lock. A packet of len octets, of RTP or RTCP, is ready. */
typedef void(play_emit_h)(const struct play_voice *v, bool rtcp, const void *packet, size_t len,
			  void *arg);
/* Send what is due at now_ns. Clears v->active when there is no more to come. */
void play_voice_run(struct tandem_play *play, struct play_voice *v, uint64_t now_ns,
		    play_emit_h *emit, void *arg);
/* It plays no more. */
void play_voice_hush(struct tandem_play *play, struct play_voice *v);

/* pace.c: have it sent to from now on. With the lock. */
uint64_t play_now_ns(void);
void play_pace(struct tandem_play *play, struct play_voice *v);
void *play_pacer(void *arg);

/* make.c: with the lock, but for the thread. */
void play_want(struct tandem_play *play, struct play_voice *v);
void play_clip_put(struct tandem_play *play, struct tandem_clip *clip);
void play_held_put(struct play_held *held);
void play_clips_clean(struct tandem_play *play);
void *play_maker(void *arg);

#endif
