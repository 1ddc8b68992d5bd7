/* What the path of every line is measured by, in instructions. */
#ifndef SA_HOT_H
#define SA_HOT_H

/*
 * For a local that is always written before it is read.  Hardened builds clear locals at every entry of a
 * function (-ftrivial-auto-var-init=zero), which for the few large ones of this path took two to four
 * instructions of a hundred.
 */
#if defined __has_attribute
#if __has_attribute(uninitialized)
#define SA_WRITTEN_FIRST __attribute__((uninitialized))
#endif
#endif
#ifndef SA_WRITTEN_FIRST
#define SA_WRITTEN_FIRST
#endif

#endif
