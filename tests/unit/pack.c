#include "pack.h"
#include "check.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

const struct pack_kind pack_kinds[5] = {
    {"gzip", SA_GZIP}, {"zstd", SA_ZSTD}, {"xz", SA_XZ}, {"bzip2", SA_BZIP2}, {"lz4", SA_LZ4}};

struct bytes
join(struct bytes a, struct bytes b)
{
    struct bytes whole = {malloc(a.len + b.len + 1), a.len + b.len};

    memcpy(whole.p, a.p, a.len);
    memcpy(whole.p + a.len, b.p, b.len);
    return whole;
}

struct bytes
content_of(size_t len, bool plain)
{
    struct bytes content = {malloc(len + 100), len};
    size_t n = 0;

    if (plain)
        memset(content.p, 'x', len);
    for (unsigned i = 0; !plain && n < len; i++)
        n += (size_t)sprintf(content.p + n, "Nov 20 16:46:53 sbc01 kamailio[%d]: reply %u\n", rand(), i);
    return content;
}

static void
pack_gzip(struct bytes *out, const char *p, size_t len)
{
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)p;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)out->p;
    z.avail_out = (uInt)out->len;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len -= z.avail_out;
    deflateEnd(&z);
}

struct bytes
pack_zstd(const char *p, size_t len, bool checksum, bool size)
{
    struct bytes out = {malloc(ZSTD_compressBound(len)), ZSTD_compressBound(len)};
    ZSTD_CCtx *context = ZSTD_createCCtx();

    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, size);
    out.len = ZSTD_compress2(context, out.p, out.len, p, len);
    assert_false(ZSTD_isError(out.len));
    ZSTD_freeCCtx(context);
    return out;
}

struct bytes
pack(enum sa_compression kind, const char *p, size_t len)
{
    struct bytes out = {malloc(len + len / 8 + 1000), len + len / 8 + 1000};
    LZ4F_preferences_t preferences = {.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled};
    unsigned n = (unsigned)out.len;
    size_t at = 0;

    switch (kind) {
    case SA_PLAIN:
        memcpy(out.p, p, out.len = len);
        break;
    case SA_GZIP:
        pack_gzip(&out, p, len);
        break;
    case SA_ZSTD:
        free(out.p);
        return pack_zstd(p, len, true, true);
    case SA_XZ:
        assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (const uint8_t *)p, len,
                                                 (uint8_t *)out.p, &at, out.len),
                         LZMA_OK);
        out.len = at;
        break;
    case SA_BZIP2:
        assert_int_equal(BZ2_bzBuffToBuffCompress(out.p, &n, (char *)p, (unsigned)len, 1, 0, 0), BZ_OK);
        out.len = n;
        break;
    case SA_LZ4:
        out.len = LZ4F_compressFrame(out.p, out.len, p, len, &preferences);
        assert_false(LZ4F_isError(out.len));
        break;
    }
    return out;
}
