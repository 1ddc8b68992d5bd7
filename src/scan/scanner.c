#include "scanner.h"
#include "clock.h"
#include "input.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLICE_BYTES 262144
#define HEAD_BYTES                                                                                           \
    1048576 /* read by one thread before a file is divided: the format may have to be found out */
#define SHARE_BYTES  8388608 /* smaller shares are not worth a thread */
#define BORDER_BYTES 1048576 /* how far to look for a place to divide at */
#define WORKERS_MAX  64

struct sa_scanner {
    struct sa_scanner_options options;
    struct sa_scan_result *result;
    struct sa_format *format;
    struct sa_stream stream;
    const char *packing; /* of the last file; NULL: it could not be opened */
    char *slice;         /* SLICE_BYTES */
};

static void
on_response(void *arg, const struct sa_response *response)
{
    struct sa_scan_result *result = arg;

    sa_tally_add(result->tally, response, 0, response->time_ms);
    sa_peers_add(result->peers, response);
    if (result->by_time)
        sa_series_add(&result->series, response->code, response->time_ms, response->repeat);
}

int
sa_scan_result_init(struct sa_scan_result *result, bool by_time)
{
    *result = (struct sa_scan_result){.tally = sa_tally_new(0), .peers = sa_peers_new(), .by_time = by_time};
    return result->tally == NULL || result->peers == NULL || (by_time && sa_series_init(&result->series) < 0)
               ? -ENOMEM
               : 0;
}

void
sa_scan_result_done(struct sa_scan_result *result)
{
    result->tally = sa_tally_free(result->tally);
    result->peers = sa_peers_free(result->peers);
    sa_series_done(&result->series);
}

static void
merge_result(struct sa_scan_result *result, const struct sa_scan_result *other)
{
    sa_tally_merge(result->tally, other->tally);
    sa_peers_merge(result->peers, other->peers);
    for (size_t i = 0; result->by_time && i < 2 * SA_SERIES_CELLS; i++)
        if (other->series.cells[i].code != 0)
            sa_series_add(&result->series, other->series.cells[i].code, other->series.cells[i].minute * 60000,
                          other->series.cells[i].responses);
}

struct sa_scanner *
sa_scanner_new(const struct sa_scanner_options *options, struct sa_scan_result *result)
{
    struct sa_scanner *scanner = calloc(1, sizeof *scanner);

    if (scanner == NULL)
        return NULL;
    scanner->options = *options;
    scanner->result = result;
    scanner->slice = malloc(SLICE_BYTES);
    scanner->format = scanner->slice == NULL ? NULL : options->new_format(options->arg);
    if (scanner->format == NULL ||
        sa_stream_init(&scanner->stream, scanner->format, options->line_limit, on_response, result) < 0)
        return sa_scanner_free(scanner);
    return scanner;
}

struct sa_scanner *
sa_scanner_free(struct sa_scanner *scanner)
{
    if (scanner == NULL)
        return NULL;
    sa_stream_done(&scanner->stream);
    (void)sa_format_free(scanner->format);
    free(scanner->slice);
    free(scanner);
    return NULL;
}

static void
report(const struct sa_scanner *scanner, uint64_t taken, uint64_t total)
{
    if (scanner->options.progress != NULL)
        scanner->options.progress(scanner->options.arg, taken, total);
}

/* One of several threads on one file. */
struct share {
    pthread_t thread;
    bool started;
    int fd;
    uint64_t from, to;
    int64_t reference_ms;
    struct sa_format *format;
    struct sa_stream stream;
    struct sa_scan_result result;
    atomic_uint_fast64_t taken;
    int error;
};

/* Feeds the bytes [from, to) of the file to a stream. */
static int
read_range(struct sa_stream *stream, int fd, uint64_t from, uint64_t to, int64_t reference_ms, char *slice,
           atomic_uint_fast64_t *taken)
{
    while (from < to) {
        size_t wanted = to - from < SLICE_BYTES ? (size_t)(to - from) : SLICE_BYTES;
        ssize_t n = pread(fd, slice, wanted, (off_t)from);

        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? 0 : -errno;
        sa_stream_feed(stream, slice, (size_t)n, reference_ms);
        from += (uint64_t)n;
        atomic_fetch_add(taken, (uint64_t)n);
    }
    return 0;
}

static void *
run_share(void *arg)
{
    struct share *share = arg;
    char *slice = malloc(SLICE_BYTES);

    share->error = slice == NULL ? -ENOMEM
                                 : read_range(&share->stream, share->fd, share->from, share->to,
                                              share->reference_ms, slice, &share->taken);
    free(slice);
    return NULL;
}

/* The first place at or behind the offset where the file can be divided, or its end. */
static uint64_t
find_border(struct sa_scanner *scanner, int fd, uint64_t offset, uint64_t end)
{
    char *buf = malloc(BORDER_BYTES);
    ssize_t n = buf == NULL ? -1 : pread(fd, buf, BORDER_BYTES, (off_t)offset);
    uint64_t border = end;

    if (n > 0) {
        const char *line = memchr(buf, '\n', (size_t)n), *next;

        for (; line != NULL && line + 1 < buf + n; line = next) {
            struct sa_slice text;

            next = memchr(line + 1, '\n', (size_t)(buf + n - line - 1));
            if (next == NULL)
                break;
            text = (struct sa_slice){line + 1, (size_t)(next - line - 1)};
            if (sa_stream_may_begin_at(&scanner->stream, text)) {
                border = offset + (uint64_t)(line + 1 - buf);
                break;
            }
        }
    }
    free(buf);
    return border < end ? border : end;
}

static int
start_share(struct sa_scanner *scanner, struct share *share)
{
    const char *preset = sa_format_chosen(scanner->format);

    share->format = scanner->options.new_format(scanner->options.arg);
    if (share->format == NULL || sa_scan_result_init(&share->result, scanner->result->by_time) < 0 ||
        sa_stream_init(&share->stream, share->format, scanner->options.line_limit, on_response,
                       &share->result) < 0)
        return -ENOMEM;
    sa_format_choose(share->format, preset);
    sa_stream_begin_like(&share->stream, &scanner->stream);
    share->started = pthread_create(&share->thread, NULL, run_share, share) == 0;
    return share->started ? 0 : -EAGAIN;
}

/* Waits for all shares, and reports how far they are meanwhile. */
static void
wait_for_shares(struct sa_scanner *scanner, struct share *shares, unsigned n, uint64_t before, uint64_t total)
{
    for (unsigned i = 0; i < n; i++)
        while (shares[i].started) {
            struct timespec until;
            uint64_t taken = before;

            (void)clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += 100000000;
            until.tv_sec += until.tv_nsec / 1000000000;
            until.tv_nsec %= 1000000000;
            shares[i].started = pthread_timedjoin_np(shares[i].thread, NULL, &until) == ETIMEDOUT;
            for (unsigned k = 0; k < n; k++)
                taken += atomic_load(&shares[k].taken);
            report(scanner, taken, total);
        }
}

/*
 * Takes over what a share counted, if it began as the stream before it ended; otherwise its bytes are read
 * again behind that stream, so that the result is always that of one thread.
 */
static int
join_share(struct sa_scanner *scanner, struct share *share)
{
    if (share->error == 0 && share->result.peers->lost == 0 && share->result.series.lost == 0 &&
        sa_stream_follow(&scanner->stream, &share->stream) == 0) {
        merge_result(scanner->result, &share->result);
        return 0;
    }
    return read_range(&scanner->stream, share->fd, share->from, share->to, share->reference_ms,
                      scanner->slice, &share->taken);
}

/* Divides [from, size) of the file among threads, the first of which goes on with the scanner's own stream.
 */
static int
read_divided(struct sa_scanner *scanner, int fd, uint64_t from, uint64_t size, int64_t reference_ms)
{
    unsigned n = scanner->options.workers < WORKERS_MAX ? scanner->options.workers : WORKERS_MAX;
    struct share *shares = calloc(n, sizeof *shares);
    atomic_uint_fast64_t own = 0;
    uint64_t end;
    int r = shares == NULL ? -ENOMEM : 0;

    for (unsigned i = 0; r == 0 && i < n; i++) {
        shares[i].fd = fd;
        shares[i].reference_ms = reference_ms;
        shares[i].from = i == 0 ? from : shares[i - 1].to;
        shares[i].to = i + 1 == n ? size : find_border(scanner, fd, from + (size - from) / n * (i + 1), size);
        if (shares[i].to < shares[i].from)
            shares[i].to = shares[i].from;
    }
    end = r == 0 ? shares[0].to : size;
    for (unsigned i = 1; r == 0 && i < n; i++)
        if (start_share(scanner, &shares[i]) < 0)
            shares[i].error = -ENOMEM; /* its bytes are read by this thread */
    if (r == 0)
        r = read_range(&scanner->stream, fd, from, end, reference_ms, scanner->slice, &own);
    if (shares != NULL)
        wait_for_shares(scanner, shares + 1, n - 1, from + atomic_load(&own), size);
    for (unsigned i = 1; shares != NULL && i < n; i++) {
        if (r == 0)
            r = join_share(scanner, &shares[i]);
        sa_stream_done(&shares[i].stream);
        (void)sa_format_free(shares[i].format);
        sa_scan_result_done(&shares[i].result);
    }
    free(shares);
    return r;
}

int
sa_scanner_file(struct sa_scanner *scanner, const char *path)
{
    struct sa_input *input;
    uint64_t size, taken = 0;
    int64_t reference_ms;
    uint64_t responses = scanner->stream.counts.responses;
    int fd, r = sa_input_open(path, &input);
    ssize_t n;

    scanner->packing = r < 0 ? NULL : sa_input_packing(input);
    if (r < 0)
        return r;
    size = sa_input_size(input);
    fd = sa_input_plain_fd(input);
    reference_ms = sa_input_written_ms(input) != 0 ? sa_input_written_ms(input) : sa_clock_now().wall_ms;
    while ((n = sa_input_read(input, scanner->slice, SLICE_BYTES)) > 0) {
        sa_stream_feed(&scanner->stream, scanner->slice, (size_t)n, reference_ms);
        taken += (uint64_t)n;
        report(scanner, sa_input_taken(input), size);
        if (scanner->options.workers > 1 && fd != -1 && taken >= HEAD_BYTES && size > taken &&
            size - taken >= 2 * (uint64_t)SHARE_BYTES && sa_format_is_settled(scanner->format)) {
            n = read_divided(scanner, fd, taken, size, reference_ms);
            (void)lseek(fd, (off_t)size, SEEK_SET); /* what was written since then is read as usual */
            if (n < 0)
                break;
        }
    }
    if (n == 0 && sa_input_looks_binary(input) && scanner->stream.counts.responses == responses)
        n = -EILSEQ;
    (void)sa_input_close(input);
    return n < 0 ? (int)n : 0;
}

const char *
sa_scanner_packing(const struct sa_scanner *scanner)
{
    return scanner->packing;
}

void
sa_scanner_finish(struct sa_scanner *scanner)
{
    sa_stream_finish(&scanner->stream);
}

const struct sa_stream_counts *
sa_scanner_counts(const struct sa_scanner *scanner)
{
    return &scanner->stream.counts;
}

struct sa_format *
sa_scanner_format(const struct sa_scanner *scanner)
{
    return scanner->format;
}
