/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libre accepts connections by itself, and tells nobody of them. These are functions of its own under
 * their own names, which its own calls reach by the dynamic linker (see timers.c): tcp_accept()
 * asks conns.c and then does what libre's does, with handlers that look before libre's own
 * ones; tcp_connect() does so for connections to others, which only the SIP stack opens by it;
 * fd_close() is what libre does to every descriptor before it closes it, whatever the reason;
 * tcp_sock_listen() has a longer queue.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sip/conns.h"

#define INDEX_STEP 1024
#define BACKLOG	   1024

typedef int(listen_fn)(struct tcp_sock *sock, int backlog);
typedef int(accept_fn)(struct tcp_conn **tcp, struct tcp_sock *sock, tcp_estab_h *estab_h,
		       tcp_recv_h *recv_h, tcp_close_h *close_h, void *arg);

/* By their descriptors; NULL: not ours. */
static struct tandem_conn **by_fd;
static size_t by_fd_size;

/* libre has called one of these functions. */
static bool seen;

/* Whose octets libre is reading. */
static struct tandem_conn *current;

int tandem_conn_index(struct tandem_conn *conn)
{
	size_t fd = (size_t)tcp_conn_fd(conn->tc), size;
	struct tandem_conn **more;

	if (fd >= by_fd_size) {
		size = (fd / INDEX_STEP + 1) * INDEX_STEP;
		more = realloc(by_fd, size * sizeof(*more));
		if (!more)
			return -ENOMEM;
		memset(more + by_fd_size, 0, (size - by_fd_size) * sizeof(*more));
		by_fd = more;
		by_fd_size = size;
	}
	by_fd[fd] = conn;

	return 0;
}

void tandem_conn_unindex(const struct tandem_conn *conn)
{
	by_fd[tcp_conn_fd(conn->tc)] = NULL;
}

void tandem_conn_each(tandem_conn_h *h, void *arg)
{
	size_t fd;

	for (fd = 0; fd < by_fd_size; fd++) {
		if (by_fd[fd])
			h(by_fd[fd], arg);
	}
}

void tandem_conn_index_free(void)
{
	free(by_fd);
	by_fd = NULL;
	by_fd_size = 0;
}

static struct tandem_conn *at(int fd)
{
	return fd >= 0 && (size_t)fd < by_fd_size ? by_fd[fd] : NULL;
}

struct tandem_conn *tandem_conn_find(const struct tcp_conn *tc)
{
	return tc ? at(tcp_conn_fd(tc)) : NULL;
}

void tandem_conns_message(void)
{
	if (current)
		current->message = true;
}

bool tandem_conns_receiving(void)
{
	return current != NULL;
}

static void estab_handler(void *arg)
{
	struct tandem_conn *conn = arg;

	tandem_conn_established(conn);
	conn->estab_h(conn->arg);
}

static bool is_blank(const struct mbuf *mb)
{
	size_t i;

	for (i = mb->pos; i < mb->end; i++) {
		if (mb->buf[i] != '\r' && mb->buf[i] != '\n')
			return false;
	}

	return true;
}

static void recv_handler(struct mbuf *mb, void *arg)
{
	struct tandem_conn *conn = arg, *outer = current;
	bool blank = is_blank(mb);

	conn->message = false;
	current = conn;
	conn->recv_h(mb, conn->arg);
	current = outer;
	if (conn->tc)
		tandem_conn_received(conn, blank);
}

static void close_handler(int err, void *arg)
{
	struct tandem_conn *conn = arg;

	conn->close_h(err, conn->arg);
}

bool tandem_conns_are_seen(void)
{
	return seen;
}

/* As many may wait to be accepted; libre would have 5, and a flood keep others out. */
int tcp_sock_listen(struct tcp_sock *ts, int backlog)
{
	static listen_fn *next;

	seen = true;
	/* ISO C does not make functions of pointers to void */
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "tcp_sock_listen");

	return next ? next(ts, MAX(backlog, BACKLOG)) : ENOSYS;
}

static struct tandem_conn *wrap(tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch, void *arg)
{
	struct tandem_conn *conn = mem_zalloc(sizeof(*conn), NULL);

	if (conn) {
		conn->estab_h = eh;
		conn->recv_h = rh;
		conn->close_h = ch;
		conn->arg = arg;
	}

	return conn;
}

int tcp_accept(struct tcp_conn **tcp, struct tcp_sock *ts, tcp_estab_h *eh, tcp_recv_h *rh,
	       tcp_close_h *ch, void *arg)
{
	static accept_fn *next;
	struct tandem_conns *watch = NULL;
	struct tandem_conn *conn;
	struct sa local;
	int err;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "tcp_accept");
	if (!next)
		return ENOSYS;
	if (!tcp_sock_local_get(ts, &local))
		watch = tandem_conns_at(&local);
	if (!watch)
		return next(tcp, ts, eh, rh, ch, arg);

	conn = wrap(eh, rh, ch, arg);
	if (!conn)
		return ENOMEM;
	err = next(tcp, ts, estab_handler, recv_handler, close_handler, conn);
	if (!err)
		err = -tandem_conns_enter(watch, conn, *tcp);
	if (err) {
		*tcp = mem_deref(*tcp);
		mem_deref(conn);
	}

	return err;
}

int tcp_connect(struct tcp_conn **tcp, const struct sa *peer, tcp_estab_h *eh, tcp_recv_h *rh,
		tcp_close_h *ch, void *arg)
{
	struct tandem_conns *watch = tandem_conns_first();
	struct tandem_conn *conn;
	struct tcp_conn *tc = NULL;
	int err = watch ? -tandem_conns_call(watch, peer) : ENOSYS;

	if (err)
		return err;
	conn = wrap(eh, rh, ch, arg);
	if (!conn)
		return ENOMEM;
	err = tcp_conn_alloc(&tc, peer, estab_handler, recv_handler, close_handler, conn);
	if (!err)
		err = tcp_conn_connect(tc, peer);
	if (!err)
		err = -tandem_conns_leave(watch, conn, tc, peer);
	if (err) {
		mem_deref(tc);
		mem_deref(conn);
		return err;
	}
	*tcp = tc;

	return 0;
}

void fd_close(int fd)
{
	struct tandem_conn *conn = at(fd);

	(void)fd_listen(fd, 0, NULL, NULL);
	if (!conn)
		return;
	by_fd[fd] = NULL;
	tandem_conn_gone(conn);
}
