#ifndef PGC_RUNTIME_H
#define PGC_RUNTIME_H
/* What comes in from outside the process as an argument: clock, log, cancellation.
 *
 * Domain code gets `const struct pgc_runtime *rt` and never calls time(), sleep() or fprintf() itself, so
 * that tests own the time and programs own the output. A program's runtime is made by pgc_runtime_process()
 * (os/process.h); an embedder may fill the struct itself. */
#include <pgc/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pgc_log_level { PGC_LOG_DEBUG, PGC_LOG_INFO, PGC_LOG_WARN, PGC_LOG_ERROR };

/* One key with its value; value NULL with `number` used instead when is_number. */
struct pgc_log_field {
    const char *key;
    const char *text;
    int64_t number;
    bool is_number;
};
#define PGC_LOG_TEXT(key, value) ((struct pgc_log_field) { (key), (value), 0, false })
#define PGC_LOG_INT(key, value)  ((struct pgc_log_field) { (key), NULL, (int64_t)(value), true })

struct pgc_runtime {
    /* Milliseconds of a clock that never goes back, for deadlines and durations. */
    int64_t (*mono_ms)(void *arg);
    /* Microseconds since 1970-01-01 UTC, for what people read. */
    int64_t (*wall_us)(void *arg);
    /* Sleeps; returns early when cancelled. */
    void (*sleep_ms)(void *arg, int64_t ms);
    /* Signal number that asked us to stop, 0 while nobody did. */
    int (*cancelled)(void *arg);
    /* Descriptor that becomes readable when cancelled (for poll), -1 when there is none. */
    int (*cancel_fd)(void *arg);
    void (*log)(void *arg, enum pgc_log_level level, const char *event, const char *message,
                const struct pgc_log_field *fields, size_t field_count);
    void *arg;
};

static inline int64_t pgc_mono_ms(const struct pgc_runtime *rt) {
    return rt->mono_ms(rt->arg);
}
static inline int64_t pgc_wall_us(const struct pgc_runtime *rt) {
    return rt->wall_us(rt->arg);
}
static inline void pgc_sleep_ms(const struct pgc_runtime *rt, int64_t ms) {
    rt->sleep_ms(rt->arg, ms);
}
static inline int pgc_cancelled(const struct pgc_runtime *rt) {
    return rt->cancelled(rt->arg);
}
static inline int pgc_cancel_fd(const struct pgc_runtime *rt) {
    return rt->cancel_fd(rt->arg);
}

/* pgc_log(rt, PGC_LOG_INFO, "backup.done", "backup done", PGC_LOG_TEXT("database", name), PGC_LOG_INT("bytes", n)) */
#define pgc_log(rt, level, event, message, ...)                                                                        \
    (rt)->log((rt)->arg, (level), (event), (message),                                                                  \
              (struct pgc_log_field[]) { __VA_ARGS__ __VA_OPT__(, ) { NULL, NULL, 0, false } },                        \
              sizeof((struct pgc_log_field[]) { __VA_ARGS__ __VA_OPT__(, ) { NULL, NULL, 0, false } }) /               \
                      sizeof(struct pgc_log_field) -                                                                   \
                  1)

/* The system's clock, never cancelled, no log: for programs that embed the library. */
const struct pgc_runtime *pgc_runtime_quiet(void);

/* PGC_OK, or PGC_E_CANCELLED "interrupted by signal 15" once somebody asked us to stop. */
PGC_MUST_USE enum pgc_code pgc_check_cancelled(const struct pgc_runtime *rt, struct pgc_error *err);

/* The same runtime, but nobody can ask it to stop: for cleaning up after an interruption. `rt` must outlive it. */
struct pgc_runtime pgc_runtime_undisturbed(const struct pgc_runtime *rt);

#ifdef __cplusplus
}
#endif
#endif
