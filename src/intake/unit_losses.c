#include "unit_losses.h"
#include "text.h"

#include <string.h>

#define UNIT_FIELD "_SYSTEMD_UNIT="

static bool
is_unit_match(const char *match)
{
    return strncmp(match, UNIT_FIELD, strlen(UNIT_FIELD)) == 0;
}

void
sa_unit_losses_init(struct sa_unit_losses *losses, char *const *matches)
{
    *losses = (struct sa_unit_losses){.which = SA_UNITS_ALL, .matches = matches};
    for (char *const *match = matches; *match != NULL; match++) {
        if (is_unit_match(*match))
            losses->which = SA_UNITS_NAMED;
        else if (**match != '/' && losses->which == SA_UNITS_ALL)
            losses->which = SA_UNITS_LEARNT;
    }
}

static bool
is_named(const struct sa_unit_losses *losses, const char *unit)
{
    for (char *const *match = losses->matches; *match != NULL; match++)
        if (is_unit_match(*match) && strcmp(*match + strlen(UNIT_FIELD), unit) == 0)
            return true;
    return false;
}

/* The unit's place, found or made. */
static struct sa_known_unit *
place_of(struct sa_unit_losses *losses, const char *unit)
{
    struct sa_known_unit *place;

    for (unsigned i = 0; i < losses->n; i++)
        if (strcmp(losses->units[i].name, unit) == 0)
            return &losses->units[i];
    place = &losses->units[losses->next];
    losses->next = (losses->next + 1) % SA_LOSS_UNITS;
    if (losses->n < SA_LOSS_UNITS)
        losses->n++;
    *place = (struct sa_known_unit){.read = false};
    (void)sa_text_copy(place->name, sizeof place->name, unit);
    return place;
}

enum sa_loss_verdict
sa_unit_losses_judge(struct sa_unit_losses *losses, const struct sa_unit_loss *loss)
{
    struct sa_known_unit *place;

    if (losses->which == SA_UNITS_ALL)
        return SA_LOSS_OURS;
    if (loss->unit[0] == '\0')
        return SA_LOSS_PERHAPS;
    if (losses->which == SA_UNITS_NAMED)
        return is_named(losses, loss->unit) ? SA_LOSS_OURS : SA_LOSS_OTHERS;
    place = place_of(losses, loss->unit);
    if (place->read)
        return SA_LOSS_OURS;
    place->lost += loss->lines;
    return SA_LOSS_WAITS;
}

bool
sa_unit_losses_learns(const struct sa_unit_losses *losses)
{
    return losses->which == SA_UNITS_LEARNT;
}

uint64_t
sa_unit_losses_read(struct sa_unit_losses *losses, const char *unit)
{
    struct sa_known_unit *place = &losses->units[losses->latest];
    uint64_t lost;

    if (place->read && strcmp(place->name, unit) == 0 && place->lost == 0)
        return 0; /* most entries are of the unit of the one before */
    place = place_of(losses, unit);
    losses->latest = (unsigned)(place - losses->units);
    lost = place->lost;
    place->lost = 0;
    place->read = true;
    return lost;
}

void
sa_unit_losses_unit_of(char dst[SA_UNIT_SIZE], const char *message)
{
    static const char from[] = " messages from ";
    const char *unit = strstr(message, from), *slash;

    dst[0] = '\0';
    if (unit == NULL)
        return;
    unit += strlen(from);
    slash = strrchr(unit, '/');
    if (slash != NULL)
        unit = slash + 1;
    if (strchr(unit, '.') != NULL && strpbrk(unit, " \t\n") == NULL && strlen(unit) < SA_UNIT_SIZE)
        (void)sa_text_copy(dst, SA_UNIT_SIZE, unit);
}
