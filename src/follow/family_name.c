#include "family_name.h"
#include "packed.h"

#include <string.h>

const char *
sa_family_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* Only what rotation puts there: numbers, dates, times and their separators, then the ending of compression.
 */
static bool
is_counter(const char *text, size_t len)
{
    bool digits = false;

    for (size_t i = 0; i < len; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            digits = true;
        else if (strchr("-._:T", text[i]) == NULL)
            return false;
    }
    return digits;
}

size_t
sa_family_plain_len(const char *name)
{
    return sa_packed_by_name(name) == SA_PLAIN ? strlen(name) : (size_t)(strrchr(name, '.') - name);
}

/* "x.log.1", "x.log-20261120.gz", and "x-20261120.log" or "x.1.log" as logrotate's extension writes them. */
bool
sa_family_is_generation(const char *base, const char *name)
{
    size_t base_len = strlen(base), name_len = sa_family_plain_len(name), stem_len, ending_len;
    const char *ending = strrchr(base, '.');

    if (name_len > base_len && memcmp(name, base, base_len) == 0 && strchr(".-_", name[base_len]) != NULL)
        return is_counter(name + base_len, name_len - base_len);
    if (ending == NULL || ending == base)
        return false;
    stem_len = (size_t)(ending - base);
    ending_len = base_len - stem_len;
    return name_len > base_len && memcmp(name, base, stem_len) == 0 &&
           strchr(".-_", name[stem_len]) != NULL &&
           memcmp(name + name_len - ending_len, ending, ending_len) == 0 &&
           is_counter(name + stem_len, name_len - stem_len - ending_len);
}

bool
sa_family_is(const char *log_path, const char *path)
{
    const char *base = sa_family_base(log_path), *name = sa_family_base(path);
    size_t len = strlen(base);

    if (strncmp(name, base, len) == 0 && name[len] != '\0' && strchr(".-_~", name[len]) != NULL)
        return true;
    return sa_family_is_generation(base, name);
}

int64_t
sa_family_rank(const char *base, const char *name)
{
    size_t len = sa_family_plain_len(name);
    int64_t digits = 0;
    unsigned n = 0;

    if (!sa_family_is_generation(base, name))
        return 0;
    for (size_t i = strncmp(name, base, strlen(base)) == 0 ? strlen(base) : 0; i < len && n < 18; i++)
        if (name[i] >= '0' && name[i] <= '9') {
            digits = 10 * digits + name[i] - '0';
            n++;
        }
    return n < 6 && name[strlen(base)] == '.' ? -digits : digits;
}
