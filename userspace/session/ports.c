/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/ports.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define NONE UINT32_MAX

/* A pair; when free, it is on the list of its address, longest unused first. */
struct pair {
	uint32_t next;
	uint32_t prev;
	uint32_t users; /* 0: free */
	bool shared;	/* further users are let in */
};

struct local_ports {
	struct pair *pairs;
	uint32_t head;
	uint32_t tail;
	size_t available;
};

struct tandem_ports {
	struct local_ports *locals;
	size_t locals_count;
	uint32_t first; /* even */
	uint32_t pair_count;
	uint64_t random;
};

/* splitmix64: enough to make an order that differs from run to run. */
static uint64_t next_random(struct tandem_ports *ports)
{
	uint64_t z = ports->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void append(struct local_ports *lp, uint32_t i)
{
	lp->pairs[i] = (struct pair){ .next = NONE, .prev = lp->tail };
	if (lp->tail == NONE)
		lp->head = i;
	else
		lp->pairs[lp->tail].next = i;
	lp->tail = i;
	lp->available++;
}

static void take(struct local_ports *lp, uint32_t i)
{
	struct pair *p = &lp->pairs[i];

	if (p->prev == NONE)
		lp->head = p->next;
	else
		lp->pairs[p->prev].next = p->next;
	if (p->next == NONE)
		lp->tail = p->prev;
	else
		lp->pairs[p->next].prev = p->prev;
	p->users = 1;
	lp->available--;
}

static int fill(struct tandem_ports *ports, struct local_ports *lp)
{
	uint32_t n = ports->pair_count, i, j, swap;
	uint32_t *order = malloc(n * sizeof(*order));

	lp->pairs = calloc(n, sizeof(*lp->pairs));
	lp->head = lp->tail = NONE;
	if (!order || !lp->pairs) {
		free(order);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; i > 0; i--) {
		j = next_random(ports) % (i + 1);
		swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
	for (i = 0; i < n; i++)
		append(lp, order[i]);
	free(order);
	return 0;
}

int tandem_ports_alloc(struct tandem_ports **portsp, size_t locals, uint16_t port_min,
		       uint16_t port_max, uint64_t seed)
{
	uint32_t first = (port_min + 1U) & ~1U, end = (port_max + 1U) & ~1U;
	struct tandem_ports *ports;
	size_t i;
	int err = 0;

	if (!locals || first < 2 || end <= first)
		return -EINVAL;
	ports = calloc(1, sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	ports->first = first;
	ports->pair_count = (end - first) / 2;
	ports->random = seed;
	ports->locals = calloc(locals, sizeof(*ports->locals));
	if (!ports->locals) {
		err = -ENOMEM;
		goto out;
	}
	ports->locals_count = locals;
	for (i = 0; i < locals && !err; i++)
		err = fill(ports, &ports->locals[i]);
out:
	if (err)
		tandem_ports_free(ports);
	else
		*portsp = ports;
	return err;
}

void tandem_ports_free(struct tandem_ports *ports)
{
	size_t i;

	if (!ports)
		return;
	for (i = 0; i < ports->locals_count; i++)
		free(ports->locals[i].pairs);
	free(ports->locals);
	free(ports);
}

int tandem_ports_take(struct tandem_ports *ports, size_t local, uint16_t *port)
{
	struct local_ports *lp;
	uint32_t i;

	if (local >= ports->locals_count)
		return -EINVAL;
	lp = &ports->locals[local];
	i = lp->head;
	if (i == NONE)
		return -ENOSPC;
	take(lp, i);
	*port = ports->first + 2 * i;
	return 0;
}

static struct pair *find(const struct tandem_ports *ports, size_t local, uint16_t port,
			 uint32_t *index)
{
	if (local >= ports->locals_count || port < ports->first || port % 2)
		return NULL;
	*index = (port - ports->first) / 2;
	return *index < ports->pair_count ? &ports->locals[local].pairs[*index] : NULL;
}

int tandem_ports_reserve(struct tandem_ports *ports, size_t local, uint16_t port)
{
	uint32_t i;
	struct pair *p = find(ports, local, port, &i);

	if (!p)
		return -EINVAL;
	if (p->users)
		return -EBUSY;
	take(&ports->locals[local], i);
	return 0;
}

int tandem_ports_share(struct tandem_ports *ports, size_t local, uint16_t port)
{
	uint32_t i;
	struct pair *p = find(ports, local, port, &i);

	if (!p)
		return -EINVAL;
	if (p->users && !p->shared)
		return -EBUSY;
	if (p->users)
		p->users++;
	else
		take(&ports->locals[local], i);
	p->shared = true;
	return 0;
}

int tandem_ports_take_shared(struct tandem_ports *ports, size_t local, uint16_t *port)
{
	uint32_t i;
	int err = tandem_ports_take(ports, local, port);

	if (!err)
		find(ports, local, *port, &i)->shared = true;
	return err;
}

void tandem_ports_release(struct tandem_ports *ports, size_t local, uint16_t port)
{
	uint32_t i;
	struct pair *p = find(ports, local, port, &i);

	if (p && p->users && --p->users == 0)
		append(&ports->locals[local], i);
}

size_t tandem_ports_available(const struct tandem_ports *ports, size_t local)
{
	return local < ports->locals_count ? ports->locals[local].available : 0;
}
