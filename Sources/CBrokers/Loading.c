#include "Loading.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const char *copy(const char *text) { return text ? strdup(text) : "unknown error"; }

const char *cb_load(const char *const *files, const char *const *names, void **functions, int *index) {
  const char *reason = NULL;
  for (int file = 0; files[file]; file++) {
    void *library = dlopen(files[file], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      // The first file is the one that users are advised to install.
      if (!reason) reason = copy(dlerror());
      continue;
    }
    for (int name = 0; names[name]; name++) {
      functions[name] = dlsym(library, names[name]);
      if (!functions[name]) return copy(dlerror());
    }
    if (index) *index = file;
    return NULL;
  }
  return reason;
}
