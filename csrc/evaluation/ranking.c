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

/* The area under the curve, its margin, and the average precision and KS with theirs, in one pass from the
 * top. A and B are the weights of the labels 1 and 0 above an entry, a and b its own. */
static void fl_scan(const fl_ranking *r, fl_ranking_summary *to) {
    fl_compensated area = {0, 0}, tied = {0, 0}, value = {0, 0}, least = {0, 0}, most = {0, 0};
    fl_compensated above[2] = {{0, 0}, {0, 0}};
    double negatives = to->weight[0], positives = to->weight[1], ks = 0, ks_most = 0;
    double step = r->counted ? 1 : 0;
    for (size_t i = 0; i < r->n; i++) {
        double b = r->weight[0][i], a = r->weight[1][i], B = fl_total(above[0]), A = fl_total(above[1]);
        double before = A / positives - B / negatives;
        fl_add(&above[0], b);
        fl_add(&above[1], a);
        double A_with = fl_total(above[1]), B_with = fl_total(above[0]);
        fl_add(&area, a * (negatives - B - b / 2));
        fl_add(&tied, a * b / 2);
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
    double pairs = positives * negatives;
    to->auc = fl_total(area) / pairs;
    to->auc_margin = r->tied ? 0 : fl_total(tied) / pairs;
    to->precision = fl_total(value) / positives;
    double below = to->precision - fl_total(least) / positives;
    to->precision_margin = r->tied ? 0 : fl_max(fl_total(most) / positives - to->precision, below);
    to->ks = ks;
    to->ks_margin = fl_max(0, ks_most - ks);
}

static double fl_auc_variance(const fl_ranking *r, const fl_ranking_summary *s) {
    fl_compensated spread[2] = {{0, 0}, {0, 0}}, above[2] = {{0, 0}, {0, 0}};
    for (size_t i = 0; i < r->n; i++)
        fl_spread_weights(s, above, r->weight[0][i], r->weight[1][i], r->square[0][i], r->square[1][i],
                          spread);
    return fl_weighted_variance(s, spread);
}

void fl_summarise_ranking(const fl_ranking *r, fl_ranking_summary *to) {
    for (int k = 0; k < 2; k++) {
        fl_compensated weight = {0, 0}, square = {0, 0};
        for (size_t i = 0; i < r->n; i++) {
            fl_add(&weight, r->weight[k][i]);
            fl_add(&square, r->square[k][i]);
        }
        to->weight[k] = fl_total(weight);
        to->square[k] = fl_total(square);
    }
    fl_scan(r, to);
    to->auc_variance = fl_auc_variance(r, to);
}
