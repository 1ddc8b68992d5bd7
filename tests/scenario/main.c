#include "player.h"

#include <stdio.h>
#include <string.h>

/*
 * scenario [--red] FILE: 0 if all is as the script expects, 1 if not, 2 if the script cannot be played.  With
 * --red it has to be red in the way that its line "# red: TEXT" says, otherwise 0: for tests that must fail.
 */
int
main(int argc, char **argv)
{
    static struct player player;
    char error[128];

    player_wants_red = argc == 3 && strcmp(argv[1], "--red") == 0;
    if (argc != 2 + player_wants_red) {
        (void)fprintf(stderr, "usage: scenario [--red] FILE\n");
        return PLAYER_UNUSABLE;
    }
    player.path = argv[argc - 1];
    if (!script_read(player.path, &player.script, &player.line, error))
        player_unusable(&player, "%s", error);
    player_play(&player);
    script_free(&player.script);
    return PLAYER_GREEN;
}
