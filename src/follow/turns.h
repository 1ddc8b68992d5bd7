/* Whose turn it is: the events of the loop, scans in parts, and the files one after the other. */
#ifndef SA_FOLLOW_TURNS_H
#define SA_FOLLOW_TURNS_H

#include "followed.h"

#define SA_TURNS_FIRST_POLL_MS 1000

/* The calls of the loop and of the watcher; arg is the follower. */
void sa_turns_on_work(void *arg);
void sa_turns_on_poll(void *arg);
void sa_turns_on_growth(void *arg, int watch);
void sa_turns_on_names(void *arg);

#endif
