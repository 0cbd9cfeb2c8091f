/* SPDX-License-Identifier: GPL-2.0-only */
/* Gateways and routes of the configuration: defaults, and what the schema cannot say. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "userspace/config/schema.h"
#include "userspace/util/digest.h"
#include "userspace/util/endpoint.h"

#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
#define DOMAIN_CHARS NAME_CHARS
#define NUMBER_CHARS "+0123456789*#"
#define KEY_SIZE     80

struct checker {
	const struct tandem_config *cfg;
	const struct tandem_yaml *y;
	struct tandem_config_error *err;
};

#define wrong(c, key, ...) tandem_config_wrong((c)->err, (c)->y, key, __VA_ARGS__)

/* Unlike other numbers these may be 0, which says no to what they are for. */
static const struct {
	const char *name;
	size_t offset, size;
	uint32_t def, min, max;
} numbers[] = {
#define NUMBER(name, def, min, max)                                                                \
	{                                                                                          \
#name, offsetof(struct tandem_config_gateway, name),                               \
			sizeof(((struct tandem_config_gateway *)NULL)->name), def, min, max        \
	}
	NUMBER(priority, 1, 0, 65535),	 NUMBER(weight, 1, 0, 65535),
	NUMBER(options_s, 30, 0, 86400), NUMBER(timeout_s, 4, 0, 32),
	NUMBER(prefix_strip, 0, 0, 31),
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void number_key(char key[KEY_SIZE], unsigned int i, size_t n)
{
	snprintf(key, KEY_SIZE, "gateways[%u].%s", i, numbers[n].name);
}

void tandem_config_default_gateways(struct tandem_config *cfg, const struct tandem_yaml *y)
{
	for (unsigned int i = 0; i < cfg->gateways_count; i++) {
		for (size_t n = 0; n < COUNT(numbers); n++) {
			char *at = (char *)&cfg->gateways[i] + numbers[n].offset;
			uint16_t narrow = (uint16_t)numbers[n].def;
			char key[KEY_SIZE];

			number_key(key, i, n);
			if (tandem_yaml_line(y, key))
				continue;
			memcpy(at,
			       numbers[n].size == sizeof(narrow) ? (const void *)&narrow
								 : (const void *)&numbers[n].def,
			       numbers[n].size);
		}
	}
}

/* From the text: libcyaml stops at the first odd character, and reads 010 as eight. */
static int check_numbers(const struct checker *c, unsigned int i)
{
	for (size_t n = 0; n < COUNT(numbers); n++) {
		char key[KEY_SIZE];
		const char *text;
		unsigned int value;

		number_key(key, i, n);
		text = tandem_yaml_scalar(c->y, key);
		if (!text)
			continue;
		if (!*text || strlen(text) > 6 || text[strspn(text, "0123456789")] ||
		    (text[0] == '0' && text[1]) || sscanf(text, "%u", &value) != 1 ||
		    value < numbers[n].min || value > numbers[n].max)
			return wrong(c, key, "'%.40s' is not a number from %u to %u", text,
				     numbers[n].min, numbers[n].max);
	}
	return 0;
}

static bool is_word(const char *text)
{
	static const char *const words[] = { "users", "trusted", "any", "dns", "enum", "deny" };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!strcmp(text, words[i]))
			return true;
	}
	return false;
}

static int check_name(const struct checker *c, unsigned int i, const char *key)
{
	const struct tandem_config_gateway *gw = &c->cfg->gateways[i];
	struct tandem_prefix prefix;

	if (!gw->name || !gw->uri)
		return wrong(c, key, "has no %s", gw->name ? "uri" : "name");
	if (strlen(gw->name) > 63 || gw->name[strspn(gw->name, NAME_CHARS)] || is_word(gw->name) ||
	    !tandem_prefix_parse(&prefix, gw->name))
		return wrong(c, key,
			     "'%.60s' is no name: letters, digits, - _ and ., and none of users, "
			     "trusted, any, dns, enum, deny, or an address",
			     gw->name);
	for (unsigned int j = 0; j < i; j++) {
		if (!strcmp(c->cfg->gateways[j].name, gw->name))
			return wrong(c, key, "name %s is given twice", gw->name);
	}
	return 0;
}

static int check_password(const struct checker *c, const struct tandem_config_gateway *gw,
			  const char *key)
{
	if (!gw->user != !gw->password_file)
		return wrong(c, key, "has user without password_file, or the reverse");
	if (gw->realm && !gw->user)
		return wrong(c, key, "has realm without user");
	if (gw->user && tandem_realm_check(gw->user))
		return wrong(c, key,
			     "user '%.40s' is not up to 64 printable characters, quotes "
			     "aside",
			     gw->user);
	if (gw->realm && tandem_realm_check(gw->realm))
		return wrong(c, key,
			     "realm '%.40s' is not up to 64 printable characters, quotes "
			     "aside",
			     gw->realm);
	if (gw->password_file && gw->password_file[0] != '/')
		return wrong(c, key, "password_file must be an absolute path");
	return 0;
}

static int check_gateway(const struct checker *c, unsigned int i)
{
	const struct tandem_config_gateway *gw = &c->cfg->gateways[i];
	struct tandem_prefix network;
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "gateways[%u]", i);
	if (check_name(c, i, key) || check_numbers(c, i))
		return -EINVAL;
	if (strncasecmp(gw->uri, "sip:", 4) && strncasecmp(gw->uri, "sips:", 5))
		return wrong(c, key, "uri '%.60s' is not of the form sip:HOST[:PORT]", gw->uri);
	if (gw->prefix_add && gw->prefix_add[strspn(gw->prefix_add, NUMBER_CHARS)])
		return wrong(c, key, "prefix_add '%.40s' is no part of a number", gw->prefix_add);
	if (check_password(c, gw, key))
		return -EINVAL;
	if (gw->tls_key && !gw->tls_certificate)
		return wrong(c, key, "tls_key is of no certificate");
	for (unsigned int j = 0; j < gw->sources_count; j++) {
		if (tandem_prefix_parse(&network, gw->sources[j]))
			return wrong(c, key, "source '%.60s' is not a network such as 10.0.0.0/8",
				     gw->sources[j]);
	}
	return 0;
}

static bool is_gateway(const struct checker *c, const char *name)
{
	for (unsigned int i = 0; i < c->cfg->gateways_count; i++) {
		if (!strcmp(c->cfg->gateways[i].name, name))
			return true;
	}
	return false;
}

static int check_from(const struct checker *c, const struct tandem_config_route *route,
		      const char *key)
{
	struct tandem_prefix network;

	for (unsigned int i = 0; i < route->from_count; i++) {
		const char *word = route->from[i];

		if (strcmp(word, "users") != 0 && strcmp(word, "trusted") != 0 &&
		    strcmp(word, "any") != 0 && !is_gateway(c, word) &&
		    tandem_prefix_parse(&network, word))
			return wrong(c, key,
				     "from '%.60s' is none of users, trusted, any, a gateway, a "
				     "network",
				     word);
	}
	return 0;
}

static int check_via(const struct checker *c, const struct tandem_config_route *route,
		     const char *key)
{
	if (!route->via_count)
		return wrong(c, key, "has no via");
	for (unsigned int i = 0; i < route->via_count; i++) {
		const char *word = route->via[i];

		if (!strcmp(word, "dns") && !route->domain)
			return wrong(c, key, "via dns is for routes with a domain");
		if (!strcmp(word, "enum") && route->domain)
			return wrong(c, key, "via enum is for routes without a domain");
		if (strcmp(word, "dns") != 0 && strcmp(word, "enum") != 0 &&
		    strcmp(word, "deny") != 0 && !is_gateway(c, word))
			return wrong(c, key, "via '%.60s' is none of dns, enum, deny, a gateway",
				     word);
	}
	return 0;
}

static int check_route(const struct checker *c, unsigned int i)
{
	const struct tandem_config_route *route = &c->cfg->routes[i];
	const char *domain = route->domain;
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "routes[%u]", i);
	if (!route->to && !domain)
		return wrong(c, key, "has neither to nor domain");
	if (domain && domain[0] == '*')
		domain++;
	if (domain && domain[strspn(domain, DOMAIN_CHARS)])
		return wrong(c, key, "domain '%.60s' is not one such as partner.example, or *",
			     route->domain);
	return check_from(c, route, key) || check_via(c, route, key) ? -EINVAL : 0;
}

static int check_names(const struct checker *c)
{
	const struct tandem_config_sip *sip = &c->cfg->sip;
	struct tandem_endpoint ep;
	struct ip_addr ip;
	char key[KEY_SIZE];

	for (unsigned int i = 0; i < sip->name_servers_count; i++) {
		snprintf(key, sizeof(key), "sip.name_servers[%u]", i);
		if (tandem_ip_parse(&ip, sip->name_servers[i]) &&
		    tandem_endpoint_parse(&ep, sip->name_servers[i]))
			return wrong(c, key,
				     "'%.60s' is not of the form 192.0.2.53 or "
				     "[2001:db8::53]:53",
				     sip->name_servers[i]);
	}
	if (strlen(sip->enum_suffix) > 128 ||
	    sip->enum_suffix[strspn(sip->enum_suffix, DOMAIN_CHARS)])
		return wrong(c, "sip.enum_suffix", "'%.60s' is not a domain", sip->enum_suffix);
	return 0;
}

int tandem_config_check_routing(const struct tandem_config *cfg, const struct tandem_yaml *y,
				struct tandem_config_error *err)
{
	const struct checker c = { cfg, y, err };

	for (unsigned int i = 0; i < cfg->gateways_count; i++) {
		if (check_gateway(&c, i))
			return -EINVAL;
	}
	for (unsigned int i = 0; i < cfg->routes_count; i++) {
		if (check_route(&c, i))
			return -EINVAL;
	}
	return check_names(&c);
}
