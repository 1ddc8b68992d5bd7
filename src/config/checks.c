#include "checks.h"
#include "code_set.h"
#include "config.h"
#include "listener_address.h"
#include "network.h"
#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#define REFERENCES_MAX 1024
#define PATH_LONGEST   (sizeof((struct sockaddr_un *)0)->sun_path - 1)

/* A name that must exist once everything is read, and where it was used. */
struct reference {
    const char *kind; /* "format" or "source" */
    char name[SA_NAME_SIZE];
    char *file;
    int line;
};

static struct {
    struct sa_config_errors *errors;
    const char *file;
    struct reference references[REFERENCES_MAX];
    unsigned n_references;
} reader;

#define BAD(cfg, ...) sa_config_error(reader.errors, reader.file, (cfg)->line, __VA_ARGS__)

static const char *
last_string(cfg_opt_t *opt)
{
    unsigned n = cfg_opt_size(opt);
    const char *text = n == 0 ? NULL : cfg_opt_getnstr(opt, n - 1);

    return text == NULL ? "" : text;
}

/*
 * The checks.  Each is called by libConfuse right after a value was set and always lets the parser go on, so
 * that all errors of a file are told at once.
 */
static int
check_one_of(cfg_t *cfg, cfg_opt_t *opt, const char *const *words)
{
    const char *value = last_string(opt);
    char list[256] = "";

    for (const char *const *word = words; *word != NULL; word++) {
        size_t len = strlen(list);

        if (strcmp(value, *word) == 0)
            return 0;
        (void)snprintf(list + len, sizeof list - len, "%s%s", len != 0 ? ", " : "", *word);
    }
    BAD(cfg, "%s: \"%s\" is not one of %s", opt->name, value, list);
    return 0;
}

#define ONE_OF(function, ...)                                                                                \
    static int function(cfg_t *cfg, cfg_opt_t *opt)                                                          \
    {                                                                                                        \
        static const char *const words[] = {__VA_ARGS__, NULL};                                              \
        return check_one_of(cfg, opt, words);                                                                \
    }

ONE_OF(check_language, "en", "ru", "vi")
ONE_OF(check_log, "auto", "stderr", "syslog")
ONE_OF(check_log_level, "error", "warning", "info", "debug")
ONE_OF(check_start_at, "end", "begin", "beginning")
ONE_OF(check_direction, "any", "received", "sent", "both")
ONE_OF(check_ratio_of, "final", "all")
ONE_OF(check_count_of, "responses", "transactions")
ONE_OF(check_by, "source")
ONE_OF(check_mode, "agentx", "standalone", "off")
ONE_OF(check_version, "2c")
ONE_OF(check_type, "trap", "inform")

static int
check_length(cfg_t *cfg, cfg_opt_t *opt, size_t min, size_t max)
{
    size_t len = strlen(last_string(opt));

    if (len < min || len > max)
        BAD(cfg, "%s: must have %zu to %zu characters", opt->name, min, max);
    return 0;
}

static int
check_node(cfg_t *cfg, cfg_opt_t *opt)
{
    return check_length(cfg, opt, 1, SA_NODE_SIZE - 1);
}

static int
check_control(cfg_t *cfg, cfg_opt_t *opt)
{
    return check_length(cfg, opt, 1, sizeof((struct sockaddr_un *)0)->sun_path - 1);
}

static int
check_not_empty(cfg_t *cfg, cfg_opt_t *opt)
{
    return check_length(cfg, opt, 1, 4095);
}

static int
check_remediation(cfg_t *cfg, cfg_opt_t *opt)
{
    return check_length(cfg, opt, 0, SA_LONG_SIZE - 1);
}

static int
check_duration(cfg_t *cfg, cfg_opt_t *opt)
{
    uint32_t seconds;

    if (sa_units_duration(last_string(opt), &seconds) < 0)
        BAD(cfg, "%s: \"%s\" is not a duration such as \"90s\", \"5m\", \"2h\" or \"7d\"", opt->name,
            last_string(opt));
    return 0;
}

static int
check_window(cfg_t *cfg, cfg_opt_t *opt)
{
    uint32_t seconds;

    if (sa_units_duration(last_string(opt), &seconds) < 0)
        return check_duration(cfg, opt);
    if (seconds < 1 || seconds > SA_WINDOW_MAX_S)
        BAD(cfg, "%s: must be 1s to 1h", opt->name);
    return 0;
}

static int
check_size(cfg_t *cfg, cfg_opt_t *opt)
{
    size_t bytes;

    if (sa_units_size(last_string(opt), &bytes) < 0)
        BAD(cfg, "%s: \"%s\" is not a size such as \"64KiB\"", opt->name, last_string(opt));
    return 0;
}

static int
check_listen_address(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *text = last_string(opt);
    struct sa_listener_address address;
    int r = sa_listener_address_parse(text, &address);

    if (r == -ERANGE)
        BAD(cfg, "%s: \"%s\": a port is 0 to 65535", opt->name, text);
    else if (r == -EADDRNOTAVAIL)
        BAD(cfg, "%s: \"%s\": the address has to be a number, names are not looked up here", opt->name, text);
    else if (r == -ENAMETOOLONG)
        BAD(cfg, "%s: \"%s\": the path of a socket has at most %zu characters", opt->name, text,
            PATH_LONGEST);
    else if (r < 0)
        BAD(cfg, "%s: \"%s\" is not \"udp:ADDRESS:PORT\", \"tcp:ADDRESS:PORT\" or \"unix:/PATH\"", opt->name,
            text);
    return 0;
}

/* A number that its transport cannot reach: net-snmp's udp and tcp are of IPv4 alone. */
static bool
is_of_other_family(const struct sa_address *address)
{
    struct sa_address open = *address;
    struct sa_endpoint endpoint;

    open.family = AF_UNSPEC;
    return address->kind != SA_ADDRESS_UNIX && address->family != AF_UNSPEC && address->host[0] != '\0' &&
           sa_endpoint_of_number(&open, &endpoint) && endpoint.to.any.sa_family != address->family;
}

/* Reads a net-snmp address and says what is wrong with it, as the agent would once it runs. */
static int
read_snmp_address(cfg_t *cfg, cfg_opt_t *opt, enum sa_address_kind kind, struct sa_address *address)
{
    const char *text = last_string(opt);
    int r =
        text[0] == '\0' || strpbrk(text, " \t") != NULL ? -EINVAL : sa_address_parse(text, kind, 1, address);

    if (r == -EINVAL)
        BAD(cfg, "%s: \"%s\" is not an address such as \"udp:192.0.2.5:162\"", opt->name, text);
    else if (r == -ENAMETOOLONG)
        BAD(cfg, "%s: \"%s\": the path of a socket has at most %zu characters", opt->name, text,
            PATH_LONGEST);
    else if (r == -ERANGE || (r == 0 && address->kind != SA_ADDRESS_UNIX && address->port == 0))
        BAD(cfg, "%s: \"%s\": a port is 1 to 65535", opt->name, text);
    else if (r == 0 && is_of_other_family(address))
        BAD(cfg, "%s: \"%s\": the address is one of %s, %s", opt->name, text,
            address->family == AF_INET ? "IPv6" : "IPv4",
            address->family == AF_INET ? "which is udp6: or tcp6:" : "which is udp: or tcp:");
    return r;
}

/* net-snmp has more transports than are known here, and listens at them. */
static int
check_agent_address(cfg_t *cfg, cfg_opt_t *opt)
{
    struct sa_address address;

    (void)read_snmp_address(cfg, opt, SA_ADDRESS_UDP, &address);
    return 0;
}

static int
check_receiver_address(cfg_t *cfg, cfg_opt_t *opt)
{
    struct sa_address address;

    if (read_snmp_address(cfg, opt, SA_ADDRESS_UDP, &address) == -EPROTONOSUPPORT)
        BAD(cfg, "%s: \"%s\" has a transport that is not supported here", opt->name, last_string(opt));
    return 0;
}

static int
check_master_address(cfg_t *cfg, cfg_opt_t *opt)
{
    struct sa_address address;
    int r = read_snmp_address(cfg, opt, SA_ADDRESS_TCP, &address);

    if (r == -EPROTONOSUPPORT || (r == 0 && address.kind == SA_ADDRESS_UDP))
        BAD(cfg, "%s: \"%s\" is not \"unix:/PATH\" or \"tcp:HOST:PORT\"", opt->name, last_string(opt));
    return 0;
}

static int
check_journal_match(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *text = last_string(opt);

    if (text[0] != '/' && strchr(text, '=') == NULL)
        BAD(cfg, "%s: \"%s\" is not \"FIELD=value\", nor the path of a journal", opt->name, text);
    return 0;
}

static int
check_timezone(cfg_t *cfg, cfg_opt_t *opt)
{
    int64_t ms;
    bool fixed;

    if (!sa_units_timezone(last_string(opt), &fixed, &ms))
        BAD(cfg, "timezone: \"%s\" is not local, utc or an offset such as +02:00", last_string(opt));
    return 0;
}

static int
check_line_limit(cfg_t *cfg, cfg_opt_t *opt)
{
    size_t bytes;

    if (sa_units_size(last_string(opt), &bytes) < 0)
        return check_size(cfg, opt);
    if (bytes < 512 || bytes > 1048576)
        BAD(cfg, "%s: must be 512 to 1MiB", opt->name);
    return 0;
}

static int
check_ratio(cfg_t *cfg, cfg_opt_t *opt)
{
    uint32_t per_mille;

    if (sa_units_share(last_string(opt), &per_mille) < 0 || per_mille == 0)
        BAD(cfg, "%s: \"%s\" is not a share such as \"5%%\", above 0%% and up to 100%%", opt->name,
            last_string(opt));
    return 0;
}

static int
check_clear_at(cfg_t *cfg, cfg_opt_t *opt)
{
    return check_ratio(cfg, opt);
}

static int
check_count(cfg_t *cfg, cfg_opt_t *opt)
{
    long value = cfg_opt_getnint(opt, 0);

    if (value < 0 || value > INT32_MAX)
        BAD(cfg, "%s: must be 0 to %d", opt->name, INT32_MAX);
    return 0;
}

#define CONNECTIONS_MAX 65535

static int
check_max_connections(cfg_t *cfg, cfg_opt_t *opt)
{
    long value = cfg_opt_getnint(opt, 0);

    if (value < 1 || value > CONNECTIONS_MAX)
        BAD(cfg, "%s: must be 1 to %d", opt->name, CONNECTIONS_MAX);
    return 0;
}

static int
check_allow(cfg_t *cfg, cfg_opt_t *opt)
{
    struct sa_network network;
    char text[SA_NETWORK_TEXT];
    int r = sa_network_parse(last_string(opt), &network);

    if (r == -EINVAL)
        BAD(cfg, "allow: \"%s\" is not an address or a prefix such as \"192.0.2.0/24\" or \"2001:db8::/32\"",
            last_string(opt));
    if (r == -ERANGE) {
        sa_network_format(&network, text);
        BAD(cfg, "allow: \"%s\" has bits behind the prefix, it is in \"%s\"", last_string(opt), text);
    }
    if (cfg_opt_size(opt) == SA_CONFIG_ALLOW + 1)
        BAD(cfg, "allow: more than %d entries", SA_CONFIG_ALLOW);
    return 0;
}

static int
check_codes(cfg_t *cfg, cfg_opt_t *opt)
{
    struct sa_code_set set = {{0}};

    if (sa_code_set_add_word(&set, last_string(opt)) < 0)
        BAD(cfg,
            "codes: \"%s\" is not a code (\"302\"), a range (\"300-302\"), a class (\"3xx\") or one of these "
            "with '!'",
            last_string(opt));
    return 0;
}

static int
check_list_length(cfg_t *cfg, cfg_opt_t *opt)
{
    if (cfg_opt_size(opt) == SA_RULE_METHODS + 1)
        BAD(cfg, "%s: more than %d entries", opt->name, SA_RULE_METHODS);
    return 0;
}

static int
check_methods(cfg_t *cfg, cfg_opt_t *opt)
{
    if (strpbrk(last_string(opt), "abcdefghijklmnopqrstuvwxyz") != NULL)
        BAD(cfg, "methods: \"%s\" would never match, SIP methods are in upper case", last_string(opt));
    (void)check_length(cfg, opt, 1, SA_METHOD_SIZE - 1);
    return check_list_length(cfg, opt);
}

static int
refer(cfg_t *cfg, const char *kind, const char *name)
{
    struct reference *reference;

    if (reader.n_references == REFERENCES_MAX) {
        BAD(cfg, "too many names");
        return 0;
    }
    if (strlen(name) >= SA_NAME_SIZE) {
        BAD(cfg, "%s \"%s\": names have at most %d characters", kind, name, SA_NAME_SIZE - 1);
        return 0;
    }
    reference = &reader.references[reader.n_references++];
    reference->kind = kind;
    (void)snprintf(reference->name, sizeof reference->name, "%s", name);
    reference->file = strdup(reader.file);
    reference->line = cfg->line;
    return 0;
}

static int
check_format_name(cfg_t *cfg, cfg_opt_t *opt)
{
    return refer(cfg, "format", last_string(opt));
}

static int
check_source_name(cfg_t *cfg, cfg_opt_t *opt)
{
    (void)refer(cfg, "source", last_string(opt));
    return check_list_length(cfg, opt);
}

static int
check_pattern(cfg_t *cfg, cfg_opt_t *opt, struct sa_pattern *pattern, const char *error)
{
    if (pattern == NULL)
        BAD(cfg, "%s: %s", opt->name, error);
    (void)sa_pattern_free(pattern);
    return 0;
}

static int
check_xlog(cfg_t *cfg, cfg_opt_t *opt)
{
    char error[SA_PATTERN_ERROR_SIZE] = "";

    return check_pattern(cfg, opt, sa_pattern_new_xlog(last_string(opt), SA_DIR_RECEIVED, error), error);
}

static int
check_regex(cfg_t *cfg, cfg_opt_t *opt)
{
    char error[SA_PATTERN_ERROR_SIZE] = "";

    return check_pattern(cfg, opt, sa_pattern_new_regex(last_string(opt), error), error);
}

static int
check_facility(cfg_t *cfg, cfg_opt_t *opt)
{
    if (sa_units_facility(last_string(opt)) < 0)
        BAD(cfg, "facility: \"%s\" is not a syslog facility", last_string(opt));
    return 0;
}

static bool
is_set(cfg_t *section, const char *name)
{
    cfg_opt_t *opt = cfg_getopt(section, name);

    return opt != NULL && (opt->flags & CFGF_MODIFIED) != 0 && cfg_opt_size(opt) > 0;
}

/* Section checks run at the closing brace; the section is the last value of the option. */
static cfg_t *
last_section(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    const char *title = cfg_title(section);

    if (title != NULL && (title[0] == '\0' || strlen(title) >= SA_NAME_SIZE))
        BAD(cfg, "%s \"%s\": names have 1 to %d characters", opt->name, title, SA_NAME_SIZE - 1);
    return section;
}

/* Networks are of listeners that hear networks. */
static void
check_allow_fits(cfg_t *cfg, cfg_t *section)
{
    bool limited = is_set(section, "allow");

    if (limited && !is_set(section, "syslog"))
        BAD(cfg, "source \"%s\": allow is of syslog only", cfg_title(section));
    for (unsigned i = 0; i < cfg_size(section, "syslog"); i++) {
        const char *spec = cfg_getnstr(section, "syslog", i);
        struct sa_listener_address address;

        if (sa_listener_address_parse(spec, &address) < 0)
            continue; /* told at its line */
        if (limited && address.path != NULL)
            BAD(cfg,
                "source \"%s\": allow is of udp: and tcp: only, who may write to %s is said by its directory",
                cfg_title(section), spec);
        if (!limited && sa_listener_address_is_any(&address))
            sa_config_warning(
                reader.errors, reader.file, cfg->line,
                "source \"%s\": everybody who reaches %s can write to it, name the senders in allow",
                cfg_title(section), spec);
    }
}

static int
check_source(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = last_section(cfg, opt);

    static const char *const origins[] = {"file", "journal", "syslog", "fifo", "stdin"};
    unsigned n = 0;

    for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++)
        if (is_set(section, origins[i]) &&
            (strcmp(origins[i], "stdin") != 0 || cfg_getbool(section, "stdin")))
            n++;
    if (n == 0)
        BAD(cfg, "source \"%s\": says no file to follow (nor journal, syslog, fifo or stdin)",
            cfg_title(section));
    else if (n > 1)
        BAD(cfg, "source \"%s\": only one of file, journal, syslog, fifo and stdin can be set",
            cfg_title(section));
    if (is_set(section, "max_connections") && !is_set(section, "syslog"))
        BAD(cfg, "source \"%s\": max_connections is of syslog only", cfg_title(section));
    check_allow_fits(cfg, section);
    if (cfg_opt_size(opt) == SA_CONFIG_SOURCES + 1)
        BAD(cfg, "more than %d sources", SA_CONFIG_SOURCES);
    return 0;
}

/* A member's name, or what it is compared with. */
static int
check_json_text(cfg_t *cfg, cfg_opt_t *opt)
{
    return check_length(cfg, opt, 1, SA_JSON_NAME_SIZE - 1);
}

static int
check_json_where(cfg_t *cfg, cfg_opt_t *opt)
{
    if (strchr(last_string(opt), '=') == NULL)
        BAD(cfg, "where: \"%s\" is not of the form name=value", last_string(opt));
    if (cfg_opt_size(opt) == SA_JSON_CONDITIONS + 1)
        BAD(cfg, "where: more than %d conditions", SA_JSON_CONDITIONS);
    return check_length(cfg, opt, 1, SA_JSON_NAME_SIZE - 1);
}

static int
check_json(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = last_section(cfg, opt);

    if (!is_set(section, "code"))
        BAD(cfg, "json: needs code, the name of the member that holds the status code");
    if (is_set(section, "direction") && !is_set(section, "received") && !is_set(section, "sent"))
        BAD(cfg, "json: direction needs received or sent, the values that mean one");
    return 0;
}

static int
check_format(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = last_section(cfg, opt);

    if (!is_set(section, "xlog") && !is_set(section, "xlog_sent") && !is_set(section, "regex") &&
        cfg_size(section, "json") == 0)
        BAD(cfg, "format \"%s\": needs xlog, xlog_sent, regex or json", cfg_title(section));
    for (const struct sa_preset *preset = sa_presets; preset->name != NULL; preset++)
        if (strcmp(preset->name, cfg_title(section)) == 0 || strcmp("auto", cfg_title(section)) == 0) {
            BAD(cfg, "format \"%s\": the name is taken by a preset", cfg_title(section));
            break;
        }
    return 0;
}

static int
check_level(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);

    if (cfg_getint(section, "count") == 0 && !is_set(section, "ratio"))
        BAD(cfg, "%s: needs a count or a ratio above zero", opt->name);
    return 0;
}

static bool
codes_are_none(cfg_t *rule)
{
    struct sa_code_set set = {{0}};

    if (cfg_getnstr(rule, "codes", 0)[0] == '!')
        return false;
    for (unsigned i = 0; i < cfg_size(rule, "codes"); i++)
        if (sa_code_set_add_word(&set, cfg_getnstr(rule, "codes", i)) < 0)
            return false; /* told at its line */
    return sa_code_set_empty(&set);
}

static uint32_t
ratio_of_level(cfg_t *level)
{
    uint32_t per_mille = 0;

    if (cfg_getstr(level, "ratio") != NULL)
        (void)sa_units_share(cfg_getstr(level, "ratio"), &per_mille);
    return per_mille;
}

/* A graver level with a lower limit would hide the milder one for ever. */
static void
check_levels_ascend(cfg_t *cfg, cfg_t *rule)
{
    static const char *const names[] = {"warning", "minor", "major", "critical"};
    const char *milder = NULL;
    long count = 0;
    uint32_t ratio = 0;

    for (unsigned i = 0; i < 4; i++) {
        cfg_t *level = cfg_size(rule, names[i]) == 0 ? NULL : cfg_getsec(rule, names[i]);

        if (level == NULL)
            continue;
        if (milder != NULL && ((cfg_getint(level, "count") != 0 && cfg_getint(level, "count") < count) ||
                               (ratio_of_level(level) != 0 && ratio_of_level(level) < ratio)))
            BAD(cfg, "rule \"%s\": %s has a lower limit than %s", cfg_title(rule), names[i], milder);
        milder = names[i];
        count = cfg_getint(level, "count") != 0 ? cfg_getint(level, "count") : count;
        ratio = ratio_of_level(level) != 0 ? ratio_of_level(level) : ratio;
    }
}

static int
check_rule(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = last_section(cfg, opt);

    if (!is_set(section, "codes"))
        BAD(cfg, "rule \"%s\": says no codes", cfg_title(section));
    else if (codes_are_none(section))
        BAD(cfg, "rule \"%s\": the codes exclude each other, none is left", cfg_title(section));
    if (!is_set(section, "warning") && !is_set(section, "minor") && !is_set(section, "major") &&
        !is_set(section, "critical"))
        BAD(cfg, "rule \"%s\": needs at least one of warning, minor, major, critical", cfg_title(section));
    check_levels_ascend(cfg, section);
    if (cfg_opt_size(opt) == SA_CONFIG_RULES + 1)
        BAD(cfg, "more than %d rules", SA_CONFIG_RULES);
    return 0;
}

/* A community is a password: it should not stand where everybody may read it. */
static void
check_community(cfg_t *cfg, cfg_t *section)
{
    const char *community = cfg_getstr(section, "community");
    struct stat status;

    if (!is_set(section, "community"))
        return;
    if (community[0] == '\0')
        BAD(cfg, "notify \"%s\": the community is empty", cfg_title(section));
    if (strcmp(community, SA_CONFIG_MASK) == 0)
        sa_config_warning(reader.errors, reader.file, cfg->line,
                          "notify \"%s\": this community is what sipalertd -T prints instead of one",
                          cfg_title(section));
    else if (strcmp(community, "public") != 0 && stat(reader.file, &status) == 0 &&
             (status.st_mode & S_IROTH) != 0)
        sa_config_warning(reader.errors, reader.file, cfg->line,
                          "notify \"%s\": everybody may read the community here: chmod 640 the file, or use "
                          "community_file",
                          cfg_title(section));
}

static int
check_notify(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = last_section(cfg, opt);

    if (!is_set(section, "address"))
        BAD(cfg, "notify \"%s\": says no address", cfg_title(section));
    check_community(cfg, section);
    if (is_set(section, "community") && is_set(section, "community_file"))
        BAD(cfg, "notify \"%s\": community and community_file exclude each other", cfg_title(section));
    if (cfg_opt_size(opt) == SA_CONFIG_NOTIFIES + 1)
        BAD(cfg, "more than %d receivers", SA_CONFIG_NOTIFIES);
    return 0;
}

void
sa_checks_resolve(cfg_t *cfg)
{
    for (unsigned i = 0; i < reader.n_references; i++) {
        const struct reference *reference = &reader.references[i];
        bool known = strcmp(reference->kind, "format") == 0 && strcmp(reference->name, "auto") == 0;

        for (unsigned k = 0; k < cfg_size(cfg, reference->kind) && !known; k++)
            known = strcmp(cfg_title(cfg_getnsec(cfg, reference->kind, k)), reference->name) == 0;
        if (strcmp(reference->kind, "format") == 0)
            for (const struct sa_preset *preset = sa_presets; preset->name != NULL && !known; preset++)
                known = strcmp(preset->name, reference->name) == 0;
        if (!known)
            sa_config_error(reader.errors, reference->file, reference->line, "there is no %s \"%s\"",
                            reference->kind, reference->name);
    }
}

static const struct {
    const char *path;
    cfg_validate_callback_t check;
} checks[] = {
    {"node", check_node},
    {"state_dir", check_not_empty},
    {"control", check_control},
    {"language", check_language},
    {"log", check_log},
    {"log_level", check_log_level},
    {"source", check_source},
    {"source|file", check_not_empty},
    {"source|syslog", check_listen_address},
    {"source|fifo", check_not_empty},
    {"source|journal", check_journal_match},
    {"source|format", check_format_name},
    {"source|start_at", check_start_at},
    {"source|line_limit", check_line_limit},
    {"source|rotate_wait", check_duration},
    {"source|backfill_max_age", check_duration},
    {"source|backfill_max_bytes", check_size},
    {"source|max_connections", check_max_connections},
    {"source|allow", check_allow},
    {"format", check_format},
    {"format|xlog", check_xlog},
    {"format|xlog_sent", check_xlog},
    {"format|regex", check_regex},
    {"format|json", check_json},
    {"format|json|where", check_json_where},
    {"format|json|code", check_json_text},
    {"format|json|method", check_json_text},
    {"format|json|peer", check_json_text},
    {"format|json|callid", check_json_text},
    {"format|json|direction", check_json_text},
    {"format|json|received", check_json_text},
    {"format|json|sent", check_json_text},
    {"rule", check_rule},
    {"rule|codes", check_codes},
    {"rule|methods", check_methods},
    {"rule|sources", check_source_name},
    {"rule|direction", check_direction},
    {"rule|by", check_by},
    {"rule|ratio_of", check_ratio_of},
    {"rule|count", check_count_of},
    {"source|count", check_count_of},
    {"source|timezone", check_timezone},
    {"rule|window", check_window},
    {"rule|min_total", check_count},
    {"rule|for", check_duration},
    {"rule|clear_at", check_clear_at},
    {"rule|clear_for", check_duration},
    {"rule|remediation", check_remediation},
    {"rule|warning", check_level},
    {"rule|warning|count", check_count},
    {"rule|warning|ratio", check_ratio},
    {"rule|minor", check_level},
    {"rule|minor|count", check_count},
    {"rule|minor|ratio", check_ratio},
    {"rule|major", check_level},
    {"rule|major|count", check_count},
    {"rule|major|ratio", check_ratio},
    {"rule|critical", check_level},
    {"rule|critical|count", check_count},
    {"rule|critical|ratio", check_ratio},
    {"snmp|mode", check_mode},
    {"snmp|master", check_master_address},
    {"snmp|listen", check_agent_address},
    {"notify", check_notify},
    {"notify|address", check_receiver_address},
    {"notify|version", check_version},
    {"notify|type", check_type},
    {"syslog|facility", check_facility},
};

void
sa_checks_attach(cfg_t *cfg)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        (void)cfg_set_validate_func(cfg, checks[i].path, checks[i].check);
}

void
sa_checks_begin(struct sa_config_errors *errors)
{
    reader.errors = errors;
    reader.n_references = 0;
}

void
sa_checks_file(const char *path)
{
    reader.file = path;
}

void
sa_checks_end(void)
{
    for (unsigned i = 0; i < reader.n_references; i++)
        free(reader.references[i].file);
    reader.errors = NULL;
    reader.n_references = 0;
}
