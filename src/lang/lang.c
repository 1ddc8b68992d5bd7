#include "lang.h"

#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "sipalert"

static const char *const languages[] = {"en", "ru", "vi"};

/* The known language that a word like "ru_RU.UTF-8" or "vi:en" begins with, or NULL. */
static const char *
language_of(const char *word)
{
    size_t len;

    if (word == NULL)
        return NULL;
    len = strcspn(word, "_.@:");
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
        if (len == strlen(languages[i]) && memcmp(word, languages[i], len) == 0)
            return languages[i];
    return NULL;
}

bool
sa_lang_is_known(const char *language)
{
    return language_of(language) != NULL && strlen(language) == 2;
}

/* The first of a list such as "de:vi:en" that is known, or NULL; also of no list. */
static const char *
first_known(const char *list)
{
    const char *language = language_of(list);

    while (language == NULL && list != NULL && (list = strchr(list, ':')) != NULL)
        language = language_of(++list);
    return language;
}

/* The first of the locale variables that is set decides, and LANGUAGE only where that is not C. */
static const char *
language_of_environment(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *locale = NULL, *preferred = getenv("LANGUAGE");

    for (size_t i = 0; i < 3 && (locale == NULL || locale[0] == '\0'); i++)
        locale = getenv(variables[i]);
    if (locale == NULL || locale[0] == '\0' || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0)
        return "en";
    return preferred != NULL && preferred[0] != '\0' ? first_known(preferred) : language_of(locale);
}

/* Beside the program in a build, in share/locale of the same prefix when installed. */
static void
bind_catalogs(char *path, size_t size)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    path[0] = '\0';
    if (len <= 0)
        return;
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    (void)snprintf(path, size, "%s/locale/.", self); /* /usr/bin/locale is a program */
    if (access(path, X_OK) == -1)
        (void)snprintf(path, size, "%s/../share/locale", self);
    (void)bindtextdomain(DOMAIN, path);
    (void)bind_textdomain_codeset(DOMAIN, "UTF-8");
}

void
sa_lang_keep_system_english(void)
{
    (void)bindtextdomain("libc", "/nowhere");
}

bool
sa_lang_use(const char *language)
{
    const char *chosen = language == NULL ? language_of_environment() : language_of(language);
    static char catalogs[PATH_MAX + 32];
    char path[PATH_MAX + 64];

    /* gettext asks LANGUAGE, in any locale but C; the locales of the languages need not be installed. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL || setlocale(LC_MESSAGES, "C.UTF-8") == NULL) {
        (void)setlocale(LC_CTYPE, "");
        (void)setlocale(LC_MESSAGES, "");
    }
    if (chosen == NULL)
        chosen = "en";
    (void)setenv("LANGUAGE", chosen, 1);
    if (catalogs[0] == '\0')
        bind_catalogs(catalogs, sizeof catalogs);
    (void)snprintf(path, sizeof path, "%s/%s/LC_MESSAGES/" DOMAIN ".mo", catalogs, chosen);
    return strcmp(chosen, "en") == 0 || access(path, R_OK) == 0;
}

const char *
sa_lang_text(const char *english)
{
    return english[0] == '\0' ? english : dgettext(DOMAIN, english); /* "" is the header of the catalog */
}
