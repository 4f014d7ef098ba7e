#pragma once
// The interface works without libtorch until a program calls a function that requires it: then CTorch loads the engine, the
// library in which Sources/CTorchEngine and libtorch are linked. An image that contains the engine uses its own.

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// Loads the engine, unless it is loaded or part of the image. Every other function that requires the engine does the same, but
/// ends the process with status 69 if that fails.
/// @return NULL, or the reason of the failure, as a clause; never freed. Later calls return the same.
const char *_Nullable ct_load(void);
/// Whether the engine is loaded or part of the image.
bool ct_is_loaded(void);

/// Which environment variable decides how libtorch's threads wait for each other, as `GOMP_SPINCOUNT=10000`; NULL if none does.
/// Never freed. Requires a call of ct_load.
const char *_Nullable ct_waiting_setting(void);
/// Whether CTorch has set that variable, since the user had set none.
bool ct_is_default_waiting(void);

/// Makes glibc, if it is the C library, reuse freed memory; CPU tensors do so from the time when the engine is loaded.
void ct_keep_freed_memory(void);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
