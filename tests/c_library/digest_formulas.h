/* Fingerprints of the operations of formulas. */
#ifndef FL_TESTS_C_DIGEST_FORMULAS_H
#define FL_TESTS_C_DIGEST_FORMULAS_H

#include "digest.h"
#include "pointwise/formula.h"

/* What the operands of an operation are, as its name says: registers v and constants c. */
static const char *kinds_of(const char *name, char kinds[6]) {
    static const char *const others[][2] = {{"set", "ccccc"},
                                            {"at_most", "vcvvv"},
                                            {"at_least", "vcvvv"},
                                            {"power", "vcvvv"},
                                            {"clip_cc", "vccvv"},
                                            {"clip_difference", "vvcvv"},
                                            {"power_of_sigmoid", "vcvvv"},
                                            {"by_order", "vvccc"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(name, others[i][0]) == 0)
            return others[i][1];
    const char *end = strrchr(name, '_');
    strcpy(kinds, "vvvvv");
    if (!end || strspn(end + 1, "vc") != 2 || end[3])
        return kinds;
    if (strncmp(name, "where_less", 10) == 0)
        memcpy(kinds, end - 2, 2), memcpy(kinds + 2, end + 1, 2);
    else if (strncmp(name, "fma", 3) == 0 || strncmp(name, "fnma", 4) == 0 || strncmp(name, "where", 5) == 0)
        memcpy(kinds + 1, end + 1, 2);
    else
        memcpy(kinds, end + 1, 2);
    return kinds;
}

/* A program of one operation, whose operands are predictions, targets and constants as its name says. */
static void operation(int number_of_it, const char *name, int float32) {
    enum { N = 2600 };
    static const double constants[] = {0.75, 2, -1.5, 3.25, 0};
    char memory[6];
    const char *kinds = kinds_of(name, memory);
    void *v = new_reals(N, float32), *g = new_reals(N, float32), *h = new_reals(N, float32);
    begin();
    for (int constant = 0; constant < 5; constant++) {
        uint16_t place[5];
        for (int i = 0; i < 5; i++)
            place[i] = (uint16_t)(kinds[i] == 'c' ? (constant + i) % 5 : i != 1);
        fl_formula_step step = {(uint16_t)number_of_it, 2, place[0], place[1], place[2], place[3], place[4]};
        fl_formula formula = {.target = {-__builtin_inf(), __builtin_inf(), 0, 0, 1}, .constants = constants};
        formula.prediction = formula.target;
        for (int i = 0; i < FL_N_PROGRAMS; i++)
            formula.programs[i] =
                (fl_formula_program){&step, 1, 1, {{0, 2, 0, 0}, {0, 2, 0, 0}, {0, 2, 0, 0}}};
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
