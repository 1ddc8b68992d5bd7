/* Names and numbers of the shared enumerations. */
#include "alarm.h"
#include "check.h"
#include "types.h"

static void
test_severities(void **state)
{
    static const struct {
        enum sa_severity severity;
        int number, gravity;
        const char *name;
    } cases[] = {
        {SA_SEV_CLEARED, 1, 0, "cleared"},   {SA_SEV_INDETERMINATE, 2, 1, "indeterminate"},
        {SA_SEV_CRITICAL, 3, 5, "critical"}, {SA_SEV_MAJOR, 4, 4, "major"},
        {SA_SEV_MINOR, 5, 3, "minor"},       {SA_SEV_WARNING, 6, 2, "warning"},
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        CHECK_INT(cases[i].name, cases[i].severity, cases[i].number);
        CHECK_INT(cases[i].name, sa_severity_gravity(cases[i].severity), cases[i].gravity);
        CHECK_STR(cases[i].name, sa_severity_name(cases[i].severity), cases[i].name);
    }
}

static void
test_names(void **state)
{
    (void)state;
    assert_string_equal(sa_alarm_kind_name(SA_KIND_REDIRECT), "redirect");
    assert_string_equal(sa_alarm_kind_name(SA_KIND_FLOW_FAILURE), "flowFailure");
    assert_string_equal(sa_alarm_kind_name(SA_KIND_RESPONSE), "response");
    assert_string_equal(sa_unit_name(SA_UNIT_RESPONSES), "responses");
    assert_string_equal(sa_unit_name(SA_UNIT_PER_MILLE), "perMille");
    assert_string_equal(sa_unit_name(SA_UNIT_MILLI_PER_SECOND), "milliPerSecond");
    assert_string_equal(sa_source_state_name(SA_SOURCE_FOLLOWING), "following");
    assert_string_equal(sa_source_state_name(SA_SOURCE_WAITING), "waiting");
    assert_string_equal(sa_source_state_name(SA_SOURCE_DENIED), "denied");
    assert_string_equal(sa_source_state_name(SA_SOURCE_BACKLOG), "backlog");
    assert_string_equal(sa_source_state_name(SA_SOURCE_FAILED), "failed");
}

/* Never NULL, for any number that could come along. */
static void
test_names_of_anything(void **state)
{
    (void)state;
    for (int i = -2; i < 300; i++) {
        assert_non_null(sa_severity_name((enum sa_severity)i));
        assert_non_null(sa_alarm_kind_name((enum sa_alarm_kind)i));
        assert_non_null(sa_unit_name((enum sa_unit)i));
        assert_non_null(sa_source_state_name((enum sa_source_state)i));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_of_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
