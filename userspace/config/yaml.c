/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* More keys than the schema has in all: libcyaml refuses such a mapping anyway. */
#define MAX_KEYS 256

struct tandem_yaml {
	yaml_document_t doc;
};

static unsigned int line_of_offset(const char *text, size_t len, size_t offset)
{
	unsigned int line = 1;

	for (size_t i = 0; i < len && i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static void parser_error(const yaml_parser_t *parser, const char *text, size_t len,
			 struct tandem_config_error *err)
{
	/* The reader, which checks the encoding, gives an offset and no mark. */
	err->line = parser->error == YAML_READER_ERROR
			    ? line_of_offset(text, len, parser->problem_offset)
			    : (unsigned int)parser->problem_mark.line + 1;
	snprintf(err->text, sizeof(err->text), "not valid YAML: %s%s%s",
		 parser->context ? parser->context : "", parser->context ? ", " : "",
		 parser->problem ? parser->problem : "unreadable");
}

static bool same_scalar(const yaml_node_t *a, const yaml_node_t *b)
{
	return a && b && a->type == YAML_SCALAR_NODE && b->type == YAML_SCALAR_NODE &&
	       a->data.scalar.length == b->data.scalar.length &&
	       memcmp(a->data.scalar.value, b->data.scalar.value, a->data.scalar.length) == 0;
}

static int check_mapping(yaml_document_t *doc, const yaml_node_t *node,
			 struct tandem_config_error *err)
{
	yaml_node_pair_t *start = node->data.mapping.pairs.start;
	size_t n = (size_t)(node->data.mapping.pairs.top - start);

	for (size_t i = 1; i < n && n <= MAX_KEYS; i++) {
		yaml_node_t *key = yaml_document_get_node(doc, start[i].key);

		for (size_t j = 0; j < i; j++) {
			yaml_node_t *prior = yaml_document_get_node(doc, start[j].key);

			if (!same_scalar(prior, key))
				continue;
			err->line = (unsigned int)key->start_mark.line + 1;
			snprintf(err->key, sizeof(err->key), "%s",
				 (const char *)key->data.scalar.value);
			snprintf(err->text, sizeof(err->text), "given twice, first on line %zu",
				 prior->start_mark.line + 1);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_duplicates(yaml_document_t *doc, struct tandem_config_error *err)
{
	for (const yaml_node_t *node = doc->nodes.start; node < doc->nodes.top; node++) {
		if (node->type == YAML_MAPPING_NODE && check_mapping(doc, node, err))
			return -EINVAL;
	}
	return 0;
}

/* A second document would be passed over in silence. */
static int check_single(yaml_parser_t *parser, const char *text, size_t len,
			struct tandem_config_error *err)
{
	yaml_document_t next;
	yaml_node_t *root;

	if (!yaml_parser_load(parser, &next)) {
		parser_error(parser, text, len, err);
		return -EINVAL;
	}
	root = yaml_document_get_root_node(&next);
	if (root) {
		err->line = (unsigned int)root->start_mark.line + 1;
		snprintf(err->text, sizeof(err->text), "a second YAML document begins here");
	}
	yaml_document_delete(&next);
	return root ? -EINVAL : 0;
}

int tandem_yaml_open(struct tandem_yaml **yp, const char *text, size_t len,
		     struct tandem_config_error *err)
{
	struct tandem_yaml *y = calloc(1, sizeof(*y));
	yaml_parser_t parser;
	bool loaded = false;
	int ret = -ENOMEM;

	if (!y)
		return -ENOMEM;
	if (!yaml_parser_initialize(&parser))
		goto out;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	loaded = yaml_parser_load(&parser, &y->doc);
	if (!loaded) {
		parser_error(&parser, text, len, err);
		ret = -EINVAL;
	} else {
		ret = check_duplicates(&y->doc, err);
		/* An empty document is the end of the stream. */
		if (!ret && !tandem_yaml_empty(y))
			ret = check_single(&parser, text, len, err);
	}
	yaml_parser_delete(&parser);
out:
	if (ret) {
		if (loaded)
			yaml_document_delete(&y->doc);
		free(y);
	} else {
		*yp = y;
	}
	return ret;
}

void tandem_yaml_close(struct tandem_yaml *y)
{
	if (!y)
		return;
	yaml_document_delete(&y->doc);
	free(y);
}

/* libyaml's lookups take a document that they do not change. */
static yaml_document_t *document(const struct tandem_yaml *y)
{
	return (yaml_document_t *)&y->doc;
}

bool tandem_yaml_empty(const struct tandem_yaml *y)
{
	const yaml_node_t *root = yaml_document_get_root_node(document(y));

	/* After "---" nothing at all is an empty scalar. */
	return !root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0 &&
			 root->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
}

/* The value under name; *line becomes that of the key, where the eye looks for it. */
static const yaml_node_t *child(yaml_document_t *doc, const yaml_node_t *node, const char *name,
				size_t len, size_t *line)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(doc, p->key);

		if (key && key->type == YAML_SCALAR_NODE && key->data.scalar.length == len &&
		    memcmp(key->data.scalar.value, name, len) == 0) {
			*line = key->start_mark.line;
			return yaml_document_get_node(doc, p->value);
		}
	}
	return NULL;
}

static const yaml_node_t *item(yaml_document_t *doc, const yaml_node_t *node, unsigned long index,
			       size_t *line)
{
	const yaml_node_item_t *start;

	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;
	start = node->data.sequence.items.start;
	if (index >= (unsigned long)(node->data.sequence.items.top - start))
		return NULL;
	node = yaml_document_get_node(doc, start[index]);
	if (node)
		*line = node->start_mark.line;
	return node;
}

static const yaml_node_t *find(const struct tandem_yaml *y, const char *path, size_t *line)
{
	yaml_document_t *doc;
	const yaml_node_t *node;

	if (!y)
		return NULL;
	doc = document(y);
	node = yaml_document_get_root_node(doc);
	while (node && *path) {
		if (*path == '[') {
			char *end;

			node = item(doc, node, strtoul(path + 1, &end, 10), line);
			path = *end ? end + 1 : end;
		} else {
			size_t len;

			path += *path == '.';
			len = strcspn(path, ".[");
			node = child(doc, node, path, len, line);
			path += len;
		}
	}
	return node;
}

unsigned int tandem_yaml_line(const struct tandem_yaml *y, const char *path)
{
	size_t line = 0;

	return find(y, path, &line) ? (unsigned int)line + 1 : 0;
}

const char *tandem_yaml_scalar(const struct tandem_yaml *y, const char *path)
{
	size_t line;
	const yaml_node_t *node = find(y, path, &line);

	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	return (const char *)node->data.scalar.value;
}
