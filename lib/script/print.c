#include "script/print.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct table {
    const struct pgc_conn *conn;
    const struct pgc_raw_result *result;
    const struct pgc_print *style;
    struct pgc_buf *out;
    size_t rows, columns;
};

static const char *cell_text(const struct table *t, size_t row, size_t column) {
    return pgc_raw_null(t->result, row, column) ? t->style->null_text : pgc_raw_value(t->result, row, column);
}

static bool right_aligned(unsigned type) {
    static const unsigned numeric[] = { 20, 21, 23, 26, 28, 29, 700, 701, 790, 1700, 5069 };
    for (size_t i = 0; i < sizeof numeric / sizeof numeric[0]; i++)
        if (numeric[i] == type)
            return true;
    return false;
}

static void pad(struct pgc_buf *out, char c, size_t count) {
    while (count-- > 0)
        pgc_buf_putc(out, c);
}

static void footer(const struct table *t, bool expanded) {
    if (t->style->tuples_only || !t->style->footer || (expanded && t->rows > 0))
        return;
    pgc_buf_putf(t->out, "(%zu row%s)\n", t->rows, t->rows == 1 ? "" : "s");
}

static void title(const struct table *t, size_t width) {
    if (t->style->tuples_only || t->style->title[0] == '\0')
        return;
    size_t len = strlen(t->style->title);
    if (t->style->format == PGC_PRINT_ALIGNED && len < width)
        pad(t->out, ' ', (width - len) / 2);
    pgc_buf_putf(t->out, "%s\n", t->style->title);
}

/* --- one line of a cell, as a terminal shows it -------------------------------------------------------- */

struct piece {
    struct pgc_buf text;
    size_t width;
};
struct cell {
    struct piece *lines;
    size_t count, cap;
};

static void cell_release(struct cell *cell) {
    for (size_t i = 0; i < cell->count; i++)
        pgc_buf_release(&cell->lines[i].text);
    free(cell->lines);
    *cell = (struct cell) { 0 };
}

static struct piece *new_line(struct cell *cell) {
    if (!pgc_array_grow(&cell->lines, &cell->cap, cell->count + 1, sizeof *cell->lines))
        return NULL;
    cell->lines[cell->count] = (struct piece) { PGC_BUF_INIT, 0 };
    return &cell->lines[cell->count++];
}

static void put_char(struct piece *line, const char *s, size_t bytes, int width) {
    size_t before = line->text.len;
    if (*s == '\r')
        pgc_buf_puts(&line->text, "\\r");
    else if (*s == '\t')
        pad(&line->text, ' ', 8 - line->width % 8);
    else if (width <= 0 && bytes == 1)
        pgc_buf_putf(&line->text, "\\x%02X", (unsigned char)*s);
    else {
        pgc_buf_put(&line->text, s, bytes);
        line->width += (size_t)width;
        return;
    }
    line->width += line->text.len - before;
}

static void cell_fill(struct cell *cell, const struct pgc_conn *conn, const char *s) {
    struct piece *line = new_line(cell);
    while (line != NULL && *s != '\0') {
        size_t bytes = 1;
        int width = *s >= ' ' && *s < 0x7f ? 1 : pgc_raw_char_width(conn, s, &bytes);
        if (*s == '\n')
            line = new_line(cell);
        else
            put_char(line, s, bytes, width);
        s += bytes;
    }
}

static void measure(const struct table *t, const char *text, size_t *width, size_t *lines) {
    struct cell cell = { 0 };
    cell_fill(&cell, t->conn, text);
    for (size_t i = 0; i < cell.count; i++)
        if (cell.lines[i].width > *width)
            *width = cell.lines[i].width;
    if (lines != NULL && cell.count > *lines)
        *lines = cell.count;
    cell_release(&cell);
}

/* --- aligned ------------------------------------------------------------------------------------------- */

static void rule(const struct table *t, const size_t *widths) {
    int border = t->style->border;
    if (border == 2)
        pgc_buf_puts(t->out, "+-");
    else if (border == 1)
        pgc_buf_putc(t->out, '-');
    for (size_t i = 0; i < t->columns; i++) {
        if (i > 0)
            pgc_buf_puts(t->out, border == 0 ? " " : "-+-");
        pad(t->out, '-', widths[i]);
    }
    if (border == 2)
        pgc_buf_puts(t->out, "-+");
    else if (border == 1)
        pgc_buf_putc(t->out, '-');
    pgc_buf_putc(t->out, '\n');
}

static void header(const struct table *t, const size_t *widths, size_t lines) {
    int border = t->style->border;
    for (size_t n = 0; n < lines; n++) {
        if (border == 2)
            pgc_buf_putc(t->out, '|');
        for (size_t i = 0; i < t->columns; i++) {
            struct cell cell = { 0 };
            cell_fill(&cell, t->conn, pgc_raw_column(t->result, i));
            if (border != 0)
                pgc_buf_putc(t->out, n > 0 ? ' ' : ' ');
            size_t space = widths[i] - (n < cell.count ? cell.lines[n].width : 0);
            pad(t->out, ' ', space / 2);
            if (n < cell.count)
                pgc_buf_put(t->out, cell.lines[n].text.data, cell.lines[n].text.len);
            pad(t->out, ' ', (space + 1) / 2);
            pgc_buf_putc(t->out, n + 1 < cell.count ? '+' : ' ');
            if (border != 0 && i + 1 < t->columns)
                pgc_buf_putc(t->out, '|');
            cell_release(&cell);
        }
        pgc_buf_puts(t->out, border == 2 ? "|\n" : "\n");
    }
}

static void aligned_cell(const struct table *t, const struct cell *cell, size_t line, size_t column, size_t width) {
    bool last = column + 1 == t->columns, spaces = t->style->border == 2 || !last;
    bool right = right_aligned(pgc_raw_column_type(t->result, column));
    bool more = line + 1 < cell->count;
    if (t->style->border != 0)
        pgc_buf_putc(t->out, ' ');
    if (line >= cell->count) {
        if (spaces)
            pad(t->out, ' ', width);
    } else {
        const struct piece *piece = &cell->lines[line];
        if (right)
            pad(t->out, ' ', width - piece->width);
        pgc_buf_put(t->out, piece->text.data, piece->text.len);
        if (!right && (spaces || more))
            pad(t->out, ' ', width - piece->width);
    }
    if (more)
        pgc_buf_putc(t->out, '+');
    else if (spaces)
        pgc_buf_putc(t->out, ' ');
    if (t->style->border != 0 && !last)
        pgc_buf_putc(t->out, '|');
}

static void aligned_row(const struct table *t, size_t row, const size_t *widths, struct cell *cells) {
    size_t lines = 1;
    for (size_t i = 0; i < t->columns; i++) {
        cell_fill(&cells[i], t->conn, cell_text(t, row, i));
        lines = cells[i].count > lines ? cells[i].count : lines;
    }
    for (size_t n = 0; n < lines && t->columns > 0; n++) {
        if (t->style->border == 2)
            pgc_buf_putc(t->out, '|');
        for (size_t i = 0; i < t->columns; i++)
            aligned_cell(t, &cells[i], n, i, widths[i]);
        pgc_buf_puts(t->out, t->style->border == 2 ? "|\n" : "\n");
    }
    for (size_t i = 0; i < t->columns; i++)
        cell_release(&cells[i]);
}

static void aligned(const struct table *t, size_t *widths, struct cell *cells) {
    size_t lines = t->columns > 0, total = t->columns * 3;
    for (size_t i = 0; i < t->columns; i++) {
        measure(t, pgc_raw_column(t->result, i), &widths[i], &lines);
        for (size_t row = 0; row < t->rows; row++)
            measure(t, cell_text(t, row, i), &widths[i], NULL);
        total += widths[i];
    }
    title(t, total);
    if (!t->style->tuples_only) {
        if (t->style->border == 2)
            rule(t, widths);
        header(t, widths, lines);
        rule(t, widths);
    } else if (t->style->border == 2)
        rule(t, widths);
    for (size_t row = 0; row < t->rows; row++)
        aligned_row(t, row, widths, cells);
    if (t->style->border == 2)
        rule(t, widths);
    footer(t, false);
    pgc_buf_putc(t->out, '\n');
}

/* --- aligned, one field per line ------------------------------------------------------------------------- */

static void record_rule(const struct table *t, size_t record, size_t names, size_t values) {
    int border = t->style->border;
    long done = 0;
    if (border == 2)
        pgc_buf_puts(t->out, "+-");
    else if (border == 1)
        pgc_buf_putc(t->out, '-');
    size_t before = t->out->len;
    if (record > 0)
        pgc_buf_putf(t->out, border == 0 ? "* Record %zu" : "[ RECORD %zu ]", record);
    done = (long)(t->out->len - before) + (border != 2);
    for (long i = done; i < (long)names; i++)
        pgc_buf_putc(t->out, border > 0 ? '-' : ' ');
    done -= (long)names;
    const char *joint = border > 0 ? "-+-" : " ";
    for (; *joint != '\0'; joint++)
        if (done-- <= 0)
            pgc_buf_putc(t->out, *joint);
    for (long i = done < 0 ? 0 : done; i < (long)values; i++)
        pgc_buf_putc(t->out, border > 0 ? '-' : ' ');
    pgc_buf_puts(t->out, border == 2 ? "-+\n" : "\n");
}

static void record_field(const struct table *t, size_t row, size_t column, size_t names, size_t values) {
    struct cell name = { 0 }, value = { 0 };
    int border = t->style->border;
    cell_fill(&name, t->conn, pgc_raw_column(t->result, column));
    cell_fill(&value, t->conn, cell_text(t, row, column));
    for (size_t n = 0; n < name.count || n < value.count; n++) {
        bool has_name = n < name.count, has_value = n < value.count;
        if (border == 2)
            pgc_buf_puts(t->out, "| ");
        if (has_name)
            pgc_buf_put(t->out, name.lines[n].text.data, name.lines[n].text.len);
        pad(t->out, ' ', names - (has_name ? name.lines[n].width : 0));
        pgc_buf_putc(t->out, n + 1 < name.count ? '+' : ' ');
        if (border > 0)
            pgc_buf_puts(t->out, "| ");
        bool more = n + 1 < value.count;
        if (has_value) {
            pgc_buf_put(t->out, value.lines[n].text.data, value.lines[n].text.len);
            if (more || border == 2)
                pad(t->out, ' ', values - value.lines[n].width);
            if (more)
                pgc_buf_putc(t->out, '+');
            else if (border == 2)
                pgc_buf_putc(t->out, ' ');
        } else if (border == 2)
            pad(t->out, ' ', values + 1);
        pgc_buf_puts(t->out, border == 2 ? "|\n" : "\n");
    }
    cell_release(&name);
    cell_release(&value);
}

/* What "-[ RECORD 10 ]" needs. */
static size_t record_width(const struct table *t) {
    static const size_t frame[] = { 9, 12, 15 };
    size_t digits = 1;
    for (size_t n = t->rows; n >= 10; n /= 10)
        digits++;
    return t->style->tuples_only ? 0 : digits + frame[t->style->border];
}

static void expanded_aligned(const struct table *t) {
    size_t names = 0, values = 0, lines = 1;
    for (size_t i = 0; i < t->columns; i++) {
        measure(t, pgc_raw_column(t->result, i), &names, NULL);
        for (size_t row = 0; row < t->rows; row++)
            measure(t, cell_text(t, row, i), &values, &lines);
    }
    size_t between = t->style->border == 0 ? 1 : t->style->border == 1 ? 3 : 7;
    between += lines > 1 && t->style->border < 2;
    size_t record = record_width(t);
    values = names + between + values < record ? record - names - between : values;
    title(t, 0);
    for (size_t row = 0; row < t->rows; row++) {
        if (!t->style->tuples_only)
            record_rule(t, row + 1, names, values);
        else if (row > 0 || t->style->border == 2)
            record_rule(t, 0, names, values);
        for (size_t i = 0; i < t->columns; i++)
            record_field(t, row, i, names, values);
    }
    if (t->style->border == 2)
        record_rule(t, 0, names, values);
    pgc_buf_putc(t->out, '\n');
}

/* --- unaligned and CSV ----------------------------------------------------------------------------------- */

static void csv_field(const struct table *t, const char *text) {
    char separator = t->style->csv_separator;
    if (strpbrk(text, "\"\r\n") == NULL && strchr(text, separator) == NULL && strcmp(text, "\\.") != 0) {
        pgc_buf_puts(t->out, text);
        return;
    }
    pgc_buf_putc(t->out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            pgc_buf_putc(t->out, '"');
        pgc_buf_putc(t->out, *text);
    }
    pgc_buf_putc(t->out, '"');
}

static void field(const struct table *t, const char *text) {
    if (t->style->format == PGC_PRINT_CSV)
        csv_field(t, text);
    else
        pgc_buf_puts(t->out, text);
}

static void flat(const struct table *t) {
    bool csv = t->style->format == PGC_PRINT_CSV;
    const char separator[2] = { t->style->csv_separator, '\0' };
    const char *between = csv ? separator : t->style->field_separator;
    const char *end = csv ? "\n" : t->style->record_separator;
    if (!csv)
        title(t, 0);
    if (!t->style->tuples_only) {
        for (size_t i = 0; i < t->columns; i++) {
            pgc_buf_puts(t->out, i > 0 ? between : "");
            field(t, pgc_raw_column(t->result, i));
        }
        pgc_buf_puts(t->out, end);
    }
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t i = 0; i < t->columns; i++) {
            pgc_buf_puts(t->out, i > 0 ? between : "");
            field(t, cell_text(t, row, i));
        }
        pgc_buf_puts(t->out, end);
    }
    if (!csv)
        footer(t, false);
}

static void expanded_flat(const struct table *t) {
    bool csv = t->style->format == PGC_PRINT_CSV;
    const char separator[2] = { t->style->csv_separator, '\0' };
    const char *end = csv ? "\n" : t->style->record_separator;
    if (!csv)
        title(t, 0);
    for (size_t row = 0; row < t->rows; row++) {
        if (row > 0 && !csv)
            pgc_buf_puts(t->out, end);
        for (size_t i = 0; i < t->columns; i++) {
            field(t, pgc_raw_column(t->result, i));
            pgc_buf_puts(t->out, csv ? separator : t->style->field_separator);
            field(t, cell_text(t, row, i));
            pgc_buf_puts(t->out, end);
        }
    }
    if (!csv && t->rows == 0)
        footer(t, true);
}

void pgc_print_rows(struct pgc_buf *out, const struct pgc_conn *conn, const struct pgc_raw_result *result,
                    const struct pgc_print *style) {
    struct table t = { conn, result, style, out, pgc_raw_rows(result), pgc_raw_columns(result) };
    if (style->format != PGC_PRINT_ALIGNED) {
        style->expanded ? expanded_flat(&t) : flat(&t);
        return;
    }
    if (style->expanded && t.rows > 0) {
        expanded_aligned(&t);
        return;
    }
    size_t *widths = calloc(t.columns + 1, sizeof *widths);
    struct cell *cells = calloc(t.columns + 1, sizeof *cells);
    if (widths == NULL || cells == NULL)
        out->failed = true;
    else if (style->expanded)
        footer(&t, true), pgc_buf_putc(out, '\n');
    else
        aligned(&t, widths, cells);
    free(widths);
    free(cells);
}
