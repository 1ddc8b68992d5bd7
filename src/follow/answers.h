/*
 * What the questions about bytes, names and disks answer.  The rooms that ask gather answers, decide.c makes
 * an action of them, and the rooms that act carry it out.
 */
#ifndef SA_FOLLOW_ANSWERS_H
#define SA_FOLLOW_ANSWERS_H

/* What a descriptor shows of what was read up to a position that is known by hashes. */
enum match {
    MATCH_NONE,  /* other bytes */
    MATCH_BEGUN, /* less than the position's head, but the first of its bytes, or none at all */
    MATCH_SHORT, /* the head, but it ends before the offset */
    MATCH_SAME,
    MATCH_UNKNOWN /* it cannot be read */
};

/* What a descriptor shows of what was read of a file. */
enum proof {
    PROOF_KEPT,      /* the bytes before the offset are those that were read */
    PROOF_GONE,      /* other bytes are in their place */
    PROOF_SHORT,     /* it ends before the offset; all that it shows was read */
    PROOF_UNREADABLE /* for now */
};

/* What a file that was truncated to nothing shows of what was read of it, or of a copy of that. */
enum return_ {
    RETURN_NO,   /* it shows something else */
    RETURN_PART, /* only what was read before, and not all of that */
    RETURN_WHOLE /* all that was read before */
};

/* What is known of the past of something that was not followed until now. */
enum past {
    PAST_NONE,    /* nothing: it is new */
    PAST_SAME,    /* a position lies in it, and its stream goes on there */
    PAST_READ,    /* all of it was read under another name */
    PAST_OTHER,   /* a position has its place in the file system, but its bytes are others */
    PAST_UNKNOWN, /* it cannot be read, so that nobody knows */
};

/* What reading from a file gave. */
enum got {
    GOT_MORE,    /* new bytes behind those that were read before */
    GOT_NOTHING, /* none, and those before are still there */
    GOT_OTHER,   /* the bytes before are not those that were read, or are not there, or changed meanwhile */
    GOT_ERROR,
    GOT_LATER /* a pipe that is empty for now */
};

/* The record among all that were read, of which a descriptor shows the most. */
enum record {
    RECORD_NONE,
    RECORD_FILE,   /* of a file that is open */
    RECORD_PACKED, /* of a file that is read through an inflater */
    RECORD_GHOST   /* of a file that is closed */
};

/* What became of a name that was looked at. */
enum reached {
    REACHED,
    REACHED_NOT, /* it cannot be opened, or is no log */
    REACHED_ILL  /* the disk or its server is in trouble */
};

/* The state of a file that is followed. */
enum file_state {
    FILE_NONE,     /* a name that leads to no file that is followed */
    FILE_PACKED,   /* its content comes through an inflater: it cannot change, and its end is the end */
    FILE_UNJUDGED, /* nothing of it is counted: it may be a copy, or show what was read elsewhere */
    FILE_DOUBTED,  /* it shows less than was read of it */
    FILE_SEALED,   /* it has yet to show all that an earlier life read of it */
    FILE_EMPTIED,  /* it was truncated to nothing, as far as its disk can be trusted */
    FILE_READ,     /* what was read of it is there */
    FILE_STATES
};

#endif
