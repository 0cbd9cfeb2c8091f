/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/params.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 128

/* Read alongside the words, and put together when all of them are there. */
struct reading {
	struct tandem_ng_params *p;
	bool transport; /* transport-protocol was given */
	bool sdes_off;
	bool feedback; /* RTP/SAVPF */
	bool osrtp;
	bool webrtc;
	bool ice_wanted;
};

/* Words are written with spaces, dashes, underscores, "=" or ":", in capitals or not. */
static void normalize(char buf[WORD_MAX], const char *first, const char *second)
{
	char *c;

	snprintf(buf, WORD_MAX, second ? "%s-%s" : "%s", first, second);
	for (c = buf; *c; c++)
		*c = strchr(" _=:", *c) ? '-' : (char)tolower((unsigned char)*c);
}

static void warn(struct tandem_ng_params *p, const char *what, const char *why)
{
	size_t len = strlen(p->warning);

	snprintf(p->warning + len, sizeof(p->warning) - len, "%s%s%s%s%s",
		 len ? ", " : "not supported: ", what, why ? " (" : "", why ? why : "",
		 why ? ")" : "");
}

static void add_codec(const char **list, size_t *count, const char *codec)
{
	if (*count < TANDEM_NG_CODECS_MAX && *codec)
		list[(*count)++] = codec;
}

static void take_codec(struct tandem_ng_params *p, enum tandem_ng_word word, const char *codec)
{
	struct tandem_ng_codecs *c = &p->codecs;

	if (word == TANDEM_NG_CODEC_STRIP)
		add_codec(c->strip, &c->strip_count, codec);
	else
		add_codec(c->keep, &c->keep_count, codec);
	if (word == TANDEM_NG_CODEC_OFFER)
		add_codec(c->order, &c->order_count, codec);
}

static void take_transport(struct reading *r, const char *value)
{
	static const struct {
		const char *name;
		enum tandem_security security;
	} protocols[] = {
		{ "RTP/AVP", TANDEM_SECURITY_PLAIN },
		{ "RTP/AVPF", TANDEM_SECURITY_PLAIN },
		{ "RTP/SAVP", TANDEM_SECURITY_SDES_REQUIRE },
		{ "RTP/SAVPF", TANDEM_SECURITY_SDES_REQUIRE },
		{ "UDP/TLS/RTP/SAVP", TANDEM_SECURITY_DTLS },
		{ "UDP/TLS/RTP/SAVPF", TANDEM_SECURITY_DTLS },
	};
	size_t i;

	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (strcasecmp(protocols[i].name, value))
			continue;
		r->p->security = protocols[i].security;
		r->transport = true;
		r->feedback = !strcasecmp(value, "RTP/SAVPF");
		return;
	}
	r->p->unknown++;
}

static void take_family(struct tandem_ng_params *p, const char *value)
{
	if (!strcasecmp(value, "IP4"))
		p->family = AF_INET;
	else if (!strcasecmp(value, "IP6"))
		p->family = AF_INET6;
	else
		p->unknown++;
}

static void take_address(struct tandem_ng_params *p, struct ip_addr *address, const char *value)
{
	if (tandem_ip_parse(address, value))
		p->unknown++;
}

static void take_ice_lite(struct tandem_ng_params *p, enum tandem_ng_word word)
{
	const bool off = word == TANDEM_NG_ICE_LITE_OFF, both = word == TANDEM_NG_ICE_LITE_BOTH;
	const enum tandem_ice_mode mode = off ? TANDEM_ICE_MODE_FULL : TANDEM_ICE_MODE_LITE;

	if (off || both || word == TANDEM_NG_ICE_LITE_BACKWARD)
		p->ice[0] = mode;
	if (off || both || word == TANDEM_NG_ICE_LITE_FORWARD)
		p->ice[1] = mode;
}

static void take_mux(struct tandem_ng_params *p, enum tandem_ng_word word)
{
	static const unsigned int flags[] = {
		[TANDEM_NG_MUX_OFFER - TANDEM_NG_MUX_OFFER] = TANDEM_MUX_OFFER,
		[TANDEM_NG_MUX_REQUIRE - TANDEM_NG_MUX_OFFER] = TANDEM_MUX_REQUIRE,
		[TANDEM_NG_MUX_DEMUX - TANDEM_NG_MUX_OFFER] = TANDEM_MUX_DEMUX,
		[TANDEM_NG_MUX_ACCEPT - TANDEM_NG_MUX_OFFER] = TANDEM_MUX_ACCEPT,
		[TANDEM_NG_MUX_REJECT - TANDEM_NG_MUX_OFFER] = TANDEM_MUX_REJECT,
	};

	p->mux |= flags[word - TANDEM_NG_MUX_OFFER];
}

/* A number from min to max, or else it is as if nothing had been said. */
static bool take_number(struct tandem_ng_params *p, const char *value, long min, long max,
			long *out)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (end == value || *end || n < min || n > max) {
		p->unknown++;
		return false;
	}
	*out = n;
	return true;
}

static void take_amount(struct tandem_ng_params *p, enum tandem_ng_word word, const char *value)
{
	long n;

	if (word == TANDEM_NG_PTIME && take_number(p, value, 1, 1000, &n))
		p->edits.ptime = (unsigned int)n;
	else if (word == TANDEM_NG_PTIME_REVERSE && take_number(p, value, 1, 1000, &n))
		p->ptime_reverse = (unsigned int)n;
	else if (word == TANDEM_NG_DELETE_DELAY && take_number(p, value, 0, 86400, &n))
		p->delete_delay_s = (int)n;
	else if (word == TANDEM_NG_TOS && take_number(p, value, INT32_MIN, INT32_MAX, &n))
		p->tos = n < 0 ? TANDEM_NG_TOS_SAME : n > 255 ? TANDEM_NG_TOS_USUAL : (int)n;
}

static void take_drop(struct tandem_ng_params *p, const char *value)
{
	if (!strcasecmp(value, "start"))
		p->drop = 1;
	else if (!strcasecmp(value, "stop"))
		p->drop = -1;
	else
		p->unknown++;
}

static void take_suites(struct tandem_ng_params *p, enum tandem_ng_word word, const char *value)
{
	if (tandem_ng_suites_take(&p->suites, word, value) && word != TANDEM_NG_SDES_NO)
		p->unknown++;
}

/* Ours is one, whatever is wanted of it (RFC 8122 5). */
static void take_fingerprint(struct tandem_ng_params *p, const char *value)
{
	if (strcasecmp(value, "sha-256"))
		warn(p, "dtls-fingerprint", "it is by SHA-256");
}

/* What is said by the word alone. */
static void take_plain(struct reading *r, enum tandem_ng_word word)
{
	struct tandem_ng_params *p = r->p;
	bool *const flags[] = {
		[TANDEM_NG_SDES_OFF] = &r->sdes_off,
		[TANDEM_NG_OSRTP] = &r->osrtp,
		[TANDEM_NG_WEBRTC] = &r->webrtc,
		[TANDEM_NG_ICE_WANTED] = &r->ice_wanted,
		[TANDEM_NG_BLOCK_DTMF] = &p->block_dtmf,
		[TANDEM_NG_BLOCK_MEDIA] = &p->block_media,
		[TANDEM_NG_HIDE_USERNAME] = &p->edits.username,
		[TANDEM_NG_HIDE_NAME] = &p->edits.session_name,
		[TANDEM_NG_NEW_VERSION] = &p->edits.version,
		[TANDEM_NG_NO_RTCP_ATTRIBUTE] = &p->edits.no_rtcp,
		[TANDEM_NG_FULL_RTCP_ATTRIBUTE] = &p->edits.full_rtcp,
		[TANDEM_NG_GENERATE_MID] = &p->edits.mids,
		[TANDEM_NG_OWN_VERSION] = &p->edits.own_version,
		[TANDEM_NG_OWN_ORIGIN] = &p->edits.own_origin,
		[TANDEM_NG_REAL_ADDRESS] = &p->edits.real_address,
		[TANDEM_NG_LOOP_PROTECT] = &p->loop_protect,
		[TANDEM_NG_SINGLE_CODEC] = &p->codecs.first,
		[TANDEM_NG_FATAL] = &p->fatal,
		[TANDEM_NG_OSRTP_ACCEPT] = &p->osrtp_accept,
		[TANDEM_NG_OSRTP_REJECT] = &p->osrtp_reject,
		[TANDEM_NG_DTLS_ACTIVE] = &p->dtls_active,
		[TANDEM_NG_RECORD] = &p->record,
		[TANDEM_NG_SDES_NO_NEW] = &p->suites.no_new,
	};

	if (word < sizeof(flags) / sizeof(flags[0]) && flags[word])
		*flags[word] = true;
}

/* Copied, since what rtpp-flags has does not outlive the reading. */
static void take_label(struct tandem_ng_params *p, char label[TANDEM_NG_LABEL_SIZE],
		       const char *value)
{
	if (*value && strlen(value) < TANDEM_NG_LABEL_SIZE)
		strcpy(label, value);
	else
		p->unknown++;
}

/* Which flows: all there are have come about by offer and answer. */
static void take_all(struct tandem_ng_params *p, const char *value)
{
	if (!*value || !strcasecmp(value, "all"))
		p->all = true;
	else if (!strcasecmp(value, "except-offer-answer"))
		p->none = true;
	else if (strcasecmp(value, "none") && strcasecmp(value, "offer-answer") &&
		 strcasecmp(value, "flows"))
		p->unknown++;
}

static void take_more(struct reading *r, enum tandem_ng_word known, const char *value)
{
	if (known >= TANDEM_NG_PTIME && known <= TANDEM_NG_DELETE_DELAY)
		take_amount(r->p, known, value);
	else if (known == TANDEM_NG_DROP_TRAFFIC)
		take_drop(r->p, value);
	else if (known == TANDEM_NG_FINGERPRINT)
		take_fingerprint(r->p, value);
	else if (known >= TANDEM_NG_SDES_NO && known <= TANDEM_NG_SDES_PREFERRED)
		take_suites(r->p, known, value);
	else if (known >= TANDEM_NG_MUX_OFFER && known <= TANDEM_NG_MUX_REJECT)
		take_mux(r->p, known);
	else if (known >= TANDEM_NG_ICE_LITE_FORWARD && known <= TANDEM_NG_ICE_LITE_OFF)
		take_ice_lite(r->p, known);
	else
		take_plain(r, known);
}

/* original: what was normalized, without the first `skipped` octets of the word. */
static void take_word(struct reading *r, const char *word, const char *original, size_t skipped)
{
	size_t value = skipped;
	enum tandem_ng_word known = tandem_ng_word_find(word, &value);

	if (value < skipped || value - skipped > strlen(original))
		known = TANDEM_NG_UNKNOWN; /* a key that runs on into its value */
	else
		original += value - skipped;
	switch (known) {
	case TANDEM_NG_UNKNOWN:
		r->p->unknown++;
		break;
	case TANDEM_NG_UNSUPPORTED:
		warn(r->p, word, tandem_ng_word_why(word));
		break;
	case TANDEM_NG_CODEC_STRIP:
	case TANDEM_NG_CODEC_EXCEPT:
	case TANDEM_NG_CODEC_OFFER:
		take_codec(r->p, known, original);
		break;
	case TANDEM_NG_TRANSPORT:
		take_transport(r, original);
		break;
	case TANDEM_NG_FAMILY:
		take_family(r->p, original);
		break;
	case TANDEM_NG_LABEL:
		take_label(r->p, r->p->label, original);
		break;
	case TANDEM_NG_SET_LABEL:
		take_label(r->p, r->p->set_label, original);
		break;
	case TANDEM_NG_TO_LABEL:
		take_label(r->p, r->p->to_label, original);
		break;
	case TANDEM_NG_ADDRESS:
		take_address(r->p, &r->p->address, original);
		break;
	case TANDEM_NG_MEDIA_ADDRESS:
		take_address(r->p, &r->p->edits.address, original);
		break;
	case TANDEM_NG_ALL:
		take_all(r->p, original);
		break;
	default:
		take_more(r, known, original);
	}
}

/* "WORD", "KEY=VALUE" or "KEY-VALUE", alone or behind a key. */
static void take_text(struct reading *r, const char *key, const char *text)
{
	char word[WORD_MAX];

	if (key)
		normalize(word, key, text);
	else
		normalize(word, text, NULL);
	take_word(r, word, text, key ? strlen(key) + 1 : 0);
}

static void take_list(struct reading *r, const char *key, const json_t *list)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (json_is_string(item))
			take_text(r, key, json_string_value(item));
		else
			r->p->unknown++;
	}
}

/* Nothing that the relay does has so much below it. */
static void take_nested(struct tandem_ng_params *p, const char *word)
{
	size_t value;

	if (tandem_ng_word_find(word, &value) == TANDEM_NG_UNSUPPORTED)
		warn(p, word, tandem_ng_word_why(word));
	else
		p->unknown++;
}

/* "codec": {"strip": ["PCMA"], ...} */
static void take_dictionary(struct reading *r, const char *key, json_t *dict)
{
	char word[WORD_MAX];
	const char *sub;
	json_t *value;

	json_object_foreach (dict, sub, value) {
		normalize(word, key, sub);
		if (json_is_array(value))
			take_list(r, word, value);
		else if (json_is_string(value))
			take_text(r, word, json_string_value(value));
		else
			take_nested(r->p, word);
	}
}

/* Flags as one text, with spaces between. */
static void take_flags_text(struct reading *r, const char *text)
{
	char word[WORD_MAX], flag[WORD_MAX];
	size_t len;

	for (; *text; text += len) {
		text += strspn(text, " \t\r\n");
		len = strcspn(text, " \t\r\n");
		if (!len || len >= sizeof(word)) {
			r->p->unknown += len > 0;
			continue;
		}
		/* names of codecs have to outlive this */
		snprintf(flag, sizeof(flag), "%.*s", (int)len, text);
		normalize(word, flag, NULL);
		if (!strncmp(word, "codec-", strlen("codec-")))
			warn(r->p, "codecs within rtpp-flags", NULL);
		else
			take_word(r, word, flag, 0);
	}
}

static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) && *text ? text : NULL;
}

static void take_received_from(struct tandem_ng_params *p, const json_t *value)
{
	/* the family in front says nothing that the address does not */
	const char *address = json_is_array(value) ? text_of(json_array_get(value, 1))
						   : text_of(value);

	if (!address || tandem_ip_parse(&p->received_from.ip, address))
		p->unknown++;
}

static void take_direction(struct tandem_ng_params *p, const json_t *value)
{
	if (json_array_size(value) != 2) {
		p->unknown++;
		return;
	}
	p->direction[0] = text_of(json_array_get(value, 0));
	p->direction[1] = text_of(json_array_get(value, 1));
}

/* Read by the command that they belong to (play.c). */
static bool is_play_key(const char *key)
{
	static const char *const keys[] = { "from-tags",    "file",	 "blob", "db-id",
					    "repeat-times", "start-pos", "code", "digit",
					    "volume",	    "duration",	 "pause" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!strcmp(keys[i], key))
			return true;
	}
	return false;
}

/* Keys that are not words with a value. */
static bool take_key(struct reading *r, const char *key, const json_t *value)
{
	struct tandem_ng_params *p = r->p;

	if (!strcmp(key, "call-id"))
		p->call_id = text_of(value);
	else if (!strcmp(key, "from-tag"))
		p->from_tag = text_of(value);
	else if (!strcmp(key, "to-tag"))
		p->to_tag = text_of(value);
	else if (!strcmp(key, "via-branch"))
		p->via = text_of(value);
	else if (!strcmp(key, "sdp"))
		p->sdp = json_string_value(value), p->sdp_len = json_string_length(value);
	else if (!strcmp(key, "received-from"))
		take_received_from(p, value);
	else if (!strcmp(key, "direction"))
		take_direction(p, value);
	else if (!strcmp(key, "flags") && json_is_array(value))
		take_list(r, NULL, value);
	else if ((!strcmp(key, "flags") || !strcmp(key, "rtpp-flags")) && json_is_string(value))
		take_flags_text(r, json_string_value(value));
	else
		return is_play_key(key);
	return true;
}

static void take_integer(struct reading *r, const char *key, json_int_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	take_text(r, key, text);
}

static void take(struct reading *r, const char *key, json_t *value)
{
	char word[WORD_MAX];

	normalize(word, key, NULL);
	if (take_key(r, word, value))
		return;
	if (json_is_array(value))
		take_list(r, word, value);
	else if (json_is_object(value))
		take_dictionary(r, word, value);
	else if (json_is_string(value))
		take_text(r, word, json_string_value(value));
	else if (json_is_integer(value))
		take_integer(r, word, json_integer_value(value));
	else
		take_word(r, word, "", strlen(word)); /* something that no word has */
}

/* What some words say together. */
static void settle(struct reading *r)
{
	struct tandem_ng_params *p = r->p;

	if (r->webrtc)
		p->security = TANDEM_SECURITY_DTLS;
	/* with ICE it is a browser that RTP/SAVPF is for, which takes no keys in SDP */
	if (p->security == TANDEM_SECURITY_SDES_REQUIRE &&
	    (r->sdes_off || (r->feedback && r->ice_wanted)))
		p->security = TANDEM_SECURITY_DTLS;
	if (r->osrtp && (p->security == TANDEM_SECURITY_PLAIN || !r->transport))
		p->security = TANDEM_SECURITY_SDES_PREFER;
	if (!tandem_ng_suites_settle(&p->suites, &p->offered_suites))
		warn(p, "sdes", "no suite would be left");
	if (r->ice_wanted && p->security != TANDEM_SECURITY_DTLS)
		warn(p, "ICE without DTLS", NULL);
}

void tandem_ng_params_read(struct tandem_ng_params *p, const json_t *dict)
{
	struct reading r = { .p = p };
	const char *key;
	json_t *value;

	*p = (struct tandem_ng_params){ .family = AF_UNSPEC,
					.security = TANDEM_SECURITY_AUTO,
					.tos = TANDEM_NG_TOS_USUAL,
					.delete_delay_s = -1,
					.dict = dict };
	json_object_foreach ((json_t *)dict, key, value)
		take(&r, key, value);
	settle(&r);
}
