#pragma once
// CTorchEngine implements CTorch.h and has no interface of its own.

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// True, also in CTorch, if the engine is part of the image (CTorch/Loading.c).
extern const bool ct_is_linked;

#ifdef __cplusplus
}
#endif
