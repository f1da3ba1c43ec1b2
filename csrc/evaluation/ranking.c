/* AUC, average precision and KS of rows in the order of their scores, and how far an order within ties could
 * change them. */
#include <math.h>

#include "pairs.h"

static double fl_max(double a, double b) {
    return a > b ? a : b;
}

/* The precision among a rows above a threshold and others, of which A and B lie above, is f(t) = (A + t) / (A
 * + t + B) after t of them. Its mean over t from `first` to `last`. */
static double fl_mean_precision(double A, double B, double first, double last) {
    double rest = A + B + first;
    if (rest == 0 || B == 0)
        return 1;
    return last > first ? 1 - B / (last - first) * log1p((last - first) / rest) : (A + first) / rest;
}

/* At least this, if each of them counts at the precision after it: they are of weight 1 each, or (step 0) of
 * any. */
static double fl_least_precision(double A, double B, double a, double step) {
    return (step * fl_mean_precision(A, B, step, step) + (a - step) * fl_mean_precision(A, B, step, a)) / a;
}

/* The average precision and KS with their margins, in one pass from the top. A and B are the weights of the
 * labels 1 and 0 above an entry, a and b its own. */
static void fl_scan(const fl_ranking *r, fl_ranking_summary *to) {
    fl_compensated value = {0, 0}, least = {0, 0}, most = {0, 0};
    fl_compensated above[2] = {{0, 0}, {0, 0}};
    double negatives = to->weight[0], positives = to->weight[1], ks = 0, ks_most = 0;
    double step = r->counted ? 1 : 0;
    for (size_t i = 0; i < r->n; i++) {
        double b = r->weight[0][i], a = r->weight[1][i], B = fl_total(above[0]), A = fl_total(above[1]);
        double before = A / positives - B / negatives;
        fl_add(&above[0], b);
        fl_add(&above[1], a);
        double A_with = fl_total(above[1]), B_with = fl_total(above[0]);
        ks = fl_max(ks, fabs(A_with / positives - B_with / negatives));
        if (!r->tied && a > 0 && b > 0)
            ks_most = fl_max(ks_most, fl_max(fabs(before + a / positives), fabs(before - b / negatives)));
        if (a > 0) {
            double after = A_with / (A_with + B_with), start = A + B > 0 ? A / (A + B) : after;
            double middle = b > 0 ? (start + after) / 2 : fl_mean_precision(A, B, step / 2, a + step / 2);
            fl_add(&value, a * (r->tied ? after : middle));
            if (!r->tied) {
                fl_add(&least, a * fl_least_precision(A, B_with, a, step));
                fl_add(&most, a * A_with / (A_with + B));
            }
        }
    }
    to->precision = fl_total(value) / positives;
    double below = to->precision - fl_total(least) / positives;
    to->precision_margin = r->tied ? 0 : fl_max(fl_total(most) / positives - to->precision, below);
    to->ks = ks;
    to->ks_margin = fl_max(0, ks_most - ks);
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
    fl_compensated total[2] = {{0, 0}, {0, 0}}, squares[2] = {{0, 0}, {0, 0}}, area = {0, 0}, tied = {0, 0};
    double above[2][FL_ENTRIES];
    for (size_t start = 0, n; start < r->n; start += n) {
        const double *b = r->weight[0] + start, *a = r->weight[1] + start;
        double sums[4] = {0, 0, 0, 0};
        n = fl_read_above(r, start, total, above);
        for (size_t i = 0; i < n; i++) {
            sums[0] += b[i] * above[1][i];
            sums[1] += a[i] * b[i];
            sums[2] += r->square[0][start + i];
            sums[3] += r->square[1][start + i];
        }
        fl_add(&area, sums[0]);
        fl_add(&tied, sums[1] / 2);
        fl_add(&squares[0], sums[2]);
        fl_add(&squares[1], sums[3]);
    }
    for (int label = 0; label < 2; label++) {
        to->weight[label] = fl_total(total[label]);
        to->square[label] = fl_total(squares[label]);
    }
    double pairs = to->weight[0] * to->weight[1];
    to->auc = pairs > 0 ? fl_total(area) / pairs : 0;
    to->auc_margin = pairs > 0 && !r->tied ? fl_total(tied) / pairs : 0;
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
