#include "followed.h"

struct number {
    dev_t dev;
    ino_t ino;
};

_Static_assert(offsetof(struct file, ino) == offsetof(struct file, dev) + offsetof(struct number, ino),
               "dev and ino are hashed as one key");

void
sa_index_add(struct source *source, struct file *file)
{
    if (file->disk.remote) {
        source->n_remote++;
        return;
    }
    HASH_ADD(by_number, source->by_number, dev, sizeof(struct number), file);
    file->indexed = true;
}

void
sa_index_remove(struct source *source, struct file *file)
{
    if (file->disk.remote)
        source->n_remote--;
    if (file->indexed)
        HASH_DELETE(by_number, source->by_number, file);
    file->indexed = false;
}

struct file *
sa_index_find(struct source *source, dev_t dev, ino_t ino)
{
    const struct number number = {dev, ino};
    struct file *file;

    HASH_FIND(by_number, source->by_number, &number, sizeof number, file);
    return file;
}
