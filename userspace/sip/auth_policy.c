/* SPDX-License-Identifier: GPL-2.0-only */
/* Who has to show credentials: the configuration's word, and what the store has of users. */
#include <errno.h>
#include <string.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/location.h"
#include "userspace/util/log.h"

/* Whether the contacts in the store were registered with credentials. */
#define CONTACTS_FLAG "contacts-authenticated"

static bool listens_to_others(const struct tandem_sip *ts)
{
	size_t i;

	for (i = 0; i < ts->listeners_count; i++) {
		if (!sa_is_loopback(&ts->listeners[i].addr))
			return true;
	}

	return false;
}

struct census {
	const struct tandem_auth *auth;
	size_t users;
	size_t usable;
};

static void count_user(const struct tandem_user *user, void *arg)
{
	struct census *census = arg;
	bool usable = false;
	size_t i;

	for (i = 0; i < census->auth->algs_count; i++)
		usable |= user->has[census->auth->algs[i]];
	census->users++;
	census->usable += usable && !strcmp(user->realm, census->auth->realm);
}

static void report(const struct tandem_auth *a)
{
	struct census census = { .auth = a };

	if (a->store)
		(void)tandem_store_user_list(a->store, count_user, &census);
	if (!a->registers && listens_to_others(a->ts))
		tandem_log(TANDEM_LOG_WARNING, "sip",
			   "anybody who reaches the SIP ports can register and call: "
			   "\"tandem user add\" ends that, see sip.auth");
	if (a->registers && !a->requests)
		tandem_log(TANDEM_LOG_INFO, "sip", "registrations need credentials, realm %s",
			   a->realm);
	if (a->requests)
		tandem_log(TANDEM_LOG_INFO, "sip",
			   "registrations and calls need credentials, realm %s", a->realm);
	if (a->registers && !census.usable && !a->trusted_count)
		tandem_log(TANDEM_LOG_WARNING, "sip",
			   "no user has a password that is of use: nobody can register");
	if (a->registers && census.usable != census.users)
		tandem_log(TANDEM_LOG_WARNING, "sip",
			   "%zu of %zu users have no password for realm %s and the digests in "
			   "use: \"tandem user passwd\" sets one",
			   census.users - census.usable, census.users, a->realm);
}

struct sieve {
	struct tandem_auth *auth;
	bool authenticated; /* so were those that are there */
};

static bool has_user(struct tandem_auth *a, const char *aor)
{
	const char *name = aor + strlen("sip:"), *at = strrchr(aor, '@');
	struct tandem_user user;
	char text[TANDEM_USER_SIZE];
	size_t len = at ? (size_t)(at - name) : 0;

	if (!at || len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';

	/* when the store cannot be read, nothing is decided */
	return tandem_store_user_get(a->store, text, &user) != -ENOENT;
}

bool tandem_auth_has_user(const struct tandem_auth *a, const struct uri *uri)
{
	struct tandem_user user;
	char name[TANDEM_USER_SIZE];
	int err;

	if (!a->store || !pl_isset(&uri->user) ||
	    re_snprintf(name, sizeof(name), "%H", uri_user_unescape, &uri->user) < 0)
		return false;
	err = tandem_store_user_get(a->store, name, &user);
	explicit_bzero(&user, sizeof(user));

	return err != -ENOENT;
}

static bool is_unwanted(const struct tandem_binding *b, void *arg)
{
	const struct sieve *sieve = arg;
	struct tandem_endpoint source;

	if (!tandem_endpoint_parse(&source, b->source) &&
	    tandem_auth_trusts(sieve->auth, &source.ip))
		return false;

	return !sieve->authenticated || !has_user(sieve->auth, b->aor);
}

/* Contacts of who has shown no credentials, or is no user any more, do not stay. */
static void sift_contacts(struct tandem_auth *a)
{
	struct sieve sieve = { .auth = a };
	size_t dropped;

	if (tandem_store_flag_get(a->store, CONTACTS_FLAG, &sieve.authenticated))
		return;
	dropped = tandem_location_drop(a->ts->loc, is_unwanted, &sieve);
	if (dropped)
		tandem_log(TANDEM_LOG_INFO, "sip", "%zu contacts without credentials removed",
			   dropped);
	if (!sieve.authenticated)
		(void)tandem_store_flag_set(a->store, CONTACTS_FLAG, true);
}

static void mark_open(struct tandem_auth *a)
{
	bool authenticated;

	if (!tandem_store_flag_get(a->store, CONTACTS_FLAG, &authenticated) && authenticated)
		(void)tandem_store_flag_set(a->store, CONTACTS_FLAG, false);
}

static enum tandem_sip_auth effective(const struct tandem_auth *a)
{
	bool seen = false;

	if (a->mode != TANDEM_SIP_AUTH_AUTO)
		return a->mode;
	/* who cannot know asks */
	if (a->store && tandem_store_users_seen(a->store, &seen))
		return TANDEM_SIP_AUTH_REQUIRED;

	return seen ? TANDEM_SIP_AUTH_REQUIRED : TANDEM_SIP_AUTH_OPEN;
}

static bool changed(struct tandem_auth *a)
{
	int64_t version = 0;

	if (!a->store || tandem_store_foreign_changes(a->store, &version))
		return !a->settled;
	if (a->settled && version == a->store_version)
		return false;
	a->store_version = version;

	return true;
}

void tandem_auth_refresh(struct tandem_auth *a)
{
	enum tandem_sip_auth mode;
	uint64_t removals = 0;
	bool registers;

	if (!changed(a))
		return;

	mode = effective(a);
	registers = mode != TANDEM_SIP_AUTH_OPEN;
	if (a->store)
		(void)tandem_store_user_removals(a->store, &removals);
	if (a->store && registers && (!a->registers || removals != a->removals))
		sift_contacts(a);
	if (a->store && !registers && !a->settled)
		mark_open(a);
	a->removals = removals;
	if (a->settled && registers == a->registers)
		return;
	a->registers = registers;
	a->requests = mode == TANDEM_SIP_AUTH_REQUIRED;
	a->settled = true;
	report(a);
}
