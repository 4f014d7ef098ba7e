#include "Hiredis.h"

#include <pthread.h>
#include <stdlib.h>

#include "Loading.h"

/// The functions of hiredis. The reader is opaque.
static struct {
  void *(*create)(void *functions);
  int (*feed)(void *reader, const char *bytes, size_t count);
  int (*reply)(void *reader, void **reply);
  void (*free)(void *reader);
} hiredis;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *failure;
/// Whether the library is of version 1 or newer, whose table of functions has two more.
static bool isVersion1;

static void load(void) {
#if defined(__APPLE__)
  static const char *const files[] = {"libhiredis.dylib", "/opt/homebrew/lib/libhiredis.dylib", NULL};
  enum { firstOfVersion1 = 0 };
#else
  static const char *const files[] = {"libhiredis.so.0.14",  "libhiredis.so.0.13",  "libhiredis.so.1.1.0",
                                      "libhiredis.so.1.0.0", "libhiredis.so.1",     NULL};
  enum { firstOfVersion1 = 2 };
#endif
  static const char *const names[] = {
      "redisReaderCreateWithFunctions", "redisReaderFeed", "redisReaderGetReply", "redisReaderFree", NULL};
  int index = 0;
  failure = cb_load(files, names, (void **)&hiredis, &index);
  isVersion1 = index >= firstOfVersion1;
}

bool cb_hiredis_load(const char **reason) {
  pthread_once(&once, load);
  *reason = failure;
  return !failure;
}

// The start of hiredis's task, which is equal in all versions: the kind of the element.
struct Task {
  int type;
};

enum { stringType = 1, arrayType, integerType, nilType, statusType, errorType };

// The handler of the call in progress. hiredis passes a context only in structures whose layout differs between versions.
static _Thread_local CBRedisHandler handler;
static _Thread_local void *context;

// hiredis takes NULL for exhausted memory.
static void *const object = (void *)1;

static void *text(const struct Task *task, char *bytes, size_t count) {
  const CBRedisKind kind =
      task->type == errorType ? CBRedisError : task->type == statusType ? CBRedisStatus : CBRedisText;
  handler(context, kind, bytes, count, 0);
  return object;
}

// Version 0 passes an int, version 1 a size_t; both are in the same register.
static void *array(const struct Task *task, int count) {
  handler(context, CBRedisArray, NULL, 0, count);
  return object;
}

static void *integer(const struct Task *task, long long number) {
  handler(context, CBRedisInteger, NULL, 0, number);
  return object;
}

static void *decimal(const struct Task *task, double number, char *bytes, size_t count) {
  handler(context, CBRedisText, bytes, count, 0);
  return object;
}

static void *nil(const struct Task *task) {
  handler(context, CBRedisNil, NULL, 0, 0);
  return object;
}

static void *boolean(const struct Task *task, int value) {
  handler(context, CBRedisInteger, NULL, 0, value);
  return object;
}

static void release(void *object) {}

struct CBRedisParser {
  void *reader;
  /// hiredis refers to its table of functions for as long as the reader exists.
  void *functions[7];
};

CBRedisParser *cb_redis_parser_create(void) {
  const char *reason;
  CBRedisParser *parser = cb_hiredis_load(&reason) ? calloc(1, sizeof *parser) : NULL;
  if (!parser) return NULL;
  void *const version0[] = {text, array, integer, nil, release};
  void *const version1[] = {text, array, integer, decimal, nil, boolean, release};
  const size_t count = isVersion1 ? 7 : 5;
  for (size_t index = 0; index < count; index++) {
    parser->functions[index] = isVersion1 ? version1[index] : version0[index];
  }
  parser->reader = hiredis.create(parser->functions);
  if (parser->reader) return parser;
  free(parser);
  return NULL;
}

void cb_redis_parser_free(CBRedisParser *parser) {
  if (!parser) return;
  hiredis.free(parser->reader);
  free(parser);
}

bool cb_redis_parser_feed(CBRedisParser *parser, const char *bytes, size_t count) {
  return hiredis.feed(parser->reader, bytes, count) == 0;
}

int cb_redis_parser_parse(CBRedisParser *parser, CBRedisHandler newHandler, void *newContext) {
  handler = newHandler;
  context = newContext;
  void *reply = NULL;
  if (hiredis.reply(parser->reader, &reply) != 0) return -1;
  return reply != NULL;
}
