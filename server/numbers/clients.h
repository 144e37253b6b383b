/*
 * The connections of the numbers server: who is accepted, who has a place, and how each one ends.
 *
 * DESIGN. A place is for a client that may still send. A connection is in one of these states:
 *
 *   WAITING    it came when all places were taken
 *   RECEIVING  it has a place
 *   ENDED      its end of stream (FIN or RST) has arrived, though perhaps not all that is before it
 *              has been read yet: it has no place any more
 *   STORING    all that it sent has been read; its FIN follows when that is stored
 *
 * A FIN that has arrived shows (POLLRDHUP) even behind megabytes that nobody has read. So the poll
 * after a newcomer was accepted tells everybody who has left before it came, and the newcomer too
 * if it has: it needs no place then. A window that is full hides the end behind it, though: nobody
 * is refused before the others have all been silent for a moment (REFUSAL_SILENCE_MS) and a look
 * has found nothing to read, or so much has been read from them that the rest was sent later
 * (LOOK_COUNT_MAX). While nobody is read from (`is_held_back`)
 * there is no looking, and who comes to a full house waits in the kernel's queue; so does who comes
 * when the table is full.
 *
 * Each state is a list. Receiving clients are in the order in which they were last heard, and
 * storing ones in the order of what they wait for, so that only the first one has to be asked.
 *
 * Ownership: everything here is one `clients`'; it owns the accepted descriptors. Threading: the
 * poll loop's thread.
 */
#ifndef SERVER_NUMBERS_CLIENTS_H_
#define SERVER_NUMBERS_CLIENTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "server/numbers/rejections.h"
#include "server/numbers/session.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"
#include "server/runtime/poll_loop.h"

#ifdef __cplusplus
extern "C" {
#endif

enum when_full { WHEN_FULL_REFUSE, WHEN_FULL_WAIT };

enum client_state {
    CLIENT_FREE,
    CLIENT_WAITING,
    CLIENT_RECEIVING,
    CLIENT_ENDED,
    CLIENT_STORING,
    CLIENT_STATE_COUNT,
};

struct clients;

struct client {
    struct clients *clients;
    enum client_state state;
    struct client *previous, *next; /* in the list of its state */
    int fd;
    int watch_index;
    struct sockaddr_storage peer;
    uint64_t first_look, first_input; /* waiting: of the clients' counts, when it came */
    int64_t accepted_ms;
    int64_t last_received_ms;
    uint64_t awaited_batch; /* storing */
    struct session session;
    uint64_t number_count; /* received */
};

struct client_list {
    struct client *first, *last;
    size_t count;
};

/* Receives once from a client: RECEIVING or ENDED, and there is something, if only its end. */
typedef void client_receiver(void *context, struct client *client);

struct clients_configuration {
    struct poll_loop *loop;
    const struct listener *listener;
    size_t place_count;
    enum when_full when_full;
    int64_t idle_timeout_ms; /* 0: none */
    client_receiver *receive;
    void *context;
    const struct logger *logger;
};

struct clients {
    struct clients_configuration configuration;
    struct client *table; /* place_count + PLACELESS_COUNT_MAX entries */
    struct client_list lists[CLIENT_STATE_COUNT];
    struct rejections rejections;
    uint64_t accepted_count;  /* connections, since the start */
    uint64_t confirmed_count; /* ended with FIN */
    int listener_watches[LISTENER_CAPACITY];
    bool is_accept_due;   /* somebody waits to be accepted at the end of the turn */
    bool is_accepting;    /* the listeners are watched */
    bool is_held_back;    /* nobody is read from */
    bool is_stopped;      /* nobody is accepted any more */
    bool is_look;         /* this turn's poll saw all receiving clients */
    bool has_found_input; /* and one of them had something to read */
    uint64_t look_count;  /* looks that found something */
    uint64_t input_count; /* how often a receiving client had something to read */
    uint64_t place_given_look, place_given_input; /* the counts when somebody last got a place */
    int64_t accept_again_ms; /* when to accept again after a failure; INT64_MAX: no failure */
    struct warning_limiter accept_warning;
};

/* How many watches of the loop the clients and their listener take at most. */
size_t clients_watch_count_max(size_t place_count);

/* Takes the memory and watches the listener. 0, or a negative errno value with nothing left over
 * but watches in the loop. */
int clients_init(struct clients *clients, const struct clients_configuration *configuration);

/* Resets whoever is left. Does nothing to zeroed clients. */
void clients_destroy(struct clients *clients);

/* Reads from nobody, or from all again. */
void clients_hold_back(struct clients *clients, bool is_held_back);

/* What a turn does after its events: ends the silent ones, gives places, refuses, accepts. Those
 * who come in a turn are accepted at its end: a client that left in the same turn came before them.
 * has_polled: the poll of this turn did not fail. */
void clients_run(struct clients *clients, bool has_polled);

/* When clients_run has something to do without an event, or INT64_MAX. */
int64_t clients_deadline_ms(const struct clients *clients);

/* Accepts nobody any more but those who have come and ended already, and resets the others. Who has
 * ended is read to the end all the same: its receiver goes on being called. */
void clients_stop(struct clients *clients);

/* Whether somebody's end has arrived who has not been read to the end. */
bool clients_have_ended(const struct clients *clients);

/* Says that something was received from the client just now. */
void client_note_received(struct client *client);

/* All that counts of this client has been read: FIN when the batch is stored. */
void client_await(struct client *client, uint64_t batch);

/* Ends a connection with RST: the client cannot know what was kept. error: an errno value, for
 * REJECTION_LOST. */
void client_reject(struct client *client, enum rejection reason, int error);

/* Ends with FIN those who wait for a batch that is stored: this one, and the ones before it. */
void clients_confirm(struct clients *clients, uint64_t stored_batch);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_CLIENTS_H_ */
