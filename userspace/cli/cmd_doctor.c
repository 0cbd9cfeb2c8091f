/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/command.h"
#include "userspace/cli/doctor.h"
#include "userspace/cli/table.h"
#include "userspace/control/client.h"

static const struct tandem_datapath_ops *const datapaths[] = { &tandem_xdp_ops, &tandem_kmod_ops,
							       &tandem_dpdk_ops,
							       &tandem_uring_ops };
#define DATAPATHS (sizeof(datapaths) / sizeof(datapaths[0]))

static const char *const state_words[] = {
	[TANDEM_FINDING_OK] = "ok",
	[TANDEM_FINDING_INFO] = "info",
	[TANDEM_FINDING_WARNING] = "warning",
	[TANDEM_FINDING_FAILURE] = "failure",
};

struct examination {
	struct tandem_doctor doctor;
	struct tandem_host host;
	struct tandem_resolved resolved;
	struct tandem_probe probes[DATAPATHS];
	bool resolves;
	bool usable;
};

void tandem_doctor_add(struct tandem_doctor *doctor, const char *name,
		       enum tandem_finding_state state, const char *fmt, ...)
{
	struct tandem_finding *finding = &doctor->findings[doctor->count];
	va_list ap;

	if (doctor->count == TANDEM_DOCTOR_MAX)
		return;
	finding->name = name;
	finding->state = state;
	va_start(ap, fmt);
	vsnprintf(finding->detail, sizeof(finding->detail), fmt, ap);
	va_end(ap);
	doctor->count++;
}

static void probe(struct examination *ex)
{
	for (size_t i = 0; i < DATAPATHS; i++) {
		struct tandem_probe *p = &ex->probes[i];

		if (!ex->resolves) {
			snprintf(p->detail, sizeof(p->detail),
				 "not tried, for the configuration does not fit this host");
			continue;
		}
		if (datapaths[i]->probe(&ex->resolved.datapath, p))
			p->usable = false;
		ex->usable |= p->usable;
	}
}

static void examine(struct examination *ex, const struct tandem_config *cfg)
{
	struct tandem_config_error err = { 0 };
	bool running = tandem_client_alive(cfg->control_socket);

	ex->resolves = !tandem_host_init(&ex->host) &&
		       !tandem_resolve(&ex->resolved, cfg, &ex->host, &err);
	probe(ex);
	if (running)
		tandem_doctor_add(&ex->doctor, "relay", TANDEM_FINDING_INFO, "running at %s",
				  cfg->control_socket);
	tandem_doctor_kernel(&ex->doctor, cfg->bpf_dir);
	tandem_doctor_files(&ex->doctor, cfg);
	tandem_doctor_tls(&ex->doctor, cfg);
	if (ex->resolves)
		tandem_doctor_network(&ex->doctor, &ex->host, &ex->resolved, running);
	else
		tandem_doctor_add(&ex->doctor, "configuration", TANDEM_FINDING_FAILURE, "%s: %s",
				  err.key, err.text);
	tandem_host_clean(&ex->host);
}

static void print_json(const struct examination *ex)
{
	json_t *paths = json_array(), *checks = json_array(), *doc;

	for (size_t i = 0; i < DATAPATHS; i++)
		json_array_append_new(
			paths, json_pack("{s:s, s:b, s:s}", "name", datapaths[i]->name, "usable",
					 ex->probes[i].usable, "detail", ex->probes[i].detail));
	for (size_t i = 0; i < ex->doctor.count; i++) {
		const struct tandem_finding *f = &ex->doctor.findings[i];

		json_array_append_new(checks,
				      json_pack("{s:s, s:s, s:s}", "name", f->name, "state",
						state_words[f->state], "detail", f->detail));
	}
	doc = json_pack("{s:b, s:o, s:o}", "usable", ex->usable, "datapaths", paths, "checks",
			checks);
	if (doc)
		tandem_command_print_json(doc);
	json_decref(doc);
}

/* Long details go on below their own column, broken between words. */
static void print_wrapped(const char *text, unsigned int indent, unsigned int width)
{
	unsigned int room = width > indent + 20 ? width - indent : 20;

	while (strlen(text) > room) {
		unsigned int cut = room;

		while (cut > 1 && text[cut] != ' ')
			cut--;
		if (cut == 1)
			cut = room;
		printf("%.*s\n%*s", (int)cut, text, (int)indent, "");
		text += cut + (text[cut] == ' ');
	}
	puts(text);
}

static void print_human(const struct examination *ex)
{
	unsigned int width = tandem_terminal_width();

	for (size_t i = 0; i < DATAPATHS; i++) {
		printf("%-15s %-8s ", datapaths[i]->name, ex->probes[i].usable ? "usable" : "no");
		print_wrapped(ex->probes[i].detail, 25, width);
	}
	putchar('\n');
	for (size_t i = 0; i < ex->doctor.count; i++) {
		const struct tandem_finding *f = &ex->doctor.findings[i];

		printf("%-15s %-8s ", f->name, state_words[f->state]);
		print_wrapped(f->detail, 25, width);
	}
}

int tandem_cmd_doctor(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	struct tandem_config *cfg;
	struct examination *ex;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	if (status >= 0)
		return status;
	cfg = tandem_command_config(&opts);
	if (!cfg)
		return TANDEM_EXIT_USAGE;
	ex = calloc(1, sizeof(*ex));
	status = TANDEM_EXIT_FAILURE;
	if (ex) {
		examine(ex, cfg);
		if (opts.json)
			print_json(ex);
		else
			print_human(ex);
		status = ex->usable ? TANDEM_EXIT_OK : TANDEM_EXIT_FAILURE;
	}
	free(ex);
	tandem_config_free(cfg);
	return status;
}
