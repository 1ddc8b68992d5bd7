#include "checks.h"
#include "config.h"
#include "reader.h"

#include <string.h>
#include <sys/stat.h>

/* A community is a password: it should not stand where everybody may read it. */
static void
check_community(const struct sa_place *place, cfg_t *section)
{
    const char *community = cfg_getstr(section, "community");
    struct stat status;

    if (!sa_check_is_set(section, "community"))
        return;
    if (community[0] == '\0')
        SA_BAD(place->cfg, "notify \"%s\": the community is empty", cfg_title(section));
    if (strcmp(community, SA_CONFIG_MASK) == 0)
        SA_WARN(place->cfg, "notify \"%s\": this community is what sipalertd -T prints instead of one",
                cfg_title(section));
    else if (strcmp(community, "public") != 0 && stat(sa_reader.file, &status) == 0 &&
             (status.st_mode & S_IROTH) != 0)
        SA_WARN(place->cfg,
                "notify \"%s\": everybody may read the community here: chmod 640 the file, or use "
                "community_file",
                cfg_title(section));
}

void
sa_check_notify(const struct sa_place *place, cfg_t *section)
{
    if (!sa_check_is_set(section, "address"))
        SA_BAD(place->cfg, "notify \"%s\": says no address", cfg_title(section));
    check_community(place, section);
    if (sa_check_is_set(section, "community") && sa_check_is_set(section, "community_file"))
        SA_BAD(place->cfg, "notify \"%s\": community and community_file exclude each other",
               cfg_title(section));
}
