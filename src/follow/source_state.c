#include "source_state.h"
#include "clock.h"
#include "lang.h"
#include "left.h"
#include "text.h"

#include <errno.h>
#include <string.h>

#define DOUBTED_MS 10000
#define GAP_MS     3000 /* a rotation may leave no file under the name for a moment */

/* Whether some file has its name, or lost it only a moment ago. */
static bool
sees_a_file(const struct source *source, int64_t now_ms)
{
    for (unsigned i = 0; i < source->n_files; i++)
        if (source->files[i]->seen || now_ms - source->files[i]->gone_ms < GAP_MS)
            return true;
    return false;
}

static void
set_state(struct sa_follower *follower, struct source *source, int error, enum sa_source_state state,
          const char *text)
{
    source->error = error;
    if (source->state == state && strcmp(source->text, text) == 0)
        return;
    source->state = state;
    (void)sa_text_copy(source->text, sizeof source->text, text);
    follower->events->state(follower->arg, (unsigned)(source - follower->sources));
}

/* Of its last read; -EUCLEAN: it does not show what was read of it, and that is not over soon. */
static int
error_of(const struct file *file, int64_t now_ms)
{
    if (file->error == 0 && file->gone_ms == 0 && file->doubt_ms != 0 &&
        now_ms - file->doubt_ms >= DOUBTED_MS)
        return -EUCLEAN;
    return file->error;
}

/* The first trouble: of the scan, else of a file that cannot be read. */
static int
worst_trouble(const struct source *source, char shown[SA_LONG_SIZE])
{
    const char *path = source->trouble_path;
    int64_t now_ms = sa_clock_now().mono_ms;
    int error = source->trouble;

    for (unsigned i = 0; i < source->n_files && (error == 0 || error == -ENOENT || error == -ENOTDIR); i++)
        if (error_of(source->files[i], now_ms) != 0) {
            error = error_of(source->files[i], now_ms);
            path = source->files[i]->path;
        }
    (void)sa_text_escape(shown, SA_LONG_SIZE, path, strlen(path));
    return error;
}

static const char *
polling_text(const struct sa_follower *follower, const struct source *source)
{
    const char *text = sa_watcher_text(follower->watcher);

    for (unsigned i = 0; i < source->n_files && text == NULL; i++)
        text = source->files[i]->disk.polled;
    return text;
}

/* What is in the way, as "PATH: REASON"; the reason is a key of the translations, or strerror's. */
static void
put_trouble(char text[SA_LONG_SIZE], const char *path, const char *reason)
{
    (void)sa_text_format(text, SA_LONG_SIZE, "%s: %s", path, reason);
}

void
sa_source_state_tell(struct sa_follower *follower, struct source *source)
{
    char shown[SA_LONG_SIZE], text[SA_LONG_SIZE];
    const char *polling = polling_text(follower, source);
    int error = worst_trouble(source, shown);

    switch (error) {
    case 0:
    case -ENOENT:
    case -ENOTDIR:
        break;
    case -EACCES:
    case -EPERM:
        put_trouble(text, shown, N_("permission denied"));
        set_state(follower, source, error, SA_SOURCE_DENIED, text);
        return;
    case -EMEDIUMTYPE:
        put_trouble(text, shown, N_("not a regular file"));
        set_state(follower, source, error, SA_SOURCE_FAILED, text);
        return;
    case -EUCLEAN:
        put_trouble(text, shown,
                    N_("does not show what was read of it; waiting until it does, or shows more"));
        set_state(follower, source, error, SA_SOURCE_FAILED, text);
        return;
    case -EMFILE:
        put_trouble(text, shown, N_("too many open files"));
        set_state(follower, source, error, SA_SOURCE_FAILED, text);
        return;
    default:
        put_trouble(text, shown, strerror(-error));
        set_state(follower, source, error, SA_SOURCE_FAILED, text);
        return;
    }
    if (!sees_a_file(source, sa_clock_now().mono_ms)) {
        if (error != 0)
            put_trouble(text, shown, N_("does not exist yet"));
        else
            (void)sa_text_copy(text, sizeof text, N_("no file matches yet"));
        set_state(follower, source, -ENOENT, SA_SOURCE_WAITING, text);
        return;
    }
    if (polling == NULL && sa_left_count(source) > 0)
        polling = N_("the files written last are open, older ones are read when they grow");
    set_state(follower, source, 0, SA_SOURCE_FOLLOWING, polling != NULL ? polling : "");
}
