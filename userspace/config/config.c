/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/config/schema.h"

#define FILE_MAX_BYTES (256 * 1024)

static int read_file(const char *path, char **textp, size_t *len, struct tandem_config_error *err)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	int ret = 0;

	if (!f) {
		ret = -errno;
		goto out;
	}
	text = malloc(FILE_MAX_BYTES + 1);
	if (!text) {
		ret = -ENOMEM;
		goto out;
	}
	*len = fread(text, 1, FILE_MAX_BYTES + 1, f);
	if (ferror(f))
		ret = -errno; /* fread leaves errno of read(2), EISDIR for a directory */
	else if (*len > FILE_MAX_BYTES)
		ret = -EFBIG;
out:
	if (f)
		fclose(f);
	if (ret) {
		snprintf(err->text, sizeof(err->text), "cannot be read: %s", strerror(-ret));
		free(text);
		return ret;
	}
	*textp = text;
	return 0;
}

static void config_libcyaml(cyaml_config_t *cyaml, struct tandem_config_trace *trace)
{
	memset(cyaml, 0, sizeof(*cyaml));
	cyaml->mem_fn = cyaml_mem;
	cyaml->log_fn = trace ? tandem_config_trace_log : NULL;
	cyaml->log_ctx = trace;
	cyaml->log_level = CYAML_LOG_ERROR;
	cyaml->flags = CYAML_CFG_NO_ALIAS;
}

static int load_text(struct tandem_config **cfgp, const struct tandem_yaml *y, const char *text,
		     size_t len, struct tandem_config_error *err)
{
	struct tandem_config_trace trace = { 0 };
	cyaml_config_t cyaml;
	cyaml_data_t *data = NULL;
	cyaml_err_t rc;

	config_libcyaml(&cyaml, &trace);
	rc = cyaml_load_data((const uint8_t *)text, len, &cyaml, &tandem_config_schema, &data,
			     NULL);
	if (rc == CYAML_ERR_OOM)
		return -ENOMEM;
	if (rc != CYAML_OK) {
		/* Some errors come without a log line of their own. */
		if (!trace.text[0])
			snprintf(trace.text, sizeof(trace.text), "%s", cyaml_strerror(rc));
		tandem_config_trace_explain(&trace, y, err);
		return -EINVAL;
	}
	*cfgp = data;
	return 0;
}

static void fit_default_expires(struct tandem_config_sip *sip)
{
	if (sip->default_expires_s > sip->max_expires_s)
		sip->default_expires_s = sip->max_expires_s;
	if (sip->default_expires_s < sip->min_expires_s)
		sip->default_expires_s = sip->min_expires_s;
}

int tandem_config_load(struct tandem_config **cfgp, const char *path,
		       struct tandem_config_error *err)
{
	struct tandem_config *cfg = NULL;
	struct tandem_yaml *y = NULL;
	char *text = NULL;
	size_t len = 0;
	int ret = 0;

	memset(err, 0, sizeof(*err));
	if (path) {
		ret = read_file(path, &text, &len, err);
		if (!ret)
			ret = tandem_yaml_open(&y, text, len, err);
		if (!ret && !tandem_yaml_empty(y))
			ret = load_text(&cfg, y, text, len, err);
		if (ret)
			goto out;
	}
	if (!cfg)
		cfg = calloc(1, sizeof(*cfg));
	ret = cfg ? tandem_config_defaults(cfg, y) : -ENOMEM;
	if (!ret)
		ret = tandem_config_check(cfg, y, err);
	if (!ret)
		fit_default_expires(&cfg->sip);
out:
	if (ret == -ENOMEM)
		snprintf(err->text, sizeof(err->text), "out of memory");
	if (ret) {
		tandem_config_free(cfg);
		cfg = NULL;
	}
	tandem_yaml_close(y);
	free(text);
	*cfgp = cfg;
	return ret;
}

void tandem_config_free(struct tandem_config *cfg)
{
	cyaml_config_t cyaml;

	if (!cfg)
		return;
	config_libcyaml(&cyaml, NULL);
	cyaml_free(&cyaml, &tandem_config_schema, cfg, 0);
}

const char *tandem_config_cdr_database(const struct tandem_config *cfg, char *buf, size_t size)
{
	const char *main_db = cfg->database, *given = cfg->cdr.database;
	size_t len = strlen(main_db);

	if (given)
		return strcmp(given, "none") ? given : NULL;
	if (strcmp(main_db, ":memory:") == 0)
		return NULL;
	if (len > 3 && strcmp(main_db + len - 3, ".db") == 0)
		len -= 3;
	snprintf(buf, size, "%.*s-cdr.db", (int)len, main_db);
	return buf;
}

const char *tandem_config_realm(const struct tandem_config *cfg)
{
	if (cfg->sip.realm)
		return cfg->sip.realm;
	return cfg->sip.domains_count ? cfg->sip.domains[0] : "tandem";
}
