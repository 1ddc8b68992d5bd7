#include "peers.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (2 * SA_PEERS_MAX)      /* load at most one half */
#define CELLS (2 * SA_PEER_CELLS_MAX) /* likewise */

struct sa_peers *
sa_peers_new(void)
{
    struct sa_peers *peers = calloc(1, sizeof *peers);

    if (peers == NULL)
        return NULL;
    peers->names = calloc(SA_PEERS_MAX, sizeof *peers->names);
    peers->responses = calloc(SA_PEERS_MAX, sizeof *peers->responses);
    peers->slots = calloc(SLOTS, sizeof *peers->slots);
    peers->cells = calloc(CELLS, sizeof *peers->cells);
    if (peers->names == NULL || peers->responses == NULL || peers->slots == NULL || peers->cells == NULL)
        return sa_peers_free(peers);
    return peers;
}

struct sa_peers *
sa_peers_free(struct sa_peers *peers)
{
    if (peers == NULL)
        return NULL;
    free(peers->names);
    free(peers->responses);
    free(peers->slots);
    free(peers->cells);
    free(peers);
    return NULL;
}

/* Index plus one of the peer, 0 if there is no room for it. */
static uint32_t
find_peer(struct sa_peers *peers, const char *name)
{
    uint32_t slot = sa_text_hash(name, strlen(name)) % SLOTS;

    while (peers->slots[slot] != 0) {
        if (strcmp(peers->names[peers->slots[slot] - 1], name) == 0)
            return peers->slots[slot];
        slot = (slot + 1) % SLOTS;
    }
    if (peers->n_peers == SA_PEERS_MAX)
        return 0;
    (void)sa_text_slice(peers->names[peers->n_peers], SA_PEER_SIZE, name, strlen(name));
    return peers->slots[slot] = ++peers->n_peers;
}

/* The cell of the pair, or the free cell where it belongs. */
static struct sa_peer_cell *
find_cell(const struct sa_peers *peers, uint32_t peer, unsigned code)
{
    uint32_t at = (peer * 2654435761u ^ code * 40503u) % CELLS;

    while (peers->cells[at].peer != 0 && (peers->cells[at].peer != peer || peers->cells[at].code != code))
        at = (at + 1) % CELLS;
    return &peers->cells[at];
}

static void
add(struct sa_peers *peers, const char *name, unsigned code, uint64_t responses)
{
    uint32_t peer = find_peer(peers, name);
    struct sa_peer_cell *cell;

    if (peer == 0) {
        peers->lost += responses;
        return;
    }
    peers->responses[peer - 1] += responses;
    cell = find_cell(peers, peer, code);
    if (cell->peer == 0) {
        if (peers->n_cells == SA_PEER_CELLS_MAX) {
            peers->lost += responses;
            return;
        }
        cell->peer = peer;
        cell->code = (uint16_t)code;
        peers->n_cells++;
    }
    cell->responses += responses;
}

void
sa_peers_add(struct sa_peers *peers, const struct sa_response *response)
{
    if (response->peer[0] != '\0')
        add(peers, response->peer, response->code, response->repeat);
}

void
sa_peers_merge(struct sa_peers *peers, const struct sa_peers *other)
{
    peers->lost += other->lost;
    for (size_t i = 0; i < CELLS; i++)
        if (other->cells[i].peer != 0)
            add(peers, other->names[other->cells[i].peer - 1], other->cells[i].code,
                other->cells[i].responses);
}

uint64_t
sa_peers_count(const struct sa_peers *peers, unsigned peer, unsigned code)
{
    const struct sa_peer_cell *cell = find_cell(peers, peer + 1, code);

    return cell->peer == 0 ? 0 : cell->responses;
}
