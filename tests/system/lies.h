/*
 * How a file system lies, told by a table that the test writes while the daemon runs.
 *
 * LYING_FS names a file of LYING_ROWS rows of 2 * COLUMNS int64_t, mapped here and by the test.  Row N is
 * about the regular files below a directory named lying-N.  Its first half says how they lie (0: they do
 * not), its second half counts how often each lie was told.  lying.py reads the columns' names from the
 * enumeration below.
 */
#ifndef LIES_H
#define LIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define LYING_ROWS 64

enum column {
    LAG_MS,        /* size and times are those of an earlier look, up to so long ago */
    LAG_READS,     /* and reads end at the size that is said then */
    SIZE_SAID,     /* the size that is said, plus 1 */
    SIZE_PERMILLE, /* the same in thousandths of the true size, plus 1 */
    SIZE_FLICKER,  /* the size is a lie in all looks but each N-th */
    READ_END,      /* reads end at this offset, plus 1, of the file READ_INODE */
    READ_INODE,    /* a true inode number; 0: of all files */
    READ_FLICKER,  /* reads end early in all calls but each N-th */
    INODES,        /* 1: another number at each opening and each look at a name, 2: at each look at all */
    NO_BIRTH,      /* nobody knows when a file was created */
    STALE_INODE,   /* the log's name still means this file (its true inode number) */
    FOLLOW_NAME,   /* a descriptor that was opened by the log's name reads what has that name now; 2: has its
                      inode number, too */
    OLD_CONTENT,   /* the file of this true inode number still is what the file .before beside it is */
    FAIL_NAMES,    /* errno of open and stat; plus 1000 * N: of each N-th call only */
    FAIL_LOOKS,    /* the same of fstat */
    FAIL_READS,    /* the same of reads */
    SHORT_READS,   /* reads give at most so many bytes, and rarely as many */
    VERSION_BYTES, /* FS_IOC_GETVERSION writes so many bytes, 8 as FUSE does; 1: it is not known */
    DEAF,          /* watches are granted, and nothing ever happens */
    MAGIC,         /* the type that statfs says */
    COLUMNS
};

/* What the tests call a file's attributes, whichever call asks for them. */
struct attributes {
    uint64_t inode, size;
    struct timespec modified, changed;
    unsigned device_shift; /* added to the device's minor number */
};

/* Whether there is a table: nobody lies without. */
bool lying(void);

/* What the row says in the column; row -1: of a file that does not lie. */
int64_t says(int row, enum column column);
void tell(int row, enum column column);

/* Whether the call fails, with errno set. */
bool fails(int row, enum column column);

uint64_t new_inode(void);

/* What is said of a regular file of which this is the truth.  opened: the false inode number that its
 * descriptor was opened with; 0: it is asked by its name. */
struct attributes attributes_of(int row, uint64_t opened, const struct stat *truth);

/* Where reads of the file end; -1: where it ends. */
int64_t end_of_reads(int row, const struct stat *truth);

/* How many of the bytes a read may give. */
size_t short_of(int row, size_t len);

#endif
