/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/record/mail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int record_mail_init(struct record_mail *m, size_t room)
{
	memset(m, 0, sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->come, NULL);
	m->room = room;
	m->in = malloc(room);
	m->out = malloc(room);
	return m->in && m->out ? 0 : -ENOMEM;
}

void record_mail_clean(struct record_mail *m)
{
	free(m->in);
	free(m->out);
	pthread_cond_destroy(&m->come);
	pthread_mutex_destroy(&m->lock);
}

/* Nobody is woken for a packet: they are taken by many. */
bool record_mail_put(struct record_mail *m, const struct record_letter *letter, const void *data)
{
	const size_t need = sizeof(*letter) + letter->len;
	const size_t spared = letter->kind == RECORD_PACKET ? m->room / 8 : 0;
	bool fits;

	pthread_mutex_lock(&m->lock);
	fits = m->in_len + need + spared <= m->room;
	if (fits) {
		memcpy(m->in + m->in_len, letter, sizeof(*letter));
		if (letter->len)
			memcpy(m->in + m->in_len + sizeof(*letter), data, letter->len);
		m->in_len += need;
		if (letter->kind != RECORD_PACKET)
			pthread_cond_signal(&m->come);
	}
	pthread_mutex_unlock(&m->lock);
	return fits;
}

void record_mail_close(struct record_mail *m)
{
	pthread_mutex_lock(&m->lock);
	m->closed = true;
	pthread_cond_signal(&m->come);
	pthread_mutex_unlock(&m->lock);
}

bool record_mail_wait(struct record_mail *m, unsigned int ms)
{
	unsigned char *emptied = m->out;
	struct timespec until;
	bool more;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&m->lock);
	if (!m->closed)
		pthread_cond_timedwait(&m->come, &m->lock, &until);
	m->out = m->in;
	m->out_len = m->in_len;
	m->in = emptied;
	m->in_len = 0;
	more = !m->closed || m->out_len;
	pthread_mutex_unlock(&m->lock);
	return more;
}

bool record_mail_next(const struct record_mail *m, size_t *at, struct record_letter *letter,
		      const unsigned char **data)
{
	if (*at >= m->out_len)
		return false;
	memcpy(letter, m->out + *at, sizeof(*letter));
	*data = m->out + *at + sizeof(*letter);
	*at += sizeof(*letter) + letter->len;
	return true;
}
