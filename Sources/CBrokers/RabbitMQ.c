#include "RabbitMQ.h"

#include <pthread.h>

#include "Loading.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CBRabbitMQ library;
static const char *failure;

static void load(void) {
#if defined(__APPLE__)
  static const char *const files[] = {"librabbitmq.4.dylib", "/opt/homebrew/lib/librabbitmq.4.dylib", NULL};
#else
  static const char *const files[] = {"librabbitmq.so.4", NULL};
#endif
  // The order of CBRabbitMQ.
  static const char *const names[] = {
      "amqp_new_connection", "amqp_destroy_connection", "amqp_connection_close", "amqp_tcp_socket_new",
      "amqp_ssl_socket_new",
      "amqp_ssl_socket_set_cacert", "amqp_ssl_socket_set_key", "amqp_socket_open_noblock",
      "amqp_set_handshake_timeout", "amqp_set_rpc_timeout", "amqp_login_with_properties",
      "amqp_get_rpc_reply", "amqp_error_string2", "amqp_channel_open", "amqp_queue_declare",
      "amqp_basic_qos", "amqp_basic_consume", "amqp_basic_cancel", "amqp_basic_ack",
      "amqp_consume_message", "amqp_destroy_envelope", "amqp_maybe_release_buffers", "amqp_frames_enqueued",
      "amqp_simple_wait_frame_noblock", "amqp_confirm_select", "amqp_basic_publish", NULL};
  failure = cb_load(files, names, (void **)&library, NULL);
}

const CBRabbitMQ *cb_rabbitmq(const char **reason) {
  pthread_once(&once, load);
  *reason = failure;
  return failure ? NULL : &library;
}

#define TEXT(literal) {sizeof(literal) - 1, literal}

CBAMQPReply cb_rabbitmq_login(
    const CBRabbitMQ *functions, void *connection, int frame_bytes, int heartbeat, const char *user,
    const char *password) {
  // Version 0.11 does not request the notification by itself.
  CBAMQPEntry notification = {TEXT("consumer_cancel_notify"), {'t', {.boolean = 1}}};
  CBAMQPEntry capabilities = {TEXT("capabilities"), {'F', {.table = {1, &notification}}}};
  const CBAMQPTable properties = {1, &capabilities};
  enum { plain = 0 };
  return functions->amqp_login_with_properties(
      connection, "/", 0, frame_bytes, heartbeat, &properties, plain, user, password);
}
