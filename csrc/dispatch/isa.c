/* Which instruction-set tiers were built, which of them this machine and its operating system can run, and
 * which one is in use. */
#include <string.h>

#include "../pass/ops.h"

#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
#include <cpuid.h>
#define FL_X86 1
#else
#define FL_X86 0
#endif

/* The build defines FL_HAVE_v3, FL_HAVE_v4 for the tiers that the compiler took; base is always there. */
#define FL_DECLARE(tier) extern const fl_ops fl_ops_##tier##_f32, fl_ops_##tier##_f64
FL_DECLARE(base);
#ifdef FL_HAVE_v3
FL_DECLARE(v3);
#endif
#ifdef FL_HAVE_v4
FL_DECLARE(v4);
#endif

typedef struct {
    const char *name;
    const fl_ops *f32, *f64;
    int (*runs_here)(void);
} fl_tier;

static int fl_always(void) {
    return 1;
}

#if FL_X86 && (defined(FL_HAVE_v3) || defined(FL_HAVE_v4))
/* CPUID says what the processor has, XCR0 which registers the operating system saves: both must agree. */
static unsigned long long fl_saved_registers(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27)))
        return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((unsigned long long)high << 32) | low;
}

static int fl_has_bits(unsigned have, unsigned want) {
    return (have & want) == want;
}

/* x86-64-v3: FMA, MOVBE, F16C, AVX; AVX2, BMI1, BMI2; LZCNT. */
static int fl_runs_v3(void) {
    unsigned a, b, c, d;
    if ((fl_saved_registers() & 0x6) != 0x6)
        return 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !fl_has_bits(c, 1u << 12 | 1u << 22 | 1u << 28 | 1u << 29))
        return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !fl_has_bits(b, 1u << 3 | 1u << 5 | 1u << 8))
        return 0;
    return __get_cpuid(0x80000001, &a, &b, &c, &d) && fl_has_bits(c, 1u << 5);
}

#ifdef FL_HAVE_v4
/* x86-64-v4: v3 and AVX-512 F, DQ, CD, BW, VL, whose opmask and upper registers are saved too. */
static int fl_runs_v4(void) {
    unsigned a, b, c, d;
    if (!fl_runs_v3() || (fl_saved_registers() & 0xe6) != 0xe6)
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
           fl_has_bits(b, 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31);
}
#endif
#endif

#define FL_TIER_OF(tier, runs_here) {#tier, &fl_ops_##tier##_f32, &fl_ops_##tier##_f64, runs_here}
static const fl_tier fl_tiers[] = {
    FL_TIER_OF(base, fl_always),
#if FL_X86 && defined(FL_HAVE_v3)
    FL_TIER_OF(v3, fl_runs_v3),
#endif
#if FL_X86 && defined(FL_HAVE_v4)
    FL_TIER_OF(v4, fl_runs_v4),
#endif
};

enum { FL_N_TIERS = sizeof fl_tiers / sizeof fl_tiers[0] };

static const fl_tier *fl_tier_in_use = fl_tiers;

/* When the library is loaded: so that nobody has to ask on the way. */
__attribute__((constructor)) static void fl_take_best_tier(void) {
    for (int i = 0; i < FL_N_TIERS; i++)
        if (fl_tiers[i].runs_here())
            fl_tier_in_use = &fl_tiers[i];
}

const char *fl_version(void) {
    return FL_VERSION;
}

const char *const *fl_isa_available(void) {
    static const char *names[FL_N_TIERS + 1];
    int n = 0;
    for (int i = 0; i < FL_N_TIERS; i++)
        if (fl_tiers[i].runs_here())
            names[n++] = fl_tiers[i].name;
    names[n] = NULL;
    return names;
}

const char *fl_isa(void) {
    return fl_tier_in_use->name;
}

int fl_isa_select(const char *name) {
    for (int i = 0; i < FL_N_TIERS; i++)
        if (strcmp(fl_tiers[i].name, name) == 0 && fl_tiers[i].runs_here()) {
            fl_tier_in_use = &fl_tiers[i];
            return 1;
        }
    return 0;
}

const fl_ops *fl_ops_for(int float32) {
    return float32 ? fl_tier_in_use->f32 : fl_tier_in_use->f64;
}
