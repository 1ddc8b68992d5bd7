/*
 * Small configurations and what is made of each: NAME.ok is what sipalertd -T prints, NAME.err the errors
 * with file and line, NAME.warn the warnings.  They are read in a copy of this directory whose files
 * everybody may read, so that a checkout's modes do not matter.
 */
#include "check.h"
#include "config.h"

#include <ftw.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static char *
read_file(const char *name, const char *ending)
{
    char path[512], *text = calloc(1, 1 << 16);
    FILE *file;

    assert_non_null(text);
    snprintf(path, sizeof path, "%s/tests/config/%s%s", SA_SOURCE_DIR, name, ending);
    file = fopen(path, "r");
    if (file != NULL) {
        assert_true(fread(text, 1, (1 << 16) - 1, file) < (1 << 16) - 1);
        fclose(file);
    }
    return text;
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static void
copy_all(const char *pattern)
{
    char whole[512];
    size_t skip = strlen(SA_SOURCE_DIR "/tests/config/");
    glob_t found;

    snprintf(whole, sizeof whole, "%s/tests/config/%s", SA_SOURCE_DIR, pattern);
    assert_int_equal(glob(whole, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = found.gl_pathv[i] + skip;
        char *text = read_file(name, "");

        write_file(name, text);
        free(text);
    }
    globfree(&found);
}

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_golden.XXXXXX");
    if (mkdtemp(dir) == NULL || chdir(dir) != 0 || mkdir("include", 0755) != 0)
        return -1;
    copy_all("*.conf");
    copy_all("include/*");
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

/* What is printed of a file, "" if it has errors. */
static char *
print(const char *path, struct sa_config_errors *errors)
{
    struct sa_config *config = NULL;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    if (sa_config_load(path, &config, errors) == 0)
        sa_config_print(config, out);
    assert_int_equal(fclose(out), 0);
    (void)sa_config_free(config);
    return text;
}

static bool
differs(const char *name, const char *ending, const char *found)
{
    char *wanted = read_file(name, ending);
    bool is_other = strcmp(found, wanted) != 0;

    if (is_other)
        fprintf(stderr, "%s%s is\n%s\nand was found to be\n%s\n", name, ending, wanted, found);
    free(wanted);
    return is_other;
}

/* What was printed prints the same again. */
static bool
is_lost_in_print(const char *name, const char *text)
{
    static struct sa_config_errors errors;
    char path[128], *again;
    bool is_other;

    snprintf(path, sizeof path, "%s.again", name);
    write_file(path, text);
    again = print(path, &errors);
    is_other = strcmp(again, text) != 0;
    if (is_other)
        fprintf(stderr, "%s prints\n%s\nwhich prints\n%s%s\n", name, text, again, errors.text);
    free(again);
    return is_other;
}

static bool
is_wrong(const char *name)
{
    static struct sa_config_errors errors;
    char path[128], *text;
    bool wrong;

    snprintf(path, sizeof path, "%s.conf", name);
    text = print(path, &errors);
    wrong = differs(name, ".ok", text);
    wrong = differs(name, ".err", errors.text) || wrong;
    wrong = (text[0] != '\0' && (differs(name, ".warn", errors.warnings) || is_lost_in_print(name, text))) ||
            wrong;
    free(text);
    return wrong;
}

static void
test_golden(void **state)
{
    glob_t found;
    unsigned wrong = 0;

    (void)state;
    assert_int_equal(glob("*.conf", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        found.gl_pathv[i][strlen(found.gl_pathv[i]) - strlen(".conf")] = '\0';
        wrong += is_wrong(found.gl_pathv[i]);
    }
    assert_true(found.gl_pathc >= 60);
    assert_int_equal(wrong, 0);
    globfree(&found);
}

/* Golden files that belong to no configuration would be right for ever. */
static void
test_nothing_is_left_over(void **state)
{
    glob_t found;

    (void)state;
    assert_int_equal(glob(SA_SOURCE_DIR "/tests/config/*.[eow]*", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *dot = strrchr(found.gl_pathv[i], '.');
        char path[512];

        snprintf(path, sizeof path, "%.*s.conf", (int)(dot - found.gl_pathv[i]), found.gl_pathv[i]);
        if (access(path, R_OK) != 0)
            fail_msg("%s belongs to nothing", found.gl_pathv[i]);
    }
    globfree(&found);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_nothing_is_left_over),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
