#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two baresips register and talk; what each decodes is, sample for sample, what the
# other one played. Over UDP, then over TCP.
#
#   alice (baresip plays alice.wav) ---- relay (tandem) ---- bob (baresip plays bob.wav)

. "$(dirname "$0")/calls.sh"
relay_begin 90
need_tool g711cmp
command -v baresip >/dev/null || tap_skip_all "needs baresip"

PHONE_TRANSPORT=udp phones_talk udp
PHONE_TRANSPORT=tcp phones_talk tcp
relay_ends
tap_done
