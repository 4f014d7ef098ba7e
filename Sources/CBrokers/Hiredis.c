#include "Hiredis.h"

#include <pthread.h>

#include "Loading.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CBHiredis library;
static const char *failure;

static void load(void) {
#if defined(__APPLE__)
  static const char *const files[] = {"libhiredis.dylib", "/opt/homebrew/lib/libhiredis.dylib", NULL};
  enum { versions0 = 0 };
#else
  static const char *const files[] = {
      "libhiredis.so.0.14", "libhiredis.so.0.13", "libhiredis.so.1.1.0", "libhiredis.so.1.0.0", "libhiredis.so.1", NULL};
  enum { versions0 = 2 };
#endif
  static const char *const names[] = {
      "redisReaderCreate", "redisReaderFeed", "redisReaderGetReply", "redisReaderFree", "freeReplyObject", NULL};
  int index = 0;
  failure = cb_load(files, names, (void **)&library, &index);
  library.is_version_1 = index >= versions0;
}

const CBHiredis *cb_hiredis(const char **reason) {
  pthread_once(&once, load);
  *reason = failure;
  return failure ? NULL : &library;
}

/// redisReply of version 0.
struct Reply0 {
  int type;
  long long integer;
  size_t length;
  char *text;
  size_t count;
  struct Reply0 **elements;
};

/// redisReply of version 1.
struct Reply1 {
  int type;
  long long integer;
  double number;
  size_t length;
  char *text;
  char format[4];
  size_t count;
  struct Reply1 **elements;
};

#define CONTENT(version)                                                             \
  const struct Reply##version *content = reply;                                      \
  return (CBRedisReply){content->type, content->integer, content->text,              \
                        content->type == cb_redis_array ? content->count : content->length, \
                        (void *const *)content->elements}

CBRedisReply cb_redis_reply(const CBHiredis *hiredis, const void *reply) {
  if (hiredis->is_version_1) {
    CONTENT(1);
  }
  CONTENT(0);
}
