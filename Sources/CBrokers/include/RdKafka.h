// librdkafka: Kafka's client. Handles are opaque; the structures of a message and of the metadata are part of its stable interface.

#ifndef ONEPASS_CBROKERS_RDKAFKA_H
#define ONEPASS_CBROKERS_RDKAFKA_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// rd_kafka_resp_err_t: the errors that are distinguished.
enum {
  cb_kafka_err_no_offset = -140,
  cb_kafka_err_fatal = -150,
  cb_kafka_err_authentication = -169,
  cb_kafka_err_ssl = -181,
  cb_kafka_err_queue_full = -184,
  cb_kafka_err_timed_out = -185,
  cb_kafka_err_all_brokers_down = -187,
  cb_kafka_err_unknown_topic = -188,
  cb_kafka_err_unknown_partition = -190,
  cb_kafka_err_partition_eof = -191,
  cb_kafka_err_not_implemented = -170,
  cb_kafka_err_bad_compression = -198,
  cb_kafka_err_bad_msg = -199,
  cb_kafka_err_offset_out_of_range = 1,
  cb_kafka_err_unknown_topic_or_part = 3,
  cb_kafka_err_topic_authorization_failed = 29,
  cb_kafka_err_cluster_authorization_failed = 31,
  cb_kafka_err_topic_already_exists = 36,
  cb_kafka_err_sasl_authentication_failed = 58,
};

enum { cb_kafka_producer = 0, cb_kafka_consumer = 1 };
enum { cb_kafka_conf_unknown = -2, cb_kafka_conf_invalid = -1, cb_kafka_conf_ok = 0 };
enum { cb_kafka_event_dr = 0x1, cb_kafka_event_error = 0x8 };
enum { cb_kafka_destroy_no_consumer_close = 0x8 };

/// rd_kafka_message_t
typedef struct {
  int err;
  void *topic;
  int32_t partition;
  void *payload;
  size_t len;
  void *key;
  size_t key_len;
  int64_t offset;
  void *opaque;
} CBKafkaMessage;

/// rd_kafka_metadata_partition
typedef struct {
  int32_t id;
  int err;
  int32_t leader;
  int replica_cnt;
  int32_t *replicas;
  int isr_cnt;
  int32_t *isrs;
} CBKafkaPartition;

/// rd_kafka_metadata_topic
typedef struct {
  char *topic;
  int partition_cnt;
  CBKafkaPartition *partitions;
  int err;
} CBKafkaTopic;

/// rd_kafka_metadata
typedef struct {
  int broker_cnt;
  void *brokers;
  int topic_cnt;
  CBKafkaTopic *topics;
  int32_t orig_broker_id;
  char *orig_broker_name;
} CBKafkaMetadata;

/// Every function that is used: result, name, parameters.
#define CB_KAFKA_FUNCTIONS(F)                                                                                    \
  F(const char *, rd_kafka_err2str, (int err))                                                                   \
  F(int, rd_kafka_last_error, (void))                                                                            \
  F(void *, rd_kafka_conf_new, (void))                                                                           \
  F(int, rd_kafka_conf_set, (void *conf, const char *name, const char *value, char *reason, size_t size))        \
  F(void, rd_kafka_conf_set_events, (void *conf, int events))                                                    \
  F(void, rd_kafka_conf_destroy, (void *conf))                                                                   \
  F(void *, rd_kafka_new, (int type, void *conf, char *reason, size_t size))                                     \
  F(void, rd_kafka_destroy_flags, (void *client, int flags))                                                     \
  F(int, rd_kafka_fatal_error, (void *client, char *reason, size_t size))                                        \
  F(void *, rd_kafka_queue_new, (void *client))                                                                  \
  F(void *, rd_kafka_queue_get_main, (void *client))                                                             \
  F(void *, rd_kafka_queue_poll, (void *queue, int milliseconds))                                                \
  F(void, rd_kafka_queue_destroy, (void *queue))                                                                 \
  F(int, rd_kafka_event_type, (const void *event))                                                               \
  F(int, rd_kafka_event_error, (const void *event))                                                              \
  F(const char *, rd_kafka_event_error_string, (const void *event))                                              \
  F(const CBKafkaMessage *, rd_kafka_event_message_next, (void *event))                                          \
  F(void, rd_kafka_event_destroy, (void *event))                                                                 \
  F(int, rd_kafka_metadata,                                                                                      \
    (void *client, int all, void *topic, const CBKafkaMetadata **metadata, int milliseconds))                    \
  F(void, rd_kafka_metadata_destroy, (const CBKafkaMetadata *metadata))                                          \
  F(int, rd_kafka_query_watermark_offsets,                                                                       \
    (void *client, const char *topic, int32_t partition, int64_t *low, int64_t *high, int milliseconds))         \
  F(void *, rd_kafka_topic_new, (void *client, const char *name, void *conf))                                    \
  F(void, rd_kafka_topic_destroy, (void *topic))                                                                 \
  F(int, rd_kafka_consume_start, (void *topic, int32_t partition, int64_t offset))                               \
  F(int, rd_kafka_consume_stop, (void *topic, int32_t partition))                                                \
  F(CBKafkaMessage *, rd_kafka_consume, (void *topic, int32_t partition, int milliseconds))                      \
  F(void, rd_kafka_message_destroy, (CBKafkaMessage *message))                                                   \
  F(int, rd_kafka_message_headers, (const CBKafkaMessage *message, void **headers))                              \
  F(int, rd_kafka_header_get_all,                                                                                \
    (const void *headers, size_t index, const char **name, const void **value, size_t *size))                    \
  F(void *, rd_kafka_topic_partition_list_new, (int size))                                                       \
  F(void *, rd_kafka_topic_partition_list_add, (void *list, const char *topic, int32_t partition))               \
  F(int, rd_kafka_topic_partition_list_set_offset,                                                               \
    (void *list, const char *topic, int32_t partition, int64_t offset))                                          \
  F(void, rd_kafka_topic_partition_list_destroy, (void *list))                                                   \
  F(int, rd_kafka_commit_queue, (void *client, const void *offsets, void *queue, void *callback, void *context)) \
  F(int, rd_kafka_producev, (void *client, ...))                                                                 \
  F(int, rd_kafka_flush, (void *client, int milliseconds))                                                       \
  F(void *, rd_kafka_headers_new, (size_t capacity))                                                             \
  F(int, rd_kafka_header_add,                                                                                    \
    (void *headers, const char *name, ssize_t name_size, const void *value, ssize_t size))                       \
  F(void, rd_kafka_headers_destroy, (void *headers))                                                             \
  F(void *, rd_kafka_NewTopic_new, (const char *name, int partitions, int replicas, char *reason, size_t size))  \
  F(void, rd_kafka_NewTopic_destroy, (void *topic))                                                              \
  F(void, rd_kafka_CreateTopics, (void *client, void **topics, size_t count, const void *options, void *queue))  \
  F(const void *, rd_kafka_event_CreateTopics_result, (void *event))                                             \
  F(const void **, rd_kafka_CreateTopics_result_topics, (const void *result, size_t *count))                     \
  F(int, rd_kafka_topic_result_error, (const void *topic))                                                       \
  F(const char *, rd_kafka_topic_result_error_string, (const void *topic))

typedef struct {
#define CB_KAFKA_MEMBER(result, name, parameters) result(*name) parameters;
  CB_KAFKA_FUNCTIONS(CB_KAFKA_MEMBER)
#undef CB_KAFKA_MEMBER
} CBKafka;

/// The library; NULL with a reason if it cannot be loaded. The reason is never released.
const CBKafka *cb_kafka(const char **reason);

/// rd_kafka_producev, which Swift cannot call: queues a copy of a message.
/// @param headers Owned by the library if the result is 0; may be NULL.
/// @return rd_kafka_resp_err_t
int cb_kafka_produce(const CBKafka *library, void *client, void *topic, int32_t partition, const void *body, size_t count,
                     const void *key, size_t key_count, void *headers);

#endif
