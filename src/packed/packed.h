/*
 * Packed logs as streams of plain bytes.  What a file is shows in its first bytes; its name says only whether
 * it may be packed.  Does no I/O of its own: the packed bytes come from the caller.  Each unpacker belongs to
 * one thread.
 */
#ifndef SA_PACKED_H
#define SA_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum sa_compression { SA_PLAIN, SA_GZIP, SA_ZSTD, SA_XZ, SA_BZIP2, SA_LZ4 };

/* By the ending of the name: .gz, .zst, .xz, .bz2 or .lz4. */
enum sa_compression sa_packed_by_name(const char *path);

/*
 * Whether the first bytes of a content are those of a binary file and of no text, in whatever encoding with
 * one byte for a letter or UTF-8.  Bytes of zero at the start may be the hole of a truncated log.
 */
bool sa_packed_looks_binary(const char *bytes, size_t len);

struct sa_packed_source {
    /* Reads packed bytes at an offset, which grows by what was read.  Returns their number, 0 at the end of
     * what is there, or negative errno. */
    ssize_t (*read)(void *arg, void *buf, size_t len, int64_t at);
    void *arg;
    /* The name says that the file is packed: a few first bytes are the start of one that is being written,
     * and what is neither packed nor text is damaged.  Text is read as it is all the same. */
    bool named;
};

struct sa_unpacker;

/*
 * Reads the first bytes and recognises them.  Returns 0, -ENOMEM or what the source's read returned.  An
 * unpacker holds some 200 KiB, and at most 130 MiB for a window that the file asks for.
 */
int sa_unpacker_open(const struct sa_packed_source *source, struct sa_unpacker **ret_unpacker);
struct sa_unpacker *sa_unpacker_close(struct sa_unpacker *unpacker);

/*
 * Returns the next plain bytes, at most size, or 0 at the end of the content.  -ENODATA: the file ends in the
 * midst of the content and may grow.  -EBADMSG: it is damaged.  -EOVERFLOW: it asks for a window that is too
 * large.  -ENOTSUP: it is no log, see sa_unpacker_what().  Otherwise what the source's read returned.  What
 * could be unpacked before an error has come until then.
 */
ssize_t sa_unpacker_read(struct sa_unpacker *unpacker, void *buf, size_t size);

/* What the first bytes are: SA_PLAIN also where that is nothing known.  The name of it is a term, in English.
 */
enum sa_compression sa_unpacker_kind(const struct sa_unpacker *unpacker);
const char *sa_unpacker_what(const struct sa_unpacker *unpacker);

/* How many packed bytes were used up. */
uint64_t sa_unpacker_taken(const struct sa_unpacker *unpacker);

/*
 * The first bytes of the content, at most len, at a bounded cost.  Returns their number; 0: the file is no
 * log, or it holds nearly nothing in its first packed bytes (at most 1 MiB), as somebody makes it who wants
 * to keep readers busy.
 */
size_t sa_packed_head(const struct sa_packed_source *source, char *buf, size_t len);

/* How many bytes the content has, where a file of so many bytes says so; -1: it does not. */
int64_t sa_packed_size(const struct sa_packed_source *source, int64_t file_bytes);

#endif
