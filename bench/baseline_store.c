#include "bench/baseline_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "server/runtime/os.h"

enum { DIRECT_BLOCK_COUNT = 4, DIRECT_BLOCK_SIZE = 4 * 1024 * 1024 };

static char *block(const struct baseline_store *store, size_t index) {
    return store->memory + index % DIRECT_BLOCK_COUNT * DIRECT_BLOCK_SIZE;
}

/* 0, or a negative errno value. */
static int write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written_size = os_write(fd, bytes, size);
        if (written_size < 0) {
            return (int)written_size;
        }
        bytes += written_size;
        size -= (size_t)written_size;
    }
    return 0;
}

static void *run(void *context) {
    struct baseline_store *store = context;
    (void)pthread_mutex_lock(&store->mutex);
    while (store->error == 0) {
        if (store->written_count == store->filled_count) {
            if (store->is_ending) {
                break;
            }
            (void)pthread_cond_wait(&store->changed, &store->mutex);
            continue;
        }
        const char *bytes = block(store, store->written_count);
        (void)pthread_mutex_unlock(&store->mutex);
        int error = write_all(store->fd, bytes, DIRECT_BLOCK_SIZE);
        (void)pthread_mutex_lock(&store->mutex);
        store->error = error;
        store->written_count++;
        (void)pthread_cond_broadcast(&store->changed);
    }
    (void)pthread_mutex_unlock(&store->mutex);
    return NULL;
}

int baseline_store_open(struct baseline_store *store, const char *path, bool is_direct,
                        size_t buffer_size) {
    *store = (struct baseline_store){
        .fd = -1,
        .is_direct = is_direct,
        .block_size = is_direct ? DIRECT_BLOCK_SIZE : buffer_size,
        .memory = is_direct ? os_map_memory(DIRECT_BLOCK_COUNT * DIRECT_BLOCK_SIZE)
                            : malloc(buffer_size)};
    if (store->memory == NULL) {
        return -ENOMEM;
    }
    if (path == NULL) {
        return 0;
    }
    int flags = O_WRONLY | O_CREAT | O_TRUNC | (is_direct ? O_DIRECT : 0);
    store->fd = os_open(path, flags, 0644);
    if (store->fd < 0 || !is_direct) {
        return store->fd < 0 ? store->fd : 0;
    }
    int error = -pthread_mutex_init(&store->mutex, NULL);
    if (error == 0) {
        error = -pthread_cond_init(&store->changed, NULL);
    }
    return error != 0 ? error : os_thread_create(&store->thread, "direct-store", run, store);
}

char *baseline_store_room(struct baseline_store *store, size_t *size) {
    *size = store->block_size - store->filled_size;
    if (!store->is_direct) {
        return store->memory;
    }
    (void)pthread_mutex_lock(&store->mutex);
    while (store->filled_count - store->written_count == DIRECT_BLOCK_COUNT && store->error == 0) {
        (void)pthread_cond_wait(&store->changed, &store->mutex);
    }
    char *room = store->error != 0 ? NULL : block(store, store->filled_count) + store->filled_size;
    (void)pthread_mutex_unlock(&store->mutex);
    return room;
}

int baseline_store_add(struct baseline_store *store, size_t size) {
    if (!store->is_direct) {
        return store->fd < 0 ? 0 : write_all(store->fd, store->memory, size);
    }
    store->filled_size += size;
    if (store->filled_size == DIRECT_BLOCK_SIZE) {
        (void)pthread_mutex_lock(&store->mutex);
        store->filled_count++;
        (void)pthread_cond_broadcast(&store->changed);
        (void)pthread_mutex_unlock(&store->mutex);
        store->filled_size = 0;
    }
    return 0;
}

/* The rest is no whole block, and goes through the page cache. */
static int write_rest(struct baseline_store *store) {
    int flags = fcntl(store->fd, F_GETFL);
    if (flags < 0 || fcntl(store->fd, F_SETFL, flags & ~O_DIRECT) != 0) {
        return -errno;
    }
    return write_all(store->fd, block(store, store->filled_count), store->filled_size);
}

int baseline_store_finish(struct baseline_store *store) {
    (void)pthread_mutex_lock(&store->mutex);
    store->is_ending = true;
    (void)pthread_cond_broadcast(&store->changed);
    (void)pthread_mutex_unlock(&store->mutex);
    (void)pthread_join(store->thread, NULL);
    int error = store->error != 0 ? store->error : write_rest(store);
    if (error == 0) {
        error = os_fdatasync(store->fd);
    }
    (void)os_close(store->fd);
    store->fd = -1;
    store->is_direct = false;
    store->filled_size = 0;
    return error;
}
