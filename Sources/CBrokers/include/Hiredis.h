// hiredis: the parser of Redis's protocol. Connections are made by the caller, and the elements of a reply are handed over as they
// arrive, so that a reply of many messages is never in memory as a whole. None of hiredis's structures are read.

#ifndef ONEPASS_CBROKERS_HIREDIS_H
#define ONEPASS_CBROKERS_HIREDIS_H

#include <stdbool.h>
#include <stddef.h>

/// The kinds of elements of a reply.
typedef enum {
  CBRedisText,
  CBRedisStatus,
  CBRedisError,
  CBRedisInteger,
  CBRedisNil,
  /// An array; its elements follow.
  CBRedisArray,
} CBRedisKind;

/// Receives an element: its bytes, or the number or the count of elements.
typedef void (*CBRedisHandler)(void *context, CBRedisKind kind, const char *bytes, size_t count, long long number);

typedef struct CBRedisParser CBRedisParser;

/// Whether hiredis can be loaded; false with a reason, which is never released.
bool cb_hiredis_load(const char **reason);

/// Creates a parser.
/// @return NULL if hiredis is not loaded or memory is exhausted.
CBRedisParser *cb_redis_parser_create(void);

void cb_redis_parser_free(CBRedisParser *parser);

/// Adds bytes from the server. Returns false if memory is exhausted.
bool cb_redis_parser_feed(CBRedisParser *parser, const char *bytes, size_t count);

/// Parses what was added, until the end of a reply.
/// @return 1 at the end of a reply, 0 if more bytes are needed, -1 if the bytes are not Redis's protocol.
int cb_redis_parser_parse(CBRedisParser *parser, CBRedisHandler handler, void *context);

#endif
