/* Which losses of a log daemon are of a source that reads the journal. */
#include "check.h"
#include "unit_losses.h"

#define NOBODY "nginx.service"
#define PROXY  "kamailio.service"

static struct sa_unit_losses losses;

static enum sa_loss_verdict
judge(const char *unit, uint64_t lines)
{
    struct sa_unit_loss loss = {.lines = lines};

    strcpy(loss.unit, unit);
    return sa_unit_losses_judge(&losses, &loss);
}

static void
test_all(void **state)
{
    char *none[] = {NULL}, *place[] = {"/var/log/journal/remote", NULL};

    (void)state;
    sa_unit_losses_init(&losses, none);
    assert_int_equal(judge(NOBODY, 1), SA_LOSS_OURS);
    assert_int_equal(judge("", 1), SA_LOSS_OURS);
    assert_false(sa_unit_losses_learns(&losses));
    sa_unit_losses_init(&losses, place);
    assert_int_equal(judge(NOBODY, 1), SA_LOSS_OURS);
}

static void
test_named(void **state)
{
    char *named[] = {"PRIORITY=6", "_SYSTEMD_UNIT=opensips.service", "/var/log/journal",
                     "_SYSTEMD_UNIT=" PROXY, NULL};

    (void)state;
    sa_unit_losses_init(&losses, named);
    assert_false(sa_unit_losses_learns(&losses));
    assert_int_equal(judge(PROXY, 1), SA_LOSS_OURS);
    assert_int_equal(judge("opensips.service", 1), SA_LOSS_OURS);
    assert_int_equal(judge(NOBODY, 1), SA_LOSS_OTHERS);
    assert_int_equal(judge("kamailio.servic", 1), SA_LOSS_OTHERS);
    assert_int_equal(judge("kamailio.service2", 1), SA_LOSS_OTHERS);
    assert_int_equal(judge("", 1), SA_LOSS_PERHAPS);
}

/* What is lost before an entry of the unit was read waits for it, and counts once. */
static void
test_learnt(void **state)
{
    char *identifier[] = {"SYSLOG_IDENTIFIER=kamailio", "UNIT=" NOBODY, NULL};

    (void)state;
    sa_unit_losses_init(&losses, identifier);
    assert_true(sa_unit_losses_learns(&losses));
    assert_int_equal(judge("", 3), SA_LOSS_PERHAPS);
    assert_int_equal(judge(PROXY, 3), SA_LOSS_WAITS);
    assert_int_equal(judge(NOBODY, 100), SA_LOSS_WAITS);
    assert_int_equal(judge(PROXY, 4), SA_LOSS_WAITS);
    assert_int_equal(sa_unit_losses_read(&losses, PROXY), 7);
    assert_int_equal(sa_unit_losses_read(&losses, PROXY), 0);
    assert_int_equal(judge(PROXY, 5), SA_LOSS_OURS);
    assert_int_equal(sa_unit_losses_read(&losses, "opensips.service"), 0);
    assert_int_equal(judge("opensips.service", 5), SA_LOSS_OURS);
    assert_int_equal(judge(NOBODY, 100), SA_LOSS_WAITS);
    assert_int_equal(sa_unit_losses_read(&losses, NOBODY), 200);
}

/* More units than are remembered: the oldest is forgotten, and known again when it is read. */
static void
test_many(void **state)
{
    char *identifier[] = {"SYSLOG_IDENTIFIER=kamailio", NULL}, name[32];

    (void)state;
    sa_unit_losses_init(&losses, identifier);
    assert_int_equal(sa_unit_losses_read(&losses, PROXY), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "run-%d.scope", i);
        assert_int_equal(judge(name, 1), SA_LOSS_WAITS);
        assert_int_equal(losses.n, i + 2 < SA_LOSS_UNITS ? i + 2 : SA_LOSS_UNITS);
    }
    assert_int_equal(judge(PROXY, 5), SA_LOSS_WAITS);
    assert_int_equal(sa_unit_losses_read(&losses, PROXY), 5);
    assert_int_equal(judge(PROXY, 5), SA_LOSS_OURS);
    assert_int_equal(sa_unit_losses_read(&losses, "run-999.scope"), 1);
    assert_int_equal(sa_unit_losses_read(&losses, "run-0.scope"), 0);
}

static void
test_unit_of_message(void **state)
{
    static const struct {
        const char *message, *unit;
    } cases[] = {
        {"Suppressed 917 messages from kamailio.service", PROXY},
        {"Suppressed 917 messages from kamailio@edge\\x2d1.service", "kamailio@edge\\x2d1.service"},
        {"Suppressed 1 messages from /system.slice/kamailio.service", PROXY},
        {"Suppressed 1 messages from /user.slice/user-1000.slice/session-3.scope", "session-3.scope"},
        {"Suppressed 1 messages from /", ""},
        {"Suppressed 1 messages from ", ""},
        {"Suppressed 1 messages from kamailio", ""},
        {"Suppressed 1 messages from a stranger.", ""},
        {"Suppressed 1 messages", ""},
        {"", ""},
    };
    char unit[SA_UNIT_SIZE], longest[600] = "Suppressed 1 messages from ";

    (void)state;
    for (unsigned i = 0; i < ROWS(cases); i++) {
        sa_unit_losses_unit_of(unit, cases[i].message);
        CHECK_STR(cases[i].message, unit, cases[i].unit);
    }
    memset(longest + strlen(longest), 'x', 400);
    strcat(longest, ".service");
    sa_unit_losses_unit_of(unit, longest);
    assert_string_equal(unit, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),  cmocka_unit_test(test_named),           cmocka_unit_test(test_learnt),
        cmocka_unit_test(test_many), cmocka_unit_test(test_unit_of_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
