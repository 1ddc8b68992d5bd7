/*
 * The xlog line of kamailio.cfg or opensips.cfg, turned into a pattern that matches the whole payload.  Each
 * pseudo-variable becomes a group of the shape its value can have, so that text chosen by strangers cannot
 * take another variable's place.  Pure.
 */
#ifndef SA_XLOG_TEMPLATE_H
#define SA_XLOG_TEMPLATE_H

#include <stddef.h>

#define SA_PATTERN_SIZE 8192

/*
 * Writes a PCRE2 pattern with the groups code, method, peer and callid as far as the template has them.
 * Returns 0; -EINVAL if no variable of the template is a status code (nothing could be counted);
 * -ENAMETOOLONG if the pattern does not fit.
 */
int sa_xlog_template_compile(const char *template, char *pattern, size_t size);

#endif
