#include "wakes.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
sa_follow_want_scan(struct sa_follower *follower)
{
    follower->rescan_wanted = true;
    sa_watch_activate(follower->work);
}

void
sa_follow_want_reading(struct sa_follower *follower, struct file *file)
{
    if (file->due == DUE_NOT)
        file->due = DUE;
    sa_watch_activate(follower->work);
}

void
sa_follow_unblock(struct sa_follower *follower, struct file *file)
{
    file->due = DUE;
    sa_watch_activate(follower->work);
}

void
sa_follow_block(struct file *file)
{
    file->due = DUE_BLOCKED;
}

void
sa_follow_ask_again(struct file *file)
{
    file->due = DUE;
}

void
sa_follow_rest(struct file *file)
{
    file->due = DUE_NOT;
}

void
sa_follow_note(struct sa_follower *follower, const struct source *source, const char *format, ...)
{
    char text[SA_LONG_SIZE * 2], shown[SA_LONG_SIZE * 2];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)sa_text_escape(shown, sizeof shown, text, strlen(text));
    follower->events->note(follower->arg, (unsigned)(source - follower->sources), shown);
}
