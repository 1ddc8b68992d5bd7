#include "table.h"
#include "checks.h"
#include "config.h"

#include <string.h>
#include <sys/un.h>
#include <syslog.h>

#define PATH_MOST    4095
#define CONTROL_MOST (int64_t)(sizeof((struct sockaddr_un *)0)->sun_path - 1)
#define NAME_MOST    (SA_JSON_NAME_SIZE - 1)
#define ANY_NUMBER   .least = 0, .most = INT32_MAX

/* clang-format off */
#define AT(type, member) {offsetof(type, member), sizeof(((type *)0)->member)}
#define NOWHERE          .field = {0, 0}
#define CONFIG(member)   .field = AT(struct sa_config, member)
#define SOURCE(member)   .field = AT(struct sa_source_def, member)
#define FORMAT(member)   .field = AT(struct sa_format_def, member)
#define JSON(member)     .field = AT(struct sa_json_def, member)
#define RULE(member)     .field = AT(struct sa_rule_def, member)
#define LEVEL(member)    .field = AT(struct sa_rule_level, member)
#define SNMP(member)     .field = AT(struct sa_snmp_def, member)
#define NOTIFY(member)   .field = AT(struct sa_notify_def, member)
#define SYSLOG(member)   .field = AT(struct sa_syslog_def, member)
/* clang-format on */

static const struct sa_word languages[] = {{"en", 0}, {"ru", 0}, {"vi", 0}, {NULL, 0}};
static const struct sa_word logs[] = {
    {"auto", SA_LOG_TO_AUTO}, {"stderr", SA_LOG_TO_STDERR}, {"syslog", SA_LOG_TO_SYSLOG}, {NULL, 0}};
static const struct sa_word log_levels[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {NULL, 0}};
static const struct sa_word starts[] = {{"end", true}, {"begin", false}, {"beginning", false}, {NULL, 0}};
static const struct sa_word counts[] = {
    {"responses", SA_COUNT_RESPONSES}, {"transactions", SA_COUNT_TRANSACTIONS}, {NULL, 0}};
static const struct sa_word directions[] = {{"any", SA_RULE_ANY},
                                            {"received", SA_RULE_RECEIVED},
                                            {"sent", SA_RULE_SENT},
                                            {"both", SA_RULE_BOTH},
                                            {NULL, 0}};
static const struct sa_word groups[] = {{"source", 0}, {NULL, 0}};
static const struct sa_word bases[] = {{"final", SA_RATIO_FINAL}, {"all", SA_RATIO_ALL}, {NULL, 0}};
static const struct sa_word modes[] = {
    {"agentx", SA_SNMP_AGENTX}, {"standalone", SA_SNMP_STANDALONE}, {"off", SA_SNMP_OFF}, {NULL, 0}};
static const struct sa_word versions[] = {{"2c", 0}, {NULL, 0}};
static const struct sa_word types[] = {{"trap", false}, {"inform", true}, {NULL, 0}};

/*
 * A new key is one line here and a field in the struct of its section.  It stands where it is to be printed;
 * the columns are those of struct sa_key.  What a key has to do with other keys is said by the function of
 * its section in sa_sections.  The tests then ask for the key and its words in the manual page
 * sipalertd.conf(5), for the key in conf/sipalertd.conf (unit.config_table), and for a file in tests/config
 * that uses it (config.golden), which shows a limit from both sides.
 */
/* clang-format off */
const struct sa_key sa_keys[] = {
    {"", "node", SA_KEY_NAME, NULL, CONFIG(node), .least = 1, .most = SA_NODE_SIZE - 1},
    {"", "state_dir", SA_KEY_TEXT, "/var/lib/sipalert", CONFIG(state_dir), .least = 1, .most = PATH_MOST},
    {"", "control", SA_KEY_TEXT, SA_CONFIG_CONTROL, CONFIG(control), .least = 1, .most = CONTROL_MOST},
    {"", "log", SA_KEY_WORD, "auto", CONFIG(log), .words = logs},
    {"", "language", SA_KEY_TEXT, "en", CONFIG(language), .words = languages},
    {"", "log_level", SA_KEY_WORD, "info", CONFIG(log_level), .words = log_levels},
    {"", "include", SA_KEY_INCLUDE, NULL, NOWHERE},
    {"", "source", SA_KEY_SECTION, NULL, CONFIG(sources), .keys = "source", .count = AT(struct sa_config, n_sources), .room = SA_CONFIG_SOURCES, .many = "sources"},
    {"", "format", SA_KEY_SECTION, NULL, CONFIG(formats), .keys = "format", .count = AT(struct sa_config, n_formats)},
    {"", "rule", SA_KEY_SECTION, NULL, CONFIG(rules), .keys = "rule", .count = AT(struct sa_config, n_rules), .room = SA_CONFIG_RULES, .many = "rules", .flags = SA_KEY_LIVE},
    {"", "snmp", SA_KEY_SECTION, NULL, CONFIG(snmp), .keys = "snmp"},
    {"", "notify", SA_KEY_SECTION, NULL, CONFIG(notifies), .keys = "notify", .count = AT(struct sa_config, n_notifies), .room = SA_CONFIG_NOTIFIES, .many = "receivers"},
    {"", "syslog", SA_KEY_SECTION, NULL, CONFIG(syslog), .keys = "syslog"},

    {"source", "file", SA_KEY_LIST, NULL, SOURCE(files), .least = 1, .most = PATH_MOST, .flags = SA_KEY_OMITTED},
    {"source", "journal", SA_KEY_LIST, NULL, SOURCE(journal), .check = sa_check_journal_match, .flags = SA_KEY_OMITTED},
    {"source", "syslog", SA_KEY_LIST, NULL, SOURCE(syslog), .check = sa_check_listener_address, .flags = SA_KEY_OMITTED},
    {"source", "max_connections", SA_KEY_NUMBER, "256", SOURCE(max_connections), .least = 1, .most = UINT16_MAX, .only_with = "syslog"},
    {"source", "allow", SA_KEY_NETWORKS, NULL, SOURCE(allow), .count = AT(struct sa_source_def, n_allow), .room = SA_CONFIG_ALLOW, .only_with = "syslog"},
    {"source", "fifo", SA_KEY_TEXT, NULL, SOURCE(fifo), .least = 1, .most = PATH_MOST},
    {"source", "stdin", SA_KEY_BOOL, "false", SOURCE(standard_input), .flags = SA_KEY_OMITTED},
    {"source", "watch", SA_KEY_LIST, NULL, SOURCE(watch), .flags = SA_KEY_OMITTED},
    {"source", "format", SA_KEY_LIST, "{auto}", SOURCE(formats), .check = sa_check_format_name},
    {"source", "start_at", SA_KEY_WORD, "end", SOURCE(start_at_end), .words = starts},
    {"source", "count", SA_KEY_WORD, "responses", SOURCE(count_of), .words = counts},
    {"source", "timezone", SA_KEY_TIMEZONE, "local", SOURCE(timezone)},
    {"source", "line_limit", SA_KEY_SIZE, "64KiB", SOURCE(line_limit), .least = 512, .most = 1 << 20},
    {"source", "olddir", SA_KEY_TEXT, "", SOURCE(olddir)},
    {"source", "rotate_wait", SA_KEY_DURATION, "60s", SOURCE(rotate_wait_s)},
    {"source", "backfill_max_age", SA_KEY_DURATION, "7d", SOURCE(backfill_max_age_s)},
    {"source", "backfill_max_bytes", SA_KEY_SIZE, "1GiB", SOURCE(backfill_max_bytes)},

    {"format", "xlog", SA_KEY_LIST, NULL, FORMAT(xlog), .check = sa_check_xlog, .flags = SA_KEY_OMITTED},
    {"format", "xlog_sent", SA_KEY_LIST, NULL, FORMAT(xlog_sent), .check = sa_check_xlog, .flags = SA_KEY_OMITTED},
    {"format", "regex", SA_KEY_LIST, NULL, FORMAT(regex), .check = sa_check_regex, .flags = SA_KEY_OMITTED},
    {"format", "json", SA_KEY_SECTION, NULL, FORMAT(json), .keys = "json"},

    {"json", "where", SA_KEY_NAMES, NULL, JSON(where), .least = 1, .most = NAME_MOST, .check = sa_check_json_where, .count = AT(struct sa_json_def, n_where), .room = SA_JSON_CONDITIONS, .many = "conditions"},
    {"json", "code", SA_KEY_NAME, "", JSON(code), .least = 1, .most = NAME_MOST, .flags = SA_KEY_OMITTED},
    {"json", "method", SA_KEY_NAME, "", JSON(method), .least = 1, .most = NAME_MOST, .flags = SA_KEY_OMITTED},
    {"json", "peer", SA_KEY_NAME, "", JSON(peer), .least = 1, .most = NAME_MOST, .flags = SA_KEY_OMITTED},
    {"json", "callid", SA_KEY_NAME, "", JSON(call_id), .least = 1, .most = NAME_MOST, .flags = SA_KEY_OMITTED},
    {"json", "direction", SA_KEY_NAME, "", JSON(direction), .least = 1, .most = NAME_MOST, .flags = SA_KEY_OMITTED},
    {"json", "received", SA_KEY_NAME, "", JSON(received), .least = 1, .most = NAME_MOST, .flags = SA_KEY_OMITTED},
    {"json", "sent", SA_KEY_NAME, "", JSON(sent), .least = 1, .most = NAME_MOST, .flags = SA_KEY_OMITTED},

    {"rule", "codes", SA_KEY_CODES, NULL, RULE(codes)},
    {"rule", "methods", SA_KEY_NAMES, NULL, RULE(methods), .least = 1, .most = SA_METHOD_SIZE - 1, .check = sa_check_method, .count = AT(struct sa_rule_def, n_methods), .room = SA_RULE_METHODS, .flags = SA_KEY_OMITTED},
    {"rule", "sources", SA_KEY_NAMES, NULL, RULE(sources), .check = sa_check_source_name, .count = AT(struct sa_rule_def, n_sources), .room = SA_RULE_METHODS, .flags = SA_KEY_OMITTED},
    {"rule", "direction", SA_KEY_WORD, "any", RULE(direction), .words = directions},
    {"rule", "by", SA_KEY_LIST, "{source}", NOWHERE, .words = groups},
    {"rule", "ratio_of", SA_KEY_WORD, "final", RULE(ratio_of), .words = bases},
    {"rule", "count", SA_KEY_WORD, "responses", RULE(count_of), .words = counts},
    {"rule", "window", SA_KEY_DURATION, "60s", RULE(window_s), .least = 1, .most = SA_WINDOW_MAX_S},
    {"rule", "min_total", SA_KEY_NUMBER, "-1", RULE(min_total), ANY_NUMBER, .flags = SA_KEY_OMITTED}, /* SA_MIN_TOTAL_UNSET */
    {"rule", "warning", SA_KEY_SECTION, NULL, RULE(levels[0]), .keys = "level"},
    {"rule", "minor", SA_KEY_SECTION, NULL, RULE(levels[1]), .keys = "level"},
    {"rule", "major", SA_KEY_SECTION, NULL, RULE(levels[2]), .keys = "level"},
    {"rule", "critical", SA_KEY_SECTION, NULL, RULE(levels[3]), .keys = "level"},
    {"rule", "for", SA_KEY_DURATION, "0s", RULE(for_s)},
    {"rule", "clear_at", SA_KEY_SHARE, "80%", RULE(clear_at_per_mille)},
    {"rule", "clear_for", SA_KEY_DURATION, "120s", RULE(clear_for_s)},
    {"rule", "remediation", SA_KEY_NAME, "", RULE(remediation), .least = 0, .most = SA_LONG_SIZE - 1},
    {"rule", "enabled", SA_KEY_BOOL, "true", RULE(enabled)},

    {"level", "count", SA_KEY_NUMBER, "0", LEVEL(count), ANY_NUMBER, .flags = SA_KEY_OMITTED},
    {"level", "ratio", SA_KEY_SHARE, NULL, LEVEL(ratio_per_mille), .flags = SA_KEY_OMITTED},

    {"snmp", "mode", SA_KEY_WORD, "agentx", SNMP(mode), .words = modes},
    {"snmp", "notify_master", SA_KEY_BOOL, "true", SNMP(notify_master)},
    {"snmp", "master", SA_KEY_TEXT, "unix:/var/agentx/master", SNMP(master), .check = sa_check_master_address},
    {"snmp", "listen", SA_KEY_LIST, "{\"udp:127.0.0.1:1161\"}", SNMP(listen), .check = sa_check_agent_address},
    {"snmp", "access", SA_KEY_TEXT, NULL, SNMP(access)},

    {"notify", "address", SA_KEY_TEXT, NULL, NOTIFY(address), .check = sa_check_receiver_address},
    {"notify", "version", SA_KEY_TEXT, "2c", NOWHERE, .words = versions},
    {"notify", "community_file", SA_KEY_TEXT, NULL, NOTIFY(community_file)},
    {"notify", "community", SA_KEY_TEXT, "public", NOTIFY(community), .flags = SA_KEY_SECRET},
    {"notify", "type", SA_KEY_WORD, "inform", NOTIFY(inform), .words = types},

    {"syslog", "enabled", SA_KEY_BOOL, "true", SYSLOG(enabled)},
    {"syslog", "facility", SA_KEY_FACILITY, "daemon", SYSLOG(facility)},
    {NULL, NULL, SA_KEY_TEXT, NULL, NOWHERE},
};

const struct sa_section sa_sections[] = {
    {"source", SA_SECTION_MANY, sizeof(struct sa_source_def), sa_check_source},
    {"format", SA_SECTION_MANY, sizeof(struct sa_format_def), sa_check_format},
    {"json", SA_SECTION_MAYBE, sizeof(struct sa_json_def), sa_check_json},
    {"rule", SA_SECTION_MANY, sizeof(struct sa_rule_def), sa_check_rule},
    {"level", SA_SECTION_LEVEL, sizeof(struct sa_rule_level), sa_check_level},
    {"snmp", SA_SECTION_ONE, sizeof(struct sa_snmp_def), NULL},
    {"notify", SA_SECTION_MANY, sizeof(struct sa_notify_def), sa_check_notify},
    {"syslog", SA_SECTION_ONE, sizeof(struct sa_syslog_def), NULL},
    {NULL, SA_SECTION_ONE, 0, NULL},
};
/* clang-format on */

_Static_assert(offsetof(struct sa_source_def, name) == 0 && offsetof(struct sa_format_def, name) == 0 &&
                   offsetof(struct sa_rule_def, name) == 0 && offsetof(struct sa_notify_def, name) == 0,
               "the title of a section is the first field of its struct");
_Static_assert(offsetof(struct sa_timezone_def, text) == 0 && offsetof(struct sa_facility_def, text) == 0,
               "what is kept as it was written begins with that");
_Static_assert(offsetof(struct sa_rule_level, enabled) == 0, "a level begins with whether it was written");
_Static_assert((uint32_t)-1 == SA_MIN_TOTAL_UNSET, "the default of min_total is that it is not set");

const struct sa_key *
sa_key_find(const char *section, const char *name)
{
    for (const struct sa_key *key = sa_keys; key->name != NULL; key++)
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const struct sa_section *
sa_key_section(const struct sa_key *key)
{
    const struct sa_section *section = sa_sections;

    while (strcmp(section->name, key->keys) != 0)
        section++;
    return section;
}

const char *
sa_word_name(const struct sa_word *words, int value)
{
    for (; words->name != NULL; words++)
        if (words->value == value)
            return words->name;
    return "";
}
