/* Text saved by sngrep: "2026/01/01 12:00:00.000000 192.0.2.1:5060 -> 192.0.2.2:5060", the message, empty
 * lines.  It was captured between two others, so there is no direction and no peer. */
#include "message_family.h"
#include "payload.h"

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    struct sa_slice from, to;
    size_t stamp;

    if (line.len == 0)
        return SA_INTRO_SKIP;
    if (line.len < 30 || line.p[4] != '/')
        return SA_INTRO_NO;
    stamp = sa_timestamp_iso(record->stamps, line, &intro->about.time_ms);
    line = sa_slice_from(line, stamp);
    return stamp != 0 && sa_take_word(&line, &from) && sa_slice_skip(&line, " -> ") &&
                   sa_take_word(&line, &to) && line.len == 0
               ? SA_INTRO_DONE
               : SA_INTRO_NO;
}

const struct sa_message_family sa_message_family_sngrep = {.id = 14, .intro = intro, .plain = true};
