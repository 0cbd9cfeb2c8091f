/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks of the host, each a line of `tandem doctor`. They change nothing. Private to userspace/cli. */
#ifndef TANDEM_CLI_DOCTOR_H
#define TANDEM_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "userspace/config/resolve.h"

#define TANDEM_DOCTOR_MAX 64

enum tandem_finding_state {
	TANDEM_FINDING_OK,
	TANDEM_FINDING_INFO,
	TANDEM_FINDING_WARNING,
	TANDEM_FINDING_FAILURE,
};

struct tandem_finding {
	const char *name; /* static */
	enum tandem_finding_state state;
	char detail[320];
};

struct tandem_doctor {
	struct tandem_finding findings[TANDEM_DOCTOR_MAX];
	size_t count;
};

/* Add a finding; one too many is left out. */
void tandem_doctor_add(struct tandem_doctor *doctor, const char *name,
		       enum tandem_finding_state state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Kernel: version, BTF, capabilities, bpffs under bpf_dir, locked memory, io_uring. */
void tandem_doctor_kernel(struct tandem_doctor *doctor, const char *bpf_dir);

/* Files: the database can be written, the control socket's directory can be made. */
void tandem_doctor_files(struct tandem_doctor *doctor, const struct tandem_config *cfg);

/* The certificate of SIP over TLS, where there is one: it can be read, and is valid for a while. */
void tandem_doctor_tls(struct tandem_doctor *doctor, const struct tandem_config *cfg);

/* Network: addresses, ports, interfaces and their kind; SIP ports free (running: a relay has them). */
void tandem_doctor_network(struct tandem_doctor *doctor, const struct tandem_host *host,
			   const struct tandem_resolved *resolved, bool running);

#endif
