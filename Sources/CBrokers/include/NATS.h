// nats.c: the client of NATS. Only opaque handles are used; JetStream is used by its documented requests.

#ifndef ONEPASS_CBROKERS_NATS_H
#define ONEPASS_CBROKERS_NATS_H

#include <stdbool.h>
#include <stdint.h>

/// Values of natsStatus.
enum {
  cb_nats_ok = 0,
  cb_nats_secure_wanted = 8,
  cb_nats_secure_required = 9,
  cb_nats_auth_failed = 11,
  cb_nats_not_permitted = 12,
  cb_nats_max_payload = 21,
  cb_nats_timeout = 26,
  cb_nats_ssl_error = 29,
  cb_nats_no_responders = 34,
};

/// The functions of nats.c. Those that return int return a natsStatus.
typedef struct {
  const char *(*natsStatus_GetText)(int status);
  const char *(*nats_GetLastError)(int *status);

  int (*natsOptions_Create)(void **options);
  int (*natsOptions_SetServers)(void *options, const char *const *servers, int count);
  int (*natsOptions_SetUserInfo)(void *options, const char *user, const char *password);
  int (*natsOptions_SetUserCredentialsFromFiles)(void *options, const char *file, const char *seed);
  int (*natsOptions_SetTimeout)(void *options, int64_t milliseconds);
  int (*natsOptions_SetName)(void *options, const char *name);
  int (*natsOptions_SetSecure)(void *options, bool secure);
  int (*natsOptions_LoadCATrustedCertificates)(void *options, const char *file);
  int (*natsOptions_LoadCertificatesChain)(void *options, const char *certificates, const char *key);
  int (*natsOptions_SetAllowReconnect)(void *options, bool allow);
  int (*natsOptions_SetPingInterval)(void *options, int64_t milliseconds);
  void (*natsOptions_Destroy)(void *options);

  int (*natsConnection_Connect)(void **connection, void *options);
  int (*natsConnection_GetLastError)(void *connection, const char **text);
  int (*natsConnection_PublishMsg)(void *connection, void *message);
  int (*natsConnection_PublishRequest)(
      void *connection, const char *subject, const char *reply, const void *data, int count);
  int (*natsConnection_SubscribeSync)(void **subscription, void *connection, const char *subject);
  void (*natsConnection_Close)(void *connection);
  void (*natsConnection_Destroy)(void *connection);

  int (*natsSubscription_SetPendingLimits)(void *subscription, int messages, int bytes);
  int (*natsSubscription_NextMsg)(void **message, void *subscription, int64_t milliseconds);
  void (*natsSubscription_Destroy)(void *subscription);

  int (*natsMsg_Create)(void **message, const char *subject, const char *reply, const char *data, int count);
  const char *(*natsMsg_GetReply)(const void *message);
  const char *(*natsMsg_GetData)(const void *message);
  int (*natsMsg_GetDataLength)(const void *message);
  void (*natsMsg_Destroy)(void *message);
  int (*natsMsgHeader_Add)(void *message, const char *name, const char *value);
  int (*natsMsgHeader_Get)(void *message, const char *name, const char **value);
  int (*natsMsgHeader_Keys)(void *message, const char ***names, int *count);
  int (*natsMsgHeader_Values)(void *message, const char *name, const char ***values, int *count);

  int (*natsInbox_Create)(char **inbox);
  void (*natsInbox_Destroy)(char *inbox);
} CBNATS;

/// The library; NULL with a reason if it cannot be loaded. The reason is never released.
const CBNATS *cb_nats(const char **reason);

#endif
