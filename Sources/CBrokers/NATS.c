#include "NATS.h"

#include <pthread.h>
#include <stddef.h>

#include "Loading.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CBNATS library;
static const char *failure;

static void load(void) {
#if defined(__APPLE__)
  static const char *const files[] = {"libnats.dylib", "/opt/homebrew/lib/libnats.dylib", NULL};
#else
  // The file name has the minor version.
  static const char *const files[] = {
      "libnats.so.3.4", "libnats.so.3.12", "libnats.so.3.11", "libnats.so.3.10", "libnats.so.3.9", "libnats.so.3.8",
      "libnats.so.3.7", "libnats.so.3.6", "libnats.so.3.5", "libnats.so.3.3", NULL};
#endif
  // The order of CBNATS.
  static const char *const names[] = {
      "natsStatus_GetText", "nats_GetLastError", "natsOptions_Create", "natsOptions_SetServers",
      "natsOptions_SetUserInfo", "natsOptions_SetUserCredentialsFromFiles", "natsOptions_SetTimeout",
      "natsOptions_SetName", "natsOptions_SetSecure", "natsOptions_LoadCATrustedCertificates",
      "natsOptions_LoadCertificatesChain", "natsOptions_SetAllowReconnect", "natsOptions_SetPingInterval",
      "natsOptions_Destroy", "natsConnection_Connect", "natsConnection_GetLastError",
      "natsConnection_PublishMsg", "natsConnection_PublishRequest", "natsConnection_SubscribeSync",
      "natsConnection_Close", "natsConnection_Destroy", "natsSubscription_SetPendingLimits",
      "natsSubscription_NextMsg", "natsSubscription_Destroy", "natsMsg_Create", "natsMsg_GetReply",
      "natsMsg_GetData", "natsMsg_GetDataLength", "natsMsg_Destroy", "natsMsgHeader_Add",
      "natsMsgHeader_Get", "natsMsgHeader_Keys", "natsMsgHeader_Values", "natsInbox_Create",
      "natsInbox_Destroy", NULL};
  failure = cb_load(files, names, (void **)&library, NULL);
}

const CBNATS *cb_nats(const char **reason) {
  pthread_once(&once, load);
  *reason = failure;
  return failure ? NULL : &library;
}
