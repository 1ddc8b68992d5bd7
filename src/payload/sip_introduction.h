/*
 * What introduces a message: any record, or what a family's program writes before each; for the reader of
 * messages only.  Pure.  line, record and family are those of sa_sip_reader_line().
 */
#ifndef SA_SIP_INTRODUCTION_H
#define SA_SIP_INTRODUCTION_H

#include "sip_reader.h"

/* Whether the log itself begins something with the line: a transport, or a program's prefix where the log has
 * none. */
static inline bool
sa_sip_begins_record(const struct sa_record *record)
{
    return record->enveloped || record->proxy != SA_PROXY_UNKNOWN;
}

/*
 * Where a message may begin that no family introduces: at the payload of a record, on the line right behind a
 * record, or, in a log without envelopes, on any line.  Never in what a module of the proxy quotes.
 */
struct sa_payload_verdict sa_sip_introduction_any(struct sa_sip_reader *reader, struct sa_slice line,
                                                  const struct sa_record *record);

/* Where a family's introduction may begin: on any line. */
struct sa_payload_verdict sa_sip_introduction_begin(struct sa_sip_reader *reader,
                                                    const struct sa_message_family *family,
                                                    struct sa_slice line, const struct sa_record *record);

/* An introduction goes on, or is over and the message comes, perhaps behind an empty line or a rule. */
struct sa_payload_verdict sa_sip_introduction_line(struct sa_sip_reader *reader,
                                                   const struct sa_message_family *family,
                                                   struct sa_slice line, const struct sa_record *record);

/* The further lines of an introduction, as long as nothing can wrap them; as sa_sip_reader_pass_lines(). */
struct sa_passed sa_sip_introduction_pass_lines(struct sa_sip_reader *reader,
                                                const struct sa_message_family *family,
                                                struct sa_timestamp_cache *stamps, const char *p, size_t len,
                                                size_t limit);

#endif
