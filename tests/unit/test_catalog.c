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

static unsigned
fact(const struct sa_catalog_entry *entry, enum sa_fact of)
{
    return entry->facts[of];
}

/* What a code says of itself must not contradict its class, nor one fact another. */
static void
check_facts(const struct sa_catalog_entry *entry)
{
    unsigned class = entry->code / 100u, retry = fact(entry, SA_FACT_RETRY),
             effect = fact(entry, SA_FACT_EFFECT);
    unsigned cache = fact(entry, SA_FACT_CACHE), future = fact(entry, SA_FACT_FUTURE);
    bool failed = class >= 3;

    for (enum sa_fact of = 0; of < SA_FACTS; of++)
        assert_non_null(sa_fact_sentence(of, entry->facts[of]));
    CHECK_INT(entry->phrase, effect == SA_EFFECT_PROGRESS, class == 1);
    CHECK_INT(entry->phrase, effect == SA_EFFECT_DONE || effect == SA_EFFECT_ACCEPTED, class == 2);
    CHECK_INT(entry->phrase, effect == SA_EFFECT_REDIRECTED || effect == SA_EFFECT_ALTERNATIVE, class == 3);
    CHECK_INT(entry->phrase, effect == SA_EFFECT_EVERYWHERE, class == 6);
    CHECK_INT(entry->phrase, fact(entry, SA_FACT_DIALOG) == SA_DIALOG_NONE, !failed);
    CHECK_INT(entry->phrase, retry == SA_RETRY_NEEDLESS, !failed || effect == SA_EFFECT_ENDED);
    CHECK_INT(entry->phrase, retry == SA_RETRY_CONTACT, effect == SA_EFFECT_REDIRECTED);
    CHECK_INT(entry->phrase, retry == SA_RETRY_SERVICE, effect == SA_EFFECT_ALTERNATIVE);
    CHECK_INT(entry->phrase, retry == SA_RETRY_CREDENTIALS, effect == SA_EFFECT_CHALLENGED);
    CHECK_INT(entry->phrase, retry == SA_RETRY_FLOW, effect == SA_EFFECT_REFLOW);
    CHECK_INT(entry->phrase, future == SA_FUTURE_CREDENTIALS, effect == SA_EFFECT_CHALLENGED);
    CHECK_INT(entry->phrase, future == SA_FUTURE_FLOWS, effect == SA_EFFECT_REFLOW);
    CHECK_INT(entry->phrase, cache == SA_CACHE_PERMANENT, future == SA_FUTURE_REPLACE);
    CHECK_INT(entry->phrase, cache == SA_CACHE_EXPIRES, future == SA_FUTURE_EXPIRY);
    if (retry == SA_RETRY_NEVER && future == SA_FUTURE_LATER) /* a later attempt is another request */
        assert_true(class == 6 || effect == SA_EFFECT_REFUSED);
    if (fact(entry, SA_FACT_ACTOR) == SA_ACTOR_NOBODY)
        assert_true(class <= 2 || class == 6 || effect == SA_EFFECT_ENDED ||
                    strcmp(entry->kind, "user") == 0);
}

static void
test_facts(void **state)
{
    size_t n;
    const struct sa_catalog_entry *all = sa_catalog_all(&n);

    (void)state;
    for (size_t i = 0; i < n; i++)
        check_facts(&all[i]);
    for (unsigned code = 100; code < 700; code++) {
        struct sa_catalog_entry entry = sa_catalog_explain(code);

        check_facts(&entry);
        assert_true(entry.when[0] != '\0' && sa_catalog_class_meaning(code)[0] != '\0');
    }
}

/* No two values of a fact may read the same, or a difference would look like none. */
static void
test_sentences_differ(void **state)
{
    (void)state;
    for (enum sa_fact of = 0; of < SA_FACTS; of++)
        for (unsigned a = 0; sa_fact_sentence(of, a) != NULL; a++)
            for (unsigned b = 0; b < a; b++)
                assert_string_not_equal(sa_fact_sentence(of, a), sa_fact_sentence(of, b));
}

/* Every pair, both ways: each point once, nothing empty, differences differ, what is alike is alike. */
static void
test_every_pair(void **state)
{
    size_t n, pairs = 0;
    const struct sa_catalog_entry *all = sa_catalog_all(&n);

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++, pairs++) {
            struct sa_comparison there = sa_catalog_compare(&all[i], &all[k]);
            struct sa_comparison back = sa_catalog_compare(&all[k], &all[i]);

            assert_int_equal(there.n_different + there.n_alike, SA_POINTS);
            assert_int_equal(there.n_different, back.n_different);
            assert_true(there.n_different >= 1); /* two codes that nothing tells apart would be one */
            for (unsigned p = 0; p < there.n_different; p++) {
                const struct sa_point *point = &there.different[p];

                assert_true(point->label.key[0] != '\0' && point->label.heading[0] != '\0');
                assert_true(point->a[0] != '\0' && point->b[0] != '\0');
                assert_string_not_equal(point->a, point->b);
                assert_string_equal(point->a, back.different[p].b);
                assert_string_equal(point->b, back.different[p].a);
                for (unsigned q = 0; q < p; q++)
                    assert_string_not_equal(point->label.key, there.different[q].label.key);
            }
            for (unsigned p = 0; p < there.n_alike; p++) {
                assert_true(there.alike[p].a[0] != '\0');
                assert_string_equal(there.alike[p].a, there.alike[p].b);
                for (unsigned q = 0; q < there.n_different; q++)
                    assert_string_not_equal(there.alike[p].label.key, there.different[q].label.key);
            }
            CHECK_INT("class", strcmp(there.different[0].label.key, "class") == 0,
                      all[i].code / 100 != all[k].code / 100);
            assert_string_not_equal(all[i].meaning, all[k].meaning);
            assert_string_not_equal(all[i].when, all[k].when);
        }
    assert_int_equal(pairs, 2775);
}

/* What an operator is told in depth, at least. */
static void
test_depth(void **state)
{
    static const uint16_t deep[] = {200, 202, 300, 301, 302, 305, 380, 430, 439};

    (void)state;
    for (unsigned i = 0; i < ROWS(deep); i++) {
        const struct sa_catalog_entry *entry = sa_catalog_find(deep[i]);

        assert_non_null(entry->depth[SA_DEPTH_CONTACT]);
        assert_non_null(entry->depth[SA_DEPTH_CACHING]);
        assert_non_null(entry->depth[SA_DEPTH_CALLER]);
        assert_non_null(entry->depth[SA_DEPTH_PROXY]);
        assert_non_null(entry->depth[SA_DEPTH_WATCH]);
        CHECK_INT(entry->phrase, entry->depth[SA_DEPTH_LOOPS] != NULL, deep[i] >= 300);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),        cmocka_unit_test(test_sentences_differ),
        cmocka_unit_test(test_every_pair),   cmocka_unit_test(test_depth),
        cmocka_unit_test(test_registered),   cmocka_unit_test(test_phrases),
        cmocka_unit_test(test_unregistered), cmocka_unit_test(test_every_code_has_texts),
        cmocka_unit_test(test_outside),      cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
