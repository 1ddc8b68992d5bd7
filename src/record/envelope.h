/*
 * Peels what wraps a log record and takes its time and host: the transport (syslog in its three forms, the
 * renderings of journalctl, stderr, JSON) and the program's own prefix (level, log_prefix, "<script>: " or
 * module and source line, a colour).  What remains is the payload; the envelope never looks into it, so that
 * any payload can come in any envelope.  One thread; the record's slices point into the line or into the
 * peeler and are valid until its next call.
 */
#ifndef SA_ENVELOPE_H
#define SA_ENVELOPE_H

#include "buffer.h"
#include "slice.h"
#include "timestamp.h"

/* Which program's own prefix was peeled. */
enum sa_proxy { SA_PROXY_UNKNOWN, SA_PROXY_KAMAILIO, SA_PROXY_OPENSIPS };

struct sa_record {
    struct sa_slice payload;
    struct sa_slice text;    /* behind the transport's prefix, with the program's own */
    struct sa_slice host;    /* may be empty */
    struct sa_slice program; /* "kamailio" of "kamailio[34]:", may be empty */
    int64_t time_ms;         /* 0: none */
    uint32_t repeat;         /* "message repeated N times" stands for N, otherwise 1 */
    bool enveloped;          /* a transport was peeled: the line begins a log record of its own */
    bool bare_stamp;         /* and that was no more than a time in brackets */
    enum sa_proxy proxy;
    /*
     * The C module that wrote the record ("acc" of "acc [acc.c:287]: acc_log_request(): "); empty for text of
     * the routing script.  Core and modules quote what they received from the network, a script prints what
     * the operator chose: a payload preset says which of the two it believes.
     */
    struct sa_slice module;
    struct sa_slice method, call_id; /* from Kamailio's default log_prefix, otherwise empty */
    struct sa_slice object;          /* the JSON object that wrapped it, otherwise empty */
    struct sa_timestamp_cache *stamps;
};

/* What is remembered from line to line, and room for text whose escapes were undone. */
struct sa_peeler {
    /*
     * Prefixes up to "<script>: " or "function(): " that were peeled last, and what came of them: lines of
     * one second and process begin with the same bytes, and nothing behind those bytes has a say in it.
     */
    struct sa_peeled {
        char text[144];
        uint8_t len, text_at, host_at, host_len, program_at, program_len, module_at, module_len;
        int64_t time_ms, reference_day;
    } recent[4];
    unsigned next;
    struct sa_timestamp_cache stamps;
    struct sa_buffer text;
};

/* Whether anything that is peeled can begin with the character. */
static inline bool
sa_envelope_may_wrap(char c)
{
    return (unsigned char)(c - 'A') < 26 || sa_is_digit(c) || c == ' ' || c == '<' || c == '[' || c == '{' ||
           c == '@' || c == 'm' || c == '\033' || c == '\036';
}

void sa_peeler_done(struct sa_peeler *peeler);

void sa_envelope_peel(struct sa_peeler *peeler, struct sa_slice line, struct sa_record *record);

/* The same for a text whose transport somebody else has peeled: record has time, host and program. */
void sa_envelope_peel_text(struct sa_peeler *peeler, struct sa_slice text, struct sa_record *record);

#endif
