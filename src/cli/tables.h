/*
 * What a scan counted, for people: by code, method, peer, file or minute, and drawn over time.
 */
#ifndef SA_CLI_TABLES_H
#define SA_CLI_TABLES_H

#include "scanner.h"

void sa_table_by_code(const struct sa_scan_result *result);
void sa_table_by_method(const struct sa_scan_result *result);
void sa_table_by_peer(const struct sa_scan_result *result);
void sa_table_by_minute(const struct sa_scan_result *result);

/* One line of blocks for each of the most frequent codes. */
void sa_plot(const struct sa_scan_result *result);

#endif
