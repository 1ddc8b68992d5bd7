/* The configuration file: what is taken, what is refused and at which line, and printing it back. */
#include "check.h"
#include "config.h"

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

static char dir[64];

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_config.XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
delete_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int
teardown(void **state)
{
    (void)state;
    return nftw(dir, delete_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *
path_of(const char *name)
{
    static char path[4][160];
    static unsigned turn;
    char *p = path[turn++ % 4];

    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static const char *
write_file(const char *name, const char *text)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static struct sa_config *
load(const char *name, const char *text)
{
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;
    const char *path = write_file("test.conf", text);

    memset(&errors, 0, sizeof errors);
    if (sa_config_load(path, &config, &errors) != 0)
        fail_msg("%s: %s", name, errors.text);
    assert_non_null(config);
    CHECK_INT(name, errors.count, 0);
    return config;
}

/* Takes a broken file; the errors stay valid until the next call. */
static const struct sa_config_errors *
refuse(const char *name, const char *text)
{
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;
    const char *path = write_file("test.conf", text);
    unsigned lines = 0;

    memset(&errors, 0, sizeof errors);
    if (sa_config_load(path, &config, &errors) == 0) {
        sa_config_free(config);
        fail_msg("%s was taken", name);
    }
    CHECK_INT(name, errors.count > 0, true);
    CHECK_INT(name, errors.len, strlen(errors.text));
    for (const char *c = errors.text; *c != '\0'; c++)
        lines += *c == '\n';
    CHECK_INT(name, lines, errors.count);
    return &errors;
}

#define SOURCE "source \"edge\" { file = \"/var/log/k.log\" }\n"

static void
test_defaults(void **state)
{
    struct sa_config *config = load("defaults", SOURCE);
    const struct sa_rule_def *rule;

    (void)state;
    assert_string_equal(config->state_dir, "/var/lib/sipalert");
    assert_string_equal(config->control, "/run/sipalert/control.sock");
    assert_int_equal(config->log, SA_LOG_TO_AUTO);
    assert_int_equal(config->log_level, LOG_INFO);
    assert_true(config->node[0] != '\0');
    assert_int_equal(config->n_sources, 1);
    assert_string_equal(config->sources[0].name, "edge");
    assert_string_equal(config->sources[0].files[0], "/var/log/k.log");
    assert_null(config->sources[0].files[1]);
    assert_string_equal(config->sources[0].formats[0], "auto");
    assert_true(config->sources[0].start_at_end);
    assert_int_equal(config->sources[0].line_limit, 65536);
    assert_int_equal(config->snmp.mode, SA_SNMP_AGENTX);
    assert_true(config->snmp.notify_master);
    assert_string_equal(config->snmp.master, "unix:/var/agentx/master");
    assert_true(config->syslog.enabled);
    assert_int_equal(config->syslog.facility.number, LOG_DAEMON);
    assert_int_equal(config->n_notifies, 0);

    assert_int_equal(config->n_rules, 2);
    rule = &config->rules[0];
    assert_string_equal(rule->name, "redirects");
    for (unsigned code = 0; code <= SA_CODE_MAX; code++)
        assert_int_equal(sa_code_set_has(&rule->codes, code),
                         (code >= 300 && code <= 302) || code == 305 || code == 380);
    assert_int_equal(rule->window_s, 60);
    assert_int_equal(rule->min_total, 100);
    assert_true(rule->enabled);
    assert_int_equal(rule->direction, SA_RULE_ANY);
    assert_int_equal(rule->ratio_of, SA_RATIO_FINAL);
    assert_false(rule->levels[0].enabled);
    assert_true(rule->levels[1].enabled);
    assert_int_equal(rule->levels[1].count, 20);
    assert_int_equal(rule->levels[1].ratio_per_mille, 100);
    assert_int_equal(rule->levels[2].count, 100);
    assert_int_equal(rule->levels[2].ratio_per_mille, 300);
    assert_false(rule->levels[3].enabled);
    assert_int_equal(rule->for_s, 0);
    assert_int_equal(rule->clear_at_per_mille, 800);
    assert_int_equal(rule->clear_for_s, 120);
    rule = &config->rules[1];
    assert_string_equal(rule->name, "flow-failures");
    assert_true(sa_code_set_has(&rule->codes, 430));
    assert_int_equal(rule->min_total, 1);
    assert_int_equal(rule->levels[1].count, 5);
    assert_int_equal(rule->levels[2].count, 20);
    assert_int_equal(rule->levels[3].count, 100);
    assert_int_equal(rule->levels[1].ratio_per_mille, 0);
    assert_null(sa_config_free(config));
    assert_null(sa_config_free(NULL));
}

static const char everything[] =
    "node = 'edge \"1\\x'\n"
    "rule \"r1\" {\n"
    "  codes = {\"3xx\", \"!302\", '430'}\n"
    "  methods = {\"INVITE\", \"REGISTER\"}\n"
    "  sources = {\"edge\"}\n"
    "  direction = \"both\"\n"
    "  window = \"5m\" min_total = 7 ratio_of = \"all\"\n"
    "  warning { count = 5 }\n"
    "  minor { count = 50 ratio = \"2.5%\" }\n"
    "  major { count = 60 ratio = \"20%\" }\n"
    "  critical { count = 70 ratio = \"100%\" }\n"
    "  for = \"90s\" clear_at = \"50%\" clear_for = \"1h\"\n"
    "  remediation = \"say \\\"stop\\\" $x {y} \\\\ # // /* x */ and go\"\n"
    "}\n"
    "rule \"r2\" { codes = \"430\" minor { count = 1 } enabled = false }\n"
    "rule \"r3\" { codes = {\"!100\"} direction = \"sent\" minor { ratio = \"0.1%\" } }\n"
    "source \"edge\" {\n"
    "  file = {\"/var/log/k/*.log\", '/tmp/a b\\c.log'}\n"
    "  format = {\"mine\", \"kamailio-acc\"}\n"
    "  start_at = \"begin\"\n"
    "  line_limit = \"10KiB\"\n"
    "}\n"
    "format \"mine\" {\n"
    "  xlog = {\"[$ci] $rs $rr \\\"q\\\" from $si:$sp method $rm\", 'reply {$rs}'}\n"
    "  xlog_sent = 'replying $rs'\n"
    "  regex = {\"status=(?<code>\\\\d{3}) (?<method>\\\\w+)\", 's=(?<code>\\d\\d\\d)'}\n"
    "}\n"
    "snmp { mode = \"standalone\" notify_master = false listen = {\"udp:127.0.0.1:1161\", "
    "\"tcp:127.0.0.1:1161\"}\n"
    "  access = \"/etc/sipalert/snmp.conf\" }\n"
    "notify \"noc\" { address = \"udp:192.0.2.5:162\" version = \"2c\" community = \"pub\\\"lic\" type = "
    "\"trap\" }\n"
    "syslog { enabled = false facility = \"local0\" }\n"
    "log = \"stderr\"\n"
    "log_level = \"debug\"\n";

static char *
printed(const struct sa_config *config)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    sa_config_print(config, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void
test_everything(void **state)
{
    struct sa_config *config;
    const struct sa_rule_def *rule;

    (void)state;
    config = load("everything", everything);
    assert_string_equal(config->node, "edge \"1\\x");
    assert_int_equal(config->n_rules, 3);
    rule = &config->rules[0];
    assert_true(sa_code_set_has(&rule->codes, 301) && !sa_code_set_has(&rule->codes, 302));
    assert_true(sa_code_set_has(&rule->codes, 430));
    assert_int_equal(rule->n_methods, 2);
    assert_string_equal(rule->methods[1], "REGISTER");
    assert_int_equal(rule->n_sources, 1);
    assert_int_equal(rule->direction, SA_RULE_BOTH);
    assert_int_equal(rule->ratio_of, SA_RATIO_ALL);
    assert_int_equal(rule->window_s, 300);
    assert_int_equal(rule->min_total, 7);
    assert_int_equal(rule->levels[0].count, 5);
    assert_int_equal(rule->levels[1].ratio_per_mille, 25);
    assert_int_equal(rule->levels[3].ratio_per_mille, 1000);
    assert_int_equal(rule->for_s, 90);
    assert_int_equal(rule->clear_at_per_mille, 500);
    assert_int_equal(rule->clear_for_s, 3600);
    assert_false(config->rules[1].enabled);
    assert_int_equal(config->rules[1].min_total, SA_MIN_TOTAL_UNSET);
    rule = &config->rules[2]; /* begins with a negation: all but */
    assert_true(sa_code_set_has(&rule->codes, 101) && sa_code_set_has(&rule->codes, 999));
    assert_false(sa_code_set_has(&rule->codes, 100));
    assert_int_equal(rule->levels[1].ratio_per_mille, 1);
    assert_string_equal(config->sources[0].files[1], "/tmp/a b\\c.log");
    assert_false(config->sources[0].start_at_end);
    assert_int_equal(config->sources[0].line_limit, 10240);
    assert_string_equal(config->formats[0].xlog[0], "[$ci] $rs $rr \"q\" from $si:$sp method $rm");
    assert_string_equal(config->formats[0].regex[0], "status=(?<code>\\d{3}) (?<method>\\w+)");
    assert_string_equal(config->formats[0].regex[1], "s=(?<code>\\d\\d\\d)");
    assert_int_equal(config->snmp.mode, SA_SNMP_STANDALONE);
    assert_string_equal(config->snmp.listen[1], "tcp:127.0.0.1:1161");
    assert_false(config->snmp.notify_master);
    assert_string_equal(config->notifies[0].address, "udp:192.0.2.5:162");
    assert_string_equal(config->notifies[0].community, "pub\"lic");
    assert_false(config->notifies[0].inform);
    assert_false(config->syslog.enabled);
    assert_int_equal(config->syslog.facility.number, LOG_LOCAL0);
    sa_config_free(config);
}

static void
test_print_and_reload(void **state)
{
    static const char *const texts[] = {
        "",
        SOURCE,
        everything,
        "source 'a' { file = {'/x\\\\y', \"/tab\\there\"} }\n",
        SOURCE "rule \"r\" { codes = {\"!3xx\", \"302\"} minor { count = 1 } }\n",
        "node = \"n\"\nsnmp { mode = \"off\" }\n",
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(texts); i++) {
        struct sa_config *first = load(texts[i], texts[i]), *second;
        char *a = printed(first), *b;

        second = load(a, a);
        b = printed(second);
        CHECK_STR(texts[i], b, a);
        assert_string_equal(second->node, first->node);
        assert_int_equal(second->n_rules, first->n_rules);
        assert_int_equal(second->n_sources, first->n_sources);
        assert_int_equal(second->n_formats, first->n_formats);
        for (unsigned r = 0; r < first->n_rules; r++)
            assert_memory_equal(&second->rules[r].codes, &first->rules[r].codes,
                                sizeof first->rules[r].codes);
        for (unsigned r = 0; r < first->n_rules; r++) {
            assert_memory_equal(second->rules[r].levels, first->rules[r].levels,
                                sizeof first->rules[r].levels);
            assert_string_equal(second->rules[r].remediation, first->rules[r].remediation);
            assert_int_equal(second->rules[r].min_total, first->rules[r].min_total);
            assert_int_equal(second->rules[r].enabled, first->rules[r].enabled);
        }
        for (unsigned s = 0; s < first->n_sources; s++)
            for (unsigned f = 0; first->sources[s].files[f] != NULL; f++)
                assert_string_equal(second->sources[s].files[f], first->sources[s].files[f]);
        for (unsigned f = 0; f < first->n_formats; f++)
            for (unsigned x = 0; first->formats[f].xlog[x] != NULL; x++)
                assert_string_equal(second->formats[f].xlog[x], first->formats[f].xlog[x]);
        free(a);
        free(b);
        sa_config_free(first);
        sa_config_free(second);
    }
}

/* A source of TCP connections: how many, printed, and a difference that is not one of rules only. */
static void
test_max_connections(void **state)
{
    struct sa_config *unsaid = load("unsaid", "source \"w\" { syslog = \"tcp:[::1]:5514\" }\n");
    struct sa_config *said =
        load("said", "source \"w\" { max_connections = 256 syslog = \"tcp:[::1]:5514\" }\n");
    struct sa_config *most =
        load("most", "source \"w\" { syslog = \"tcp:[::1]:5514\" max_connections = 65535 }\n");
    char *text = printed(most);
    struct sa_config *again = load("printed", text);

    (void)state;
    assert_int_equal(unsaid->sources[0].max_connections, 256);
    assert_int_equal(again->sources[0].max_connections, 65535);
    CHECK_HAS("printed", text, "  max_connections = 65535\n");
    snprintf(unsaid->node, sizeof unsaid->node, "n");
    snprintf(said->node, sizeof said->node, "n");
    snprintf(most->node, sizeof most->node, "n");
    assert_true(sa_config_differs_in_rules_only(unsaid, said));
    assert_false(sa_config_differs_in_rules_only(unsaid, most));
    free(text);
    sa_config_free(unsaid);
    sa_config_free(said);
    sa_config_free(most);
    sa_config_free(again);
}

/* Whose messages are heard: as networks, printed in one form, and a difference that is not one of rules only.
 */
static void
test_allow(void **state)
{
    struct sa_config *none = load("none", "source \"w\" { syslog = \"udp:127.0.0.1:5514\" allow = {} }\n");
    struct sa_config *some =
        load("some", "source \"w\" { syslog = \"udp:127.0.0.1:5514\"\n"
                     "  allow = {\"192.0.2.0/24\", \"2001:DB8::/32\", \"::ffff:192.0.2.9\"} }\n");
    char *text = printed(some);
    struct sa_config *again = load("printed", text);

    (void)state;
    assert_int_equal(none->sources[0].n_allow, 0);
    assert_int_equal(again->sources[0].n_allow, 3);
    assert_memory_equal(again->sources[0].allow, some->sources[0].allow, 3 * sizeof *some->sources[0].allow);
    CHECK_HAS("printed", text, "  allow = {\"192.0.2.0/24\", \"2001:db8::/32\", \"192.0.2.9/32\"}\n");
    snprintf(none->node, sizeof none->node, "n");
    snprintf(some->node, sizeof some->node, "n");
    assert_false(sa_config_differs_in_rules_only(none, some));
    free(text);
    sa_config_free(none);
    sa_config_free(some);
    sa_config_free(again);
}

/* Listening for everybody is allowed, and hardly meant. */
static void
test_warnings(void **state)
{
    static const struct {
        const char *keys;
        bool warned;
    } cases[] = {
        {"syslog = \"udp:0.0.0.0:5514\"", true},
        {"syslog = \"tcp:0.0.0.0:5514\"", true},
        {"syslog = \"udp:0:5514\"", true},
        {"syslog = \"udp:[::]:5514\"", true},
        {"syslog = \"udp::::5514\"", true},
        {"syslog = \"tcp:[::ffff:0.0.0.0]:5514\"", true},
        {"syslog = {\"unix:/x\", \"udp:0.0.0.0:5514\"}", true},
        {"allow = {} syslog = \"udp:0.0.0.0:5514\"", true},
        {"syslog = \"udp:0.0.0.0:5514\" allow = \"192.0.2.0/24\"", false},
        {"syslog = \"udp:0.0.0.0:5514\" allow = \"0.0.0.0/0\"", false},
        {"syslog = \"udp:127.0.0.1:5514\"", false},
        {"syslog = \"udp:[::1]:5514\"", false},
        {"syslog = \"tcp:[2001:db8::]:5514\"", false},
        {"syslog = \"tcp:[::ffff:127.0.0.1]:5514\"", false},
        {"syslog = \"unix:/0.0.0.0:5514\"", false},
        {"file = \"/x\"", false},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        static struct sa_config_errors errors;
        struct sa_config *config = NULL;
        char text[256], where[192];

        snprintf(text, sizeof text, "\nsource \"w\" {\n  %s\n}\n", cases[i].keys);
        assert_int_equal(sa_config_load(write_file("test.conf", text), &config, &errors), 0);
        snprintf(where, sizeof where, "%s:4: warning: source \"w\": everybody", path_of("test.conf"));
        if (cases[i].warned)
            CHECK_HAS(cases[i].keys, errors.warnings, where);
        else
            CHECK_STR(cases[i].keys, errors.warnings, "");
        sa_config_free(config);
    }
}

/* libConfuse puts environment variables into double quotes, so what is printed must not look like one. */
static void
test_print_dollar_brace(void **state)
{
    struct sa_config *first = load("first", "format \"f\" { xlog = 'reply ${x} $rs' }\n"), *second;
    char *text = printed(first), again[64];

    (void)state;
    assert_string_equal(first->formats[0].xlog[0], "reply ${x} $rs");
    second = load("printed", text);
    snprintf(again, sizeof again, "%s", second->formats[0].xlog[0]);
    sa_config_free(first);
    sa_config_free(second);
    free(text);
    assert_string_equal(again, "reply ${x} $rs");
}

#define RULE(line) SOURCE "rule \"r\" {\n  codes = \"302\"\n  minor { count = 1 }\n  " line "\n}\n"
#define WIRE(line) "source \"wire\" {\n  syslog = \"tcp:127.0.0.1:5514\"\n  " line "\n}\n"
#define EDGE(line) "source \"edge\" {\n  file = \"/x\"\n  " line "\n}\n"

static void
test_refused_at_its_line(void **state)
{
    static const struct {
        const char *name, *text;
        int line;
    } cases[] = {
        {"unknown key", "log = \"auto\"\n\ncolour = \"red\"\n", 3},
        {"unknown key in a section", EDGE("colour = \"red\""), 3},
        {"unknown section", "log = \"auto\"\nkafka { x = 1 }\n", 2},
        {"count is a word", SOURCE "rule \"r\" {\n codes = \"302\"\n minor { count = many }\n}\n", 4},
        {"bad duration", RULE("window = \"60x\""), 5},
        {"window of nothing", RULE("window = \"0s\""), 5},
        {"window too long", RULE("window = \"2h\""), 5},
        {"bad share", RULE("clear_at = \"80\""), 5},
        {"share above all", RULE("clear_at = \"120%\""), 5},
        {"bad for", RULE("for = \"soon\""), 5},
        {"bad direction", RULE("direction = \"sideways\""), 5},
        {"bad ratio_of", RULE("ratio_of = \"some\""), 5},
        {"bad boolean", RULE("enabled = perhaps"), 5},
        {"bad ratio", SOURCE "rule \"r\" {\n codes = \"302\"\n minor { ratio = \"5\" }\n}\n", 4},
        {"negative count", SOURCE "rule \"r\" {\n codes = \"302\"\n minor { count = -5 }\n}\n", 4},
        {"bad code", SOURCE "rule \"r\" {\n codes = {\"302\", \"30\"}\n minor { count = 1 }\n}\n", 3},
        {"code 099", SOURCE "rule \"r\" {\n codes = {\"099\"}\n minor { count = 1 }\n}\n", 3},
        {"bad start_at", EDGE("start_at = \"middle\""), 3},
        {"bad line_limit", EDGE("line_limit = \"64KB\""), 3},
        {"no connections", WIRE("max_connections = 0"), 3},
        {"more connections than ports", WIRE("max_connections = 65536"), 3},
        {"connections below zero", WIRE("max_connections = -1"), 3},
        {"no network", WIRE("allow = \"localhost\""), 3},
        {"a prefix that is too long", WIRE("allow = {\"192.0.2.0/33\"}"), 3},
        {"bits behind a prefix", WIRE("allow = {\"192.0.2.1/24\"}"), 3},
        {"connections as a text", WIRE("max_connections = \"many\""), 3},
        {"connections of a file", EDGE("max_connections = 5"), 4},
        {"unknown format", EDGE("format = \"nothing-such\""), 3},
        {"template without a code", "\nformat \"f\" {\n  xlog = \"reply $rr\"\n}\n" SOURCE, 3},
        {"broken regex", "format \"f\" {\n  regex = \"(?<code>\"\n}\n" SOURCE, 2},
        {"regex without a code", "format \"f\" {\n  regex = \"x\"\n}\n" SOURCE, 2},
        {"bad mode", "snmp {\n mode = \"pigeon\"\n}\n", 2},
        {"bad facility", "syslog {\n facility = \"nowhere\"\n}\n", 2},
        {"bad log", "\n\nlog = \"nowhere\"\n", 3},
        {"bad log_level", "log_level = \"loud\"\n", 1},
        {"long node", "node = \"123456789012345678901234567890123\"\n", 1},
        {"bad notify type", "notify \"n\" {\n address = \"udp:192.0.2.1\"\n type = \"shout\"\n}\n", 3},
        {"bad version", "notify \"n\" {\n address = \"udp:192.0.2.1\"\n version = \"9\"\n}\n", 3},
        {"no such source",
         SOURCE "rule \"r\" {\n codes = \"302\"\n minor { count = 1 }\n sources = {\"core\"}\n}\n", 5},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        const struct sa_config_errors *errors = refuse(cases[i].name, cases[i].text);
        char where[200];

        snprintf(where, sizeof where, "%s:%d: ", path_of("test.conf"), cases[i].line);
        CHECK_HAS(cases[i].name, errors->text, where);
        CHECK_INT(cases[i].name, errors->count, 1);
    }
}

static void
test_contradictions(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"source without a file", "source \"edge\" {\n}\n"},
        {"rule without codes", SOURCE "rule \"r\" { minor { count = 1 } }\n"},
        {"rule without a level", SOURCE "rule \"r\" { codes = \"302\" }\n"},
        {"level without a condition", SOURCE "rule \"r\" { codes = \"302\" minor { } }\n"},
        {"two sources of one name", SOURCE SOURCE},
        {"source without a name", "source { file = \"/x\" }\n"},
        {"receiver without an address", "notify \"n\" { type = \"trap\" }\n"},
        {"rule whose codes are none",
         SOURCE "rule \"r\" { codes = {\"3xx\", \"!3xx\"} minor { count = 1 } }\n"},
        {"senders of a file", EDGE("allow = \"192.0.2.0/24\"")},
        {"senders of a FIFO", "source \"w\" { fifo = \"/x\" allow = \"192.0.2.0/24\" }\n"},
        {"senders of standard input", "source \"w\" { stdin = true allow = \"192.0.2.0/24\" }\n"},
        {"senders of a unix socket", "source \"w\" { syslog = \"unix:/x\" allow = \"192.0.2.0/24\" }\n"},
        {"senders of a unix socket too",
         "source \"w\" { syslog = {\"udp:127.0.0.1:5514\", \"unix:/x\"} allow = \"192.0.2.0/24\" }\n"},
        {"long name", "source \"123456789012345678901234567890123\" { file = \"/x\" }\n"},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        const struct sa_config_errors *errors = refuse(cases[i].name, cases[i].text);

        CHECK_HAS(cases[i].name, errors->text, path_of("test.conf:"));
    }
}

static void
test_all_errors_are_listed(void **state)
{
    const struct sa_config_errors *errors = refuse("three", "node = \"n\"\n"
                                                            "source \"edge\" {\n"
                                                            "  file = \"/x\"\n"
                                                            "  start_at = \"middle\"\n"
                                                            "}\n"
                                                            "rule \"r\" {\n"
                                                            "  codes = {\"30\"}\n"
                                                            "  window = \"60x\"\n"
                                                            "  minor { count = 1 }\n"
                                                            "}\n"
                                                            "log = \"nowhere\"\n");

    (void)state;
    assert_int_equal(errors->count, 4);
    CHECK_HAS("first", errors->text, path_of("test.conf:4: "));
    CHECK_HAS("second", errors->text, path_of("test.conf:7: "));
    CHECK_HAS("third", errors->text, path_of("test.conf:8: "));
    CHECK_HAS("fourth", errors->text, path_of("test.conf:11: "));
}

static void
test_syntax_error_stops(void **state)
{
    static const struct {
        const char *name, *text;
        int line;
    } cases[] = {
        {"no value", "node =\nstate_dir = \"/x\"\nlog = \"nowhere\"\n", 2},
        {"stray brace", "node = \"n\"\n}\nlog = \"nowhere\"\n", 2},
        {"missing brace", "source \"edge\" {\n  file = \"/x\"\n", 0},
        {"open string", "node = \"n\n", 0},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        const struct sa_config_errors *errors = refuse(cases[i].name, cases[i].text);

        CHECK_INT(cases[i].name, errors->count, 1);
        if (cases[i].line == 2)
            CHECK_HAS(cases[i].name, errors->text, path_of("test.conf:2: "));
        else
            CHECK_HAS(cases[i].name, errors->text, path_of("test.conf:"));
    }
}

static void
test_more_errors_than_room(void **state)
{
    static char text[200000];
    size_t len = 0;
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;

    (void)state;
    for (unsigned i = 0; i < 1500; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "rule \"r%u\" { codes = \"302\" window = \"x\" minor { count = 1 } }\n",
                                i % 200);
    write_file("test.conf", text);
    assert_int_not_equal(sa_config_load(path_of("test.conf"), &config, &errors), 0);
    assert_true(errors.count > 0);
    assert_true(errors.len < sizeof errors.text);
    assert_int_equal(strlen(errors.text), errors.len);
}

/* As many sections as there may be; that one more is refused is in tests/config. */
static void
test_most_sections(void **state)
{
    static char text[65536];
    struct sa_config *config;
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < SA_CONFIG_SOURCES; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "source \"s%u\" { file = \"/x\" }\n", i);
    for (unsigned i = 0; i < SA_CONFIG_RULES; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "rule \"r%u\" { codes = \"302\" minor { count = 1 } }\n", i);
    config = load("most", text);
    assert_int_equal(config->n_sources, SA_CONFIG_SOURCES);
    assert_int_equal(config->n_rules, SA_CONFIG_RULES);
    assert_string_equal(config->rules[SA_CONFIG_RULES - 1].name, "r255");
    sa_config_free(config);
}

static void
test_includes(void **state)
{
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;
    char text[512], order[160] = "";

    (void)state;
    assert_int_equal(mkdir(path_of("conf.d"), 0700), 0);
    write_file("conf.d/10-a.conf", "source \"a\" { file = \"/a\" }\n");
    write_file("conf.d/20-b.conf", "\nsource \"b\" { file = \"/b\" }\n");
    write_file("conf.d/ignored.txt", "nonsense\n");
    snprintf(
        text, sizeof text,
        "source \"m\" { file = \"/m\" }\ninclude(\"%s/conf.d/*.conf\")\nsource \"z\" { file = \"/z\" }\n",
        dir);
    config = load("include", text);
    assert_int_equal(config->n_sources, 4);
    for (unsigned i = 0; i < 4; i++)
        strcat(order, config->sources[i].name);
    assert_true(strchr(order, 'm') != NULL && strchr(order, 'z') != NULL);
    assert_non_null(strstr(order, "ab"));
    sa_config_free(config);

    /* Errors name the file they stand in, and the lines behind the include are still right. */
    write_file("conf.d/10-a.conf", "\n\nsource \"a\" { file = \"/a\"\n start_at = \"middle\" }\n");
    snprintf(text, sizeof text, "log = \"auto\"\ninclude(\"%s/conf.d/*.conf\")\n\nlog_level = \"loud\"\n",
             dir);
    write_file("test.conf", text);
    assert_int_not_equal(sa_config_load(path_of("test.conf"), &config, &errors), 0);
    CHECK_HAS("included", errors.text, path_of("conf.d/10-a.conf:4: "));
    CHECK_HAS("behind the include", errors.text, path_of("test.conf:4: "));
    assert_int_equal(errors.count, 2);

    /* A file that includes itself is an error, not an end. */
    write_file("conf.d/10-a.conf", "");
    snprintf(text, sizeof text, "include(\"%s/conf.d/20-b.conf\")\n", dir);
    write_file("conf.d/20-b.conf", text);
    refuse("recursion", text);
}

static void
test_unreadable(void **state)
{
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;

    (void)state;
    assert_int_equal(sa_config_load(path_of("missing.conf"), &config, &errors), -EINVAL);
    assert_int_equal(errors.count, 1);
    CHECK_HAS("missing", errors.text, "missing.conf");
}

/* A directory where a file should be (a glob may well find one) is an error, not the end of the daemon. */
static void
directory_is_an_error(const char *path)
{
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static struct sa_config_errors errors;
        struct sa_config *config = NULL;
        int r = sa_config_load(path, &config, &errors);

        _exit(r == -EINVAL && errors.count > 0 ? 42 : 43);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void
test_directory(void **state)
{
    (void)state;
    directory_is_an_error(dir);
}

static void
test_directory_included(void **state)
{
    char text[256];

    (void)state;
    assert_int_equal(mkdir(path_of("extra"), 0700), 0);
    assert_int_equal(mkdir(path_of("extra/old.conf"), 0700), 0);
    snprintf(text, sizeof text, "include(\"%s/extra/*.conf\")\n", dir);
    directory_is_an_error(write_file("test.conf", text));
}

static void
test_differs_in_rules_only(void **state)
{
#define BASE  "node = \"n\"\n"
#define LIMIT "rule \"r\" { codes = \"302\" minor { count = 1 } }\n"
    static const char first_text[] = BASE SOURCE LIMIT;
    static const struct {
        const char *name, *text;
        bool rules_only;
    } cases[] = {
        {"another limit", BASE SOURCE "rule \"r\" { codes = \"302\" minor { count = 2 } }\n", true},
        {"another rule", BASE SOURCE LIMIT "rule \"s\" { codes = \"430\" minor { count = 2 } }\n", true},
        {"the built-in rules", BASE SOURCE, true},
        {"another remediation",
         BASE SOURCE "rule \"r\" { codes = \"302\" minor { count = 1 } remediation = \"x\" }\n", true},
        {"another node", "node = \"m\"\n" SOURCE LIMIT, false},
        {"another source", BASE SOURCE "source \"b\" { file = \"/b\" }\n" LIMIT, false},
        {"another file", BASE "source \"edge\" { file = \"/y\" }\n" LIMIT, false},
        {"one file more", BASE "source \"edge\" { file = {\"/var/log/k.log\", \"/y\"} }\n" LIMIT, false},
        {"another start", BASE "source \"edge\" { file = \"/var/log/k.log\" start_at = \"begin\" }\n" LIMIT,
         false},
        {"another line limit",
         BASE "source \"edge\" { file = \"/var/log/k.log\" line_limit = \"1MiB\" }\n" LIMIT, false},
        {"another format",
         BASE "source \"edge\" { file = \"/var/log/k.log\" format = \"kamailio-acc\" }\n" LIMIT, false},
        {"another format section", BASE SOURCE LIMIT "format \"f\" { xlog = \"x $rs\" }\n", false},
        {"another agent", BASE SOURCE LIMIT "snmp { mode = \"off\" }\n", false},
        {"another master", BASE SOURCE LIMIT "snmp { master = \"tcp:localhost:705\" }\n", false},
        {"a receiver", BASE SOURCE LIMIT "notify \"n\" { address = \"udp:192.0.2.1\" }\n", false},
        {"no syslog", BASE SOURCE LIMIT "syslog { enabled = false }\n", false},
        {"another facility", BASE SOURCE LIMIT "syslog { facility = \"local1\" }\n", false},
        {"another state_dir", BASE SOURCE LIMIT "state_dir = \"/s\"\n", false},
    };
#undef BASE
#undef LIMIT
    struct sa_config *first = load("first", first_text);

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        struct sa_config *second = load(cases[i].name, cases[i].text);

        CHECK_INT(cases[i].name, sa_config_differs_in_rules_only(first, second), cases[i].rules_only);
        CHECK_INT(cases[i].name, sa_config_differs_in_rules_only(second, first), cases[i].rules_only);
        sa_config_free(second);
    }
    sa_config_free(first);
}

static void
test_formats(void **state)
{
    struct sa_config *config = load("formats", everything);
    char error[SA_PATTERN_ERROR_SIZE] = "";
    struct sa_format *format = sa_config_format(config, config->sources[0].formats, error);
    char *missing[] = {(char *)"nothing-such", NULL};

    (void)state;
    assert_non_null(format);
    sa_format_free(format);
    assert_null(sa_config_format(config, missing, error));
    assert_true(error[0] != '\0');
    sa_config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_print_and_reload),
        cmocka_unit_test(test_print_dollar_brace),
        cmocka_unit_test(test_max_connections),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_refused_at_its_line),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_all_errors_are_listed),
        cmocka_unit_test(test_syntax_error_stops),
        cmocka_unit_test(test_more_errors_than_room),
        cmocka_unit_test(test_most_sections),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_differs_in_rules_only),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_directory_included),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
