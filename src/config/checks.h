/*
 * The checks of values and sections, each at the line where it stands.  libConfuse calls them while it reads,
 * and they always let it go on, so that all errors of a file are told at once.
 */
#ifndef SA_CHECKS_H
#define SA_CHECKS_H

#include "table.h"

#include <stdbool.h>

/* Of one value, by its line in the table: words, units, limits, and how many there are. */
void sa_check_value(const struct sa_place *place);

/* What the table has for single keys; each is told the value that was just read. */
void sa_check_journal_match(const struct sa_place *place, const char *text);
void sa_check_format_name(const struct sa_place *place, const char *text);
void sa_check_source_name(const struct sa_place *place, const char *text);
void sa_check_method(const struct sa_place *place, const char *text);
void sa_check_json_where(const struct sa_place *place, const char *text);
void sa_check_xlog(const struct sa_place *place, const char *text);
void sa_check_regex(const struct sa_place *place, const char *text);
void sa_check_listener_address(const struct sa_place *place, const char *text);
void sa_check_agent_address(const struct sa_place *place, const char *text);
void sa_check_master_address(const struct sa_place *place, const char *text);
void sa_check_receiver_address(const struct sa_place *place, const char *text);

/* What the keys of a section have to do with each other. */
void sa_check_source(const struct sa_place *place, cfg_t *section);
void sa_check_format(const struct sa_place *place, cfg_t *section);
void sa_check_json(const struct sa_place *place, cfg_t *section);
void sa_check_rule(const struct sa_place *place, cfg_t *section);
void sa_check_level(const struct sa_place *place, cfg_t *section);
void sa_check_notify(const struct sa_place *place, cfg_t *section);

/* Whether the file says it, and more than nothing. */
bool sa_check_is_set(cfg_t *section, const char *name);

#endif
