// hiredis: the reader of Redis's protocol. Connections are made by the caller, so that none of its structures are used but replies.

#ifndef ONEPASS_CBROKERS_HIREDIS_H
#define ONEPASS_CBROKERS_HIREDIS_H

#include <stddef.h>

enum { cb_redis_string = 1, cb_redis_array, cb_redis_integer, cb_redis_nil, cb_redis_status, cb_redis_error };

/// The functions of hiredis. Replies are opaque, since their layout differs between versions 0 and 1; see cb_redis_reply.
typedef struct {
  void *(*redisReaderCreate)(void);
  int (*redisReaderFeed)(void *reader, const char *bytes, size_t count);
  int (*redisReaderGetReply)(void *reader, void **reply);
  void (*redisReaderFree)(void *reader);
  void (*freeReplyObject)(void *reply);
  /// Whether the library is of version 1 or newer.
  int is_version_1;
} CBHiredis;

/// A reply of any version. Text is not zero-terminated where it has zeros.
typedef struct {
  int type;
  long long integer;
  const char *text;
  size_t count;
  void *const *elements;
} CBRedisReply;

/// The library; NULL with a reason if it cannot be loaded. The reason is never released.
const CBHiredis *cb_hiredis(const char **reason);

/// The content of a reply.
CBRedisReply cb_redis_reply(const CBHiredis *library, const void *reply);

#endif
