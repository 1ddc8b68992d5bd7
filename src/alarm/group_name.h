/* Which group of a rule: what an alarm is about, for those who know no numbers. */
#ifndef SA_GROUP_NAME_H
#define SA_GROUP_NAME_H

#include <stdbool.h>
#include <stdint.h>

#define SA_GROUP_CODES 8 /* codes of a group that are told apart; all count, the frequent ones are named */

/* "" and 0: the rule does not tell these apart, or the log does not tell. */
struct sa_group_name {
    const char *rule, *source, *peer, *method;
    uint16_t code;
    bool overflow; /* all of the rule and source that found no room in its groups */
};

#endif
