/* SPDX-License-Identifier: GPL-2.0-only */
/* A stream as a picture: bitrate, loss and jitter over time, one above the other. */
#include <math.h>

#include "userspace/capture/inspect.h"
#include "userspace/util/svg.h"

#define WIDTH  900
#define LEFT   70 /* of the panels: the scale stands before them */
#define RIGHT  20
#define TOP    40 /* for the title */
#define PANEL  130
#define GAP    50
#define BOTTOM 30
#define PANELS 3

typedef double(value_h)(const struct tandem_step *step, double step_s);

static double kbps(const struct tandem_step *step, double step_s)
{
	return (double)step->octets * 8 / 1000 / step_s;
}

static double loss_percent(const struct tandem_step *step, double step_s)
{
	double all = (double)step->packets + step->lost;

	(void)step_s;
	return all > 0 ? 100 * step->lost / all : 0;
}

static double jitter_ms(const struct tandem_step *step, double step_s)
{
	(void)step_s;
	return step->jitter_ns / 1e6;
}

static const struct panel {
	const char *title, *color;
	value_h *value;
} panels[PANELS] = {
	{ "Bitrate of UDP payload, kbit/s", "#1f6fb2", kbps },
	{ "Loss, percent", "#b23b1f", loss_percent },
	{ "Jitter, ms (the highest estimate)", "#3b8a3b", jitter_ms },
};

static double highest(const struct tandem_series *s, value_h *value, double step_s)
{
	double high = 0;

	for (size_t i = 0; i < s->count; i++)
		high = fmax(high, value(&s->steps[i], step_s));
	return high;
}

static void axes(double high, double length_s, int y, FILE *f)
{
	int right = WIDTH - RIGHT, bottom = y + PANEL;

	fprintf(f,
		"<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#888\"/>\n"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text>\n"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g s</text>\n",
		LEFT, y, bottom, right, LEFT - 6, y + 10, high, LEFT - 6, bottom, right,
		bottom + 16, length_s);
}

static void draw(const struct tandem_series *s, const struct panel *p, int y, FILE *f)
{
	double step_s = (double)s->step_ns / 1e9, high = highest(s, p->value, step_s);
	double width = (double)(WIDTH - LEFT - RIGHT) / (double)s->count;

	fprintf(f, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>\n", LEFT, y - 8,
		p->title);
	axes(high, step_s * (double)s->count, y, f);
	if (high <= 0)
		return;
	fprintf(f, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" d=\"M%d %d", p->color,
		LEFT, y + PANEL);
	for (size_t i = 0; i < s->count; i++) {
		double v = p->value(&s->steps[i], step_s);

		fprintf(f, "V%.1fH%.1f", y + PANEL - v / high * PANEL,
			LEFT + (double)(i + 1) * width);
	}
	fputs("\"/>\n", f);
}

static int picture(const struct tandem_inspection *in, const struct tandem_rtp_stream *st, FILE *f,
		   void *arg)
{
	char src[TANDEM_ENDPOINT_STRLEN], dst[TANDEM_ENDPOINT_STRLEN];

	(void)in;
	(void)arg;
	tandem_svg_begin(WIDTH, TOP + PANELS * (PANEL + GAP) + BOTTOM - GAP / 2, f);
	fprintf(f, "<text x=\"%d\" y=\"20\" font-size=\"14\">%s to %s, SSRC 0x%08x, ", LEFT,
		tandem_endpoint_format(&st->src, src, sizeof(src)),
		tandem_endpoint_format(&st->dst, dst, sizeof(dst)), st->ssrc);
	tandem_svg_text(st->main.name[0] ? st->main.name : "codec unknown", f);
	fputs("</text>\n", f);
	for (int i = 0; i < PANELS && st->series.count; i++)
		draw(&st->series, &panels[i], TOP + 20 + i * (PANEL + GAP), f);
	return tandem_svg_end(f);
}

int tandem_inspection_svg(const struct tandem_inspection *in, const char *dir, char *why,
			  size_t why_size)
{
	return tandem_inspection_write(in, dir, "svg", picture, NULL, why, why_size);
}
