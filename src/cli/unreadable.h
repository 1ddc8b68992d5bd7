/* What is said of a log file that cannot be read, or not to its end. */
#ifndef SA_UNREADABLE_H
#define SA_UNREADABLE_H

/* Tells it on stderr for the command: the path, what it is packed in (NULL: not known), and why, as a
 * negative errno of sa_input_open(), sa_input_read() or sa_scanner_file().  Returns 1. */
int sa_unreadable(const char *command, const char *path, const char *packing, int error);

#endif
