#ifdef SIPALERT_JOURNAL
#include "journal_entry.h"
#include "daemon_lines.h"
#include "text.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-messages.h>

#define MESSAGE_BYTES 512 /* of journald's own records, more than their text and a unit's name */

/* Old versions bore the shorter name. */
static const char *const own_names[] = {"systemd-journald", "systemd-journal"};
static const char *const own_messages[] = {SD_MESSAGE_JOURNAL_DROPPED_STR,
                                           SD_MESSAGE_FORWARD_SYSLOG_MISSED_STR};

/* Journald's records bear these fields of their machine: a source that reads one machine's entries reads one
 * machine's losses. */
static const char *const machine_fields[] = {"_HOSTNAME=", "_MACHINE_ID=", "_BOOT_ID="};

static bool
is_of_machine(const char *match)
{
    for (size_t i = 0; i < sizeof machine_fields / sizeof machine_fields[0]; i++)
        if (strncmp(match, machine_fields[i], strlen(machine_fields[i])) == 0)
            return true;
    return false;
}

static int
add_field(sd_journal *journal, const char *name, const char *value)
{
    char match[128];
    size_t len = sa_text_format(match, sizeof match, "%s=%s", name, value);

    return sd_journal_add_match(journal, match, len);
}

/* The rarest field is added last: libsystemd asks for it first, and an entry costs one look-up more. */
static int
select_losses(sd_journal *journal, char *const *matches)
{
    int r = sd_journal_add_disjunction(journal);

    for (char *const *match = matches; *match != NULL && r >= 0; match++)
        if (is_of_machine(*match))
            r = sd_journal_add_match(journal, *match, 0);
    for (size_t i = 0; i < sizeof own_names / sizeof own_names[0] && r >= 0; i++)
        r = add_field(journal, "SYSLOG_IDENTIFIER", own_names[i]);
    for (size_t i = 0; i < sizeof own_messages / sizeof own_messages[0] && r >= 0; i++)
        r = add_field(journal, "MESSAGE_ID", own_messages[i]);
    return r;
}

int
sa_journal_entry_select(sd_journal *journal, char *const *matches)
{
    bool any = false;
    int r = 0;

    for (char *const *match = matches; *match != NULL && r >= 0; match++)
        if (**match != '/') {
            r = sd_journal_add_match(journal, *match, 0);
            any = true;
        }
    return r < 0 || !any ? r : select_losses(journal, matches);
}

ssize_t
sa_journal_entry_field(sd_journal *journal, const char *name, char *dst, size_t room)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;
    int r = sd_journal_get_data(journal, name, &data, &len);

    if (r == -ENOENT || (r >= 0 && len < skip))
        return 0;
    if (r < 0)
        return r;
    len -= skip;
    if (len > room)
        len = room;
    memcpy(dst, (const char *)data + skip, len);
    return (ssize_t)len;
}

void
sa_journal_entry_text(sd_journal *journal, const char *name, char *dst, size_t room)
{
    ssize_t len = sa_journal_entry_field(journal, name, dst, room - 1);

    dst[len < 0 ? 0 : len] = '\0';
}

const char *
sa_journal_entry_program(const char *ident)
{
    bool is_name = ident[0] != '\0' && ident[strcspn(ident, " \t\r\n:[")] == '\0' &&
                   !sa_daemon_line_is_trusted((struct sa_slice){ident, strlen(ident)});

    return is_name ? ident : "-";
}

static bool
is_one_of(const char *text, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, texts[i]) == 0)
            return true;
    return false;
}

/* journald says how an entry came to it, and nobody else can; other writers of journals may leave it out. */
static bool
is_by_journald(sd_journal *journal)
{
    char transport[32];

    sa_journal_entry_text(journal, "_TRANSPORT", transport, sizeof transport);
    return transport[0] == '\0' || strcmp(transport, "driver") == 0;
}

/* A record that does not say how many, or of which unit, is one of a loss all the same. */
static void
read_loss(sd_journal *journal, const char *ident, struct sa_unit_loss *ret_loss)
{
    char message[MESSAGE_BYTES];
    struct sa_record record = {.program = {ident, strlen(ident)}};

    sa_journal_entry_text(journal, "MESSAGE", message, sizeof message);
    record.payload = (struct sa_slice){message, strlen(message)};
    ret_loss->lines = sa_daemon_line_lost(&record);
    if (ret_loss->lines == 0)
        ret_loss->lines = 1;
    sa_unit_losses_unit_of(ret_loss->unit, message);
    if (ret_loss->unit[0] == '\0')
        sa_journal_entry_text(journal, "OBJECT_SYSTEMD_UNIT", ret_loss->unit, sizeof ret_loss->unit);
}

enum sa_journal_entry_kind
sa_journal_entry_kind(sd_journal *journal, const char *ident, struct sa_unit_loss *ret_loss)
{
    char id[SD_ID128_STRING_MAX];

    if (!is_one_of(ident, own_names, sizeof own_names / sizeof own_names[0]))
        return SA_JOURNAL_ENTRY_LINE;
    sa_journal_entry_text(journal, "MESSAGE_ID", id, sizeof id);
    if (!is_one_of(id, own_messages, sizeof own_messages / sizeof own_messages[0]))
        return SA_JOURNAL_ENTRY_LINE;
    if (!is_by_journald(journal))
        return SA_JOURNAL_ENTRY_FORGED;
    if (strcmp(id, SD_MESSAGE_FORWARD_SYSLOG_MISSED_STR) == 0)
        return SA_JOURNAL_ENTRY_NOT_FORWARDED;
    read_loss(journal, ident, ret_loss);
    return SA_JOURNAL_ENTRY_DROPPED;
}
#endif
