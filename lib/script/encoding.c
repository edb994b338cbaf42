#include <string.h>
#include <strings.h>

#include "script/lexer_internal.h"

static const struct {
    const char *name;
    enum pgc_lex_encoding encoding;
} unsafe_encodings[] = {
    { "sjis", PGC_LEX_SJIS },         { "shift_jis_2004", PGC_LEX_SJIS }, { "shift_jis", PGC_LEX_SJIS },
    { "shiftjis", PGC_LEX_SJIS },     { "mskanji", PGC_LEX_SJIS },        { "win932", PGC_LEX_SJIS },
    { "windows932", PGC_LEX_SJIS },   { "big5", PGC_LEX_DOUBLE },         { "win950", PGC_LEX_DOUBLE },
    { "windows950", PGC_LEX_DOUBLE }, { "gbk", PGC_LEX_DOUBLE },          { "win936", PGC_LEX_DOUBLE },
    { "windows936", PGC_LEX_DOUBLE }, { "uhc", PGC_LEX_DOUBLE },          { "win949", PGC_LEX_DOUBLE },
    { "windows949", PGC_LEX_DOUBLE }, { "gb18030", PGC_LEX_GB18030 },     { "johab", PGC_LEX_JOHAB },
};

enum pgc_lex_encoding pgc_lex_encoding_of(const char *name) {
    for (size_t i = 0; name != NULL && i < sizeof unsafe_encodings / sizeof unsafe_encodings[0]; i++)
        if (strcasecmp(name, unsafe_encodings[i].name) == 0)
            return unsafe_encodings[i].encoding;
    return PGC_LEX_ASCII_SAFE;
}

static size_t char_length(enum pgc_lex_encoding encoding, const unsigned char *s, size_t left) {
    if (s[0] < 0x80)
        return 1;
    switch (encoding) {
    case PGC_LEX_ASCII_SAFE:
        return 1;
    case PGC_LEX_SJIS:
        return s[0] >= 0xa1 && s[0] <= 0xdf ? 1 : 2;
    case PGC_LEX_DOUBLE:
        return 2;
    case PGC_LEX_GB18030:
        return left > 1 && s[1] >= 0x30 && s[1] <= 0x39 ? 4 : 2;
    case PGC_LEX_JOHAB:
        return s[0] == 0x8f ? 3 : 2;
    }
    return 1;
}

void pgc__lex_mask(enum pgc_lex_encoding encoding, const char *text, size_t len, char *out) {
    for (size_t i = 0; i < len;) {
        size_t n = char_length(encoding, (const unsigned char *)text + i, len - i);
        out[i] = text[i];
        for (i++; --n > 0 && i < len; i++)
            out[i] = (char)0xff;
    }
}
