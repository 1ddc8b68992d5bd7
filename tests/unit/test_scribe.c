/* The alarm line that syslog gets. */
#include "check.h"
#include "scribe.h"

#include <syslog.h>

static struct sa_alarm_event
sample(void)
{
    struct sa_alarm_event event = {
        .sequence = 5,
        .transition = SA_RAISED,
        .alarm = {.id = 17,
                  .identity = "edge1/redirects/edge",
                  .severity = SA_SEV_MAJOR,
                  .kind = SA_KIND_REDIRECT,
                  .rule = "redirects",
                  .source = "edge",
                  .codes = "302",
                  .value = 231,
                  .unit = SA_UNIT_RESPONSES,
                  .threshold = 200,
                  .window_s = 60,
                  .text = "many redirects",
                  .remediation = "ask who redirects"},
    };

    return event;
}

static void
test_contract_form(void **state)
{
    struct sa_alarm_event event = sample();
    char line[SA_SCRIBE_LINE];

    (void)state;
    assert_int_equal(sa_scribe_format(&event, line), LOG_CRIT);
    assert_string_equal(
        line, "ALARM raised id=17 identity=\"edge1/redirects/edge\" severity=major rule=redirects "
              "source=edge peer=- codes=302 value=231 threshold=200 window=60s text=\"many redirects\" "
              "remediation=\"ask who redirects\"");
    event.transition = SA_CLEARED;
    event.alarm.severity = SA_SEV_CLEARED;
    assert_int_equal(sa_scribe_format(&event, line), LOG_NOTICE);
    CHECK_HAS("cleared", line, "ALARM cleared id=17 identity=\"edge1/redirects/edge\" severity=cleared ");
    strcpy(event.alarm.peer, "192.0.2.1");
    sa_scribe_format(&event, line);
    CHECK_HAS("peer", line, " peer=192.0.2.1 ");
}

static void
test_priorities(void **state)
{
    static const struct {
        enum sa_severity severity;
        int priority;
    } cases[] = {{SA_SEV_CRITICAL, LOG_ALERT},
                 {SA_SEV_MAJOR, LOG_CRIT},
                 {SA_SEV_MINOR, LOG_ERR},
                 {SA_SEV_WARNING, LOG_WARNING},
                 {SA_SEV_INDETERMINATE, LOG_NOTICE}};

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++)
        for (int transition = SA_RAISED; transition <= SA_CHANGED; transition += 2) {
            struct sa_alarm_event event = sample();
            char line[SA_SCRIBE_LINE];

            event.transition = (enum sa_transition)transition;
            event.alarm.severity = cases[i].severity;
            CHECK_INT(sa_severity_name(cases[i].severity), sa_scribe_format(&event, line), cases[i].priority);
            CHECK_HAS("severity", line, sa_severity_name(cases[i].severity));
        }
}

/* Texts that came from a log cannot forge a second line or end their quotes. */
static void
test_hostile_text(void **state)
{
    struct sa_alarm_event event = sample();
    char line[SA_SCRIBE_LINE];

    (void)state;
    /* As the alarms make them: already escaped. */
    strcpy(event.alarm.text, "a\\x0A\\\" b");
    sa_scribe_format(&event, line);
    for (const char *c = line; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    /* The name of a source or a peer that nobody escaped. */
    event = sample();
    strcpy(event.alarm.text, "a\nALARM raised id=1");
    strcpy(event.alarm.remediation, "tab\there\033[31m");
    strcpy(event.alarm.source, "e\ndge");
    strcpy(event.alarm.peer, "p\rp");
    strcpy(event.alarm.rule, "r\nr");
    strcpy(event.alarm.identity, "i\ni");
    sa_scribe_format(&event, line);
    for (const char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            fail_msg("control character %02x in \"%.*s…\"", (unsigned char)*c, (int)(c - line), line);
}

static void
test_longest_fits(void **state)
{
    struct sa_alarm_event event = sample();
    char line[SA_SCRIBE_LINE];

    (void)state;
#define FILL(field) memset(event.alarm.field, 'w', sizeof event.alarm.field - 1)
    FILL(identity);
    FILL(rule);
    FILL(source);
    FILL(peer);
    FILL(codes);
    FILL(text);
    FILL(remediation);
    FILL(evidence);
#undef FILL
    event.alarm.id = event.alarm.value = event.alarm.threshold = event.alarm.window_s = UINT32_MAX;
    sa_scribe_format(&event, line);
    assert_true(strlen(line) < SA_SCRIBE_LINE);
    assert_int_equal(line[strlen(line) - 1], '"'); /* not cut */
    CHECK_HAS("longest", line, "remediation=\"www");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract_form),
        cmocka_unit_test(test_priorities),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_longest_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
