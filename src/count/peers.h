/*
 * Responses by peer and code, for reading whole files.  Bounded: what finds no room is counted in `lost` and
 * said to the user.  Pure, one thread.
 */
#ifndef SA_PEERS_H
#define SA_PEERS_H

#include "types.h"

#define SA_PEERS_MAX      4096  /* peers */
#define SA_PEER_CELLS_MAX 32768 /* pairs of peer and code */

struct sa_peer_cell {
    uint32_t peer; /* index into names, plus one; 0: free */
    uint16_t code;
    uint64_t responses;
};

struct sa_peers {
    char (*names)[SA_PEER_SIZE];
    uint64_t *responses; /* per peer */
    uint32_t *slots;     /* open addressing over names, entry is index plus one */
    struct sa_peer_cell *cells;
    unsigned n_peers, n_cells;
    uint64_t lost;
};

struct sa_peers *sa_peers_new(void);
struct sa_peers *sa_peers_free(struct sa_peers *peers);

/* A response without a peer is not counted here. */
void sa_peers_add(struct sa_peers *peers, const struct sa_response *response);

/* Adds what another table counted. */
void sa_peers_merge(struct sa_peers *peers, const struct sa_peers *other);

/* Responses of peer i with this code. */
uint64_t sa_peers_count(const struct sa_peers *peers, unsigned peer, unsigned code);

#endif
