/* AUC, average precision and KS of rows in the order of their scores. */
#include <math.h>

#include "pairs.h"

/* The average precision and KS, in one pass from the top. */
static void fl_scan(const fl_ranking *r, fl_ranking_summary *to) {
    fl_compensated value = {0, 0}, above[2] = {{0, 0}, {0, 0}};
    double negatives = to->weight[0], positives = to->weight[1];
    for (size_t i = 0; i < r->n; i++) {
        double a = r->weight[1][i];
        fl_add(&above[0], r->weight[0][i]);
        fl_add(&above[1], a);
        double A = fl_total(above[1]), B = fl_total(above[0]);
        to->ks = fmax(to->ks, fabs(A / positives - B / negatives));
        fl_add(&value, a > 0 ? a * (A / (A + B)) : 0);
    }
    to->precision = fl_total(value) / positives;
}

/* Entries whose sums are added up plainly, before they go to a compensated one. */
enum { FL_ENTRIES = 64 };

/* Of a part of the entries, the weights of the labels 0 and 1 above each, and half of its own. */
static size_t fl_read_above(const fl_ranking *r, size_t start, fl_compensated total[2],
                            double above[2][FL_ENTRIES]) {
    size_t n = r->n - start < FL_ENTRIES ? r->n - start : FL_ENTRIES;
    for (int label = 0; label < 2; label++) {
        const double *weight = r->weight[label] + start;
        double before = fl_total(total[label]), sum = 0;
        for (size_t i = 0; i < n; i++) {
            above[label][i] = before + (sum + weight[i] / 2);
            sum += weight[i];
        }
        fl_add(&total[label], sum);
    }
    return n;
}

static void fl_find_area(const fl_ranking *r, fl_ranking_summary *to) {
    fl_compensated total[2] = {{0, 0}, {0, 0}}, squares[2] = {{0, 0}, {0, 0}}, area = {0, 0};
    double above[2][FL_ENTRIES];
    for (size_t start = 0, n; start < r->n; start += n) {
        const double *b = r->weight[0] + start;
        double sums[3] = {0, 0, 0};
        n = fl_read_above(r, start, total, above);
        for (size_t i = 0; i < n; i++) {
            sums[0] += b[i] * above[1][i];
            sums[1] += r->square[0][start + i];
            sums[2] += r->square[1][start + i];
        }
        fl_add(&area, sums[0]);
        fl_add(&squares[0], sums[1]);
        fl_add(&squares[1], sums[2]);
    }
    for (int label = 0; label < 2; label++) {
        to->weight[label] = fl_total(total[label]);
        to->square[label] = fl_total(squares[label]);
    }
    double pairs = to->weight[0] * to->weight[1];
    to->auc = pairs > 0 ? fl_total(area) / pairs : 0;
}

/* DeLong's variance, of a ratio: sum w^2 (v - AUC)^2 / ((sum w)^2 - sum w^2) over the rows of each label, where
 * v is the share of the others that a row wins or loses. */
static double fl_auc_variance(const fl_ranking *r, const fl_ranking_summary *s) {
    fl_compensated total[2] = {{0, 0}, {0, 0}}, spread[2] = {{0, 0}, {0, 0}};
    double above[2][FL_ENTRIES], variance = 0;
    for (size_t start = 0, n; start < r->n; start += n) {
        double sums[2] = {0, 0};
        n = fl_read_above(r, start, total, above);
        for (size_t i = 0; i < n; i++) {
            double lost = above[1][i] / s->weight[1] - s->auc;
            double won = (s->weight[0] - above[0][i]) / s->weight[0] - s->auc;
            sums[0] += r->square[0][start + i] * (lost * lost);
            sums[1] += r->square[1][start + i] * (won * won);
        }
        fl_add(&spread[0], sums[0]);
        fl_add(&spread[1], sums[1]);
    }
    for (int label = 0; label < 2; label++)
        variance += fl_total(spread[label]) / (s->weight[label] * s->weight[label] - s->square[label]);
    return variance;
}

void fl_summarise_ranking(const fl_ranking *r, fl_ranking_summary *to) {
    memset(to, 0, sizeof *to);
    fl_find_area(r, to);
    if (to->weight[0] > 0 && to->weight[1] > 0)
        to->auc_variance = fl_auc_variance(r, to);
    fl_scan(r, to);
}
