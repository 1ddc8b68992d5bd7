/*
 * The two searches, written once over blocks of 64 bytes.  Included by find.c for each instruction set, which
 * defines KERNEL(name), block (a type), LOAD(p), EQUAL(block, byte) and LOWER(block), the latter two of which
 * give bit i for byte i: equal, and equal after | 0x20; BLANK(block): not above 0x20;
 * PROBE(set, p): may be the two probed bytes of a literal, at least where it is.
 */

static size_t
KERNEL(find_literal)(const struct sa_literals *set, const char *p, size_t len)
{
    SA_WRITTEN_FIRST char tail[BLOCK + 1];

    for (size_t at = 0; at < len; at += BLOCK) {
        const char *from = p + at;
        uint64_t hits;

        if (len - at <= BLOCK) { /* a block and the byte behind it are not all there */
            memset(tail, 0, sizeof tail);
            memcpy(tail, from, len - at);
            from = tail;
        }
        hits = PROBE(set, from);
        for (; hits != 0; hits &= hits - 1) {
            size_t found = at + (size_t)__builtin_ctzll(hits);

            for (unsigned i = 0; i < set->n; i++) {
                size_t probe = set->probe[i], start = found - probe;

                if (p[found] == set->text[i][probe] && found >= probe && len - start >= set->len[i] &&
                    memcmp(p + start, set->text[i], set->len[i]) == 0)
                    return start;
            }
        }
    }
    return len;
}

static struct sa_passed
KERNEL(pass_lines)(const char *p, size_t len, unsigned flags, size_t limit)
{
    struct sa_passed passed = {0, 0};
    uint64_t starts_before = 1, cr_before = 0; /* of the block before, as bit 0 */
    SA_WRITTEN_FIRST char tail[BLOCK];

    for (size_t at = 0; at < len; at += BLOCK) {
        const char *from = p + at;
        uint64_t lf, starts, stop, complete;

        if (len - at < BLOCK) {
            memset(tail, ' ' + 1, sizeof tail);
            memcpy(tail, from, len - at);
            from = tail;
        }
        {
            block b = LOAD(from);

            lf = EQUAL(b, '\n');
            starts = lf << 1 | starts_before;
            stop = starts & EQUAL(b, '\0');
            if (flags & SA_STOP_AT_HEADER)
                stop |= starts & (LOWER(b, 'c') | LOWER(b, 'l') | LOWER(b, 'i') | BLANK(b));
            if (flags & SA_STOP_AT_BARE_LF) {
                uint64_t cr = EQUAL(b, '\r');

                stop |= lf & ~(cr << 1 | cr_before);
                cr_before = cr >> 63;
            }
        }
        starts_before = lf >> 63;
        /* What counts are the ends of lines before the place to stop at. */
        complete = stop == 0 ? lf : lf & ((stop & -stop) - 1);
        if (complete != 0) {
            if (at + (size_t)__builtin_ctzll(complete) - passed.bytes > limit)
                return passed;
            passed.bytes = at + 64 - (size_t)__builtin_clzll(complete);
            passed.lines += (size_t)__builtin_popcountll(complete);
        }
        if (stop != 0)
            return passed;
    }
    return passed;
}
