/*
 * A stream that is ended between any two lines and goes on in another life reads what one would have read
 * that was never ended; and nothing but what a stream keeps is taken for that.
 */
#include "check.h"
#include "stream.h"

#include <dirent.h>

#define REFERENCE_MS INT64_C(1795193117000)

struct seen {
    uint64_t responses, hash;
};

static void
on_response(void *arg, const struct sa_response *response)
{
    struct seen *seen = arg;

    seen->responses += response->repeat;
    seen->hash = seen->hash * 31 + response->code + (uint64_t)response->direction * 1000 +
                 (uint64_t)response->time_ms + response->transaction;
    for (const char *p = response->method; *p != '\0'; p++)
        seen->hash = seen->hash * 31 + (unsigned char)*p;
    for (const char *p = response->peer; *p != '\0'; p++)
        seen->hash = seen->hash * 31 + (unsigned char)*p;
    for (const char *p = response->call_id; *p != '\0'; p++)
        seen->hash = seen->hash * 31 + (unsigned char)*p;
}

static void
begin(struct sa_stream *stream, const char *preset, struct seen *seen)
{
    struct sa_format *format = sa_format_new();
    char error[SA_PATTERN_ERROR_SIZE];

    assert_int_equal(sa_format_add_preset(format, preset, error), 0);
    assert_int_equal(sa_stream_init(stream, format, 65536, on_response, seen), 0);
}

static void
end(struct sa_stream *stream)
{
    struct sa_format *format = stream->format;

    sa_stream_done(stream);
    (void)sa_format_free(format);
}

static char *
read_whole(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(1 << 20);

    assert_non_null(file);
    *ret_len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* All in one life, and with another life from the byte `cut` on. */
static struct seen
run(const char *preset, const char *bytes, size_t len, size_t cut)
{
    struct seen seen = {0};
    struct sa_stream first, second;
    struct sa_buffer kept = {0};

    begin(&first, preset, &seen);
    sa_stream_feed(&first, bytes, cut, REFERENCE_MS);
    sa_stream_keep(&first, &kept);
    end(&first);
    begin(&second, preset, &seen);
    if (!sa_stream_may_recall(kept.bytes, kept.len) || !sa_stream_recall(&second, kept.bytes, kept.len))
        fail_msg("%s: what was kept at byte %zu cannot be taken", preset, cut);
    sa_stream_feed(&second, bytes + cut, len - cut, REFERENCE_MS);
    sa_stream_finish(&second);
    end(&second);
    sa_buffer_done(&kept);
    return seen;
}

static void
check_sample(const char *preset, const char *path)
{
    size_t len;
    char *bytes = read_whole(path, &len);
    struct seen whole = run(preset, bytes, len, len);

    CHECK_INT(preset, whole.responses > 0, true);
    for (size_t at = 0; at < len; at++) {
        struct seen cut;

        if (bytes[at] != '\n')
            continue;
        cut = run(preset, bytes, len, at + 1);
        if (cut.responses != whole.responses || cut.hash != whole.hash)
            fail_msg("%s: ended at byte %zu it is %llu responses, not %llu, or others", preset, at + 1,
                     (unsigned long long)cut.responses, (unsigned long long)whole.responses);
    }
    free(bytes);
}

static void
test_every_sample_ended_at_every_line(void **state)
{
    DIR *samples = opendir(SA_SOURCE_DIR "/tests/samples");
    unsigned n = 0;

    (void)state;
    assert_non_null(samples);
    for (struct dirent *entry; (entry = readdir(samples)) != NULL;) {
        char *dot = strrchr(entry->d_name, '.'), path[512];

        if (dot == NULL || strcmp(dot, ".log") != 0)
            continue;
        snprintf(path, sizeof path, SA_SOURCE_DIR "/tests/samples/%s", entry->d_name);
        *dot = '\0';
        if (sa_preset_find(entry->d_name) == NULL)
            continue;
        check_sample(entry->d_name, path);
        n++;
    }
    closedir(samples);
    assert_true(n >= 10);
}

/* In the midst of the headers of a response. */
static void
keep_one(struct sa_buffer *kept)
{
    static const char log[] = "<--- Received SIP response (648 bytes) from UDP:192.0.2.5:5060 --->\n"
                              "SIP/2.0 430 Flow Failed\r\nCall-ID: a@b\r\nCSeq: 7 INVITE\r\n";
    struct sa_stream stream;
    struct seen seen = {0};

    begin(&stream, "asterisk-pjsip", &seen);
    sa_stream_feed(&stream, log, sizeof log - 1, REFERENCE_MS);
    assert_int_equal(stream.messages.state, SA_SIP_HEADERS);
    sa_stream_keep(&stream, kept);
    end(&stream);
}

static void
test_nothing_else_is_taken(void **state)
{
    struct sa_buffer kept = {0};

    (void)state;
    keep_one(&kept);
    assert_true(sa_stream_may_recall(kept.bytes, kept.len));
    for (size_t len = 0; len < kept.len; len++) { /* cut: exactly as long, so that a byte too far is found */
        uint8_t *cut = malloc(len + 1);

        memcpy(cut, kept.bytes, len);
        cut = realloc(cut, len == 0 ? 1 : len);
        assert_false(sa_stream_may_recall(cut, len));
        free(cut);
    }
    sa_buffer_add(&kept, "", 1);
    assert_false(sa_stream_may_recall(kept.bytes, kept.len)); /* more than there is to say */
    kept.len--;
    for (unsigned version = 0; version < 256; version++) {
        kept.bytes[0] = (uint8_t)version;
        assert_int_equal(sa_stream_may_recall(kept.bytes, kept.len), version == 2);
    }
    sa_buffer_done(&kept);
}

/* What version 1 kept of the same message is read on. */
static void
test_version_before(void **state)
{
    static const char kept[] = "\x01\x02\x03\x00\x00\x00\x01\x01\x00\x00\x00\x00\x09"
                               "192.0.2.5"
                               "\x00\x88\x05\x00\x00\x00\x00\xc5\xbb\xf2\x88\x08\x01\x01\x00\x03\x00\x00"
                               "\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\xd1\x04\xae\x03\x01\x01\xf6\xc7\xb2"
                               "\x90\x03\x00\x00\x06"
                               "INVITE"
                               "\x09"
                               "192.0.2.5"
                               "\x03"
                               "a@b";
    static const char rest[] = "Content-Length: 0\r\n\r\n";
    struct sa_buffer now = {0};
    struct sa_stream stream;
    struct seen whole = {0}, later = {0};

    (void)state;
    keep_one(&now);
    begin(&stream, "asterisk-pjsip", &whole);
    assert_true(sa_stream_recall(&stream, now.bytes, now.len));
    sa_stream_feed(&stream, rest, sizeof rest - 1, REFERENCE_MS);
    end(&stream);
    sa_buffer_done(&now);
    begin(&stream, "asterisk-pjsip", &later);
    assert_true(sa_stream_recall(&stream, kept, sizeof kept - 1));
    assert_false(sa_stream_may_recall(kept, sizeof kept - 2));
    sa_stream_feed(&stream, rest, sizeof rest - 1, REFERENCE_MS);
    end(&stream);
    assert_int_equal(later.responses, 1);
    assert_int_equal(later.hash, whole.hash);
}

/* Whatever is taken reads on without harm (the sanitizers see to that), and is kept as it was taken. */
static void
test_every_byte_another(void **state)
{
    static const char log[] = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nContent-Length: 3\r\n\r\nv=0\r\n"
                              "SIP/2.0 302 Moved\r\n\r\n\n\n";
    struct sa_buffer kept = {0};
    unsigned taken = 0;

    (void)state;
    keep_one(&kept);
    for (size_t i = 1; i < kept.len; i++)
        for (unsigned value = 0; value < 256; value++) {
            struct sa_buffer other = {0}, again = {0};
            struct sa_stream stream;
            struct seen seen = {0};

            sa_buffer_add(&other, kept.bytes, kept.len);
            other.bytes[i] = (uint8_t)value;
            if (!sa_stream_may_recall(other.bytes, other.len)) {
                sa_buffer_done(&other);
                continue;
            }
            begin(&stream, "asterisk-pjsip", &seen);
            assert_true(sa_stream_recall(&stream, other.bytes, other.len));
            sa_stream_keep(&stream, &again);
            assert_true(again.len <= other.len); /* a number in more bytes than it needs is the same number */
            sa_stream_feed(&stream, log, sizeof log - 1, REFERENCE_MS);
            sa_stream_finish(&stream);
            end(&stream);
            sa_buffer_done(&other);
            sa_buffer_done(&again);
            taken++;
        }
    assert_true(taken > 1000);
    sa_buffer_done(&kept);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sample_ended_at_every_line),
        cmocka_unit_test(test_nothing_else_is_taken),
        cmocka_unit_test(test_version_before),
        cmocka_unit_test(test_every_byte_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
