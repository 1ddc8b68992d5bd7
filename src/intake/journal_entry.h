/*
 * Entries of the journal: which of them a source wants, their fields, and those in which journald itself
 * tells what it did not write or pass on.  Main thread.
 */
#ifndef SA_JOURNAL_ENTRY_H
#define SA_JOURNAL_ENTRY_H

#include "unit_losses.h"

#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-journal.h>

#define SA_IDENTIFIER_SIZE 256

/*
 * Selects what the matches ("FIELD=value"; paths are passed over) are met by, and beside that journald's own
 * records of losses: no match of a unit or an identifier would ever meet those.  Without a match everything
 * is selected.  Returns 0 or negative errno.
 */
int sa_journal_entry_select(sd_journal *journal, char *const *matches);

/* The field's value without its name into dst; returns its length, 0 if the entry has none, or negative
 * errno. */
ssize_t sa_journal_entry_field(sd_journal *journal, const char *name, char *dst, size_t room);

/* The same as text, cut at room - 1; "" if there is none. */
void sa_journal_entry_text(sd_journal *journal, const char *name, char *dst, size_t room);

/*
 * What stands for the identifier as the program of a syslog line; "-" for none.  A program says itself what
 * it is called: what would end the name in a line is no name.  Neither is a log daemon's, because its word
 * about what it lost is believed of lines, and of the journal that is journald's, in entries of their own
 * kinds.
 */
const char *sa_journal_entry_program(const char *ident);

enum sa_journal_entry_kind {
    SA_JOURNAL_ENTRY_LINE,
    SA_JOURNAL_ENTRY_DROPPED, /* messages of a unit, by journald's rate limit: they are not in the journal */
    SA_JOURNAL_ENTRY_NOT_FORWARDED, /* messages were not passed on to syslog: they are in the journal all the
                                       same */
    SA_JOURNAL_ENTRY_FORGED         /* it looks like one of these two, and somebody else wrote it */
};

/* What the entry is; ident: its SYSLOG_IDENTIFIER.  ret_loss is set of SA_JOURNAL_ENTRY_DROPPED. */
enum sa_journal_entry_kind sa_journal_entry_kind(sd_journal *journal, const char *ident,
                                                 struct sa_unit_loss *ret_loss);

#endif
