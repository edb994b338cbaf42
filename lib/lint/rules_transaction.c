/* Rules about transactions, locks that are waited for, and statements that need a transaction of their own or none. */
#include <stdlib.h>

#include "lint/rules.h"

static bool flag(const struct pgc_json *fields, const char *key) {
    return pgc_json_is_true(pgc_json_get(fields, key));
}

#define BEGINS "TRANS_STMT_BEGIN TRANS_STMT_START"
#define ENDS   "TRANS_STMT_COMMIT TRANS_STMT_ROLLBACK TRANS_STMT_PREPARE"

static bool is_control(const struct lint_statement *statement, const char *kinds) {
    return strcmp(statement->tree.kind, "TransactionStmt") == 0 &&
           pgc__lint_word_in(pgc__lint_field(statement->tree.node, "kind"), kinds);
}

static void check_nesting(struct lint_check *check) {
    const struct lint_statement *statement = check->statement;
    bool begins = is_control(statement, BEGINS), ends = is_control(statement, ENDS);
    if (!begins && !ends)
        return;
    if (check->file->assumed)
        pgc__lint_report(check, NULL, statement->span.start,
                         begins ? "the file runs in a transaction already: this begins no other one"
                                : "this ends the transaction that the migration tool has begun");
    else if (begins && statement->in_block)
        pgc__lint_report(check, NULL, statement->span.start, "a transaction is open already");
    else if (ends && !statement->in_block)
        pgc__lint_report(check, NULL, statement->span.start, "no transaction is open here");
}

static void check_uncommitted(struct lint_check *check) {
    if (!is_control(check->statement, BEGINS) || check->statement->in_block)
        return;
    for (size_t i = check->index + 1; i < check->file->count; i++)
        if (is_control(&check->file->statements[i], ENDS))
            return;
    pgc__lint_report(check, NULL, check->statement->span.start,
                     "the transaction is never committed: its work is undone when the connection closes");
}

/* Does the statement take a lock that others wait behind, on something that was there before? Statements that run
 * CONCURRENTLY wait without blocking others. */
static bool takes_lock(const struct lint_check *check) {
    const struct pgc_json *node = check->node, *relation = pgc_json_get(node, "relation");
    if (lint_is(check, "IndexStmt") && flag(node, "concurrent"))
        return false;
    if (lint_is(check, "DropStmt"))
        return !flag(node, "concurrent") &&
               pgc__lint_word_in(pgc__lint_field(node, "removeType"),
                                 "OBJECT_TABLE OBJECT_INDEX OBJECT_VIEW OBJECT_MATVIEW OBJECT_SEQUENCE OBJECT_TRIGGER "
                                 "OBJECT_POLICY OBJECT_RULE OBJECT_FOREIGN_TABLE OBJECT_SCHEMA OBJECT_TYPE");
    if (lint_is(check, "ReindexStmt"))
        return !pgc__lint_option_on(pgc_json_get(node, "params"), "concurrently");
    if (lint_is(check, "VacuumStmt"))
        return pgc__lint_option_on(pgc_json_get(node, "options"), "full");
    if (lint_is(check, "RefreshMatViewStmt"))
        return !flag(node, "concurrent");
    if (lint_is(check, "TruncateStmt") || lint_is(check, "LockStmt"))
        return true;
    return pgc__lint_word_in(check->statement->tree.kind,
                             "AlterTableStmt RenameStmt AlterObjectSchemaStmt IndexStmt ClusterStmt CreateTrigStmt "
                             "RuleStmt CreatePolicyStmt AlterPolicyStmt") &&
           !pgc__lint_is_new_here(check, pgc__lint_field(relation, "schemaname"), pgc__lint_field(relation, "relname"));
}

/* The value that a SET gives: 1 a limit, 0 none, -1 not this setting. */
static int set_gives(const struct lint_statement *statement, const char *setting) {
    const struct pgc_json *node = statement->tree.node;
    if (strcmp(statement->tree.kind, "VariableSetStmt") != 0)
        return -1;
    if (pgc__lint_field_is(node, "kind", "VAR_RESET_ALL"))
        return 0;
    if (!pgc__lint_field_is(node, "name", setting))
        return -1;
    const struct pgc_json *value = pgc__lint_node_as(pgc_json_at(pgc_json_get(node, "args"), 0), "A_Const");
    const char *text = pgc_json_text(pgc_json_get(pgc_json_get(value, "sval"), "sval"));
    if (!pgc__lint_field_is(node, "kind", "VAR_SET_VALUE") || value == NULL)
        return 0;
    if (text != NULL)
        return strtol(text, NULL, 10) != 0;
    return pgc_json_int(pgc_json_get(pgc_json_get(value, "ival"), "ival"), 0) != 0 ||
           pgc_json_get(value, "fval") != NULL;
}

/* select set_config('lock_timeout', '3s', false) counts as well. */
static int config_gives(const struct lint_file *file, const struct lint_statement *statement, const char *setting) {
    const struct pgc_token *tokens = statement->scan->tokens;
    size_t len = strlen(setting);
    if (strcmp(statement->tree.kind, "SelectStmt") != 0)
        return -1;
    for (size_t i = statement->span.first_token; i + 2 < statement->span.token_end; i++)
        if (pgc_token_is(file->text, &tokens[i], "set_config") && tokens[i + 2].kind == PGC_TOKEN_STRING &&
            tokens[i + 2].len == len + 2 && memcmp(file->text + tokens[i + 2].start + 1, setting, len) == 0)
            return 1;
    return -1;
}

static bool has_timeout(const struct lint_check *check, const char *setting) {
    for (size_t i = check->index; i-- > 0;) {
        const struct lint_statement *before = &check->file->statements[i];
        int gives = set_gives(before, setting);
        if (gives < 0)
            gives = config_gives(check->file, before, setting);
        bool local = gives == 1 && flag(before->tree.node, "is_local");
        if (gives >= 0 && (!local || before->transaction == check->statement->transaction))
            return gives == 1;
    }
    return false;
}

/* One finding per file: the cure is one line at its top. */
static void check_timeout(struct lint_check *check, const char *setting, bool set_by_runner) {
    if (check->reported == 0 && !set_by_runner && takes_lock(check) && !has_timeout(check, setting))
        pgc__lint_report(check, NULL, check->statement->span.start, "%s is not set before a statement that takes locks",
                         setting);
}

static void check_lock_timeout(struct lint_check *check) {
    check_timeout(check, "lock_timeout", check->file->options->lock_timeout_set);
}

static void check_statement_timeout(struct lint_check *check) {
    check_timeout(check, "statement_timeout", check->file->options->statement_timeout_set);
}

static void check_outside(struct lint_check *check) {
    if (!check->statement->in_transaction || (!check->statement->in_block && check->file->scan.statement_count == 1))
        return;
    const char *what = lint_is(check, "IndexStmt") /* has a rule of its own */
                           ? NULL
                           : pgc__lint_needs_no_transaction(check->file, check->statement);
    if (what != NULL)
        pgc__lint_report(check, NULL, check->statement->span.start, "%s cannot run inside a transaction block", what);
}

/* Rows changed under the ACCESS EXCLUSIVE lock of an ALTER TABLE before, or all rows in one statement. */
static void check_backfill(struct lint_check *check) {
    bool updates = lint_is(check, "UpdateStmt"), deletes = lint_is(check, "DeleteStmt");
    if (!updates && !deletes)
        return;
    const struct pgc_json *table = pgc_json_get(check->node, "relation");
    for (size_t i = check->index; i-- > 0;) {
        const struct lint_statement *before = &check->file->statements[i];
        if (before->transaction != check->statement->transaction)
            break;
        struct lint_alter alter = { 0 };
        if (!pgc__lint_next_alter_of(check->file, before, &alter) || !pgc__lint_same_table(alter.table, table))
            continue;
        pgc__lint_report(check, table, check->statement->span.start,
                         "rows of '%s' are changed while the ALTER TABLE before keeps it locked for everybody",
                         pgc__lint_table_text(table).text);
        return;
    }
    if (updates && pgc_json_get(check->node, "whereClause") == NULL)
        pgc__lint_report(check, table, check->statement->span.start,
                         "all rows of '%s' are changed, and locked, in one statement",
                         pgc__lint_table_text(table).text);
}

static const struct pgc_lint_rule rules[] = {
    { .id = "transaction-nesting",
      .name = "Transaction in a transaction",
      .severity = PGC_LINT_ERROR,
      .summary = "BEGIN or COMMIT in a file that the tool wraps; BEGIN twice, COMMIT without BEGIN",
      .why = "BEGIN inside a transaction does nothing, and COMMIT ends the tool's transaction: what follows is no "
             "longer undone when it fails.",
      .safe = "Remove BEGIN and COMMIT, or mark the file to run without a transaction.",
      .aliases = "",
      .check = check_nesting },
    { .id = "ban-uncommitted-transaction",
      .name = "Transaction without an end",
      .severity = PGC_LINT_ERROR,
      .summary = "BEGIN without COMMIT or ROLLBACK",
      .why = "The connection closes with the transaction open: nothing of it remains, and until then its locks stay.",
      .safe = "Add COMMIT.",
      .aliases = "",
      .check = check_uncommitted },
    { .id = "require-lock-timeout",
      .name = "Locks without lock_timeout",
      .severity = PGC_LINT_WARNING,
      .summary = "a statement that takes locks, and no lock_timeout before it",
      .why = "While it waits for its lock behind a long query, everybody else waits behind it: the application stands.",
      .safe = "SET lock_timeout = '3s' first and try again later; 'pgc migrate up --lock-timeout' does both.",
      .aliases = "require-timeout-settings",
      .check = check_lock_timeout },
    { .id = "require-statement-timeout",
      .name = "Locks without statement_timeout",
      .severity = PGC_LINT_WARNING,
      .summary = "a statement that takes locks, and no statement_timeout before it",
      .why = "A statement that takes longer than thought keeps its locks until somebody notices.",
      .safe = "SET statement_timeout = '1min' first; 'pgc migrate up --statement-timeout' does it.",
      .aliases = "require-timeout-settings",
      .check = check_statement_timeout },
    { .id = "ban-in-transaction",
      .name = "Statement that no transaction may hold",
      .severity = PGC_LINT_ERROR,
      .summary = "VACUUM, DROP INDEX CONCURRENTLY, CREATE DATABASE and the like where a transaction is open",
      .why = "PostgreSQL refuses them in a transaction block: the migration fails.",
      .safe = "Put it alone into a file, or mark the file ('-- migrate:up transaction:false').",
      .aliases = "",
      .check = check_outside },
    { .id = "ban-backfill-in-transaction",
      .name = "Rows filled under a lock",
      .severity = PGC_LINT_WARNING,
      .summary = "UPDATE or DELETE after ALTER TABLE of the same table in one transaction; UPDATE without WHERE",
      .why = "The locks of ALTER TABLE, or of every row, stay until the last row is written.",
      .safe = "Change the schema in one transaction, fill rows in batches outside of it.",
      .aliases = "backfill",
      .flags = PGC_LINT_NEW_TABLE_OK | PGC_LINT_BY_SIZE,
      .check = check_backfill },
};
LINT_RULE_TABLE(transaction, rules);
