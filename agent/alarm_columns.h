/*
 * The columns of an alarm as varbind values: the one place that both the alarm table and the notifications
 * take them from, so that they cannot differ.  Any thread.
 */
#ifndef SA_ALARM_COLUMNS_H
#define SA_ALARM_COLUMNS_H

#include "alarm.h"
#include "view.h"

void sa_alarm_column(const struct sa_alarm *alarm, unsigned column, netsnmp_variable_list *var);

#endif
