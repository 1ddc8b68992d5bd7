/*
 * Families of logs that hold whole SIP messages: each program introduces a message in its own way.  A family
 * knows that way and nothing of SIP; the message itself is read by sip_reader.h.
 */
#ifndef SA_MESSAGE_FAMILY_H
#define SA_MESSAGE_FAMILY_H

#include "envelope.h"
#include "types.h"

/* What was said before the message: gathered line by line. */
struct sa_intro {
    struct sa_response about;   /* direction, peer, time, repetition */
    uint32_t size;              /* bytes of the message, CRs and LFs counted; 0: not told */
    uint8_t step;               /* the family's own: how far the introduction was read */
    uint32_t sequence, session; /* what a datagram that goes on with the message has to match */
    bool each_line;             /* each line of the message is a record with a bare stamp */
};

enum sa_intro_verdict {
    SA_INTRO_NO,   /* the line does not introduce a message, or breaks its introduction */
    SA_INTRO_MORE, /* it belongs to an introduction that goes on */
    SA_INTRO_DONE, /* now the message comes */
    SA_INTRO_SKIP  /* a line between two messages that says nothing */
};

struct sa_message_family {
    uint8_t id; /* not 0; it is kept over a restart, so no family ever gets the id of another */
    /*
     * line is what the log shows, without its CR; record is its peeled form.  step is 0 at the first line.
     * Sets direction, peer and size as far as the line tells, and the time if the line has a better one.
     */
    enum sa_intro_verdict (*intro)(struct sa_intro *intro, const struct sa_record *record,
                                   struct sa_slice line);
    /* The line ends a message whose length nobody knows. */
    bool (*closes)(struct sa_slice line);
    /* The record goes on with the message of the intro: with *rest.  NULL: the family does not cut messages.
     */
    bool (*continues)(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line,
                      struct sa_slice *rest);
    unsigned indent; /* each line of the message may be indented by so much */
    bool plain;      /* its logs have no envelopes: what looks like one in a message is text */
    bool blank_ends; /* each line has a blank at its end */
    /* Behind this some firmware writes the message on the same line, with two blanks for the end of each. */
    const char *two_blanks_behind;
};

/* The families, by program. */
extern const struct sa_message_family sa_message_family_sipdump, sa_message_family_tracer,
    sa_message_family_pjsip, sa_message_family_chan_sip, sa_message_family_sofia, sa_message_family_oracle,
    sa_message_family_audiocodes, sa_message_family_ccsip, sa_message_family_sippy,
    sa_message_family_portaone, sa_message_family_yate, sa_message_family_sipp, sa_message_family_pjsua,
    sa_message_family_sngrep;

/* Small steps that introductions are read in: each steps over what it found, or leaves the text as it was. */

/* A decimal number. */
bool sa_take_number(struct sa_slice *s, uint32_t *ret_number);
/* The word up to a blank or the end; false if there is none. */
bool sa_take_word(struct sa_slice *s, struct sa_slice *word);
/* "UDP:192.0.2.1:5060", "udp/[2001:db8::1]:5060", "192.0.2.1": the peer of the response; has_port: there is
 * one. */
void sa_take_peer(struct sa_response *response, struct sa_slice address, bool has_port);

#endif
