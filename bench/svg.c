/* SPDX-License-Identifier: GPL-2.0-only */
/* The picture: horizontal bars, one panel for each figure, on a logarithmic scale. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/result.h"
#include "userspace/util/svg.h"

#define WIDTH	900
#define LEFT	230 /* of the bars: the names stand before them */
#define RIGHT	110 /* and the numbers behind */
#define BAR	16
#define STEP	22
#define TITLE	44
#define DECADES 0.3 /* that the smallest bar is long, at least */

struct panel {
	const char *title, *unit;
	result_figure_h *figure;
	double scale;
};

static const struct panel panels[] = {
	{ "Rate without loss", "kpackets/s", tandem_result_zero_loss, 1e-3 },
	{ "Packets per CPU second, saturated", "kpackets", tandem_result_per_cpu, 1e-3 },
	{ "Packets per CPU second, pace of calls", "kpackets", tandem_result_per_cpu_calls, 1e-3 },
	{ "Latency at half of the rate, 99th percentile", "us", tandem_result_p99, 1e-3 },
};
#define PANELS (sizeof(panels) / sizeof(panels[0]))

static double value_of(const struct result *r, const struct panel *p)
{
	struct result_round m = tandem_result_median(r);

	return p->figure(&m) * p->scale;
}

static size_t bounds(const struct result *results, size_t count, const struct panel *p, double *low,
		     double *high)
{
	size_t n = 0;

	*low = INFINITY;
	*high = 0;
	for (size_t i = 0; i < count; i++) {
		double v = value_of(&results[i], p);

		if (v <= 0)
			continue;
		n++;
		*low = fmin(*low, v);
		*high = fmax(*high, v);
	}
	return n;
}

static void bar(const struct result *r, double v, double low, double high, const char *unit, int y,
		FILE *f)
{
	double span = log10(high / low) + DECADES;
	double length = (WIDTH - LEFT - RIGHT) * (log10(v / low) + DECADES) / span;
	bool ours = strcmp(r->relay, "xdp") == 0 || strcmp(r->relay, "uring") == 0 ||
		    strcmp(r->relay, "dpdk") == 0;

	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 8, y + BAR - 4);
	tandem_svg_text(r->relay, f);
	fprintf(f,
		", %u flows, %u octets</text>\n<rect x=\"%d\" y=\"%d\" width=\"%.1f\" "
		"height=\"%d\" "
		"fill=\"%s\"/>\n<text x=\"%.1f\" y=\"%d\">%.*f %s</text>\n",
		r->flows, r->size, LEFT, y, length, BAR, ours ? "#1f6fb2" : "#9aa5ad",
		LEFT + length + 6, y + BAR - 4, v < 10 ? 1 : 0, v, unit);
}

static int panel(const struct result *results, size_t count, const struct panel *p, int y, FILE *f)
{
	double low, high;

	if (!bounds(results, count, p, &low, &high))
		return y;
	fprintf(f, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s (logarithmic)</text>\n", 12,
		y + TITLE - 14, p->title);
	y += TITLE;
	for (size_t i = 0; i < count; i++) {
		double v = value_of(&results[i], p);

		if (v <= 0)
			continue;
		bar(&results[i], v, low, high, p->unit, y, f);
		y += STEP;
	}
	return y;
}

static int height(const struct result *results, size_t count)
{
	int y = STEP;
	double low, high;

	for (size_t i = 0; i < PANELS; i++) {
		size_t n = bounds(results, count, &panels[i], &low, &high);

		y += n ? TITLE + (int)n * STEP : 0;
	}
	return y;
}

int tandem_result_svg(const struct result *results, size_t count, const char *path)
{
	FILE *f = fopen(path, "we");
	int y = 0;

	if (!f)
		return -errno;
	tandem_svg_begin(WIDTH, height(results, count), f);
	for (size_t i = 0; i < PANELS; i++)
		y = panel(results, count, &panels[i], y, f);
	return tandem_svg_end(f);
}
