#include "backup/layout.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void pgc_backup_name(char out[PGC_BACKUP_NAME_BYTES], int64_t wall_us, uint32_t id) {
    int64_t seconds = wall_us / 1000000, days = seconds / 86400, rest = seconds % 86400;
    int64_t year = 0;
    int month = 0, day = 0;
    pgc_civil_from_days(days, &year, &month, &day);
    snprintf(out, PGC_BACKUP_NAME_BYTES, "%04u%02u%02uT%02u%02u%02uZ-%08x", (unsigned)(year % 10000),
             (unsigned)month % 100, (unsigned)day % 100, (unsigned)(rest / 3600) % 100, (unsigned)(rest / 60 % 60),
             (unsigned)(rest % 60), id);
}

/* The value of `count` decimal digits, -1 when one is none. */
static int digits(const char *text, int count) {
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + text[i] - '0';
    }
    return value;
}

bool pgc_backup_parse_name(const char *name, int64_t *wall_us) {
    if (strlen(name) != PGC_BACKUP_NAME_BYTES - 1 || name[8] != 'T' || name[15] != 'Z' || name[16] != '-')
        return false;
    int year = digits(name, 4), month = digits(name + 4, 2), day = digits(name + 6, 2);
    int hour = digits(name + 9, 2), minute = digits(name + 11, 2), second = digits(name + 13, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 59)
        return false;
    for (const char *p = name + 17; *p != '\0'; p++)
        if (!isdigit((unsigned char)*p) && (*p < 'a' || *p > 'f'))
            return false;
    if (wall_us != NULL)
        *wall_us = (pgc_days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000000;
    return true;
}

void pgc_backup_segment(struct pgc_buf *out, const char *text) {
    if (text[0] == '\0')
        pgc_buf_putc(out, '%');
    if (text[0] == '.') {
        pgc_buf_puts(out, "%2E");
        text++;
    }
    pgc_text_percent(out, text, strlen(text), "");
}

bool pgc_backup_parse_segment(struct pgc_buf *out, const char *text, size_t len) {
    if (len == 1 && text[0] == '%')
        return true;
    if (len == 0 || !pgc_text_unpercent(out, text, len) || strlen(out->data) != out->len)
        return false;
    /* Only the one spelling that we write: two keys never mean one database. */
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf again = PGC_BUF_INIT;
    pgc_backup_segment(&again, out->data);
    return again.len == len && memcmp(again.data, text, len) == 0;
}

void pgc_backup_key(struct pgc_buf *out, const char *cluster, const char *database, const char *name,
                    const char *artefact) {
    pgc_backup_segment(out, cluster);
    pgc_buf_putc(out, '/');
    if (database == NULL)
        return;
    pgc_backup_segment(out, database);
    pgc_buf_putc(out, '/');
    if (name == NULL)
        return;
    pgc_buf_puts(out, name);
    pgc_buf_putc(out, '/');
    if (artefact != NULL)
        pgc_buf_puts(out, artefact);
}

bool pgc_backup_parse_key(const char *key, struct pgc_backup_place *out) {
    size_t cluster = strcspn(key, "/");
    if (key[cluster] == '\0')
        return false;
    const char *database = key + cluster + 1;
    size_t database_len = strcspn(database, "/");
    if (database[database_len] == '\0')
        return false;
    const char *name = database + database_len + 1;
    size_t name_len = strcspn(name, "/");
    if (name_len != PGC_BACKUP_NAME_BYTES - 1 || name[name_len] == '\0' || strchr(name + name_len + 1, '/') != NULL)
        return false;
    memcpy(out->name, name, name_len);
    out->name[name_len] = '\0';
    out->artefact = name + name_len + 1;
    pgc_buf_clear(&out->cluster);
    pgc_buf_clear(&out->database);
    return out->artefact[0] != '\0' && pgc_backup_parse_name(out->name, NULL) &&
           pgc_backup_parse_segment(&out->cluster, key, cluster) &&
           pgc_backup_parse_segment(&out->database, database, database_len);
}

void pgc_backup_place_release(struct pgc_backup_place *place) {
    pgc_buf_release(&place->cluster);
    pgc_buf_release(&place->database);
}

bool pgc_backup_glob(const char *pattern, const char *name) {
    return fnmatch(pattern, name, 0) == 0;
}
