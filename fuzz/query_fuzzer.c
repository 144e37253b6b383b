/* The requests of the records server's query port.
 *
 * Input: the line. The id that is read must lie within the line.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz_target.h"
#include "server/records/query.h"

static void check(bool is_true, const char *what) {
    if (!is_true) {
        (void)fprintf(stderr, "query: %s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *line = (const char *)data;
    struct query query = query_parse(line, size);
    if (query.kind == QUERY_ID || query.kind == QUERY_ID_OR_ANY) {
        check(query.id.bytes >= line && query.id.size <= size &&
                  query.id.bytes + query.id.size <= line + size,
              "the id is not of the line");
    }
    return 0;
}
