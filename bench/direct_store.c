#include "bench/direct_store.h"

#include <errno.h>
#include <fcntl.h>

#include "server/runtime/os.h"

static char *block(const struct direct_store *store, size_t index) {
    return store->memory + index % DIRECT_STORE_BLOCK_COUNT * DIRECT_STORE_BLOCK_SIZE;
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
    struct direct_store *store = context;
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
        int error = write_all(store->fd, bytes, DIRECT_STORE_BLOCK_SIZE);
        (void)pthread_mutex_lock(&store->mutex);
        store->error = error;
        store->written_count++;
        (void)pthread_cond_broadcast(&store->changed);
    }
    (void)pthread_mutex_unlock(&store->mutex);
    return NULL;
}

int direct_store_open(struct direct_store *store, const char *path) {
    *store = (struct direct_store){.fd = -1};
    store->memory = os_map_memory(DIRECT_STORE_BLOCK_COUNT * DIRECT_STORE_BLOCK_SIZE);
    if (store->memory == NULL) {
        return -ENOMEM;
    }
    store->fd = os_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0644);
    if (store->fd < 0) {
        return store->fd;
    }
    int error = -pthread_mutex_init(&store->mutex, NULL);
    if (error == 0) {
        error = -pthread_cond_init(&store->changed, NULL);
    }
    return error != 0 ? error : os_thread_create(&store->thread, "direct-store", run, store);
}

char *direct_store_room(struct direct_store *store, size_t *size) {
    (void)pthread_mutex_lock(&store->mutex);
    while (store->filled_count - store->written_count == DIRECT_STORE_BLOCK_COUNT &&
           store->error == 0) {
        (void)pthread_cond_wait(&store->changed, &store->mutex);
    }
    char *room = store->error != 0 ? NULL : block(store, store->filled_count) + store->filled_size;
    (void)pthread_mutex_unlock(&store->mutex);
    *size = DIRECT_STORE_BLOCK_SIZE - store->filled_size;
    return room;
}

void direct_store_add(struct direct_store *store, size_t size) {
    store->filled_size += size;
    if (store->filled_size < DIRECT_STORE_BLOCK_SIZE) {
        return;
    }
    (void)pthread_mutex_lock(&store->mutex);
    store->filled_count++;
    (void)pthread_cond_broadcast(&store->changed);
    (void)pthread_mutex_unlock(&store->mutex);
    store->filled_size = 0;
}

/* The rest is no whole block, and goes through the page cache. */
static int write_rest(struct direct_store *store) {
    int flags = fcntl(store->fd, F_GETFL);
    if (flags < 0 || fcntl(store->fd, F_SETFL, flags & ~O_DIRECT) != 0) {
        return -errno;
    }
    return write_all(store->fd, block(store, store->filled_count), store->filled_size);
}

int direct_store_close(struct direct_store *store) {
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
    os_unmap_memory(store->memory, DIRECT_STORE_BLOCK_COUNT * DIRECT_STORE_BLOCK_SIZE);
    return error;
}
