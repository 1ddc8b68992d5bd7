/* What a line costs that was made to cost much: characters that the matcher looks at, by the line's length.
 */
#include "check.h"
#include "format.h"
#include "stream.h"
#include "xlog_template.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

#define LONG_LINE 65536
#define ROOM      (2 * LONG_LINE)
#define FIXED     64 /* steps of a line that do not depend on its length are a share of so many bytes */

/* Three free texts: each place where one can end is a place for the next to begin. */
#define FREE_TEXTS "[$ci] $rs $rr from $si ua=$ua contact=$ct method $rm"

static char line[ROOM];
static uint64_t seed;

static unsigned
random_below(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 33) % n);
}

static void
compile(const char *text, struct sa_template *template)
{
    if (sa_template_compile(text, template) != 0)
        fail_msg("\"%s\" does not compile", text);
}

/* Steps for each byte of the first `len` of the line, in hundredths. */
static unsigned
cost(const struct sa_template *template, size_t len)
{
    return (unsigned)(100 * sa_template_steps(template, (struct sa_slice){line, len}) / (len + FIXED));
}

/* A head, then the unit again and again, then a tail; returns the length, at least len. */
static size_t
repeat(const char *head, const char *unit, const char *tail, size_t len)
{
    size_t n = (size_t)sprintf(line, "%s", head);

    while (n < len)
        n += (size_t)sprintf(line + n, "%s", unit);
    return n + (size_t)sprintf(line + n, "%s", tail);
}

/* Almost a match of each literal, over and over, alone and together, behind a head that matches. */
static void
test_crafted_lines(void **state)
{
    static const char *const heads[] = {"",
                                        "[",
                                        "[a@b] 302 ",
                                        "[a@b] 302 x from 192.0.2.1 ua=",
                                        "[a@b] 302 x from 192.0.2.1 ua=u contact=",
                                        "[a@b] 302 x from 192.0.2.1 ua=u contact=c method "};
    static const char *const units[] = {
        "[", "]", "] ", "[a] ", "] 302 ", "[a] 302 ", " ", " from ", " fro", " ua=", " ua",
        " contact=", " contact", " method ", " metho", " method x ",
        " from :: ua=", " from  ua= contact=", " from 192.0.2.1 ua= contact= method ",
        " from 192.0.2.1 ua= contact= metho ", " ua= ua= contact=", " from  ua=", " contact= method x",
        " fro ua contac metho", ":", "a:", " from ::", " from 1.2.3.4", " from 11:", "a", "\t",
        " from \t ua=", " from <null> ua= contact= ",
        /* Every "from" may begin the rest. */
        " from 10.9.9.9 ua=x contact=y", " from 10.9.9.9 ua=x contact=y method a b"};
    static const char *const tails[] = {
        "", " ", " method ", " method a b", "\t", "x\n", " contact= method a b"};
    static const size_t lengths[] = {4096, 8192, LONG_LINE}, every[] = {1, 5, 47};
    unsigned worst[ROWS(lengths)] = {0};
    struct sa_template template;

    (void)state;
    compile(FREE_TEXTS, &template);
    for (size_t l = 0; l < ROWS(lengths); l++)
        for (size_t i = 0; i < ROWS(heads) * ROWS(units) * ROWS(tails); i++) {
            const char *head = heads[i % ROWS(heads)], *unit = units[i / ROWS(heads) % ROWS(units)];
            const char *tail = tails[i / ROWS(heads) / ROWS(units)];
            unsigned steps;

            if (i % every[l] != 0)
                continue;
            steps = cost(&template, repeat(head, unit, tail, lengths[l]));
            if (steps > 1200)
                fail_msg("%zu bytes of \"%s\" behind \"%s\" before \"%s\": %u.%02u steps for each byte",
                         lengths[l], unit, head, tail, steps / 100, steps % 100);
            worst[l] = steps > worst[l] ? steps : worst[l];
        }
    for (size_t l = 0; l < ROWS(lengths); l++) /* the lines are what they are meant to be */
        assert_in_range(worst[l], 600, 1200);
}

/* A value as the shape wants it. */
static const char *
value(uint8_t shape)
{
    static const char *const values[] = {"",          "302",  "INVITE", "1 INVITE", "a@b",
                                         "192.0.2.1", "5060", "udp",    "sip:x",    "xyz"};

    return shape == 5 && random_below(2) != 0 ? "2001:db8::7" : values[shape];
}

/* What the template's parts from a to b print. */
static size_t
print(const struct sa_template *template, unsigned a, unsigned b, char *dst)
{
    size_t n = 0;

    for (unsigned i = a; i < b; i++) {
        const struct sa_template_part *part = &template->parts[i];
        const char *text = part->shape == 0 ? template->text + part->start : value(part->shape);
        size_t len = part->shape == 0 ? part->len : strlen(text);

        memcpy(dst + n, text, len);
        n += len;
    }
    return n;
}

/* Something that is almost a part of what the template prints. */
static size_t
fragment(const struct sa_template *template, char *dst)
{
    static const char *const words[] = {"302",    "1",           "200 OK",   "a@b",    "192.0.2.1",
                                        "INVITE", "2001:db8::1", "[::1]",    "::",     "1.2.3.4:5",
                                        "<null>", "-12",         "1 INVITE", "%eth0]", "aaaa",
                                        " ",      "  ",          "\t",       "#012",   "11:22:33"};
    unsigned a = random_below(template->n_parts), b = a + random_below(3);
    const struct sa_template_part *part = &template->parts[a];
    size_t len = part->len > 60 ? 60 : part->len;

    switch (random_below(4)) {
    case 0: {
        const char *word = words[random_below(ROWS(words))];

        memcpy(dst, word, strlen(word));
        return strlen(word);
    }
    case 1:
        dst[0] = "a1:.[]-@% =fm\t"[random_below(14)];
        return 1;
    case 2:
        len = part->shape != 0 ? 0 : random_below(2) == 0 ? len : random_below(len + 1);
        memcpy(dst, template->text + part->start, len);
        return len;
    default:
        return print(template, a, b > template->n_parts ? template->n_parts : b, dst);
    }
}

/* A beginning of a match, fragments over and over, an end of a match. */
static size_t
hostile_line(const struct sa_template *template, size_t len)
{
    size_t n = print(template, 0, random_below(template->n_parts + 1), line);

    for (unsigned phase = 1 + random_below(3); phase > 0; phase--) {
        char unit[2 * SA_TEMPLATE_TEXT];
        size_t unit_len = 0;

        for (unsigned pieces = 1 + random_below(4); pieces > 0 && unit_len < 300; pieces--)
            unit_len += fragment(template, unit + unit_len);
        for (size_t stop = n + len / phase; n < stop && unit_len > 0 && n + unit_len < LONG_LINE;
             n += unit_len)
            memcpy(line + n, unit, unit_len);
    }
    if (random_below(2) == 0)
        n += print(template, random_below(template->n_parts + 1), template->n_parts, line + n);
    return n;
}

static void
check_cost(const char *text, const struct sa_template *template, size_t len, unsigned most)
{
    unsigned steps = cost(template, len);
    struct sa_slice fields[SA_FIELD_COUNT];

    if (steps > 100 * most)
        fail_msg("\"%s\" takes %u.%02u steps for each of %zu bytes: \"%.*s\"", text, steps / 100, steps % 100,
                 len, (int)(len < 200 ? len : 200), line);
    if (sa_template_match(template, (struct sa_slice){line, len}, fields) == SA_TEMPLATE_LIMIT)
        fail_msg("\"%s\" gave up on %zu bytes: \"%.*s\"", text, len, (int)(len < 200 ? len : 200), line);
}

/* Each text between quotes in a file that is a template. */
static unsigned
check_file(const char *path)
{
    struct sa_template template;
    unsigned n = 0;
    FILE *file = fopen(path, "re");
    char text[4096], *quoted, *rest;

    assert_non_null(file);
    while (fgets(text, sizeof text, file) != NULL)
        for (rest = text; (quoted = strsep(&rest, "\"'`")) != NULL;) {
            if (strchr(quoted, '$') == NULL || sa_template_compile(quoted, &template) != 0)
                continue;
            n++;
            for (unsigned i = 0; i < 3; i++)
                check_cost(quoted, &template, hostile_line(&template, 1000), 20);
        }
    (void)fclose(file);
    return n;
}

static unsigned
check_files(const char *directory)
{
    unsigned n = 0;
    DIR *dir = opendir(directory);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[1024];
        struct stat status;

        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            n += check_files(path);
        else
            n += check_file(path);
    }
    (void)closedir(dir);
    return n;
}

/* The templates that we recommend, document and test. */
static void
test_known_templates(void **state)
{
    (void)state;
    seed = 5060;
    assert_true(check_file(SA_SOURCE_DIR "/README.md") > 0);
    assert_true(check_files(SA_SOURCE_DIR "/conf") > 3);
    assert_true(check_files(SA_SOURCE_DIR "/tests/unit") > 30);
    assert_true(check_files(SA_SOURCE_DIR "/tests/system") > 3);
}

static void
generate(char *template, unsigned n)
{
    static const char *const variables[] = {"$ci", "$rr", "$si", "$sp", "$rm",        "$ua", "$proto",
                                            "$ru", "$cs", "$fU", "$pr", "$hdr(CSeq)", "$Ri", "$var(x)"};
    static const char *const literals[] = {" from ", " ua=", " method ", "[",  "] ", ":", " ",   " ",
                                           "=",      ",",    "@",        "aa", "-",  "1", "x y", ". "};
    unsigned at = random_below(n);

    template[0] = '\0';
    for (unsigned i = 0; i < n; i++) {
        if (random_below(3) != 0)
            strcat(template, literals[random_below(ROWS(literals))]);
        strcat(template, i == at ? "$rs" : variables[random_below(ROWS(variables))]);
    }
    if (random_below(3) == 0)
        strcat(template, literals[random_below(ROWS(literals))]);
}

static void
test_generated_templates(void **state)
{
    struct sa_template template;
    char text[512];

    (void)state;
    seed = 302;
    for (unsigned i = 0; i < 4000; i++) {
        generate(text, 2 + random_below(8));
        if (sa_template_compile(text, &template) == 0)
            check_cost(text, &template, hostile_line(&template, 500), 40);
    }
}

/*
 * "…| TEMPLATE" matches from the first bar on behind which the template alone does, whatever came before: so
 * the second walk, to which bars and beginnings without number lead, finds what the first one would.
 */
static void
test_both_walks_agree(void **state)
{
    unsigned hits = 0;

    (void)state;
    seed = 430;
    for (unsigned i = 0; i < 400; i++) {
        struct sa_slice alone[SA_FIELD_COUNT], behind[SA_FIELD_COUNT], payload = {line, 0};
        struct sa_template template, long_template;
        enum sa_template_verdict verdict = SA_TEMPLATE_MISS;
        char text[512] = "$rr|";
        const char *bar;
        size_t n = 0;

        generate(text + 4, 2 + random_below(5));
        if (sa_template_compile(text + 4, &template) != 0 || sa_template_compile(text, &long_template) != 0)
            continue;
        for (unsigned k = random_below(120); k > 0; k--) {
            n += print(&template, 0, random_below(template.n_parts), line + n);
            line[n++] = '|';
        }
        line[n++] = '|';
        n += print(&template, 0, template.n_parts, line + n);
        payload.len = n;
        for (bar = memchr(line, '|', n); bar != NULL && verdict == SA_TEMPLATE_MISS;
             bar = memchr(bar + 1, '|', n - (size_t)(bar + 1 - line)))
            verdict =
                sa_template_match(&template, (struct sa_slice){bar + 1, n - (size_t)(bar + 1 - line)}, alone);
        CHECK_INT(text, sa_template_match(&long_template, payload, behind), verdict);
        hits += verdict == SA_TEMPLATE_HIT;
        for (unsigned f = 0; f < SA_FIELD_COUNT && verdict == SA_TEMPLATE_HIT; f++) {
            CHECK_INT(text, behind[f].len, alone[f].len);
            CHECK_INT(text, behind[f].len == 0 || behind[f].p == alone[f].p, true);
        }
    }
    assert_true(hits > 100);
}

static void
on_response(void *arg, const struct sa_response *response)
{
    (void)response;
    ++*(unsigned *)arg;
}

/*
 * What even the second walk cannot do in the steps it has is unmatched, and is counted by itself too: here
 * each of 250 dashes may begin the 300 of the template.
 */
static void
test_limit_is_counted(void **state)
{
    static char text[400] = "$rr", *xlog[] = {text, NULL}, *none[] = {NULL};
    const struct sa_format_def def = {.name = "dashes", .xlog = xlog, .xlog_sent = none, .regex = none};
    struct sa_format *format = sa_format_new();
    char error[SA_PATTERN_ERROR_SIZE], unit[252] = "";
    struct sa_stream stream;
    struct sa_template template;
    unsigned responses = 0;
    size_t len;

    (void)state;
    memset(text + 3, '-', 300);
    memcpy(text + 303, " $rs", 5);
    memset(unit, '-', 250);
    unit[250] = ' ';
    compile(text, &template);
    len = repeat("x ", unit, "", 8192);
    assert_in_range(sa_template_steps(&template, (struct sa_slice){line, len}), SA_TEMPLATE_STEPS(len) / 2,
                    SA_TEMPLATE_STEPS(len));

    assert_non_null(format);
    assert_int_equal(sa_format_add_user(format, &def, error), 0);
    assert_int_equal(sa_stream_init(&stream, format, LONG_LINE, on_response, &responses), 0);
    line[len++] = '\n';
    sa_stream_feed(&stream, line, len, 0);
    assert_int_equal(stream.counts.unmatched, 1);
    assert_int_equal(stream.counts.match_limit, 1);
    len = (size_t)sprintf(line, "no such line\nx%.300s 302\n", text + 3);
    sa_stream_feed(&stream, line, len, 0);
    assert_int_equal(stream.counts.lines, 3);
    assert_int_equal(stream.counts.unmatched, 2);
    assert_int_equal(stream.counts.match_limit, 1);
    assert_int_equal(responses, 1);
    sa_stream_done(&stream);
    (void)sa_format_free(format);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crafted_lines),       cmocka_unit_test(test_known_templates),
        cmocka_unit_test(test_generated_templates), cmocka_unit_test(test_both_walks_agree),
        cmocka_unit_test(test_limit_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
