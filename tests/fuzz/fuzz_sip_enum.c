/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What name servers say, as bytes. The first octet chooses: a whole answer of the DNS, read as
 * libre reads it and put in order; or the texts of a NAPTR record and a number, a line each.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/sip/local.h"
#include "userspace/sip/naptr.h"
#include "userspace/sip/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_order(const struct tandem_answer *answer)
{
	size_t order[TANDEM_RECORDS_MAX], i;
	unsigned int seen = 0;

	tandem_naptr_sort(answer, order);
	for (i = 0; i < answer->count; i++) {
		CHECK(order[i] < answer->count);
		seen |= 1u << order[i];
	}
	CHECK(seen == (1u << answer->count) - 1);
}

static void check_uri(const char *regexp, const char *number)
{
	char uri[TANDEM_ENUM_URI_SIZE];
	struct pl pl;

	if (tandem_enum_rewrite(uri, regexp, number))
		return;
	CHECK(memchr(uri, '\0', sizeof(uri)));
	pl_set_str(&pl, uri);
	CHECK(tandem_sip_uri_clean(&pl));
	CHECK(!strncasecmp(uri, "sip", 3));
}

static void read_answer(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_SRV, DNS_TYPE_NAPTR };
	struct mbuf mb = { .buf = (uint8_t *)data, .size = size, .end = size };
	struct list list = LIST_INIT;
	struct dnsrr *rr;
	struct le *le;
	size_t i, n, k;

	for (n = 0; n < 40 && !dns_rr_decode(&mb, &rr, 0); n++)
		list_append(&list, &rr->le_priv, rr);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct tandem_answer *answer = tandem_answer_read(&list, i & 1 ? "a.test" : NULL,
								  types[i]);

		CHECK(answer && answer->count <= TANDEM_RECORDS_MAX);
		CHECK(!answer->err == (answer->count > 0));
		if (types[i] == DNS_TYPE_NAPTR) {
			check_order(answer);
			for (k = 0; k < answer->count; k++) {
				(void)tandem_enum_is_sip(answer->records[k].naptr.services);
				check_uri(answer->records[k].naptr.regexp, "+49301234567");
			}
		}
		mem_deref(answer);
	}
	while ((le = list_head(&list))) {
		list_unlink(le);
		mem_deref(le->data);
	}
}

static void read_texts(char *text)
{
	struct tandem_number number;
	char domain[128], dressed[TANDEM_NUMBER_SIZE];
	char *regexp = text, *tel = strchr(text, '\n'), *services = NULL;
	struct uri uri;
	struct pl pl;

	if (tel)
		*tel++ = '\0';
	services = tel ? strchr(tel, '\n') : NULL;
	if (services)
		*services++ = '\0';
	check_uri(regexp, "+442079460148");
	if (services)
		(void)tandem_enum_is_sip(services);
	if (!tel)
		return;
	pl_set_str(&pl, tel);
	if (uri_decode(&uri, &pl) || tandem_number_read(&number, &uri))
		return;
	CHECK(number.digits[0] && strlen(number.digits) < sizeof(number.digits));
	CHECK(!number.tel || number.global || pl_isset(&number.context));
	if (!tandem_enum_domain(domain, sizeof(domain), number.digits, "e164.arpa")) {
		CHECK(strlen(domain) == 2 * (strlen(number.digits) - 1) + strlen("e164.arpa"));
		check_uri(regexp, number.digits);
	}
	if (!tandem_number_dress(dressed, sizeof(dressed), number.digits, 1, "00"))
		CHECK(!strncmp(dressed, "00", 2) && dressed[2]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size || size > 4096)
		return 0;
	if (data[0] & 1) {
		read_answer(data + 1, size - 1);
		return 0;
	}
	text = malloc(size);
	CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	read_texts(text);
	free(text);

	return 0;
}
