/* Text files of OpenSIPS' tracer module: "in udp 2026-11-20 16:44:04 127.11.0.2:5062 -> 127.11.0.1:5060", the
 * message, two empty lines. */
#include "message_family.h"
#include "payload.h"

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice from, to, proto;
    size_t stamp;

    if (line.len == 0)
        return SA_INTRO_SKIP;
    if (sa_slice_skip(&line, "in "))
        intro->about.direction = SA_DIR_RECEIVED;
    else if (sa_slice_skip(&line, "out "))
        intro->about.direction = SA_DIR_SENT;
    else
        return SA_INTRO_NO;
    if (!sa_take_word(&line, &proto) || !sa_slice_skip(&line, " "))
        return SA_INTRO_NO;
    stamp = sa_timestamp_iso(record->stamps, line, &intro->about.time_ms);
    line = sa_slice_from(line, stamp);
    if (stamp == 0 || !sa_take_word(&line, &from) || !sa_slice_skip(&line, " -> ") ||
        !sa_take_word(&line, &to))
        return SA_INTRO_NO;
    sa_take_peer(&intro->about, intro->about.direction == SA_DIR_RECEIVED ? from : to, true);
    return SA_INTRO_DONE;
}

const struct sa_message_family sa_message_family_tracer = {.id = 2, .intro = intro, .plain = true};
