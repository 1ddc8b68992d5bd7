/* Real logs of proxies, with what the traffic behind them is known to have been (tests/corpora/cases.json).
 */
#include "check.h"
#include "config.h"
#include "peers.h"
#include "stream.h"
#include "tally.h"

#include <unistd.h>
#include <zlib.h>
#include <jansson.h>
#include <unistd.h>

struct counts {
    struct sa_tally *tally;
    struct sa_peers *peers;
};

static void
on_response(void *arg, const struct sa_response *response)
{
    struct counts *counts = arg;

    sa_tally_add(counts->tally, response, 0, 0);
    sa_peers_add(counts->peers, response);
}

/* The format as the configuration has it: "auto" or a section named f. */
static struct sa_config *
config_of(const char *name, const char *format)
{
    static struct sa_config_errors errors;
    char path[] = "/tmp/test_corpora.XXXXXX";
    int fd = mkstemp(path);
    struct sa_config *config = NULL;
    int r;

    assert_true(fd >= 0);
    if (strcmp(format, "auto") != 0)
        assert_true(dprintf(fd, "%s\n", format) > 0);
    assert_int_equal(close(fd), 0);
    memset(&errors, 0, sizeof errors);
    r = sa_config_load(path, &config, &errors);
    unlink(path);
    if (r != 0)
        fail_msg("%s: %s", name, errors.text);
    return config;
}

static void
read_corpus(const char *name, json_t *files, struct sa_stream *stream)
{
    size_t i;
    json_t *file;

    json_array_foreach(files, i, file)
    {
        static char buf[8192];
        char path[512];
        gzFile in;
        int n;

        snprintf(path, sizeof path, "%s/tests/corpora/%s/%s", SA_SOURCE_DIR, name, json_string_value(file));
        if (access(path, R_OK) != 0)
            strcat(path, ".gz");
        in = gzopen(path, "rb"); /* plain files too */
        if (in == NULL)
            fail_msg("%s cannot be read", path);
        while ((n = gzread(in, buf, sizeof buf)) > 0)
            sa_stream_feed(stream, buf, (size_t)n, 1795194000000);
        gzclose(in);
    }
    sa_stream_finish(stream);
}

static uint64_t
expected(json_t *codes, unsigned code)
{
    char key[8];

    snprintf(key, sizeof key, "%u", code);
    return (uint64_t)json_integer_value(json_object_get(codes, key));
}

static void
check_case(json_t *test)
{
    const char *name = json_string_value(json_object_get(test, "corpus"));
    const char *format_text = json_string_value(json_object_get(test, "format"));
    struct sa_config *config = config_of(name, format_text);
    char *formats[] = {(char *)(strcmp(format_text, "auto") == 0 ? "auto" : "f"), NULL};
    char error[SA_PATTERN_ERROR_SIZE] = "";
    struct sa_format *format = sa_config_format(config, formats, error);
    struct counts counts = {sa_tally_new(0), sa_peers_new()};
    json_t *expect = json_object_get(test, "expect"), *received = json_object_get(expect, "received");
    json_t *sent = json_object_get(expect, "sent"), *responses = json_object_get(expect, "responses");
    json_t *peers = json_object_get(test, "peers");
    struct sa_stream stream;

    if (format == NULL)
        fail_msg("%s: %s", name, error);
    assert_int_equal(sa_stream_init(&stream, format, 65536, on_response, &counts), 0);
    read_corpus(name, json_object_get(test, "files"), &stream);
    for (unsigned code = SA_CODE_MIN; code <= SA_CODE_MAX; code++) {
        struct sa_count none = {0};
        const struct sa_count *got =
            sa_tally_seen(counts.tally, code) == NULL ? &none : &sa_tally_seen(counts.tally, code)->count;
        char where[128];

        snprintf(where, sizeof where, "%s %u", name, code);
        if (received != NULL)
            CHECK_INT(where, got->received, expected(received, code));
        if (sent != NULL)
            CHECK_INT(where, got->sent, expected(sent, code));
        if (responses != NULL)
            CHECK_INT(where, got->responses, expected(responses, code));
    }
    for (unsigned i = 0; i < counts.peers->n_peers && received != NULL && peers != NULL; i++) {
        json_t *codes = json_object_get(peers, counts.peers->names[i]);
        char where[128];

        if (sent != NULL || json_object_size(peers) == 0)
            break;
        snprintf(where, sizeof where, "%s %s", name, counts.peers->names[i]);
        for (unsigned code = SA_CODE_MIN; codes != NULL && code <= SA_CODE_MAX; code++)
            if (expected(codes, code) != 0)
                CHECK_INT(where, sa_peers_count(counts.peers, i, code), expected(codes, code));
    }
    sa_stream_done(&stream);
    sa_format_free(format);
    sa_config_free(config);
    sa_tally_free(counts.tally);
    sa_peers_free(counts.peers);
}

static void
test_cases(void **state)
{
    json_error_t error;
    json_t *cases = json_load_file(SA_SOURCE_DIR "/tests/corpora/cases.json", 0, &error), *test;
    size_t i;

    (void)state;
    if (cases == NULL)
        fail_msg("cases.json:%d: %s", error.line, error.text);
    assert_true(json_array_size(cases) > 0);
    json_array_foreach(cases, i, test)
    {
        check_case(test);
    }
    json_decref(cases);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
