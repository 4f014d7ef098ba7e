// Compares the declarations of the folder include with the libraries' own headers where these are installed.

#include "CBrokers.h"

#if __has_include(<nats/nats.h>)
#include <nats/nats.h>
_Static_assert(cb_nats_ok == NATS_OK, "");
_Static_assert(cb_nats_no_server == NATS_NO_SERVER, "");
_Static_assert(cb_nats_secure_wanted == NATS_SECURE_CONNECTION_WANTED, "");
_Static_assert(cb_nats_secure_required == NATS_SECURE_CONNECTION_REQUIRED, "");
_Static_assert(cb_nats_auth_failed == NATS_CONNECTION_AUTH_FAILED, "");
_Static_assert(cb_nats_not_permitted == NATS_NOT_PERMITTED, "");
_Static_assert(cb_nats_max_payload == NATS_MAX_PAYLOAD, "");
_Static_assert(cb_nats_timeout == NATS_TIMEOUT, "");
_Static_assert(cb_nats_ssl_error == NATS_SSL_ERROR, "");
_Static_assert(cb_nats_no_responders == NATS_NO_RESPONDERS, "");
#endif
