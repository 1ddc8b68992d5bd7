/*
 * Text files of Kamailio's sipdump module:
 *   ====================
 *   tag: rcv
 *   pid: 33
 *   process: 1
 *   time: 1795193090.747025
 *   date: Fri Nov 20 16:44:50 2026
 *   proto: udp ipv4
 *   srcip: 127.11.0.2
 *   srcport: 5062
 *   dstip: 127.11.0.1
 *   dstport: 5060
 *   ~~~~~~~~~~~~~~~~~~~~
 *   message
 *   ||||||||||||||||||||
 */
#include "message_family.h"
#include "payload.h"

enum { BEGUN = 1 };

static bool
closes(struct sa_slice line)
{
    return line.len == 20 && memcmp(line.p, "||||||||||||||||||||", 20) == 0;
}

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_response *about = &intro->about;
    enum sa_direction peer_of;

    (void)record;
    if (intro->step == 0) {
        intro->step = BEGUN;
        if (line.len == 20 && memcmp(line.p, "====================", 20) == 0)
            return SA_INTRO_MORE;
        return closes(line) ? SA_INTRO_SKIP : SA_INTRO_NO;
    }
    if (line.len == 20 && memcmp(line.p, "~~~~~~~~~~~~~~~~~~~~", 20) == 0)
        return SA_INTRO_DONE;
    switch (line.len == 0 ? '\0' : line.p[0]) {
    case 't':
        if (sa_slice_skip(&line, "tag: "))
            about->direction = sa_slice_starts(line, "rcv")   ? SA_DIR_RECEIVED
                               : sa_slice_starts(line, "snd") ? SA_DIR_SENT
                                                              : SA_DIR_UNKNOWN;
        else if (!sa_slice_skip(&line, "time: ") || sa_timestamp_epoch(line, &about->time_ms) == 0)
            return SA_INTRO_NO;
        return SA_INTRO_MORE;
    case 's':
    case 'd':
        peer_of = line.p[0] == 's' ? SA_DIR_RECEIVED : SA_DIR_SENT;
        if (sa_slice_skip(&line, "srcip: ") || sa_slice_skip(&line, "dstip: ")) {
            if (about->direction == peer_of)
                sa_take_peer(about, line, false);
            return SA_INTRO_MORE;
        }
        return sa_slice_starts(line, "srcport: ") || sa_slice_starts(line, "dstport: ") ||
                       sa_slice_starts(line, "date: ")
                   ? SA_INTRO_MORE
                   : SA_INTRO_NO;
    case 'p':
        return sa_slice_starts(line, "pid: ") || sa_slice_starts(line, "process: ") ||
                       sa_slice_starts(line, "proto: ")
                   ? SA_INTRO_MORE
                   : SA_INTRO_NO;
    default:
        return SA_INTRO_NO;
    }
}

const struct sa_message_family sa_message_family_sipdump = {
    .id = 1, .intro = intro, .closes = closes, .plain = true};
