/* Where a key of the table has to be found besides: in the manual page, in the default file, in a golden
 * file. */
#include "check.h"
#include "table.h"

#include <ctype.h>
#include <glob.h>
#include <stdbool.h>

static char man[1 << 17], names[1 << 15], conf[1 << 16], golden[1 << 20];

static void
append_file(const char *path, char *text, size_t size)
{
    size_t len = strlen(text);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    len += fread(text + len, 1, size - len - 1, file);
    assert_true(len < size - 1);
    text[len] = '\0';
    fclose(file);
}

/* The lines of the manual page that name keys, so that a word in passing is not taken for one. */
static void
take_names(void)
{
    static const char *const macros[] = {".It Cm ", ".Cm ", ".Ss ", ".Ql "};
    size_t len;

    for (const char *line = man; *line != '\0'; line += len + (line[len] == '\n')) {
        len = strcspn(line, "\n");
        for (unsigned i = 0; i < ROWS(macros); i++)
            if (strncmp(line, macros[i], strlen(macros[i])) == 0) {
                assert_true(strlen(names) + len + 2 < sizeof names);
                strncat(names, line, len + 1);
            }
    }
}

static int
setup(void **state)
{
    glob_t found;

    (void)state;
    append_file(SA_SOURCE_DIR "/man/sipalertd.conf.5", man, sizeof man);
    take_names();
    append_file(SA_SOURCE_DIR "/conf/sipalertd.conf", conf, sizeof conf);
    assert_int_equal(glob(SA_SOURCE_DIR "/tests/config/*.conf", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        append_file(found.gl_pathv[i], golden, sizeof golden);
    globfree(&found);
    return 0;
}

static bool
is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool
has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += len)
        if ((at == text || !is_of_word(at[-1])) && !is_of_word(at[len]))
            return true;
    return false;
}

static void
test_every_key_is_documented(void **state)
{
    unsigned missing = 0;

    (void)state;
    for (const struct sa_key *key = sa_keys; key->name != NULL; key++) {
        if (!has_word(names, key->name))
            missing += (unsigned)fprintf(stderr, "%s is not in sipalertd.conf(5)\n", key->name) > 0;
        if (!has_word(conf, key->name))
            missing += (unsigned)fprintf(stderr, "%s is not in conf/sipalertd.conf\n", key->name) > 0;
        if (!has_word(golden, key->name))
            missing += (unsigned)fprintf(stderr, "%s is in no file of tests/config\n", key->name) > 0;
        for (const struct sa_word *word = key->words; word != NULL && word->name != NULL; word++)
            if (!has_word(man, word->name))
                missing += (unsigned)fprintf(stderr, "%s of %s is not in sipalertd.conf(5)\n", word->name,
                                             key->name) > 0;
    }
    assert_int_equal(missing, 0);
}

/* Sections that keys name are there, and the other way round; what a type needs beside it is. */
static void
test_the_table_fits_together(void **state)
{
    (void)state;
    for (const struct sa_key *key = sa_keys; key->name != NULL; key++) {
        const struct sa_section *section = sa_sections;
        unsigned same = 0;

        for (const struct sa_key *other = sa_keys; other->name != NULL; other++)
            same += strcmp(other->section, key->section) == 0 && strcmp(other->name, key->name) == 0;
        CHECK_INT(key->name, same, 1);
        while (section->name != NULL && strcmp(section->name, key->section) != 0)
            section++;
        CHECK_INT(key->name, section->name != NULL || key->section[0] == '\0', true);
        if (section->name != NULL)
            CHECK_INT(key->name, key->field.offset + key->field.size <= section->size, true);
        if (key->type == SA_KEY_SECTION) {
            CHECK_STR(key->name, sa_key_section(key)->name, key->keys);
            CHECK_INT(key->name, (key->count.size != 0) == (sa_key_section(key)->shape == SA_SECTION_MANY),
                      true);
        }
        if (key->type == SA_KEY_NAMES)
            CHECK_INT(key->name, key->room != 0 && key->count.size == sizeof(unsigned), true);
        if (key->type == SA_KEY_NUMBER || key->type == SA_KEY_DURATION || key->type == SA_KEY_SHARE)
            CHECK_INT(key->name, key->field.size, sizeof(uint32_t));
        if (key->type == SA_KEY_NUMBER)
            CHECK_INT(key->name, key->value != NULL && key->most != 0, true);
        if (key->type == SA_KEY_SIZE)
            CHECK_INT(key->name, key->field.size, sizeof(size_t));
        if (key->type == SA_KEY_WORD) {
            CHECK_INT(key->name, key->words != NULL, true);
            CHECK_INT(key->name, key->field.size == 1 || key->field.size == sizeof(int), true);
        }
        if (key->only_with != NULL)
            CHECK_INT(key->name, sa_key_find(key->section, key->only_with) != NULL, true);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_is_documented),
        cmocka_unit_test(test_the_table_fits_together),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
