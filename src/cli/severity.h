/* How bad an alarm is, by colour. */
#ifndef SA_SEVERITY_H
#define SA_SEVERITY_H

#include "layout.h"

#include <string.h>

static inline enum sa_style
sa_layout_severity_style(const char *severity)
{
    return strcmp(severity, "critical") == 0 || strcmp(severity, "major") == 0 ? SA_STYLE_BAD : SA_STYLE_WARN;
}

#endif
