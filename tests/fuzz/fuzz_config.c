/*
 * A configuration file.  Input: its text.  What loads can be printed, the print loads, and prints the same
 * again.
 */
#include "config.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

/* Loads a text by way of a file in memory; NULL if it has errors. */
static struct sa_config *
load(const void *text, size_t len)
{
    struct sa_config *config = NULL;
    struct sa_config_errors errors;
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC), r;

    FUZZ_CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    r = sa_config_load(path, &config, &errors);
    (void)close(fd);
    FUZZ_CHECK((r == 0) == (config != NULL) && (r == 0) == (errors.count == 0));
    FUZZ_CHECK_TEXT(errors.text);
    return config;
}

static char *
print(const struct sa_config *config)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    FUZZ_CHECK(out != NULL);
    sa_config_print(config, out);
    FUZZ_CHECK(fclose(out) == 0);
    return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sa_config *config = load(data, size), *again;
    char *text, *text_again;

    if (config == NULL)
        return 0;
    text = print(config);
    again = load(text, strlen(text));
    if (again == NULL)
        (void)fprintf(stderr, "%s", text);
    FUZZ_CHECK(again != NULL);
    text_again = print(again);
    if (strcmp(text, text_again) != 0)
        (void)fprintf(stderr, "%s\n---\n%s", text, text_again);
    FUZZ_CHECK(strcmp(text, text_again) == 0);
    free(text);
    free(text_again);
    (void)sa_config_free(config);
    (void)sa_config_free(again);
    return 0;
}
