/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "userspace/sip/token.h"

#define KEY_SIZE  20
#define FLOW_SIZE 20 /* transport, family, address, port */
#define MAC_SIZE  8
#define SHA1_SIZE 20

static size_t flow_pack(uint8_t *out, const struct tandem_flow *flow)
{
	uint16_t port;
	uint32_t in;
	size_t n = 2;

	if (!flow || !flow->set)
		return 0;

	port = htons(sa_port(&flow->addr));
	out[0] = (uint8_t)flow->tp;
	if (sa_af(&flow->addr) == AF_INET6) {
		out[1] = 6;
		sa_in6(&flow->addr, out + n);
		n += 16;
	} else {
		out[1] = 4;
		in = htonl(sa_in(&flow->addr));
		memcpy(out + n, &in, 4);
		n += 4;
	}
	memcpy(out + n, &port, 2);

	return n + 2;
}

static int flow_unpack(struct tandem_flow *flow, const uint8_t *in, size_t len)
{
	uint16_t port;
	uint32_t addr;

	memset(flow, 0, sizeof(*flow));
	if (!len)
		return 0;
	if (!(len == 8 && in[1] == 4) && !(len == 20 && in[1] == 6))
		return -EACCES;

	memcpy(&port, in + len - 2, 2);
	flow->set = true;
	flow->tp = (enum sip_transp)in[0];
	if (in[1] == 6) {
		sa_set_in6(&flow->addr, in + 2, ntohs(port));
	} else {
		memcpy(&addr, in + 2, 4);
		sa_set_in(&flow->addr, ntohl(addr), ntohs(port));
	}

	return 0;
}

/* First size octets of the HMAC. libre always writes the whole of it, whatever length it is given. */
static void hmac(uint8_t *out, size_t size, const uint8_t *key, const struct mbuf *mb)
{
	uint8_t digest[SHA1_SIZE];

	hmac_sha1(key, KEY_SIZE, mb->buf, mb->end, digest, sizeof(digest));
	memcpy(out, digest, size);
}

static int mac(uint8_t out[MAC_SIZE], const uint8_t *key, const struct pl *call_id,
	       const uint8_t *flow, size_t len)
{
	struct mbuf *mb = mbuf_alloc(call_id->l + len + 1);
	int err;

	if (!mb)
		return -ENOMEM;
	err = mbuf_write_u8(mb, (uint8_t)len);
	err |= mbuf_write_mem(mb, flow, len);
	err |= mbuf_write_pl(mb, call_id);
	if (!err)
		hmac(out, MAC_SIZE, key, mb);
	mem_deref(mb);

	return -err;
}

/* len octets of raw, which has room for the hash behind them. */
static int write_token(char *buf, const uint8_t *key, const struct pl *call_id, uint8_t *raw,
		       size_t len)
{
	int err = mac(raw + len, key, call_id, raw, len);

	if (err)
		return err;

	return re_snprintf(buf, TANDEM_TOKEN_SIZE, "%w", raw, len + MAC_SIZE) < 0 ? -ENOMEM : 0;
}

int tandem_token_write(char *buf, const uint8_t key[20], const struct pl *call_id,
		       const struct tandem_flow *flow)
{
	uint8_t raw[FLOW_SIZE + MAC_SIZE];

	return write_token(buf, key, call_id, raw, flow_pack(raw, flow));
}

int tandem_token_write_number(char *buf, const uint8_t key[20], const struct pl *call_id,
			      uint64_t number)
{
	uint8_t raw[sizeof(number) + MAC_SIZE];

	memcpy(raw, &(uint64_t){ sys_htonll(number) }, sizeof(number));

	return write_token(buf, key, call_id, raw, sizeof(number));
}

static int unhex(uint8_t *out, size_t size, const struct pl *pl)
{
	size_t i;

	if (pl->l % 2 || pl->l / 2 > size)
		return -EACCES;
	for (i = 0; i < pl->l; i++) {
		const char *digits = "0123456789abcdef";
		const char *d = pl->p[i] ? strchr(digits, pl->p[i]) : NULL;

		if (!d)
			return -EACCES;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | (d - digits));
	}

	return (int)(pl->l / 2);
}

/* The octets in front of the hash, if that is right: how many, or -EACCES. */
static int read_token(uint8_t raw[FLOW_SIZE + MAC_SIZE], const uint8_t *key,
		      const struct pl *call_id, const struct pl *token)
{
	uint8_t want[MAC_SIZE];
	int len = unhex(raw, FLOW_SIZE + MAC_SIZE, token) - MAC_SIZE;

	if (len < 0 || mac(want, key, call_id, raw, (size_t)len) ||
	    mem_seccmp(want, raw + len, MAC_SIZE))
		return -EACCES;

	return len;
}

int tandem_token_read(struct tandem_flow *flow, const uint8_t key[20], const struct pl *call_id,
		      const struct pl *token)
{
	uint8_t raw[FLOW_SIZE + MAC_SIZE];
	int len = read_token(raw, key, call_id, token);

	return len < 0 ? len : flow_unpack(flow, raw, (size_t)len);
}

int tandem_token_read_number(uint64_t *number, const uint8_t key[20], const struct pl *call_id,
			     const struct pl *token)
{
	uint8_t raw[FLOW_SIZE + MAC_SIZE];
	int len = read_token(raw, key, call_id, token);

	if (len != (int)sizeof(*number))
		return -EACCES;
	memcpy(number, raw, sizeof(*number));
	*number = sys_ntohll(*number);

	return 0;
}

uint64_t tandem_token_request(const uint8_t key[20], const struct sip_msg *msg)
{
	const struct sip_hdr *route = sip_msg_hdr(msg, SIP_HDR_ROUTE);
	struct mbuf *mb = mbuf_alloc(512);
	uint8_t out[8] = { 0 };
	uint64_t v;

	if (!mb)
		return 0;
	if (!mbuf_printf(mb, "%r|%r|%r|%r|%u|%r", &msg->ruri, &msg->from.tag, &msg->to.tag,
			 &msg->callid, msg->cseq.num, route ? &route->val : &pl_null))
		hmac(out, sizeof(out), key, mb);
	mem_deref(mb);
	memcpy(&v, out, sizeof(v));

	return v;
}

/* The upper half proves that we wrote it for this Call-ID, the lower half tells requests apart. */
uint64_t tandem_token_loop(const uint8_t key[20], const struct sip_msg *msg)
{
	struct mbuf *mb = mbuf_alloc(msg->callid.l + 8);
	uint8_t out[8] = { 0 };
	uint64_t v;

	if (!mb)
		return 0;
	if (!mbuf_printf(mb, "loop|%r", &msg->callid))
		hmac(out, 4, key, mb);
	mem_deref(mb);
	memcpy(&v, out, sizeof(v));

	return v << 32 | (tandem_token_request(key, msg) & 0xffffffff);
}

bool tandem_token_loop_is_ours(uint64_t mark, uint64_t expected)
{
	return mark >> 32 == expected >> 32;
}
