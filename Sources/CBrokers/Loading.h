#ifndef ONEPASS_CBROKERS_LOADING_H
#define ONEPASS_CBROKERS_LOADING_H

/// Loads a library and finds its functions.
/// @param files Its file names, the preferred one first, and NULL.
/// @param names The names of the functions, and NULL.
/// @param functions Receives their addresses.
/// @param index Receives the index of the file that was loaded; may be NULL.
/// @return NULL, or the reason of the failure, which is never released.
const char *cb_load(const char *const *files, const char *const *names, void **functions, int *index);

#endif
