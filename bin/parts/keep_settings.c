#include "parts/keep_settings.h"

static const char *const words[PGC_KEEP_KINDS] = {
    [PGC_KEEP_LAST] = "last",     [PGC_KEEP_HOURLY] = "hourly",   [PGC_KEEP_DAILY] = "daily",
    [PGC_KEEP_WEEKLY] = "weekly", [PGC_KEEP_MONTHLY] = "monthly", [PGC_KEEP_YEARLY] = "yearly",
};

enum pgc_code settings_keep_policy(const struct keep_settings *settings, struct pgc_keep_policy *out,
                                   struct pgc_error *err) {
    *out = (struct pgc_keep_policy) { .min = settings->min };
    if (settings->min < 0)
        return pgc_fail(err, PGC_E_USAGE, "--keep-min is negative");
    for (int k = 0; k < PGC_KEEP_KINDS; k++) {
        if (settings->count[k] < -1)
            return pgc_fail(err, PGC_E_USAGE, "--keep-%s %lld: expected a count, or -1 for all", words[k],
                            (long long)settings->count[k]);
        out->count[k] = settings->count[k];
        if (settings->within[k] == NULL)
            continue;
        enum pgc_code code = pgc_keep_parse_span(settings->within[k], &out->within[k], err);
        if (code != PGC_OK)
            return pgc_wrap(err, "--keep-within%s%s", k == PGC_KEEP_LAST ? "" : "-",
                            k == PGC_KEEP_LAST ? "" : words[k]);
    }
    return PGC_OK;
}
