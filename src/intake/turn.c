#include "turn.h"
#include "clock.h"
#include "loop.h"

struct sa_turn
sa_turn_begin(void)
{
    return (struct sa_turn){sa_clock_now().mono_ms + SA_LOOP_PIECE_MS};
}

bool
sa_turn_is_over(const struct sa_turn *turn)
{
    return sa_clock_now().mono_ms >= turn->until_ms;
}
