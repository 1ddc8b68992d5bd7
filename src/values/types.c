#include "types.h"

const char *
sa_severity_name(enum sa_severity severity)
{
    switch (severity) {
    case SA_SEV_CLEARED:
        return "cleared";
    case SA_SEV_CRITICAL:
        return "critical";
    case SA_SEV_MAJOR:
        return "major";
    case SA_SEV_MINOR:
        return "minor";
    case SA_SEV_WARNING:
        return "warning";
    case SA_SEV_INDETERMINATE:
        break;
    }
    return "indeterminate";
}

int
sa_severity_gravity(enum sa_severity severity)
{
    switch (severity) {
    case SA_SEV_CRITICAL:
        return 5;
    case SA_SEV_MAJOR:
        return 4;
    case SA_SEV_MINOR:
        return 3;
    case SA_SEV_WARNING:
        return 2;
    case SA_SEV_INDETERMINATE:
        return 1;
    case SA_SEV_CLEARED:
        break;
    }
    return 0;
}

const char *
sa_alarm_kind_name(enum sa_alarm_kind kind)
{
    switch (kind) {
    case SA_KIND_REDIRECT:
        return "redirect";
    case SA_KIND_FLOW_FAILURE:
        return "flowFailure";
    case SA_KIND_SOURCE_BLIND:
        return "sourceBlind";
    case SA_KIND_UNDERCOUNT:
        return "undercount";
    case SA_KIND_STATE_LOST:
        return "stateLost";
    case SA_KIND_RESPONSE:
        break;
    }
    return "response";
}

const char *
sa_unit_name(enum sa_unit unit)
{
    switch (unit) {
    case SA_UNIT_PER_MILLE:
        return "perMille";
    case SA_UNIT_MILLI_PER_SECOND:
        return "milliPerSecond";
    case SA_UNIT_RESPONSES:
        break;
    }
    return "responses";
}

static const struct {
    enum sa_source_kind_number kind;
    const char *key;
} source_kinds[] = {
#define SOURCE_KIND(name, number, key, reader) {SA_SOURCE_##name, key},
    SA_SOURCE_KINDS(SOURCE_KIND)
#undef SOURCE_KIND
};

enum sa_source_kind_number
sa_source_kind_at(size_t i)
{
    return source_kinds[i].kind;
}

const char *
sa_source_kind_key(enum sa_source_kind_number kind)
{
    size_t i = 0;

    while (source_kinds[i].kind != kind)
        i++;
    return source_kinds[i].key;
}

const char *
sa_source_state_name(enum sa_source_state state)
{
    switch (state) {
    case SA_SOURCE_FOLLOWING:
        return "following";
    case SA_SOURCE_WAITING:
        return "waiting";
    case SA_SOURCE_DENIED:
        return "denied";
    case SA_SOURCE_BACKLOG:
        return "backlog";
    case SA_SOURCE_FAILED:
        break;
    }
    return "failed";
}
