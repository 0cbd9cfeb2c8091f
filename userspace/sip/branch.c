/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "userspace/sip/tx.h"

void tandem_sdp_edit_clean(struct tandem_sdp_edit *edit)
{
	edit->in = mem_deref(edit->in);
	edit->out = mem_deref(edit->out);
}

static void destructor(void *arg)
{
	struct tandem_branch *b = arg;
	size_t i;

	list_unlink(&b->le);
	hash_unlink(&b->he);
	tmr_cancel(&b->tmr_c);
	tmr_cancel(&b->tmr_quiet);
	tmr_cancel(&b->tmr_tcp);
	mem_deref(b->req);
	mem_deref(b->session);
	for (i = 0; i < b->tags_count; i++)
		mem_deref(b->tags[i]);
	tandem_sdp_edit_clean(&b->request);
	tandem_sdp_edit_clean(&b->response);
	tandem_sdp_edit_clean(&b->late_answer);
}

struct tandem_branch *tandem_branch_alloc(struct tandem_tx *tx, size_t place, size_t hop)
{
	struct tandem_branch *b = mem_zalloc(sizeof(*b), destructor);

	if (!b)
		return NULL;

	tmr_init(&b->tmr_c);
	tmr_init(&b->tmr_quiet);
	tmr_init(&b->tmr_tcp);
	b->tx = tx;
	b->place = place;
	b->hop = hop;
	list_append(&tx->branches, &b->le, b);
	if (tx->session && str_dup(&b->session, tx->session))
		b = mem_deref(b);

	return b;
}

void tandem_branch_free(struct tandem_branch *b)
{
	list_unlink(&b->le);
	hash_unlink(&b->he);
	tmr_cancel(&b->tmr_c);
	tmr_cancel(&b->tmr_quiet);
	tmr_cancel(&b->tmr_tcp);
	mem_deref(b);
}

void tandem_branch_set_id(struct tandem_branch *b, const struct pl *id)
{
	hash_unlink(&b->he);
	if (tandem_sip_copy(b->id, sizeof(b->id), id))
		return;
	hash_append(b->tx->ts->ht_branch, hash_joaat_pl(id), &b->he, b);
}

struct tandem_branch *tandem_branch_find(const struct tandem_sip *ts, const struct pl *id)
{
	struct le *le;

	LIST_FOREACH(hash_list(ts->ht_branch, hash_joaat_pl(id)), le)
	{
		struct tandem_branch *b = le->data;

		if (!pl_strcmp(id, b->id))
			return b;
	}

	return NULL;
}

bool tandem_branch_has_tag(const struct tandem_branch *b, const struct pl *tag)
{
	size_t i;

	for (i = 0; i < b->tags_count; i++) {
		if (!pl_strcmp(tag, b->tags[i]))
			return true;
	}

	return false;
}

int tandem_branch_learn_tag(struct tandem_branch *b, const struct pl *tag)
{
	char *copy = NULL;
	size_t i;

	for (i = 0; i < b->tags_count; i++) {
		if (!pl_strcmp(tag, b->tags[i])) {
			b->tag = b->tags[i];
			return 0;
		}
	}
	if (pl_strdup(&copy, tag))
		return ENOMEM;
	if (b->tags_count == TANDEM_TAGS_MAX)
		mem_deref(b->tags[--b->tags_count]);
	b->tag = b->tags[b->tags_count++] = copy;

	return 0;
}
