#ifndef PGC_LINT_REPORT_H
#define PGC_LINT_REPORT_H
/* Findings and rules as text. Pure: appends to a buffer, whose sticky failure is checked by the caller.
 *
 *     PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
 *     pgc_lint_report_sarif(&out, &found, PGC_VERSION);
 *     code = pgc_buf_check(&out, err); */
#include "base/buf.h"
#include <pgc/lint.h>

/* "file:line:column: error: message [rule]", for each rule once below it what to do instead, and a last line with sums. */
void pgc_lint_report_text(struct pgc_buf *out, const struct pgc_lint_findings *found);
/* {"findings":[{"file","line","column","end_line","end_column","offset","rule","name","severity","message","why",
 * "alternative","fingerprint","table","rows","bytes"}],"summary":{"files","statements","error","warning","info","suppressed",
 * "unparsable"}}; table only when the finding is about one, rows and bytes only when the server knows it. */
void pgc_lint_report_json(struct pgc_buf *out, const struct pgc_lint_findings *found);
/* SARIF 2.1.0, one run; columns count Unicode characters. The fingerprint of a result stays when its statement moves. */
void pgc_lint_report_sarif(struct pgc_buf *out, const struct pgc_lint_findings *found, const char *version);
/* Workflow commands of GitHub Actions: one annotation per finding. */
void pgc_lint_report_github(struct pgc_buf *out, const struct pgc_lint_findings *found);

/* The list of rules, and one rule in full. */
void pgc_lint_rules_text(struct pgc_buf *out);
void pgc_lint_rules_json(struct pgc_buf *out);
void pgc_lint_rules_markdown(struct pgc_buf *out);
void pgc_lint_rule_text(struct pgc_buf *out, const struct pgc_lint_rule *rule);
#endif
