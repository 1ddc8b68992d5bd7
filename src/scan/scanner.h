/*
 * Reads log files from their start to their end and counts what is in them, with one thread or several.
 */
#ifndef SA_SCANNER_H
#define SA_SCANNER_H

#include "peers.h"
#include "series.h"
#include "stream.h"
#include "tally.h"

/* What was counted.  All zero before sa_scan_result_init(). */
struct sa_scan_result {
    struct sa_tally *tally;
    struct sa_peers *peers;
    struct sa_series series;
    bool by_time; /* fill the series */
};

/* Returns 0 or -ENOMEM. */
int sa_scan_result_init(struct sa_scan_result *result, bool by_time);
void sa_scan_result_done(struct sa_scan_result *result);

struct sa_scanner;

struct sa_scanner_options {
    /* A new object of the format to be read, for one thread; NULL: cannot be made.  Called from the thread of
     * sa_scanner_file(). */
    struct sa_format *(*new_format)(void *arg);
    /* Every so often from the same thread; total 0: not known.  NULL: nobody wants to know. */
    void (*progress)(void *arg, uint64_t taken, uint64_t total);
    void *arg;
    size_t line_limit;
    unsigned workers; /* threads that a large plain file is divided among; the result is that of one */
};

/* Counts into result, which outlives the scanner.  NULL: no memory, or no format. */
struct sa_scanner *sa_scanner_new(const struct sa_scanner_options *options, struct sa_scan_result *result);
struct sa_scanner *sa_scanner_free(struct sa_scanner *scanner);

/*
 * Reads a file behind those before, as one stream.  Returns 0 or negative errno as sa_input_read(); -EILSEQ:
 * its content is binary and nothing was counted in it.
 */
int sa_scanner_file(struct sa_scanner *scanner, const char *path);

/* What the last file is packed in, as sa_input_packing(); NULL: it could not be opened. */
const char *sa_scanner_packing(const struct sa_scanner *scanner);

/* The last file was read: what is unfinished gets its verdict. */
void sa_scanner_finish(struct sa_scanner *scanner);

const struct sa_stream_counts *sa_scanner_counts(const struct sa_scanner *scanner);
struct sa_format *sa_scanner_format(const struct sa_scanner *scanner);

#endif
