/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_WIDTH 100
#define CELL_BYTES    256
#define GAP	      2

struct tandem_table {
	const struct tandem_column *columns;
	size_t columns_count;
	char **cells; /* row after row */
	size_t rows, room;
};

const char *tandem_text_clean(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	while (*text && n + 1 < size) {
		unsigned char c = (unsigned char)*text++;

		/* U+0080 to U+009F are control characters too, C2 80 to C2 9F in UTF-8. */
		if (c == 0xc2 && (unsigned char)*text >= 0x80 && (unsigned char)*text < 0xa0) {
			text++;
			c = '?';
		}
		buf[n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	/* Never end inside a character. */
	if (*text) {
		while (n && ((unsigned char)buf[n - 1] & 0xc0) == 0x80)
			n--;
		if (n && (unsigned char)buf[n - 1] >= 0xc0)
			n--;
	}
	buf[n] = '\0';
	return buf;
}

static unsigned int text_width(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

int tandem_table_alloc(struct tandem_table **tp, const struct tandem_column *columns, size_t n)
{
	struct tandem_table *t;

	if (!n || n > TANDEM_TABLE_MAX_COLUMNS)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->columns = columns;
	t->columns_count = n;
	*tp = t;
	return 0;
}

void tandem_table_free(struct tandem_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows * t->columns_count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

static int make_room(struct tandem_table *t)
{
	size_t room = t->room ? t->room * 2 : 16;
	char **cells;

	if (t->rows < t->room)
		return 0;
	cells = realloc(t->cells, room * t->columns_count * sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	t->cells = cells;
	t->room = room;
	return 0;
}

int tandem_table_add(struct tandem_table *t, const char *const *cells)
{
	char **row;

	if (make_room(t))
		return -ENOMEM;
	row = &t->cells[t->rows * t->columns_count];
	for (size_t i = 0; i < t->columns_count; i++) {
		char buf[CELL_BYTES];

		row[i] = strdup(tandem_text_clean(cells[i] ? cells[i] : "-", buf, sizeof(buf)));
		if (row[i])
			continue;
		while (i-- > 0)
			free(row[i]);
		return -ENOMEM;
	}
	t->rows++;
	return 0;
}

/* Takes from the widest column that may be cut, one character at a time. */
static void fit(const struct tandem_table *t, unsigned int *widths, unsigned int total,
		unsigned int width)
{
	while (total > width) {
		size_t widest = t->columns_count;

		for (size_t i = 0; i < t->columns_count; i++) {
			if (!t->columns[i].min || widths[i] <= t->columns[i].min)
				continue;
			if (widest == t->columns_count || widths[i] > widths[widest])
				widest = i;
		}
		if (widest == t->columns_count)
			return;
		widths[widest]--;
		total--;
	}
}

static void measure(const struct tandem_table *t, unsigned int *widths, unsigned int width)
{
	unsigned int total = 0;

	for (size_t c = 0; c < t->columns_count; c++) {
		widths[c] = text_width(t->columns[c].title);
		for (size_t r = 0; r < t->rows; r++) {
			unsigned int w = text_width(t->cells[r * t->columns_count + c]);

			if (w > widths[c])
				widths[c] = w;
		}
		total += widths[c] + (c ? GAP : 0);
	}
	fit(t, widths, total, width);
}

/* Prints text in width columns; what does not fit ends in "...". */
static void print_cell(const char *text, unsigned int width, bool right, bool last, FILE *out)
{
	unsigned int w = text_width(text);
	unsigned int keep = w <= width ? w : width > 3 ? width - 3 : width;
	size_t bytes = 0;

	if (right && w < width)
		fprintf(out, "%*s", (int)(width - w), "");
	for (unsigned int n = 0; text[bytes]; bytes++) {
		if (((unsigned char)text[bytes] & 0xc0) != 0x80 && n++ == keep)
			break;
	}
	fwrite(text, 1, bytes, out);
	if (w > width && width > 3)
		fputs("...", out);
	else if (!right && !last && w < width)
		fprintf(out, "%*s", (int)(width - w), "");
}

static void print_row(const struct tandem_table *t, const unsigned int *widths, char *const *row,
		      FILE *out)
{
	for (size_t c = 0; c < t->columns_count; c++) {
		if (c)
			fprintf(out, "%*s", GAP, "");
		print_cell(row ? row[c] : t->columns[c].title, widths[c], t->columns[c].right,
			   c + 1 == t->columns_count, out);
	}
	fputc('\n', out);
}

void tandem_table_print(const struct tandem_table *t, FILE *out, unsigned int width)
{
	unsigned int widths[TANDEM_TABLE_MAX_COLUMNS];

	measure(t, widths, width);
	print_row(t, widths, NULL, out);
	for (size_t r = 0; r < t->rows; r++)
		print_row(t, widths, &t->cells[r * t->columns_count], out);
}

unsigned int tandem_terminal_width(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 40)
		return ws.ws_col;
	return DEFAULT_WIDTH;
}
