#include "server/runtime/http/client_list.h"

#include <assert.h>

#include "server/runtime/listener.h"

static_assert((int)STATUS_PEER_CAPACITY >= (int)LISTENER_ADDRESS_CAPACITY, "every address fits");

void client_list_tell(const struct clients *clients, client_list_teller *tell, const void *context,
                      struct daemon_status *status) {
    size_t open_count = clients->place_count - clients->free_count;
    for (uint32_t index = 0;
         index < clients->place_count && status->client_count < STATUS_CLIENT_CAPACITY &&
         status->client_count < open_count;
         index++) {
        if (clients_is_open(clients, index)) {
            struct status_client *client = status_add_client(status);
            (void)listener_name_peer(tell(context, index, client), client->peer);
        }
    }
    status->total_client_count = open_count;
}
