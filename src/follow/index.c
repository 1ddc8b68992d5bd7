#include "index.h"

#include <string.h>

struct number {
    dev_t dev;
    ino_t ino;
};

unsigned
sa_index_hash(const void *key)
{
    uint64_t number[2], hash;

    memcpy(number, key, sizeof number);
    hash = (number[1] ^ number[0] << 32) *
           UINT64_C(0x9E3779B97F4A7C15); /* inodes of a directory are neighbours */
    return (unsigned)(hash >> 32);
}

_Static_assert(offsetof(struct file, ino) == offsetof(struct file, dev) + offsetof(struct number, ino),
               "dev and ino are hashed as one key");

void
sa_index_add(struct source *source, struct file *file)
{
    if (file->disk.by_content) {
        source->n_by_content++;
        return;
    }
    HASH_ADD(by_number, source->by_number, dev, sizeof(struct number), file);
    file->indexed = true;
}

void
sa_index_remove(struct source *source, struct file *file)
{
    if (file->disk.by_content)
        source->n_by_content--;
    if (file->indexed)
        HASH_DELETE(by_number, source->by_number, file);
    file->indexed = false;
}

struct file *
sa_index_find(const struct source *source, dev_t dev, ino_t ino)
{
    const struct number number = {dev, ino};
    struct file *file;

    HASH_FIND(by_number, source->by_number, &number, sizeof number, file);
    return file;
}
