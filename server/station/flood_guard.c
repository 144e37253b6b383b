#include "server/station/flood_guard.h"

#include "server/station/limits.h"

enum { MS_PER_TOKEN = 1000 / LIMIT_IDLE_FRAMES_PER_SECOND };

_Static_assert(MS_PER_TOKEN > 0, "a token takes a millisecond at least");

static void add(struct flood_guard *guard, int64_t count) {
    int64_t room = LIMIT_IDLE_FRAME_BURST - guard->token_count;
    guard->token_count += count < room ? count : room;
}

void flood_guard_begin(struct flood_guard *guard, int64_t now_ms) {
    *guard = (struct flood_guard){.token_count = LIMIT_IDLE_FRAME_BURST, .refilled_ms = now_ms};
}

void flood_guard_note_data(struct flood_guard *guard) {
    add(guard, LIMIT_IDLE_FRAMES_PER_DATA);
}

bool flood_guard_allows(struct flood_guard *guard, int64_t now_ms) {
    int64_t earned_count = (now_ms - guard->refilled_ms) / MS_PER_TOKEN;
    guard->refilled_ms += earned_count * MS_PER_TOKEN;
    add(guard, earned_count);
    if (guard->token_count == 0) {
        return false;
    }
    guard->token_count--;
    return true;
}
