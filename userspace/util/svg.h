/* SPDX-License-Identifier: GPL-2.0-only */
/* What every SVG picture begins with, has in it and ends with. */
#ifndef TANDEM_UTIL_SVG_H
#define TANDEM_UTIL_SVG_H

#include <stdio.h>

/* A white ground of so many pixels. */
void tandem_svg_begin(int width, int height, FILE *f);

/* Text as content of an element: what XML would read as markup is escaped, control characters left out. */
void tandem_svg_text(const char *text, FILE *f);

/* The end; closes f. 0, or -errno when not all could be written. */
int tandem_svg_end(FILE *f);

#endif
