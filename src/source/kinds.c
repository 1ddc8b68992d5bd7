#include "source.h"

#define DECLARE(name, number, key, reader) extern const struct sa_source_kind reader;
SA_SOURCE_KINDS(DECLARE)
#undef DECLARE

const struct sa_source_kind *
sa_kind_find(enum sa_source_kind_number number)
{
    static const struct sa_source_kind *const kinds[] = {
#define ENTER(name, number, key, reader) [SA_SOURCE_##name] = &(reader),
        SA_SOURCE_KINDS(ENTER)
#undef ENTER
    };

    return kinds[number];
}
