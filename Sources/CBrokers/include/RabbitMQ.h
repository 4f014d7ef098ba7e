// librabbitmq: the client of AMQP 0-9-1. Its structures are declared with the layout that they have had since version 0.8.

#ifndef ONEPASS_CBROKERS_RABBITMQ_H
#define ONEPASS_CBROKERS_RABBITMQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

/// amqp_bytes_t.
typedef struct {
  size_t count;
  void *start;
} CBAMQPBytes;

/// amqp_table_t.
typedef struct {
  int count;
  struct CBAMQPEntry *entries;
} CBAMQPTable;

/// amqp_field_value_t.
typedef struct {
  uint8_t kind;
  union {
    int boolean;
    int8_t i8;
    uint8_t u8;
    int16_t i16;
    uint16_t u16;
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    float f32;
    double f64;
    CBAMQPBytes bytes;
    CBAMQPTable table;
  } value;
} CBAMQPValue;

/// amqp_table_entry_t.
typedef struct CBAMQPEntry {
  CBAMQPBytes name;
  CBAMQPValue value;
} CBAMQPEntry;

/// amqp_method_t.
typedef struct {
  uint32_t id;
  void *content;
} CBAMQPMethod;

/// amqp_rpc_reply_t.
typedef struct {
  int type;
  CBAMQPMethod method;
  int library_error;
} CBAMQPReply;

/// amqp_channel_close_t and amqp_connection_close_t.
typedef struct {
  uint16_t code;
  CBAMQPBytes text;
} CBAMQPClose;

/// amqp_queue_declare_ok_t.
typedef struct {
  CBAMQPBytes queue;
  uint32_t messages;
  uint32_t consumers;
} CBAMQPDeclared;

/// amqp_basic_ack_t, and the start of amqp_basic_nack_t.
typedef struct {
  uint64_t tag;
  int multiple;
} CBAMQPAck;

/// amqp_basic_properties_t.
typedef struct {
  uint32_t flags;
  CBAMQPBytes content_type;
  CBAMQPBytes content_encoding;
  CBAMQPTable headers;
  uint8_t delivery_mode;
  uint8_t priority;
  CBAMQPBytes correlation_id;
  CBAMQPBytes reply_to;
  CBAMQPBytes expiration;
  CBAMQPBytes message_id;
  uint64_t timestamp;
  CBAMQPBytes type;
  CBAMQPBytes user_id;
  CBAMQPBytes app_id;
  CBAMQPBytes cluster_id;
} CBAMQPProperties;

/// amqp_envelope_t, with its amqp_message_t and amqp_pool_t.
typedef struct {
  uint16_t channel;
  CBAMQPBytes consumer_tag;
  uint64_t tag;
  int redelivered;
  CBAMQPBytes exchange;
  CBAMQPBytes routing_key;
  CBAMQPProperties properties;
  CBAMQPBytes body;
  struct {
    size_t page_size;
    struct {
      int count;
      void **blocks;
    } pages, large_blocks;
    int next_page;
    char *block;
    size_t used;
  } pool;
} CBAMQPEnvelope;

/// amqp_frame_t; of its contents only those of a method.
typedef struct {
  uint8_t type;
  uint16_t channel;
  CBAMQPMethod method;
  /// Other contents are larger.
  uint64_t other[3];
} CBAMQPFrame;

enum {
  cb_amqp_normal = 1,
  cb_amqp_library_error = 2,
  cb_amqp_server_error = 3,
};

enum {
  cb_amqp_timeout = -0x000D,
  cb_amqp_unexpected_state = -0x0010,
  cb_amqp_wrong_host = -0x0201,
  cb_amqp_wrong_certificate = -0x0202,
};

/// Method numbers.
enum {
  cb_amqp_connection_close = 0x000A0032,
  cb_amqp_channel_close = 0x00140028,
  cb_amqp_basic_cancel = 0x003C001E,
  cb_amqp_basic_return = 0x003C0032,
  cb_amqp_basic_ack = 0x003C0050,
  cb_amqp_basic_nack = 0x003C0078,
};

enum { cb_amqp_frame_method = 1 };
/// The code of a connection that ends without an error.
enum { cb_amqp_success = 200 };
enum {
  cb_amqp_content_type_flag = 1 << 15,
  cb_amqp_headers_flag = 1 << 13,
  cb_amqp_delivery_mode_flag = 1 << 12,
};

/// The functions of librabbitmq. A connection and a socket are opaque.
typedef struct {
  void *(*amqp_new_connection)(void);
  int (*amqp_destroy_connection)(void *connection);
  CBAMQPReply (*amqp_connection_close)(void *connection, int code);
  void *(*amqp_tcp_socket_new)(void *connection);
  void *(*amqp_ssl_socket_new)(void *connection);
  int (*amqp_ssl_socket_set_cacert)(void *socket, const char *file);
  int (*amqp_ssl_socket_set_key)(void *socket, const char *certificate, const char *key);
  int (*amqp_socket_open_noblock)(void *socket, const char *host, int port, const struct timeval *timeout);
  int (*amqp_set_handshake_timeout)(void *connection, const struct timeval *timeout);
  int (*amqp_set_rpc_timeout)(void *connection, const struct timeval *timeout);
  CBAMQPReply (*amqp_login_with_properties)(
      void *connection, const char *vhost, int channels, int frame_bytes, int heartbeat, const CBAMQPTable *properties,
      int sasl, ...);
  CBAMQPReply (*amqp_get_rpc_reply)(void *connection);
  const char *(*amqp_error_string2)(int error);

  void *(*amqp_channel_open)(void *connection, uint16_t channel);
  CBAMQPDeclared *(*amqp_queue_declare)(
      void *connection, uint16_t channel, CBAMQPBytes queue, int passive, int durable, int exclusive, int auto_delete,
      CBAMQPTable arguments);
  void *(*amqp_basic_qos)(void *connection, uint16_t channel, uint32_t bytes, uint16_t count, int global);
  void *(*amqp_basic_consume)(
      void *connection, uint16_t channel, CBAMQPBytes queue, CBAMQPBytes tag, int no_local, int no_ack, int exclusive,
      CBAMQPTable arguments);
  void *(*amqp_basic_cancel)(void *connection, uint16_t channel, CBAMQPBytes tag);
  int (*amqp_basic_ack)(void *connection, uint16_t channel, uint64_t tag, int multiple);
  CBAMQPReply (*amqp_consume_message)(
      void *connection, CBAMQPEnvelope *envelope, const struct timeval *timeout, int flags);
  void (*amqp_destroy_envelope)(CBAMQPEnvelope *envelope);
  void (*amqp_maybe_release_buffers)(void *connection);
  int (*amqp_frames_enqueued)(void *connection);
  int (*amqp_simple_wait_frame_noblock)(void *connection, CBAMQPFrame *frame, const struct timeval *timeout);

  void *(*amqp_confirm_select)(void *connection, uint16_t channel);
  int (*amqp_basic_publish)(
      void *connection, uint16_t channel, CBAMQPBytes exchange, CBAMQPBytes key, int mandatory, int immediate,
      const CBAMQPProperties *properties, CBAMQPBytes body);
} CBRabbitMQ;

/// The library; NULL with a reason if it cannot be loaded. The reason is never released.
const CBRabbitMQ *cb_rabbitmq(const char **reason);

/// amqp_login_with_properties with a user and a password, and with the wish to be notified when a queue is deleted.
CBAMQPReply cb_rabbitmq_login(
    const CBRabbitMQ *library, void *connection, int frame_bytes, int heartbeat, const char *user,
    const char *password);

#endif
