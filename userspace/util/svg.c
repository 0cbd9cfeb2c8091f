/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/svg.h"

#include <errno.h>

void tandem_svg_begin(int width, int height, FILE *f)
{
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		width, height);
}

void tandem_svg_text(const char *text, FILE *f)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else if ((unsigned char)*text >= ' ' && *text != 0x7f)
			fputc(*text, f);
	}
}

int tandem_svg_end(FILE *f)
{
	int failed;

	fputs("</svg>\n", f);
	failed = ferror(f);
	return fclose(f) || failed ? -(errno ? errno : EIO) : 0;
}
