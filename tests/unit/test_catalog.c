/* The catalog of registered codes and what is said of the others. */
#include "catalog.h"
#include "check.h"

static const uint16_t registered[] = {
    100, 180, 181, 182, 183, 199, 200, 202, 204, 300, 301, 302, 305, 380, 400, 401, 402, 403, 404,
    405, 406, 407, 408, 410, 412, 413, 414, 415, 416, 417, 420, 421, 422, 423, 424, 425, 428, 429,
    430, 433, 436, 437, 438, 439, 440, 469, 470, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489,
    491, 493, 494, 500, 501, 502, 503, 504, 505, 513, 555, 580, 600, 603, 604, 606, 607, 608};

static void
test_registered(void **state)
{
    size_t n;
    const struct sa_catalog_entry *all = sa_catalog_all(&n);

    (void)state;
    assert_int_equal(n, 75);
    assert_int_equal(n, ROWS(registered));
    for (size_t i = 0; i < n; i++) {
        struct sa_catalog_entry explained = sa_catalog_explain(all[i].code);

        CHECK_INT(all[i].phrase, all[i].code, registered[i]);
        assert_ptr_equal(sa_catalog_find(all[i].code), &all[i]);
        assert_true(all[i].phrase[0] != '\0' && all[i].reference[0] != '\0' && all[i].kind[0] != '\0');
        assert_true(all[i].meaning[0] != '\0' && all[i].remediation[0] != '\0');
        assert_true(strlen(all[i].meaning) <= 255 && strlen(all[i].remediation) <= 255);
        assert_int_equal(explained.code, all[i].code);
        assert_string_equal(explained.phrase, all[i].phrase);
        assert_string_equal(explained.remediation, all[i].remediation);
    }
}

static void
test_phrases(void **state)
{
    static const struct {
        unsigned code;
        const char *phrase, *kind;
    } cases[] = {{300, "Multiple Choices", "redirect"},
                 {301, "Moved Permanently", "redirect"},
                 {302, "Moved Temporarily", "redirect"},
                 {305, "Use Proxy", "redirect"},
                 {430, "Flow Failed", "flow"},
                 {503, "Service Unavailable", NULL},
                 {404, "Not Found", NULL},
                 {100, "Trying", NULL},
                 {439, "First Hop Lacks Outbound Support", NULL},
                 {603, "Decline", NULL}};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        const struct sa_catalog_entry *entry = sa_catalog_find(cases[i].code);

        assert_non_null(entry);
        CHECK_STR(cases[i].phrase, entry->phrase, cases[i].phrase);
        if (cases[i].kind != NULL)
            CHECK_STR(cases[i].phrase, entry->kind, cases[i].kind);
    }
}

/* Unregistered codes share what is said of their class, and no class speaks for another. */
static void
test_unregistered(void **state)
{
    static const struct {
        unsigned code, like;
    } cases[] = {{478, 492}, {303, 399}, {101, 198}, {299, 203}, {599, 510}, {699, 601}};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_catalog_entry entry = sa_catalog_explain(cases[i].code);
        char name[12];

        snprintf(name, sizeof name, "%u", cases[i].code);
        assert_null(sa_catalog_find(cases[i].code));
        CHECK_INT(name, entry.code, cases[i].code);
        CHECK_STR(name, entry.phrase, "(unregistered)");
        CHECK_STR(name, entry.remediation, sa_catalog_explain(cases[i].like).remediation);
        CHECK_STR(name, entry.meaning, sa_catalog_explain(cases[i].like).meaning);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(entry.meaning, sa_catalog_explain(cases[k].code).meaning);
    }
}

/* Any code that can be counted has texts that fit the MIB. */
static void
test_every_code_has_texts(void **state)
{
    (void)state;
    for (unsigned code = SA_CODE_MIN; code <= SA_CODE_MAX; code++) {
        struct sa_catalog_entry entry = sa_catalog_explain(code);

        assert_int_equal(entry.code, code);
        assert_non_null(entry.phrase);
        assert_non_null(entry.reference);
        assert_non_null(entry.kind);
        assert_non_null(entry.meaning);
        assert_non_null(entry.remediation);
        assert_true(entry.meaning[0] != '\0' && entry.remediation[0] != '\0');
        assert_true(strlen(entry.meaning) <= 255 && strlen(entry.remediation) <= 255);
        if (sa_catalog_find(code) == NULL)
            assert_string_equal(entry.phrase, "(unregistered)");
    }
    /* Without a class there is no class to borrow a text from. */
    assert_string_not_equal(sa_catalog_explain(700).meaning, sa_catalog_explain(600).meaning);
    assert_string_equal(sa_catalog_explain(700).meaning, sa_catalog_explain(999).meaning);
}

static void
test_outside(void **state)
{
    static const unsigned codes[] = {0, 20, 99, 1000, 2000, 65535, UINT32_MAX};

    (void)state;
    for (unsigned i = 0; i < ROWS(codes); i++)
        assert_null(sa_catalog_find(codes[i]));
}

static void
test_classes(void **state)
{
    static const struct {
        unsigned code;
        const char *name;
    } cases[] = {{100, "Provisional"},    {199, "Provisional"},    {200, "Success"},
                 {302, "Redirection"},    {430, "Client Error"},   {503, "Server Error"},
                 {603, "Global Failure"}, {699, "Global Failure"}, {700, "Invalid"},
                 {999, "Invalid"},        {99, "Invalid"},         {0, "Invalid"},
                 {1000, "Invalid"}};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++)
        CHECK_STR(cases[i].name, sa_catalog_class(cases[i].code), cases[i].name);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registered),   cmocka_unit_test(test_phrases),
        cmocka_unit_test(test_unregistered), cmocka_unit_test(test_every_code_has_texts),
        cmocka_unit_test(test_outside),      cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
