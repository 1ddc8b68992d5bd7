#include "secret.h"
#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void
warn_if_open(FILE *file, const char *key, const char *path, const char *config_path,
             struct sa_config_errors *errors)
{
    struct stat status;

    if (fstat(fileno(file), &status) == 0 && (status.st_mode & S_IROTH) != 0)
        sa_config_warning(errors, config_path, 0, "%s %s: everybody may read it: chmod 640 it", key, path);
}

/* NULL if the first line of the file is a secret, otherwise why not. */
static const char *
read_first_line(FILE *file, char *line, size_t size)
{
    size_t len;

    if (fgets(line, (int)size, file) == NULL)
        line[0] = '\0';
    len = strcspn(line, "\r\n");
    if (line[len] == '\0' && !feof(file) && len > 0)
        return "its first line is too long, or holds a NUL";
    line[len] = '\0';
    return line[strspn(line, " \t")] == '\0' ? "its first line is empty" : NULL;
}

char *
sa_secret_read(const char *key, const char *path, const char *config_path, struct sa_config_errors *errors)
{
    char line[256];
    FILE *file = sa_parse_open(path);
    const char *why = file != NULL      ? read_first_line(file, line, sizeof line)
                      : errno == EINVAL ? "not a regular file"
                                        : strerror(errno);

    if (why != NULL)
        sa_config_error(errors, config_path, 0, "%s %s: %s", key, path, why);
    if (file != NULL) {
        warn_if_open(file, key, path, config_path, errors);
        (void)fclose(file);
    }
    return why != NULL ? NULL : strdup(line);
}

void
sa_secret_check(const char *key, const char *path, const char *config_path, struct sa_config_errors *errors)
{
    FILE *file = path == NULL ? NULL : sa_parse_open(path);

    if (file == NULL)
        return;
    warn_if_open(file, key, path, config_path, errors);
    (void)fclose(file);
}
