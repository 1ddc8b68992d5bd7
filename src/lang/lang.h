/*
 * The language of what people read, by gettext: English is in the source and is the key, the others come from
 * sipalert.mo.  What machines read (names, log lines of our own, JSON keys) stays English.
 *
 * One language a process: sa_lang_use() before other threads begin, again from the main thread; texts from
 * any thread.
 */
#ifndef SA_LANG_H
#define SA_LANG_H

#include <stdbool.h>

/* Marks a text that is translated where it is shown; and shows one. */
#define N_(text) (text)
#define _(text)  sa_lang_text(text)

/* "en", "ru" or "vi". */
bool sa_lang_is_known(const char *language);

/* What the system itself says (strerror(3)) stays English: for log lines that are searched. */
void sa_lang_keep_system_english(void);

/*
 * Texts are in this language from now on; NULL: that of the environment (LANGUAGE, LC_ALL, LC_MESSAGES, LANG,
 * as gettext reads them).  One that is not known, or whose catalog is not installed, is English.  Returns
 * whether the texts are in the language that was asked for.
 */
bool sa_lang_use(const char *language);

/* The text in the language in use, UTF-8; valid for the life of the process. */
const char *sa_lang_text(const char *english) __attribute__((format_arg(1)));

#endif
