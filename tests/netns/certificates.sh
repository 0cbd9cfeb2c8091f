# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Certificates of a test's own. Sourced behind calls.sh by tests that need some.

# certificate NAME CN [ISSUER [ALTERNATIVES]]: NAME.pem and NAME.key in $WORK, signed by ISSUER or by
# itself.
certificate()
{
	local by=()
	[ -z "${3:-}" ] || by=(-CA "$WORK/$3.pem" -CAkey "$WORK/$3.key")
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj "/CN=$2" -addext "subjectAltName=${4:-DNS:$2,IP:10.77.1.1,IP:10.77.2.1}" \
		-keyout "$WORK/$1.key" -out "$WORK/$1.pem" "${by[@]}" 2>/dev/null
}
