/* What a fuzz target defines: called with one input after the other, by libFuzzer or by the replay
 * driver. A find is an abort (or a sanitizer's). Must not keep data, and must do the same for the
 * same input. Returns 0; -1 keeps the input out of libFuzzer's corpus. */
#ifndef FUZZ_FUZZ_TARGET_H_
#define FUZZ_FUZZ_TARGET_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Optional, once at the start; only for targets that need a set-up. libFuzzer's own name. */
int LLVMFuzzerInitialize(int *argument_count, char ***arguments);

#ifdef __cplusplus
}
#endif

#endif /* FUZZ_FUZZ_TARGET_H_ */
