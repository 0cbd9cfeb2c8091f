/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of the fast path. Lengths of 1 are placeholders: the loader sets those of
 * the arrays, shared and streams before it loads. Arrays that the controller reads
 * and writes in bulk can be mapped into it.
 */
#ifndef TANDEM_BPF_MAPS_H
#define TANDEM_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "core/abi.h"
#include "core/rtcp_job.h"
#include "core/tap_abi.h"

/* A VLAN device, by its ifindex: frames leave by the device below it, with a tag. */
struct vlan_device {
	__u32 ifindex; /* of the device below */
	__u16 tci;
	__u16 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct relay_config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct entry);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rule_more);
} rules_more SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow_more);
} flows_more SEC(".maps");

/* Of flows with many egresses: index in rule.fan, and from there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fan);
} fans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fan_state);
} fan_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leg);
} legs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leg_state);
} leg_states SEC(".maps");

/* 5-tuple to slot, of further flows on shared ports and of those from groups. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key);
	__type(value, __u32);
} shared SEC(".maps");

/* Second and later SSRCs. The least recently used one makes room: no flow can fill it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct stream_key);
	__type(value, struct extra_stream);
} streams SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reason_counters);
} counters SEC(".maps");

/*
 * Devices that frames may be sent to, by their own ifindex. A queue of frames towards a
 * device has one program (of its first frame): where copies are sent, all entries have it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} tx_ports SEC(".maps");

/*
 * Devices, each as often as a frame is to be copied: frames are sent to all entries. By
 * the device's ifindex (0: every device) and the number of copies.
 */
struct copies_key {
	__u32 ifindex;
	__u32 copies;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4096); /* 64 devices and "every", 2 to 64 copies */
	__type(key, struct copies_key);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_DEVMAP);
			__uint(max_entries, 1);
			__type(key, __u32);
			__type(value, struct bpf_devmap_val);
		});
} copy_ports SEC(".maps");

/* How far a device has come with the copies of a frame; by its ifindex. */
struct copy_count {
	__u32 frame; /* of whatever number frames have on this CPU */
	__u32 copies;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct copy_count);
} copy_counts SEC(".maps");

/* The number of the last frame with many egresses. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} frame_numbers SEC(".maps");

/* The device that has a media address; by the address's place in config.locals. */
struct local_device {
	__u32 ifindex; /* 0: none */
	__u16 mtu;
	__u16 vlan_tci;
	__u8 mac[6];
	__u16 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TANDEM_MAX_LOCALS);
	__type(key, __u32);
	__type(value, struct local_device);
} local_devices SEC(".maps");

/* VLAN devices, by their ifindex. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct vlan_device);
} vlans SEC(".maps");

/* The egress of the frame in hand. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egress);
} kept SEC(".maps");

/*
 * The programs with SRTP compiled in, at 0, which those without hand packets to that have to do
 * with keys. Two maps, since a program of a devmap calls none that is not.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} relay_srtp SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} copy_srtp SEC(".maps");

/* Copies for captures: a ring of each CPU, as long as somebody reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} taps SEC(".maps");

/* Those that there was no room for in the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} taps_lost SEC(".maps");

/* The RTCP in hand. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rtcp_job);
} rtcp_jobs SEC(".maps");

#endif
