/* Fingerprints of the operations of formulas. */
#ifndef FL_TESTS_C_DIGEST_FORMULAS_H
#define FL_TESTS_C_DIGEST_FORMULAS_H

#include "c_digest.h"
#include "pointwise/formula.h"

/* A program of one operation, whose operands are predictions, targets and constants as its name says. */
static void operation(int number_of_it, const char *name, int float32) {
    enum { N = 2600 };
    static const double constants[] = {0.75, 2, -1.5, 3.25, 0};
    const char *end = strrchr(name, '_');
    const char *kinds = end && strspn(end + 1, "vc") == 2 && !end[3] ? end + 1 : "vv";
    int of_three =
        strncmp(name, "fma", 3) == 0 || strncmp(name, "fnma", 4) == 0 || strncmp(name, "where", 5) == 0;
    void *v = new_reals(N, float32), *g = new_reals(N, float32), *h = new_reals(N, float32);
    begin();
    for (int constant = 0; constant < 5; constant++) {
        uint16_t first = (uint16_t)(kinds[0] == 'c' ? constant : 1),
                 second = (uint16_t)(kinds[1] == 'c' ? constant : 0);
        fl_formula_step step = {(uint16_t)number_of_it, 2, first, second, 0};
        if (of_three)
            step.a = 1, step.b = first, step.c = second;
        if (strcmp(name, "set") == 0 || strcmp(name, "exact_pow") == 0)
            step.a = name[0] == 's' ? (uint16_t)constant : 1, step.b = (uint16_t)constant;
        fl_formula formula = {.target = {-__builtin_inf(), __builtin_inf(), 0, 0, 1}, .constants = constants};
        formula.prediction = formula.target;
        for (int i = 0; i < FL_N_PROGRAMS; i++)
            formula.programs[i] = (fl_formula_program){&step, 1, 1, {2, 2, 2}};
        state = (uint64_t)constant;
        for (size_t i = 0; i < N; i++)
            made[i] = any_number();
        void *y = as_reals(made, N, float32);
        for (size_t i = 0; i < N; i++)
            made[i] = any_number();
        poison(made, N);
        void *z = as_reals(made, N, float32);
        fl_pointwise_call call = {
            .kernel = fl_formula_kernel(),
            .parameters = (const void *)&formula,
            .float32 = float32,
            .n_threads = 1,
            .want_value = 1,
            .n = N - (size_t)constant,
            .target = reals(y, N, float32),
            .prediction = reals(z, N, float32),
            .value = reals(v, N, float32),
            .gradient = reals(g, N, float32),
            .hessian = reals(h, N, float32),
        };
        accept(fl_pointwise(&call));
        add_reals(v, N, float32);
        add_reals(g, N, float32);
        add_reals(h, N, float32);
        free(y), free(z);
    }
    finish("operations", name, float32 ? "float32" : "float64");
    free(v), free(g), free(h);
}

static void operations(int float32) {
    const char *const *names = fl_formula_operations();
    for (int i = 0; names[i]; i++)
        operation(i, names[i], float32);
}

#endif
