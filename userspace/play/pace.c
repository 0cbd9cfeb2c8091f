/* SPDX-License-Identifier: GPL-2.0-only */
#include <time.h>

#include "userspace/play/local.h"

#define IDLE_MAX_NS (600ULL * 1000000000ULL)

uint64_t play_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Time has gone on since the last packet, and so does the timestamp (RFC 3550 5.1). */
static void catch_up(struct play_voice *v, uint64_t now_ns)
{
	const uint32_t clock = v->codec != TANDEM_PLAY_NONE ? tandem_encoder_step(v->codec) * 50
							    : v->event_clock;

	if (v->due_ns && now_ns > v->due_ns)
		v->ts += (uint32_t)((now_ns - v->due_ns) % IDLE_MAX_NS * clock / 1000000000ULL);
	v->due_ns = now_ns;
	v->spurt = true;
}

void play_pace(struct tandem_play *play, struct play_voice *v)
{
	if (v->active)
		return;
	catch_up(v, play_now_ns());
	v->active = true;
	v->next_active = play->active;
	play->active = v;
	pthread_cond_signal(&play->to_pace);
}

static void emit(const struct play_voice *v, bool rtcp, const void *packet, size_t len, void *arg)
{
	struct tandem_play *play = arg;

	if (!v->flow_id[rtcp])
		return;
	if (tandem_plane_inject(play->plane, v->flow_id[rtcp], &v->local[rtcp], packet, len))
		play->lost++;
	else
		play->packets++;
}

static void run_all(struct tandem_play *play)
{
	const uint64_t now_ns = play_now_ns();
	struct play_voice **at = &play->active, *v;

	while ((v = *at)) {
		play_voice_run(play, v, now_ns, emit, play);
		if (v->active)
			at = &v->next_active;
		else
			*at = v->next_active;
	}
}

/* All voices keep their own time; what is due is looked for four times in that of a frame. */
void *play_pacer(void *arg)
{
	const struct timespec nap = { .tv_nsec = PLAY_FRAME_NS / 4 };
	struct tandem_play *play = arg;

	pthread_mutex_lock(&play->lock);
	while (!play->stopping) {
		if (!play->active) {
			pthread_cond_wait(&play->to_pace, &play->lock);
			continue;
		}
		run_all(play);
		pthread_mutex_unlock(&play->lock);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
		pthread_mutex_lock(&play->lock);
	}
	pthread_mutex_unlock(&play->lock);
	return NULL;
}
