/*
 * One kind of packing, as packed.c drives it.  Files are members (gzip), frames (zstd, lz4) or streams (xz,
 * bzip2) one behind the other; here they are all called members.
 */
#ifndef SA_PACKED_CODEC_H
#define SA_PACKED_CODEC_H

#include "packed.h"

#define SA_PACKED_WINDOW (INT64_C(128) << 20) /* bytes; zstd's own limit, twice that of "xz -9" */

/* What is left to take and to fill; a step moves both on. */
struct sa_codec_io {
    const unsigned char *in;
    size_t in_len;
    unsigned char *out;
    size_t out_len;
};

enum { SA_CODEC_MORE = 0, SA_CODEC_MEMBER_END = 1 };

struct sa_codec {
    const char *name, *ending, *magic;
    size_t magic_len;
    size_t head_input;    /* so many packed bytes hold the first plain ones, unless somebody hides them */
    bool skippable;       /* members may be skippable frames (RFC 8878 section 3.1.2) */
    bool zeros_between;   /* members may have zeros between them */
    bool garbage_follows; /* what is no member ends the content, as tools for this kind have it */
    void *(*open)(void);  /* NULL: no memory */
    void (*close)(void *decoder);
    /* Returns SA_CODEC_MORE, SA_CODEC_MEMBER_END, -EBADMSG, -EOVERFLOW or -ENOMEM. */
    int (*step)(void *decoder, struct sa_codec_io *io);
    /* Optional: the start of the content, out of the first packed bytes, with less work than steps take.
     * Returns how much it found of what is wanted. */
    size_t (*start)(const unsigned char *in, size_t in_len, char *buf, size_t len);
    /* Optional: as sa_packed_size(), with the first packed bytes. */
    int64_t (*size)(const struct sa_packed_source *source, int64_t file_bytes, const unsigned char *in,
                    size_t in_len);
};

extern const struct sa_codec sa_codec_gzip, sa_codec_zstd, sa_codec_xz, sa_codec_bzip2, sa_codec_lz4;

#endif
