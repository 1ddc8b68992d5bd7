#include "packed.h"
#include "codec.h"
#include "foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK      65536
#define SAMPLE     4096 /* looked at to tell what a file is */
#define HEAD_INPUT (1 << 20)
#define HEAD_EMPTY 64 /* members that give nothing, before a head is given up */
#define ENDED      2

static const struct sa_codec *const codecs[] = {
    [SA_GZIP] = &sa_codec_gzip,   [SA_ZSTD] = &sa_codec_zstd, [SA_XZ] = &sa_codec_xz,
    [SA_BZIP2] = &sa_codec_bzip2, [SA_LZ4] = &sa_codec_lz4,
};

#define KINDS (sizeof codecs / sizeof codecs[0])

enum place { BEFORE_THE_FIRST, INSIDE, BETWEEN };

struct sa_unpacker {
    struct sa_packed_source source;
    const struct sa_codec *codec; /* NULL: plain, or nothing that can be read */
    enum sa_compression kind;
    const char *what;
    void *decoder;
    enum place place;    /* with regard to members */
    bool gave;           /* this member gave bytes */
    bool full;           /* the last step filled its room: there may be more without further input */
    unsigned empty;      /* members before this one that gave nothing */
    unsigned empty_most; /* 0: no limit */
    int result;          /* what every further read returns, ENDED at the end */
    int64_t at, limit;   /* packed bytes read, and how many may be; 0: no limit */
    bool source_ended;
    size_t from, to; /* packed bytes that were read and not taken */
    unsigned char in[CHUNK];
};

enum sa_compression
sa_packed_by_name(const char *path)
{
    size_t len = strlen(path);

    for (unsigned kind = SA_PLAIN + 1; kind < KINDS; kind++) {
        size_t n = strlen(codecs[kind]->ending);

        if (len > n && strcmp(path + len - n, codecs[kind]->ending) == 0)
            return (enum sa_compression)kind;
    }
    return SA_PLAIN;
}

/* Reads behind the bytes that are there, for which there is room.  Returns 0 or negative errno; -E2BIG: the
 * limit is reached. */
static int
fill(struct sa_unpacker *unpacker)
{
    size_t room;
    ssize_t n;

    if (unpacker->from == unpacker->to)
        unpacker->from = unpacker->to = 0;
    room = CHUNK - unpacker->to;
    if (unpacker->source_ended)
        return 0;
    if (unpacker->limit > 0 && unpacker->at >= unpacker->limit)
        return -E2BIG;
    if (unpacker->limit > 0 && (int64_t)room > unpacker->limit - unpacker->at)
        room = (size_t)(unpacker->limit - unpacker->at);
    n = unpacker->source.read(unpacker->source.arg, unpacker->in + unpacker->to, room, unpacker->at);
    if (n < 0)
        return (int)n;
    unpacker->source_ended = n == 0;
    unpacker->at += n;
    unpacker->to += (size_t)n;
    return 0;
}

/* Skippable frames are of zstd as well as of lz4 (RFC 8878 section 3.1.2): what is behind them tells. */
static size_t
behind_skippable(const unsigned char *in, size_t len)
{
    size_t at = 0;

    while (len - at >= 8 && (in[at] & 0xf0) == 0x50 && memcmp(in + at + 1, "\x2a\x4d\x18", 3) == 0) {
        size_t size = (size_t)in[at + 4] | (size_t)in[at + 5] << 8 | (size_t)in[at + 6] << 16 |
                      (size_t)in[at + 7] << 24;

        if (size > len - at - 8)
            return len;
        at += 8 + size;
    }
    return at;
}

/* A line of text may begin with the letters of bzip2: its first block, or its end, has to follow them. */
static bool
is_bzip2(const unsigned char *in, size_t len)
{
    return len >= 10 && in[3] >= '1' && in[3] <= '9' &&
           (memcmp(in + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
            memcmp(in + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

static enum sa_compression
kind_of(const unsigned char *in, size_t len)
{
    size_t at = behind_skippable(in, len);

    for (unsigned kind = SA_PLAIN + 1; kind < KINDS; kind++) {
        const struct sa_codec *codec = codecs[kind];
        size_t from = codec->skippable ? at : 0;

        if (len - from >= codec->magic_len && memcmp(in + from, codec->magic, codec->magic_len) == 0 &&
            (kind != SA_BZIP2 || is_bzip2(in, len)))
            return (enum sa_compression)kind;
    }
    return at > 0 ? SA_ZSTD : SA_PLAIN;
}

/* Whether so few bytes may become those of a packed file. */
static bool
may_become_packed(const unsigned char *in, size_t len)
{
    bool may = len == 0 || (len < 8 && (in[0] & 0xf0) == 0x50 &&
                            memcmp(in + 1, "\x2a\x4d\x18", len < 4 ? len - 1 : 3) == 0);

    for (unsigned kind = SA_PLAIN + 1; kind < KINDS && !may; kind++) {
        size_t n = codecs[kind]->magic_len;

        may = memcmp(in, codecs[kind]->magic, len < n ? len : n) == 0 &&
              (len < n || (kind == SA_BZIP2 && len < 10));
    }
    return may;
}

static void
recognise(struct sa_unpacker *unpacker)
{
    const unsigned char *in = unpacker->in;
    size_t len = unpacker->to;

    unpacker->kind = kind_of(in, len);
    unpacker->codec = codecs[unpacker->kind];
    unpacker->what = unpacker->codec == NULL ? sa_foreign_name(in, len) : unpacker->codec->name;
    if (unpacker->what == NULL)
        unpacker->what = "plain";
    else if (unpacker->codec == NULL)
        unpacker->result = -ENOTSUP;
    if (!unpacker->source.named || unpacker->codec != NULL || unpacker->result != 0)
        return;
    if (may_become_packed(in, len))
        unpacker->result = -ENODATA;
    else if (in[0] == 0 || sa_packed_looks_binary((const char *)in, len))
        unpacker->result = -EBADMSG;
}

/* Reads the first packed bytes and recognises them. */
static int
look(const struct sa_packed_source *source, int64_t limit, struct sa_unpacker **ret_unpacker)
{
    struct sa_unpacker *unpacker = malloc(sizeof *unpacker);
    int r = 0;

    if (unpacker == NULL)
        return -ENOMEM;
    memset(unpacker, 0, offsetof(struct sa_unpacker, in));
    unpacker->source = *source;
    unpacker->limit = limit;
    while (r == 0 && unpacker->to < SAMPLE && !unpacker->source_ended) /* a pipe may give less */
        r = fill(unpacker);
    if (r < 0) {
        free(unpacker);
        return r;
    }
    recognise(unpacker);
    *ret_unpacker = unpacker;
    return 0;
}

static int
open_with(const struct sa_packed_source *source, int64_t limit, struct sa_unpacker **ret_unpacker)
{
    struct sa_unpacker *unpacker;
    int r = look(source, limit, &unpacker);

    if (r < 0)
        return r;
    if (unpacker->codec != NULL && (unpacker->decoder = unpacker->codec->open()) == NULL) {
        (void)sa_unpacker_close(unpacker);
        return -ENOMEM;
    }
    *ret_unpacker = unpacker;
    return 0;
}

int
sa_unpacker_open(const struct sa_packed_source *source, struct sa_unpacker **ret_unpacker)
{
    return open_with(source, 0, ret_unpacker);
}

struct sa_unpacker *
sa_unpacker_close(struct sa_unpacker *unpacker)
{
    if (unpacker != NULL && unpacker->codec != NULL && unpacker->decoder != NULL)
        unpacker->codec->close(unpacker->decoder);
    free(unpacker);
    return NULL;
}

/* Behind a member, with bytes to look at.  Returns 0, ENDED or -EBADMSG. */
static int
go_between(struct sa_unpacker *unpacker)
{
    const struct sa_codec *codec = unpacker->codec;
    const unsigned char *in = unpacker->in + unpacker->from;

    if (in[0] == 0 && codec->zeros_between) {
        unpacker->from++;
        return 0;
    }
    if (in[0] == (unsigned char)codec->magic[0] || (codec->skippable && (in[0] & 0xf0) == 0x50)) {
        unpacker->place = INSIDE;
        return 0;
    }
    return in[0] == 0 || codec->garbage_follows ? ENDED : -EBADMSG;
}

static int
end_member(struct sa_unpacker *unpacker)
{
    unpacker->place = BETWEEN;
    unpacker->full = false;
    unpacker->empty = unpacker->gave ? 0 : unpacker->empty + 1;
    unpacker->gave = false;
    return unpacker->empty_most > 0 && unpacker->empty >= unpacker->empty_most ? -E2BIG : 0;
}

static int
step(struct sa_unpacker *unpacker, struct sa_codec_io *io)
{
    size_t in_len = unpacker->to - unpacker->from, out_len = io->out_len;
    int r;

    io->in = unpacker->in + unpacker->from;
    io->in_len = in_len;
    unpacker->place = INSIDE;
    r = unpacker->codec->step(unpacker->decoder, io);
    unpacker->from = unpacker->to - io->in_len;
    unpacker->gave = unpacker->gave || io->out_len < out_len;
    unpacker->full = io->out_len == 0;
    if (r == SA_CODEC_MEMBER_END)
        return end_member(unpacker);
    if (r == SA_CODEC_MORE && in_len > 0 && io->in_len == in_len && io->out_len == out_len)
        return -EBADMSG; /* it takes nothing and gives nothing */
    return r;
}

/* Returns 0, ENDED or negative errno. */
static int
advance(struct sa_unpacker *unpacker, struct sa_codec_io *io)
{
    int r = 0;

    if (unpacker->from == unpacker->to && !unpacker->full) {
        r = fill(unpacker);
        if (r == 0 && unpacker->from == unpacker->to)
            r = unpacker->place == BETWEEN ? ENDED : -ENODATA;
    }
    if (r == 0 && unpacker->place == BETWEEN)
        return go_between(unpacker);
    return r != 0 ? r : step(unpacker, io);
}

static ssize_t
read_plain(struct sa_unpacker *unpacker, void *buf, size_t size)
{
    size_t n = unpacker->to - unpacker->from;
    ssize_t more;

    if (n == 0) {
        more = unpacker->source.read(unpacker->source.arg, buf, size, unpacker->at);
        unpacker->at += more > 0 ? more : 0;
        return more;
    }
    n = n < size ? n : size;
    memcpy(buf, unpacker->in + unpacker->from, n);
    unpacker->from += n;
    return (ssize_t)n;
}

ssize_t
sa_unpacker_read(struct sa_unpacker *unpacker, void *buf, size_t size)
{
    struct sa_codec_io io = {.out = buf, .out_len = size};

    if (unpacker->codec == NULL && unpacker->result == 0)
        return read_plain(unpacker, buf, size);
    while (unpacker->result == 0 && io.out_len == size)
        unpacker->result = advance(unpacker, &io);
    if (io.out_len < size)
        return (ssize_t)(size - io.out_len);
    return unpacker->result == ENDED ? 0 : unpacker->result;
}

enum sa_compression
sa_unpacker_kind(const struct sa_unpacker *unpacker)
{
    return unpacker->kind;
}

const char *
sa_unpacker_what(const struct sa_unpacker *unpacker)
{
    return unpacker->what;
}

uint64_t
sa_unpacker_taken(const struct sa_unpacker *unpacker)
{
    return (uint64_t)unpacker->at - (unpacker->to - unpacker->from);
}

/* Bounds what follows by what the kind needs for so many plain bytes, of which some may hardly be packed. */
static void
tighten(struct sa_unpacker *unpacker, size_t len)
{
    int64_t limit = unpacker->codec == NULL ? 0 : (int64_t)(unpacker->codec->head_input + 2 * len);

    unpacker->empty_most = HEAD_EMPTY;
    unpacker->limit = limit < HEAD_INPUT ? limit : HEAD_INPUT;
    if (unpacker->codec != NULL && (int64_t)unpacker->to > unpacker->limit) {
        unpacker->to = (size_t)unpacker->limit;
        unpacker->at = unpacker->limit;
        unpacker->source_ended = false;
    }
}

static size_t
read_head(struct sa_unpacker *unpacker, char *buf, size_t len)
{
    size_t n = 0;
    ssize_t more = 1;

    if (unpacker->codec != NULL && unpacker->codec->start != NULL &&
        unpacker->codec->start(unpacker->in, unpacker->to, buf, len) == len)
        return len;
    tighten(unpacker, len);
    while (n < len && more > 0) {
        more = sa_unpacker_read(unpacker, buf + n, len - n);
        n += more > 0 ? (size_t)more : 0;
    }
    return more == -E2BIG ? 0 : n;
}

size_t
sa_packed_head(const struct sa_packed_source *source, char *buf, size_t len)
{
    struct sa_unpacker *unpacker;
    size_t n;

    if (open_with(source, HEAD_INPUT, &unpacker) < 0)
        return 0;
    n = read_head(unpacker, buf, len);
    (void)sa_unpacker_close(unpacker);
    return n;
}

int64_t
sa_packed_size(const struct sa_packed_source *source, int64_t file_bytes)
{
    struct sa_unpacker *unpacker;
    int64_t size = -1;

    if (look(source, SAMPLE, &unpacker) < 0)
        return -1;
    if (unpacker->codec == NULL && unpacker->result == 0)
        size = file_bytes;
    else if (unpacker->codec != NULL && unpacker->codec->size != NULL)
        size = unpacker->codec->size(source, file_bytes, unpacker->in, unpacker->to);
    (void)sa_unpacker_close(unpacker);
    return size;
}
