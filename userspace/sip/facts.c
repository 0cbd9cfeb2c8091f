/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/facts.h"

#include <errno.h>

struct fact {
	struct tandem_facts *facts;
	char *name;
	uint16_t type;
	struct tandem_answer *answer; /* NULL while asked for */
	struct tandem_question *question;
};

struct tandem_facts {
	struct tandem_names *names;
	tandem_facts_h *h;
	void *arg;
	struct fact list[TANDEM_FACTS_MAX];
	size_t count;
};

static void destructor(void *arg)
{
	struct tandem_facts *f = arg;
	size_t i;

	for (i = 0; i < f->count; i++) {
		mem_deref(f->list[i].question);
		mem_deref(f->list[i].answer);
		mem_deref(f->list[i].name);
	}
}

struct tandem_facts *tandem_facts_alloc(struct tandem_names *names, tandem_facts_h *h, void *arg)
{
	struct tandem_facts *f = mem_zalloc(sizeof(*f), destructor);

	if (!f)
		return NULL;
	f->names = names;
	f->h = h;
	f->arg = arg;

	return f;
}

static void answer_handler(const struct tandem_answer *answer, void *arg)
{
	struct fact *fact = arg;

	fact->question = mem_deref(fact->question);
	fact->answer = mem_ref((void *)answer);
	fact->facts->h(fact->facts->arg);
}

const struct tandem_answer *tandem_facts_get(struct tandem_facts *f, const char *name,
					     uint16_t type)
{
	static const struct tandem_answer too_many = { .err = -E2BIG };
	static const struct tandem_answer unknown = { .err = -EIO };
	struct fact *fact;
	size_t i;
	int err;

	for (i = 0; i < f->count; i++) {
		if (f->list[i].type == type && !str_casecmp(f->list[i].name, name))
			return f->list[i].answer;
	}
	if (!f->names)
		return &unknown;
	if (f->count == TANDEM_FACTS_MAX)
		return &too_many;

	fact = &f->list[f->count];
	fact->facts = f;
	fact->type = type;
	if (str_dup(&fact->name, name))
		return &unknown;
	err = tandem_names_ask(f->names, &fact->question, &fact->answer, name, type, answer_handler,
			       fact);
	if (err && err != -EINPROGRESS) {
		fact->name = mem_deref(fact->name);
		return &unknown;
	}
	f->count++;

	return fact->answer;
}
