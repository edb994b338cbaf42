/* Which DEFAULT expressions PostgreSQL evaluates once for a whole table. */
#include "lint/rules.h"

/* The built-in functions that people write in a DEFAULT and all of whose variants are immutable or stable in PostgreSQL 15
 * (pg_proc.provolatile is not 'v'; tests/it/lint-server.sh asks the server). A function that is not here may be volatile. */
static const char stable_functions[] =
    "abs acos acosd acosh age area array_append array_cat array_fill array_length array_lower array_ndims "
    "array_position array_prepend array_remove array_replace array_to_json array_to_string array_upper ascii "
    "asin asind asinh atan atan2 atan2d atand atanh bit bit_count bit_length bool box bpchar btrim "
    "cardinality cbrt ceil ceiling char char_length character_length chr circle concat concat_ws convert "
    "convert_from convert_to cos cosd cosh cot cotd current_database current_schema "
    "current_schemas current_setting current_user date date_bin date_part date_trunc datemultirange "
    "daterange decode degrees div encode enum_first enum_last enum_range exp extract factorial float4 float8 "
    "floor format format_type gcd get_bit get_byte get_current_ts_config hashtext hashtextextended height "
    "host hostmask inet_client_addr inet_client_port inet_server_addr inet_server_port initcap int2 int4 "
    "int4multirange int4range int8 int8multirange int8range interval is_normalized isempty isfinite "
    "json_array_length json_build_array json_build_object json_extract_path json_extract_path_text "
    "json_object json_strip_nulls json_typeof jsonb_array_length jsonb_build_array jsonb_build_object "
    "jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_path_exists jsonb_path_match "
    "jsonb_path_query_array jsonb_path_query_first jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls "
    "jsonb_typeof justify_days justify_hours justify_interval lcm left length line ln log log10 lower "
    "lower_inc lower_inf lpad lseg ltrim macaddr macaddr8 macaddr8_set7bit make_date make_interval make_time "
    "make_timestamp make_timestamptz masklen md5 min_scale mod money multirange name netmask network "
    "normalize now num_nonnulls num_nulls numeric nummultirange numrange octet_length oid overlay "
    "parse_ident path pg_backend_pid pg_client_encoding pg_get_userbyid pg_my_temp_schema "
    "pg_postmaster_start_time pg_size_bytes pg_size_pretty pg_typeof phraseto_tsquery pi plainto_tsquery "
    "point polygon position pow power quote_ident quote_literal quote_nullable radians range_merge regclass "
    "regexp_count regexp_match regexp_replace regexp_split_to_array regexp_substr repeat replace reverse "
    "right round row_to_json rpad rtrim scale session_user set_bit set_byte set_masklen setweight sha224 "
    "sha256 sha384 sha512 sign sin sind sinh split_part sqrt starts_with statement_timestamp string_to_array "
    "strip strpos substr substring tan tand tanh text time timestamp timestamptz timetz timezone to_ascii "
    "to_char to_date to_hex to_json to_jsonb to_number to_regclass to_regnamespace to_regtype to_timestamp "
    "to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale trunc tsmultirange tsquery "
    "tsrange tstzmultirange tstzrange unistr upper upper_inc upper_inf varbit varchar version "
    "websearch_to_tsquery width width_bucket xml xmlcomment";

bool pgc__lint_is_stable_function(const char *name) {
    return pgc__lint_word_in(name, stable_functions);
}

/* Every function call anywhere in the expression counts; operators and casts of built-in types are stable. */
bool pgc__lint_is_stable(const struct pgc_json *expression) {
    if (pgc_json_kind(expression) == PGC_JSON_ARRAY) {
        for (size_t i = 0; i < pgc_json_count(expression); i++)
            if (!pgc__lint_is_stable(pgc_json_at(expression, i)))
                return false;
        return true;
    }
    struct pgc_json_iter member = { 0 };
    while (pgc_json_next(expression, &member)) {
        if (strcmp(member.key, "FuncCall") == 0) {
            const struct pgc_json *names = pgc_json_get(member.value, "funcname");
            const char *schema = pgc_json_count(names) > 1 ? pgc__lint_string(pgc_json_at(names, 0)) : "pg_catalog";
            const char *name = pgc__lint_last_name(names);
            if (name == NULL || schema == NULL || strcmp(schema, "pg_catalog") != 0 ||
                !pgc__lint_is_stable_function(name))
                return false;
        }
        if (!pgc__lint_is_stable(member.value))
            return false;
    }
    return true;
}
