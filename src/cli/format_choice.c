#include "format_choice.h"
#include "config.h"
#include "lang.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static bool
push(char *list[SA_CHOICE_MAX + 1], char *text)
{
    size_t n = 0;

    while (list[n] != NULL)
        n++;
    if (n == SA_CHOICE_MAX)
        return false;
    list[n] = text;
    return true;
}

int
sa_format_choice_take(struct sa_format_choice *choice, const char *command, int argc, char **argv, int *i)
{
    static const char *const names[] = {"--format", "--xlog", "--xlog-sent", "--regex"};
    char **lists[] = {choice->names, choice->xlog, choice->xlog_sent, choice->regex};
    size_t k = 0;

    while (k < 4 && strcmp(argv[*i], names[k]) != 0)
        k++;
    if (k == 4)
        return 0;
    if (*i + 1 == argc)
        return -sa_usage_error(command, _("%s needs a value"), argv[*i]) / 2;
    if (!push(lists[k], argv[++*i]))
        return -sa_usage_error(command, "%s", _("too many options")) / 2;
    return 1;
}

struct sa_format *
sa_format_choice_make(const struct sa_format_choice *choice, const char *command)
{
    struct sa_format_def def = {"command line", (char **)choice->xlog, (char **)choice->xlog_sent,
                                (char **)choice->regex, NULL};
    bool patterns = choice->xlog[0] != NULL || choice->xlog_sent[0] != NULL || choice->regex[0] != NULL;
    static char automatic[] = "auto";
    char *only_auto[] = {automatic, NULL};
    char error[SA_PATTERN_ERROR_SIZE] = "";
    struct sa_config *config = NULL;
    struct sa_format *format;

    if (choice->config != NULL) {
        static struct sa_config_errors errors;

        if (sa_config_load(choice->config, &config, &errors) < 0) {
            (void)fprintf(stderr, _("%ssipalert %s: the configuration has errors\n"), errors.text, command);
            return NULL;
        }
    }
    format =
        sa_config_format(config, choice->names[0] == NULL && !patterns ? only_auto : choice->names, error);
    if (format != NULL && patterns && sa_format_add_user(format, &def, error) < 0)
        format = sa_format_free(format);
    (void)sa_config_free(config);
    if (format == NULL)
        (void)sa_failure(command, "%s", error);
    return format;
}
