/* A softmax loss of few classes whose targets are class indices, or the softmax itself: FL_FLAT_NAME, whose
 * row functions are included before; FL_FLAT_OF_TWO is its function for two classes where it has its own;
 * with FL_FLAT_OF_FEW it has rows of two and three classes alone. Included once for each by kernels.h. */
#define FL_FLAT_OF_(name, part) name##_##part
#define FL_FLAT_OF(name, part) FL_FLAT_OF_(name, part)
#define FL_FLAT_IN_(name, part) fl_##name##_flat##part
#define FL_FLAT_IN(name, part) FL_FLAT_IN_(name, part)
#define FL_STEP(part) FL_FLAT_OF(FL_FLAT_NAME, part)
#define FL_FLAT(part) FL_FLAT_IN(FL_FLAT_NAME, part)

FL_INLINE fl_row FL_FLAT(_scanned)(fl_row row, fl_row_entry e) {
    fl_row_scan scan = FL_STEP(scan)(e, row);
    row.reference = scan.candidate > row.reference ? scan.candidate : row.reference;
    row.poison = scan.poison;
    return row;
}

FL_INLINE fl_row FL_FLAT(_added)(fl_row row, fl_row_term t, const fl_row_setting o) {
    row.c += t.c + (FL_STEP(adds)(o) & FL_COMPENSATES_A ? fl_two_sum(row.a, t.a).lo : 0);
    row.a += t.a;
    row.b += t.b;
    row.d += t.d;
    return row;
}

/* Class-major rows of two classes, or with `three` of three, in registers from logits to slopes. Without
 * inner loops, which would keep the loop over rows from being vectorised. */
FL_INLINE void FL_FLAT(_few)(const fl_row_tile *tile, const int three, const int form,
                             const int want_gradient, const int want_hessian, const int flat) {
    const size_t n = tile->n_rows & ~(size_t)15;
    const real *z = tile->prediction.data, *own = NULL, *base = NULL;
    real *value = tile->value, *g = tile->gradient.data, *h = tile->hessian.data;
    const size_t z_step = (size_t)tile->prediction.stride, g_step = (size_t)tile->gradient.stride,
                 h_step = (size_t)tile->hessian.stride;
    const real_int *label = tile->label;
    const fl_row_state *s = tile->state;
    fl_row_setting o = fl_setting_of(tile, form, 1, want_hessian);
    o.own_term = 1;
    o.moderate = flat;
    FL_ROW_LOOP
    for (size_t i = 0; i < n; i++) {
        fl_row row = {.reference = flat ? FL_LARGEST : -FL_INFINITY, .scale = FL_ROUND_MAGIC};
        row.weight = s->weight[i];
        row.class_weight = fl_has_labels(form) ? s->class_weight[i] : 1;
        row.label = fl_has_labels(form) ? label[i] : 0;
        fl_row_entry e0 = FL_ENTRY(z[i], 0, 0), e1 = FL_ENTRY(z[i + z_step], 0, 1), e2 = e0;
        if (three)
            e2 = FL_ENTRY(z[i + 2 * z_step], 0, 2);
        row.own = e0.is_own ? e0.z : ((e1.is_own | !three) ? e1.z : e2.z);
        if (!flat) {
            row = FL_FLAT(_scanned)(FL_FLAT(_scanned)(row, e0), e1);
            row = FL_STEP(prepare)(three ? FL_FLAT(_scanned)(row, e2) : row);
        }
        fl_row_term t0 = FL_STEP(term)(e0, row, o), t1 = FL_STEP(term)(e1, row, o),
                    t2 = FL_STEP(term)(e2, row, o);
        row = FL_FLAT(_added)(FL_FLAT(_added)(row, t0, o), t1, o);
        row = three ? FL_FLAT(_added)(row, t2, o) : row;
        if (!fl_has_labels(form))
            row.others = three ? (t0.kept + t1.kept) + t2.kept : t0.kept + t1.kept;
        else if (!flat)
            row = FL_STEP(close)(row, o);
        row.top = fl_has_labels(form) ? row.top : 0;
        row = FL_STEP(finish)(row, o);
        value[i] = row.value;
        e0.z = t0.kept;
        e1.z = t1.kept;
        e2.z = t2.kept;
        fl_row_slopes g0 = FL_STEP(emit)(e0, row, o), g1 = FL_STEP(emit)(e1, row, o),
                      g2 = FL_STEP(emit)(e2, row, o);
        if (want_gradient) {
            g[i] = g0.gradient;
            g[i + g_step] = g1.gradient;
            if (three)
                g[i + 2 * g_step] = g2.gradient;
        }
        if (want_hessian) {
            h[i] = g0.hessian;
            h[i + h_step] = g1.hessian;
            if (three)
                h[i + 2 * h_step] = g2.hessian;
        }
    }
}

FL_INLINE void FL_FLAT(_two_or_three)(const fl_row_tile *tile, const int form, const int want_gradient,
                                      const int want_hessian) {
    const size_t n = tile->n_rows, n_classes = tile->n_classes;
    fl_fetch(tile->next_prediction, 0, n_classes, n, 0);
    if (want_gradient)
        fl_fetch(tile->next_gradient, 0, n_classes, n, 1);
    if (want_hessian)
        fl_fetch(tile->next_hessian, 0, n_classes, n, 1);
#ifdef FL_FLAT_OF_TWO
    if (n_classes == 2) {
        FL_FLAT_OF_TWO(tile, want_gradient, want_hessian);
        return;
    }
#endif
    fl_begin_weights(tile);
    fl_begin_class_weights(tile, form);
    const int flat = !want_hessian && fl_are_lines_flat(tile);
    if (n_classes == 2 && flat)
        FL_FLAT(_few)(tile, 0, form, want_gradient, 0, 1);
    else if (n_classes == 2)
        FL_FLAT(_few)(tile, 0, form, want_gradient, want_hessian, 0);
    else if (flat)
        FL_FLAT(_few)(tile, 1, form, want_gradient, 0, 1);
    else
        FL_FLAT(_few)(tile, 1, form, want_gradient, want_hessian, 0);
}

#ifndef FL_FLAT_OF_FEW
/* Slopes of a vector of classes, the true one not among them. */
FL_INLINE void FL_FLAT(_emit_vector)(const real *terms, fl_row row, const fl_row_setting o, real *g,
                                     real *h) {
#pragma omp simd
    for (size_t j = 0; j < FL_REALS; j++) {
        fl_row_slopes slopes = FL_STEP(emit)((fl_row_entry){.z = terms[j]}, row, o);
        g[j] = slopes.gradient;
        if (o.hessian)
            h[j] = slopes.hessian;
    }
}

/* The slopes of every row from its terms, by whole vectors. The last vector of a row ends with it; where rows
 * are shorter it reaches over the next ones, which are written later, or has a place of its own. */
FL_INLINE void FL_FLAT(_emit)(const fl_row_tile *tile, const real *terms, const real *own_term,
                              const fl_row_setting o) {
    const size_t n_classes = tile->n_classes, width = FL_REALS, end = tile->n_rows * n_classes;
    real *g = tile->gradient.data, *h = o.hessian ? tile->hessian.data : g;
    for (size_t i = 0, start = 0; start < end; i++, start += n_classes) {
        fl_row row = fl_row_get(tile->state, i);
        size_t at = start, last = start + n_classes - width;
        if (n_classes >= width) {
            for (; at < last; at += width)
                FL_FLAT(_emit_vector)(terms + at, row, o, g + at, h + at);
            FL_FLAT(_emit_vector)(terms + last, row, o, g + last, h + last);
        } else if (start + width <= end) {
            FL_FLAT(_emit_vector)(terms + at, row, o, g + at, h + at);
        } else {
            real gradient[FL_REALS], hessian[FL_REALS];
            FL_FLAT(_emit_vector)(terms + at, row, o, gradient, hessian);
            memcpy(g + at, gradient, n_classes * sizeof(real));
            if (o.hessian)
                memcpy(h + at, hessian, n_classes * sizeof(real));
        }
        if (fl_has_labels(o.form) && row.label >= 0) {
            fl_row_entry own = {.z = own_term[i], .k = row.label, .is_own = 1};
            fl_row_slopes slopes = FL_STEP(emit)(own, row, o);
            g[at = start + (size_t)row.label] = slopes.gradient;
            if (o.hessian)
                h[at] = slopes.hessian;
        }
    }
}

FL_INLINE void FL_FLAT(_finish)(const fl_row_tile *tile, const real *own_term, const fl_row_setting o,
                                const int flat) {
    fl_row_state *s = tile->state;
    FL_ROW_LOOP
    for (size_t i = 0; i < fl_round_up(tile->n_rows); i++) {
        fl_row row = fl_row_get(s, i);
        if (flat) {
            row.reference = o.hessian ? row.reference : FL_LARGEST;
            row.poison = row.offset = 0;
            row.scale = FL_ROUND_MAGIC;
        }
        row.c = own_term[i];
        if (!fl_has_labels(o.form)) {
            row.others = row.a;
            row.top = 0;
        }
        fl_row_put_finished(s, i, FL_STEP(finish)(row, o));
    }
    memcpy(tile->value, s->value, tile->n_rows * sizeof(real));
}

FL_INLINE void FL_FLAT()(const fl_row_tile *tile, const int form, const int want_gradient,
                         const int want_hessian) {
    if (tile->n_classes == 2 || tile->n_classes == 3) {
        FL_FLAT(_two_or_three)(tile, form, want_gradient, want_hessian);
        return;
    }
    fl_begin_weights(tile);
    fl_begin_class_weights(tile, form);
    fl_row_state *s = tile->state;
    const real_int *label = tile->label;
    const size_t n_classes = tile->n_classes, padded = fl_round_up(tile->n_rows);
    real *terms = tile->partial, own_term[FL_ROW_TILE];
    fl_row_setting o = fl_setting_of(tile, form, 1, want_hessian);
    o.own_term = 1;
    for (size_t i = 0; i < padded && fl_has_labels(form); i++)
        s->label[i] = label[i];
    const int flat = fl_flat_terms(tile, terms);
    if (want_hessian || !flat)
        fl_flat_references(tile, terms, flat);
    if (!flat) {
        FL_ROW_LOOP
        for (size_t i = 0; i < padded; i++)
            fl_row_put_prepared(s, i, FL_STEP(prepare)(fl_row_get(s, i)));
        fl_flat_terms_by_row(tile, terms);
    } else if (want_hessian) {
        FL_ROW_LOOP
        for (size_t i = 0; i < padded; i++)
            s->top[i] = fl_scaled_exp(s->reference[i], FL_ROUND_MAGIC, 1);
    }
    if (fl_has_labels(form))
        fl_flat_take_own(tile, terms, own_term);
    fl_fold_matrix(terms, fl_flat_reals(padded, n_classes), padded, n_classes, NULL, FL_SUM_ALL, s->a);
    if (want_hessian)
        fl_flat_others(tile, terms, own_term);
    if (flat)
        FL_FLAT(_finish)(tile, own_term, o, 1);
    else
        FL_FLAT(_finish)(tile, own_term, o, 0);
    if (want_gradient)
        FL_FLAT(_emit)(tile, terms, own_term, o);
}

#endif

#undef FL_FLAT_OF_
#undef FL_FLAT_OF
#undef FL_FLAT_IN_
#undef FL_FLAT_IN
#undef FL_STEP
#undef FL_FLAT
#undef FL_FLAT_NAME
#undef FL_FLAT_OF_TWO
#undef FL_FLAT_OF_FEW
