#include "backup/shield.h"

#include <stdatomic.h>

static const struct pgc_runtime *inner_of(void *arg) {
    return ((const struct pgc_shield *)arg)->inner;
}

static int64_t shield_mono_ms(void *arg) {
    return pgc_mono_ms(inner_of(arg));
}

static int64_t shield_wall_us(void *arg) {
    return pgc_wall_us(inner_of(arg));
}

static void shield_sleep_ms(void *arg, int64_t ms) {
    pgc_sleep_ms(inner_of(arg), ms);
}

static int shield_cancelled(void *arg) {
    struct pgc_shield *shield = arg;
    return atomic_load(&shield->up) ? 0 : pgc_cancelled(shield->inner);
}

static int shield_cancel_fd(void *arg) {
    struct pgc_shield *shield = arg;
    return atomic_load(&shield->up) ? -1 : pgc_cancel_fd(shield->inner);
}

static void shield_log(void *arg, enum pgc_log_level level, const char *event, const char *message,
                       const struct pgc_log_field *fields, size_t count) {
    const struct pgc_runtime *rt = inner_of(arg);
    rt->log(rt->arg, level, event, message, fields, count);
}

void pgc_shield_init(struct pgc_shield *shield, const struct pgc_runtime *inner) {
    shield->rt = (struct pgc_runtime) { shield_mono_ms,   shield_wall_us, shield_sleep_ms, shield_cancelled,
                                        shield_cancel_fd, shield_log,     shield };
    shield->inner = inner;
    atomic_init(&shield->up, false);
}

void pgc_shield_raise(struct pgc_shield *shield, bool up) {
    if (shield != NULL)
        atomic_store(&shield->up, up);
}
