/*
 * The Journal Export Format ("journalctl -o export"): an entry is lines of FIELD=value, or FIELD, the length
 * as 64 bits little endian and the bytes, ended by an empty line.  Reads it line by line as anything else;
 * binary values are put together again from the lines that their LFs cut them into.  Pure, one thread.
 */
#ifndef SA_JOURNAL_EXPORT_H
#define SA_JOURNAL_EXPORT_H

#include "envelope.h"

struct sa_journal_export {
    bool active; /* inside an entry */
    enum { SA_EXPORT_FIELDS, SA_EXPORT_LENGTH, SA_EXPORT_DATA } state;
    enum { SA_EXPORT_MESSAGE, SA_EXPORT_HOST, SA_EXPORT_PROGRAM, SA_EXPORT_TIME, SA_EXPORT_OTHER } field;
    uint8_t length[8];
    size_t have;   /* bytes of the length */
    uint64_t left; /* bytes of the value, then its LF */
    int64_t time_ms;
    struct sa_buffer value[SA_EXPORT_OTHER]; /* owned */
};

void sa_journal_export_done(struct sa_journal_export *export);

enum sa_export_verdict { SA_EXPORT_NO, SA_EXPORT_TAKEN, SA_EXPORT_ENTRY };

/*
 * Looks at a line as it was written.  ENTRY: it ended an entry, whose time, host and program are in the
 * record and whose text is in *message, valid until the next line.  NO: the line is no part of an entry.
 */
enum sa_export_verdict sa_journal_export_line(struct sa_journal_export *export, struct sa_slice line,
                                              struct sa_record *record, struct sa_slice *message);

/* The bytes that come next are data, NULs too. */
bool sa_journal_export_binary(const struct sa_journal_export *export);

#endif
