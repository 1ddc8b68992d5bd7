/* Communities: where they come from, that they are not shown, and what is said of files that everybody may
 * read. */
#include "check.h"
#include "config.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], conf[128], secret[128];

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_secrets.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(conf, sizeof conf, "%s/test.conf", dir);
    snprintf(secret, sizeof secret, "%s/noc.community", dir);
    return 0;
}

static int
delete_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int
teardown(void **state)
{
    (void)state;
    return nftw(dir, delete_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
write_file(const char *path, const char *bytes, size_t len, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static struct sa_config_errors errors;

/* NULL: it has errors. */
static struct sa_config *
load(const char *notify, mode_t mode)
{
    struct sa_config *config = NULL;
    char text[1024];

    snprintf(text, sizeof text,
             "node = \"n\"\nsource \"edge\" { file = \"/var/log/k.log\" }\n"
             "notify \"noc\" { address = \"udp:192.0.2.5:162\" %s }\n",
             notify);
    write_file(conf, text, strlen(text), mode);
    (void)sa_config_load(conf, &config, &errors);
    return config;
}

static char *
printed(const struct sa_config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    sa_config_print(config, out);
    fclose(out);
    return text;
}

static void
check_printed(const char *notify, const char *has, const char *has_not)
{
    struct sa_config *config = load(notify, 0600);
    char *text;

    if (config == NULL)
        fail_msg("%s: %s", notify, errors.text);
    text = printed(config);
    CHECK_HAS(notify, text, has);
    if (has_not != NULL && strstr(text, has_not) != NULL)
        fail_msg("%s: it shows %s", notify, has_not);
    free(text);
    sa_config_free(config);
}

static void
test_printed_without_them(void **state)
{
    char of_file[256], has[256];

    (void)state;
    check_printed("community = \"s3cret\"", "  community = \"********\"\n", "s3cret");
    check_printed("", "  community = \"public\"\n", "****");
    write_file(secret, "t0psecret\nmore\n", 15, 0600);
    snprintf(of_file, sizeof of_file, "community_file = \"%s\"", secret);
    snprintf(has, sizeof has, "  community_file = \"%s\"\n", secret);
    check_printed(of_file, has, "t0psecret");
    check_printed(of_file, has, "  community = ");
}

/* What is printed loads, and from a file with the same community. */
static void
test_printed_loads(void **state)
{
    struct sa_config *config, *again = NULL;
    char of_file[256], *text;

    (void)state;
    write_file(secret, "t0psecret\n", 10, 0600);
    snprintf(of_file, sizeof of_file, "community_file = \"%s\"", secret);
    config = load(of_file, 0600);
    assert_non_null(config);
    text = printed(config);
    write_file(conf, text, strlen(text), 0600);
    assert_int_equal(sa_config_load(conf, &again, &errors), 0);
    assert_string_equal(again->notifies[0].community, "t0psecret");
    free(text);
    sa_config_free(config);
    sa_config_free(again);
}

/* A reload sees another community, although it is not shown. */
static void
test_another_community_is_another_configuration(void **state)
{
    struct sa_config *a = load("community = \"one\"", 0600), *b = load("community = \"two\"", 0600),
                     *c = load("community = \"one\"", 0600);

    (void)state;
    assert_false(sa_config_differs_in_rules_only(a, b));
    assert_true(sa_config_differs_in_rules_only(a, c));
    sa_config_free(a);
    sa_config_free(b);
    sa_config_free(c);
}

static void
test_files_without_a_secret(void **state)
{
    static char longer[300];
    static const struct {
        const char *bytes;
        size_t len;
        const char *why;
    } cases[] = {{"", 0, "its first line is empty"},
                 {"\n", 1, "its first line is empty"},
                 {"\nsecret\n", 8, "its first line is empty"},
                 {"\r\nsecret\r\n", 10, "its first line is empty"},
                 {" \t\nsecret\n", 10, "its first line is empty"},
                 {"\0secret\n", 8, "its first line is empty"},
                 {"sec\0ret\n", 8, "too long, or holds a NUL"},
                 {longer, sizeof longer, "too long, or holds a NUL"}};
    char of_file[256];

    (void)state;
    memset(longer, 'x', sizeof longer);
    snprintf(of_file, sizeof of_file, "community_file = \"%s\"", secret);
    for (size_t i = 0; i < ROWS(cases); i++) {
        write_file(secret, cases[i].bytes, cases[i].len, 0600);
        if (load(of_file, 0600) != NULL)
            fail_msg("%s (%zu bytes) was taken", cases[i].why, cases[i].len);
        CHECK_HAS(cases[i].why, errors.text, cases[i].why);
    }
    assert_null(load("community = \"\"", 0600));
    CHECK_HAS("empty", errors.text, "test.conf:3: notify \"noc\": the community is empty");
    write_file(secret, "without an end", 14, 0600);
    sa_config_free(load(of_file, 0600));
    assert_int_equal(errors.count, 0);
}

static void
check_warning(const char *notify, mode_t mode, const char *expected)
{
    struct sa_config *config = load(notify, mode);

    if (config == NULL)
        fail_msg("%s: %s", notify, errors.text);
    sa_config_free(config);
    if (expected == NULL)
        CHECK_STR(notify, errors.warnings, "");
    else
        CHECK_HAS(notify, errors.warnings, expected);
    if (strstr(errors.warnings, "s3cret") != NULL)
        fail_msg("%s: the warning shows it", notify);
}

static void
test_warnings(void **state)
{
    char of_file[256], of_access[256];

    (void)state;
    check_warning("community = \"s3cret\"", 0644,
                  "test.conf:3: warning: notify \"noc\": everybody may read the community");
    check_warning("community = \"s3cret\"", 0640, NULL);
    check_warning("community = \"public\"", 0644, NULL);
    check_warning("", 0644, NULL);
    check_warning("community = \"********\"", 0640, "this community is what sipalertd -T prints");
    snprintf(of_file, sizeof of_file, "community_file = \"%s\"", secret);
    write_file(secret, "s3cret\n", 7, 0644);
    check_warning(of_file, 0644, "noc.community: everybody may read it: chmod 640 it");
    assert_int_equal(chmod(secret, 0640), 0);
    check_warning(of_file, 0644, NULL);
    snprintf(of_access, sizeof of_access, "}\nsnmp { mode = \"standalone\" access = \"%s\"", secret);
    check_warning(of_access, 0644, NULL);
    assert_int_equal(chmod(secret, 0604), 0);
    check_warning(of_access, 0600, "access ");
}

/* The file that the community stands in is the one that counts. */
static void
test_warning_of_an_included_file(void **state)
{
    static const char section[] =
        "notify \"noc\" { address = \"udp:192.0.2.5:162\" community = \"s3cret\" }\n";
    struct sa_config *config = NULL;
    char part[160], text[256];

    (void)state;
    snprintf(part, sizeof part, "%s/part.inc", dir);
    snprintf(text, sizeof text, "source \"edge\" { file = \"/x\" }\ninclude(\"%s\")\n", part);
    write_file(part, section, sizeof section - 1, 0644);
    write_file(conf, text, strlen(text), 0600);
    assert_int_equal(sa_config_load(conf, &config, &errors), 0);
    CHECK_HAS("part", errors.warnings, "part.inc:1: warning: ");
    sa_config_free(config);
    assert_int_equal(chmod(part, 0640), 0);
    assert_int_equal(chmod(conf, 0644), 0);
    assert_int_equal(sa_config_load(conf, &config, &errors), 0);
    assert_string_equal(errors.warnings, "");
    sa_config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printed_without_them),
        cmocka_unit_test(test_printed_loads),
        cmocka_unit_test(test_another_community_is_another_configuration),
        cmocka_unit_test(test_files_without_a_secret),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_warning_of_an_included_file),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
