#include "store/webdav_list.h"

#include <check.h>
#include <string.h>

static struct pgc_error err;

START_TEST(reads_what_servers_answer)
{
    static const char xml[] =
        "<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\">"
        "<D:response><D:href>/a%20b/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></"
        "D:prop>"
        "</D:propstat></D:response>"
        "<D:response><D:href>http://h:1/a%20b/x&amp;y%2525</D:href><D:propstat><D:prop><D:resourcetype/>"
        "<D:getcontentlength>12</D:getcontentlength><D:getlastmodified>Sun, 30 Aug 2015 12:36:00 "
        "GMT</D:getlastmodified>"
        "</D:prop></D:propstat></D:response></D:multistatus>";
    PGC_CLEANUP(pgc_dav_listing_release) struct pgc_dav_listing list = { 0 };
    ck_assert_int_eq(pgc_dav_listing_read(xml, strlen(xml), &list, &err), PGC_OK);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_str_eq(list.items[0].path, "/a b");
    ck_assert(list.items[0].collection);
    ck_assert_str_eq(list.items[1].path, "/a b/x&y%25");
    ck_assert(!list.items[1].collection);
    ck_assert_uint_eq(list.items[1].size, 12);
    ck_assert_int_eq(list.items[1].modified_us, (int64_t)1440938160 * 1000000);
}
END_TEST

START_TEST(refuses_nonsense)
{
    static const char *const bad[] = { "", "<html>", "<a><response/></a>x",
                                       "<multistatus><response></response></multistatus>",
                                       "<multistatus><response><href>/%zz</href></response></multistatus>" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        PGC_CLEANUP(pgc_dav_listing_release) struct pgc_dav_listing list = { 0 };
        ck_assert_msg(pgc_dav_listing_read(bad[i], strlen(bad[i]), &list, &err) == PGC_E_DATA, "%s", bad[i]);
    }
}
END_TEST

Suite *webdav_list_suite(void);
Suite *webdav_list_suite(void) {
    Suite *suite = suite_create("webdav_list");
    TCase *tcase = tcase_create("webdav_list");
    tcase_add_test(tcase, reads_what_servers_answer);
    tcase_add_test(tcase, refuses_nonsense);
    suite_add_tcase(suite, tcase);
    return suite;
}
