/*
 * "debug ccsip messages" of Cisco CUBE, on a terminal or in syslog, with or without sequence number and star:
 *   661105: *Dec  9 07:18:47.029: //2113420/C544D4800002/SIP/Msg/ccsipDisplayMsg:
 *   Received:
 * and the message.  An uptime ("00:11:29:") is no time.
 */
#include "message_family.h"
#include "payload.h"

static enum sa_intro_verdict
direction(struct sa_intro *intro, struct sa_slice line)
{
    struct sa_slice peer;

    if (sa_slice_skip(&line, "Received:"))
        intro->about.direction = SA_DIR_RECEIVED;
    else if (sa_slice_skip(&line, "Sent:"))
        intro->about.direction = SA_DIR_SENT;
    else
        return SA_INTRO_NO;
    if (sa_slice_skip(&line, " SIP ") &&
        sa_slice_seek(&line, intro->about.direction == SA_DIR_SENT ? " to " : " from ") &&
        sa_take_word(&line, &peer))
        sa_take_peer(&intro->about, peer, true);
    return SA_INTRO_DONE;
}

/* "661105: *Dec  9 07:18:47.029: " in front of the function's name. */
static void
take_stamp(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    uint32_t number;
    int64_t time_ms;

    if (sa_take_number(&line, &number) && !sa_slice_skip(&line, ": "))
        return;
    (void)(sa_slice_skip(&line, "*") || sa_slice_skip(&line, "."));
    if (sa_timestamp_bsd(record->stamps, line, &time_ms) != 0)
        intro->about.time_ms = time_ms;
}

static enum sa_intro_verdict
intro(struct sa_intro *intro, const struct sa_record *record, struct sa_slice line)
{
    static const char name[] = "/SIP/Msg/ccsipDisplayMsg:";
    size_t len = sizeof name - 1;

    if (intro->step++ == 1)
        return direction(intro, line);
    while (line.len > 0 && line.p[line.len - 1] == ' ')
        line.len--;
    if (intro->step != 1 || line.len < len || memcmp(line.p + line.len - len, name, len) != 0)
        return SA_INTRO_NO;
    intro->about.time_ms = record->host.len != 0 ? record->time_ms : 0;
    take_stamp(intro, record, line);
    return SA_INTRO_MORE;
}

const struct sa_message_family sa_message_family_ccsip = {.id = 8, .intro = intro};
