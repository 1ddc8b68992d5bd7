/*
 * What is done with a name or a file: from the state it is in, what happened, and what was found out about
 * it. Pure: no descriptor, no clock, no memory.  README.md shows the states and events;
 * tests/unit/test_decide.c walks over all of them.
 */
#ifndef SA_FOLLOW_DECIDE_H
#define SA_FOLLOW_DECIDE_H

#include "answers.h"

#include <stdbool.h>

enum event {
    /* of names */
    EVENT_APPEARED, /* a scan met a name that leads to no file that is followed */
    EVENT_STAYED,   /* a scan met the name of a followed file */
    EVENT_RENAMED,  /* a followed file has another name */
    EVENT_GONE,     /* a scan did not meet the file's name */
    EVENT_OPENED,   /* what appeared was opened */
    EVENT_SEARCHED, /* the past of what was opened was searched */
    EVENT_PLACED,   /* the file stands among others, and reading begins */
    EVENT_CLOSED,
    EVENT_FOUND, /* the search for what was rotated met a generation of a log */
    /* of reading */
    EVENT_TURN,     /* it is the file's turn to be read */
    EVENT_RETURNED, /* before it is read: it was empty */
    EVENT_SLICE,    /* bytes were read from it */
    EVENT_PIPE,     /* the same from its inflater's pipe */
    EVENT_SIZE,     /* its number and size were looked at */
    EVENT_GREW,     /* after that: whether there is something to read */
    EVENT_COMPARED, /* it was compared with what was read of it */
    EVENT_DOUBT,    /* it began to show less than was read of it, or shows all again */
    EVENT_LOST,     /* what was read of it is not there any more */
    /* of judging what may be a copy */
    EVENT_VIEW,   /* it was compared with the records of all that was read */
    EVENT_BESIDE, /* it was compared with one other file */
    EVENT_ALONE,  /* it is a copy of no file, and was compared with what was lost */
    EVENTS
};

enum action {
    ACT_NOTHING,  /* until the next event */
    ACT_TELL,     /* the source says what is in the way */
    ACT_DISTRUST, /* the disk was caught: the source's files are known by their content from now on */
    ACT_JUDGE,    /* nothing of it is counted before its content was judged */
    ACT_COUNT,    /* it is new: a rotation is counted */
    ACT_FORGET,   /* its position is forgotten */
    ACT_SKIP,     /* all of it was counted: reading begins at its end */
    ACT_RESUME,   /* it goes on where reading ended */
    ACT_OPEN,     /* from its start */
    /* of names */
    ACT_OPEN_FIRST,  /* before what is new: it has the place of a position */
    ACT_KEEP,        /* the name, or, of a file that is closed, the position */
    ACT_RENAME,      /* the file is found under the other name */
    ACT_ROTATE,      /* the same, and a rotation is counted */
    ACT_MISS,        /* it has no name since now */
    ACT_CLOSE,       /* nobody waits for it any more */
    ACT_DESCRIPTOR,  /* it is the same file under another number: that goes on with the new descriptor */
    ACT_VIEW,        /* opened to be judged by its content */
    ACT_SEARCH,      /* for its past */
    ACT_LOSE,        /* the stream's content is gone from here: a copy may hold the rest */
    ACT_OPEN_AT_END, /* behind its last complete line */
    ACT_LEAVE,       /* the position is kept without a place until the file grows */
    ACT_LOOK_AGAIN,  /* at the next scan, and as far back */
    /* of reading */
    ACT_COMPARE,    /* it took the place of another: perhaps with the same content */
    ACT_READ,       /* a slice */
    ACT_READ_PIPE,  /* a slice from the inflater */
    ACT_TAKE,       /* the bytes are new */
    ACT_REST,       /* there is no more to read for now */
    ACT_FAIL,       /* the read failed: said, and tried again by the poll */
    ACT_BLOCK,      /* until the pipe has something */
    ACT_END,        /* the inflater is done */
    ACT_GIVE_UP,    /* the rest is more than may be read of history */
    ACT_CHECK,      /* compares the file with what was read of it */
    ACT_DOUBT,      /* it is waited for what is missing */
    ACT_TRUST,      /* nothing is missing any more */
    ACT_BELIEVE,    /* that it was truncated: it shows less for too long */
    ACT_STEP_BACK,  /* only its last lines are others: from the end of those that are left */
    ACT_PART,       /* what was read is kept as a position, and the file is judged anew */
    ACT_BEGIN_ANEW, /* it was truncated: from its start */
    /* of judging */
    ACT_HOLD,      /* it shows what another file has, and waits */
    ACT_WAIT_FOR,  /* the other comes first: then it says what the copy is good for */
    ACT_ASK_AGAIN, /* in the next turn */
    ACT_MERGE,     /* it is another view of a file, which goes on with it */
    ACT_TAKE_OVER, /* it goes on with the other's stream, which ends before */
    ACT_BEGIN,     /* the log's content began anew: its first bytes are taken at once */
    ACTIONS
};

/* What was found out; what an event has no use for is left zero, and is not asked for. */
struct facts {
    enum reached reached;
    enum past past;
    enum got got;
    enum return_ came;
    enum proof proof;
    enum record record;
    bool by_content; /* its number and size say nothing */
    bool waited;     /* as long as is waited for it */

    /* of names */
    bool done;       /* it has no place, and nothing new */
    bool ghost;      /* it has the place of a position in the file system */
    bool rotated;    /* it had its log's name, and the other one is that of a generation */
    bool named;      /* until now it had its name */
    bool reading;    /* it is not read to its end */
    bool cut;        /* its rest may still come */
    bool lies;       /* its number or its size contradicts itself */
    bool followed;   /* its number is that of a followed file */
    bool replaced;   /* the file that had the name has the same bytes, size and time */
    bool ghost_open; /* the position is that of a stream that goes on */
    bool came_back;  /* it shows what an earlier life saw truncated */
    bool from_end;   /* what was there before we looked is not wanted */
    bool beside;     /* its name is that of a generation, or of another file that is followed */
    bool expected;   /* it was made while we looked, or while we were expected to */
    bool replaces;   /* it has the name of a file that has none now */
    bool left_out;   /* it is closed to make room */
    bool discarded;  /* its content is in the file that replaced it */

    /* of what was rotated */
    bool recent;      /* named as a generation, written since the last look, not empty and not too old */
    bool known;       /* it is followed, or was */
    bool unfinished;  /* it is being packed, its original is still there */
    bool was_read;    /* its lines were counted when they were written */
    bool unreachable; /* it cannot be opened, or its name has moved on */
    bool too_large;   /* as long as so much of history was read */

    /* of reading */
    bool waits;      /* for the file that it replaced */
    bool affordable; /* so much may still be read of history */
    bool moved;      /* its number is another while it is open */
    bool less;       /* its size is below what was read */
    bool same;       /* what was read of it is there nevertheless */
    bool differs;    /* its size is not what was read */
    bool polled;     /* its size says nothing in time */
    bool believed;   /* its size says that it was truncated, and that for long enough */
    bool line;       /* the bytes tell it from others: they hold a whole line */
    bool ends_early; /* it ends before its size */
    bool elsewhere;  /* its name leads to another number with the same content */
    bool lines_left; /* only its last lines are others */

    /* of judging */
    bool shows;    /* it can be read, and has bytes */
    bool unsure;   /* it could not be compared with each record; of another file: it is in doubt itself */
    bool all_read; /* a record has all that it shows */
    bool one_name; /* the record's file has the same name, or none */
    bool at_end;   /* all that the record's file shows was read */
    bool exact;    /* the record ends where it ends */
    bool longer;   /* it has more than the other, whose content is there */
    bool busy;     /* the other is to be read first, or may have been truncated */
    bool copy;     /* its bytes are those of the other */
    bool lost;     /* another's content is gone, and nobody looked yet for a copy */
};

/* Whether the event can meet a file in that state; if not, the decision is ACT_NOTHING. */
bool sa_decide_meets(enum file_state state, enum event event);

enum action sa_decide(enum file_state state, enum event event, const struct facts *facts);

#endif
