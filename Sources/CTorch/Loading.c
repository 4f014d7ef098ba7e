// Loads the engine at its first use. libtorch_cpu has half a million relocations and constructors, which take 0.2 s of processor
// time: too long for --help or a misspelt option.

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CTorch.h"

#if defined(__APPLE__)
#include <mach-o/dyld.h>
#define LIBRARY "libOnePassEngine.dylib"
#else
#define LIBRARY "libOnePassEngine.so"
#endif
#if defined(__GLIBC__)
#include <malloc.h>
#endif

/// The engine defines it as true; if it is in this image, the linker takes that definition.
extern const bool ct_is_linked;
__attribute__((weak)) const bool ct_is_linked = false;

/// The slots of Trampolines.S, and the names of their functions.
extern void *_Atomic ct_slots[];
static const char *const names[] = {
#define CT_FUNCTION(name) #name,
#include "Functions.h"
};
enum { nameCount = sizeof names / sizeof *names };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[3 * PATH_MAX];
static atomic_bool isLoaded, keepsFreedTensors;

/// Removes the last component of a path.
static void removeLast(char *path) {
  char *end = strrchr(path, '/');
  if (end) *end = 0;
}

/// The file of the program, without symbolic links; empty if it is unknown.
static void findProgram(char path[PATH_MAX]) {
  path[0] = 0;
#if defined(__APPLE__)
  char linked[PATH_MAX];
  uint32_t size = sizeof linked;
  if (_NSGetExecutablePath(linked, &size) != 0 || !realpath(linked, path)) path[0] = 0;
#else
  const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
  path[length > 0 ? length : 0] = 0;
#endif
}

static void *openLibrary(const char *path) {
  // Global, since libtorch_cuda, which is loaded later, must use the same instances of inline variables as the engine.
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    const char *reason = dlerror();
    snprintf(failure, sizeof failure, "%s", reason ? reason : path);
  }
  return library;
}

/// Opens the engine next to the program, where SwiftPM builds it, or in the folder of an installation.
static void *openEngine(void) {
  char folder[PATH_MAX], parent[PATH_MAX], installed[PATH_MAX + 16], path[PATH_MAX + 64];
  findProgram(folder);
  removeLast(folder);
  strcpy(parent, folder);
  removeLast(parent);
  snprintf(installed, sizeof installed, "%s/lib/onepass", parent);
  const char *const places[] = {folder, installed};
  for (int i = 0; i < 2; ++i) {
    snprintf(path, sizeof path, "%s/" LIBRARY, places[i]);
    if (access(path, F_OK) == 0) return openLibrary(path);
  }
  snprintf(failure, sizeof failure, LIBRARY " is neither in %s nor in %s", folder, installed);
  return NULL;
}

/// The variables by which libgomp, libtorch's OpenMP on Linux, decides how threads wait. The first that is set counts.
static const char *const waitingVariables[] = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"};
/// The number of times that a thread looks for work before it sleeps: 0.2 ms. libgomp's default of 300,000 takes 6 ms, which makes
/// training several times slower where other processes use the cores. Smaller numbers are faster there, but slower on a
/// quiet machine: with 100 the threads of a ResNet-8 sleep 200 times per update, which takes 10 %, with 10,000 only 10 times
/// (results/speed.md).
#define SPIN_COUNT "10000"
static char waiting[128];
static bool isDefaultWaiting;

/// Chooses how threads wait, unless the user did. libgomp reads the environment when it is loaded.
///
/// A thread that looks for work while another process uses its processor keeps that process, and often the thread that it
/// waits for, from running. A thread that sleeps at once is late for operators that follow each other closely.
static void chooseWaiting(void) {
#if !defined(__APPLE__)
  for (int i = 0; i < 2; ++i) {
    const char *value = getenv(waitingVariables[i]);
    if (!value) continue;
    snprintf(waiting, sizeof waiting, "%s=%s", waitingVariables[i], value);
    return;
  }
  if (ct_is_linked) return;  // libgomp was loaded with the program.
  snprintf(waiting, sizeof waiting, "%s=" SPIN_COUNT, waitingVariables[0]);
  isDefaultWaiting = setenv(waitingVariables[0], SPIN_COUNT, 1) == 0;
#endif
}

static void load(void) {
  chooseWaiting();
  if (!ct_is_linked) {
    void *library = openEngine();
    // Processes that this one starts have the variables of the user. Last set, it is removed without a change of the others, so
    // that a thread can read them at the same time.
    if (isDefaultWaiting) unsetenv(waitingVariables[0]);
    if (!library) return;
    void *functions[nameCount];
    for (int i = 0; i < nameCount; ++i) {
      functions[i] = dlsym(library, names[i]);
      if (functions[i]) continue;
      snprintf(failure, sizeof failure, LIBRARY " is of another version and has no function %s", names[i]);
      return;
    }
    for (int i = 0; i < nameCount; ++i) atomic_store_explicit(&ct_slots[i], functions[i], memory_order_release);
  }
  isLoaded = true;
  if (keepsFreedTensors) ct_keep_freed_tensors();
}

const char *ct_load(void) {
  pthread_once(&once, load);
  return failure[0] ? failure : NULL;
}

bool ct_is_loaded(void) { return ct_is_linked || isLoaded; }

const char *ct_waiting_setting(void) { return waiting[0] ? waiting : NULL; }

bool ct_is_default_waiting(void) { return isDefaultWaiting; }

/// Called by the trampolines.
void ct_load_or_exit(void);
void ct_load_or_exit(void) {
  if (!ct_load()) return;
  fprintf(stderr, "Error: libtorch cannot be loaded: %s.\n", failure);
  _exit(69);
}

void ct_keep_freed_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
#endif
  keepsFreedTensors = true;
  if (ct_is_loaded()) ct_keep_freed_tensors();
}
