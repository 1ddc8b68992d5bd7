#include "config.h"
#include "daemon.h"
#include "lang.h"
#include "log.h"
#include "text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
usage(FILE *out)
{
    (void)fputs("usage: sipalertd [-c FILE] [-t] [-T] [-v]... [-V]\n\n"
                "  -c FILE  configuration, default " SA_CONFIG_PATH "\n"
                "  -t       check the configuration and exit\n"
                "  -T       print the effective configuration and exit\n"
                "  -v       more log lines of its own\n"
                "  -V       print the version and exit\n",
                out);
    return out == stdout ? 0 : 2;
}

static void
complain_without_source(const char *path, bool check)
{
    char shown[SA_TEXT_ESCAPED(1024)];

    (void)sa_text_printable(shown, sizeof shown, path);
    (void)fprintf(stderr, "%s:0: no source section: there is nothing to follow%s\n", shown,
                  check ? ", the daemon does not start with it" : "");
}

/* Before there is a writer thread: to standard error, as everything until then. */
static void
log_warnings(const char *text)
{
    for (size_t len = strcspn(text, "\n"); *text != '\0'; len = strcspn(text, "\n")) {
        sa_log(LOG_WARNING, "config", "%.*s", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

int
main(int argc, char **argv)
{
    static struct sa_config_errors errors;
    const char *path = SA_CONFIG_PATH;
    struct sa_config *config = NULL;
    bool check = false, print = false, translated;
    int option, verbose = 0;

    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write that grows it */
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    while ((option = getopt(argc, argv, "c:tTvVh")) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 't':
            check = true;
            break;
        case 'T':
            print = true;
            break;
        case 'v':
            verbose++;
            break;
        case 'V':
            (void)puts("sipalertd " SIPALERT_VERSION);
            return 0;
        case 'h':
            return usage(stdout);
        default:
            return usage(stderr);
        }
    }
    if (optind != argc)
        return usage(stderr);
    if (sa_config_load(path, &config, &errors) < 0) {
        (void)fputs(errors.text, stderr);
        return 1;
    }
    if (config->n_sources == 0 && !print)
        complain_without_source(path, check);
    if (check)
        (void)fputs(errors.warnings, stderr);
    if (check || print) {
        if (print)
            sa_config_print(config, stdout);
        else
            (void)puts("configuration ok");
        (void)sa_config_free(config);
        return 0;
    }
    if (config->n_sources == 0) {
        (void)sa_config_free(config);
        return 1;
    }
    sa_lang_keep_system_english();
    translated = sa_lang_use(config->language);
    (void)umask(0077); /* what is saved names callers; who may have more gets it where it is made */
    sa_log_set_level(verbose > 0 ? LOG_DEBUG : config->log_level);
    log_warnings(errors.warnings);
    if (!translated)
        sa_log(LOG_WARNING, "main", "the texts of language \"%s\" are not installed, using English",
               config->language);
    if (config->node_cut)
        sa_log(LOG_WARNING, "main",
               "the host name is longer than %d octets: the node is called \"%s\"; set node to name it",
               SA_NODE_SIZE - 1, config->node);
    return sa_daemon_run(config);
}
