/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the DPDK worker needs for a packet, as bench/dpdk/mill.c measures it: a program of its
 * own, since this one does not link DPDK. It writes lines "WHAT<tab>MIN<tab>MEDIAN<tab>MAX".
 */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/core.h"
#include "core/srtp_abi.h"

#define LEAST_FLOWS 1000 /* as many frames are on their way there */
#define MOST_FLOWS  64512

/* It lies in bench/ beside the program, where both were built. */
static int mill_path(char path[4096])
{
	ssize_t n = readlink("/proc/self/exe", path, 4000);

	path[n > 0 ? n : 0] = '\0';
	dirname(path);
	strcat(path, "/bench/dpdk-mill");
	return access(path, X_OK) ? -errno : 0;
}

/* what of NULL: as the line says. */
static int take_line(char *line, const char *what, struct core_row *row, struct core_report *report)
{
	char *said = strtok(line, "\t"), *rest = strtok(NULL, "\n");

	if (!said || !rest ||
	    sscanf(rest, "%lf\t%lf\t%lf", &row->value.min, &row->value.median, &row->value.max) !=
		    3)
		return -EPROTO;
	snprintf(row->what, sizeof(row->what), "%s", what ? what : said);
	snprintf(row->unit, sizeof(row->unit), "%s", strchr(said, '/') ? "ratio" : "ns");
	return tandem_core_put(report, row);
}

static int run_mill(const char *options, const char *what, struct core_row *row,
		    struct core_report *report)
{
	char path[4096], command[4300], line[256];
	int err = mill_path(path), status;
	FILE *f;

	if (err)
		return err;
	snprintf(command, sizeof(command), "'%s' --rows %s %u %u", path, options, row->flows,
		 row->copies);
	fflush(NULL);
	f = popen(command, "re");
	if (!f)
		return -errno;
	while (!err && fgets(line, sizeof(line), f))
		err = take_line(line, what, row, report);
	status = pclose(f);
	return !err && status ? -EIO : err;
}

static int measure(const struct core_options *opts, uint32_t flows, uint32_t copies,
		   struct core_report *report, void *arg)
{
	struct core_row row = { .datapath = "dpdk",
				.flows = flows < LEAST_FLOWS ? LEAST_FLOWS : flows,
				.copies = copies };
	char path[4096], srtp[16];
	int err = mill_path(path);

	if (err || flows > MOST_FLOWS || (flows < LEAST_FLOWS && copies == 1)) {
		fprintf(stderr, "bench: skipped: DPDK with %u flows: %s\n", flows,
			err ? "bench/dpdk-mill is not built" : "it takes 1000 to 64512");
		return -EOPNOTSUPP;
	}
	err = run_mill("", NULL, &row, report);
	snprintf(srtp, sizeof(srtp), "--srtp %d", SRTP_AES_CM_128_HMAC_SHA1_80);
	if (!err && copies == 1)
		err = run_mill(srtp, "whole, with SRTP", &row, report);
	if (err)
		fprintf(stderr, "bench: DPDK with %u flows: %s\n", flows, strerror(-err));
	return err;
}

const struct core_datapath tandem_core_dpdk = { "dpdk", NULL, NULL, measure };
