#include "RdKafka.h"

#include <pthread.h>

#include "Loading.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CBKafka library;
static const char *failure;

static void load(void) {
#if defined(__APPLE__)
  static const char *const files[] = {"librdkafka.1.dylib", "/opt/homebrew/lib/librdkafka.1.dylib", NULL};
#else
  static const char *const files[] = {"librdkafka.so.1", NULL};
#endif
#define NAME(result, name, parameters) #name,
  static const char *const names[] = {CB_KAFKA_FUNCTIONS(NAME) NULL};
  failure = cb_load(files, names, (void **)&library, NULL);
}

const CBKafka *cb_kafka(const char **reason) {
  pthread_once(&once, load);
  *reason = failure;
  return failure ? NULL : &library;
}

/// rd_kafka_vtype_t: what follows in the arguments of rd_kafka_producev.
enum { tag_end = 0, tag_topic = 2, tag_partition = 3, tag_value = 4, tag_key = 5, tag_flags = 7, tag_headers = 10 };
/// RD_KAFKA_MSG_F_COPY
enum { flag_copy = 0x2 };

int cb_kafka_produce(const CBKafka *kafka, void *client, void *topic, int32_t partition, const void *body, size_t count,
                     const void *key, size_t key_count, void *headers) {
  // A tag of headers requires a list.
  return kafka->rd_kafka_producev(client, tag_topic, topic, tag_partition, partition, tag_flags, flag_copy, tag_value, body,
                                  count, tag_key, key, key_count, headers ? tag_headers : tag_end, headers, tag_end);
}

// The declarations above and the library's own, where its header is installed.
#if __has_include(<librdkafka/rdkafka.h>)
#include <librdkafka/rdkafka.h>

#define SAME(ours, theirs) _Static_assert((int)(ours) == (int)(theirs), #theirs)
#define SAME_FIELD(ours, field, theirs, their_field)                                  \
  _Static_assert(offsetof(ours, field) == offsetof(theirs, their_field) &&            \
                     sizeof(((ours *)0)->field) == sizeof(((theirs *)0)->their_field), \
                 #theirs "." #their_field)

SAME(cb_kafka_err_no_offset, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
SAME(cb_kafka_err_fatal, RD_KAFKA_RESP_ERR__FATAL);
SAME(cb_kafka_err_authentication, RD_KAFKA_RESP_ERR__AUTHENTICATION);
SAME(cb_kafka_err_ssl, RD_KAFKA_RESP_ERR__SSL);
SAME(cb_kafka_err_queue_full, RD_KAFKA_RESP_ERR__QUEUE_FULL);
SAME(cb_kafka_err_timed_out, RD_KAFKA_RESP_ERR__TIMED_OUT);
SAME(cb_kafka_err_all_brokers_down, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
SAME(cb_kafka_err_unknown_topic, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC);
SAME(cb_kafka_err_unknown_partition, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
SAME(cb_kafka_err_partition_eof, RD_KAFKA_RESP_ERR__PARTITION_EOF);
SAME(cb_kafka_err_not_implemented, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED);
SAME(cb_kafka_err_bad_compression, RD_KAFKA_RESP_ERR__BAD_COMPRESSION);
SAME(cb_kafka_err_bad_msg, RD_KAFKA_RESP_ERR__BAD_MSG);
SAME(cb_kafka_err_offset_out_of_range, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
SAME(cb_kafka_err_unknown_topic_or_part, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
SAME(cb_kafka_err_topic_authorization_failed, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
SAME(cb_kafka_err_cluster_authorization_failed, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
SAME(cb_kafka_err_topic_already_exists, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
SAME(cb_kafka_err_sasl_authentication_failed, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED);
SAME(cb_kafka_producer, RD_KAFKA_PRODUCER);
SAME(cb_kafka_consumer, RD_KAFKA_CONSUMER);
SAME(cb_kafka_conf_unknown, RD_KAFKA_CONF_UNKNOWN);
SAME(cb_kafka_conf_invalid, RD_KAFKA_CONF_INVALID);
SAME(cb_kafka_conf_ok, RD_KAFKA_CONF_OK);
SAME(cb_kafka_event_dr, RD_KAFKA_EVENT_DR);
SAME(cb_kafka_event_error, RD_KAFKA_EVENT_ERROR);
SAME(cb_kafka_destroy_no_consumer_close, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
SAME(tag_end, RD_KAFKA_VTYPE_END);
SAME(tag_topic, RD_KAFKA_VTYPE_RKT);
SAME(tag_partition, RD_KAFKA_VTYPE_PARTITION);
SAME(tag_value, RD_KAFKA_VTYPE_VALUE);
SAME(tag_key, RD_KAFKA_VTYPE_KEY);
SAME(tag_flags, RD_KAFKA_VTYPE_MSGFLAGS);
SAME(tag_headers, RD_KAFKA_VTYPE_HEADERS);
SAME(flag_copy, RD_KAFKA_MSG_F_COPY);

SAME_FIELD(CBKafkaMessage, err, rd_kafka_message_t, err);
SAME_FIELD(CBKafkaMessage, partition, rd_kafka_message_t, partition);
SAME_FIELD(CBKafkaMessage, payload, rd_kafka_message_t, payload);
SAME_FIELD(CBKafkaMessage, len, rd_kafka_message_t, len);
SAME_FIELD(CBKafkaMessage, key, rd_kafka_message_t, key);
SAME_FIELD(CBKafkaMessage, key_len, rd_kafka_message_t, key_len);
SAME_FIELD(CBKafkaMessage, offset, rd_kafka_message_t, offset);
SAME_FIELD(CBKafkaMetadata, topic_cnt, rd_kafka_metadata_t, topic_cnt);
SAME_FIELD(CBKafkaMetadata, topics, rd_kafka_metadata_t, topics);
SAME_FIELD(CBKafkaTopic, partition_cnt, rd_kafka_metadata_topic_t, partition_cnt);
SAME_FIELD(CBKafkaTopic, partitions, rd_kafka_metadata_topic_t, partitions);
SAME_FIELD(CBKafkaTopic, err, rd_kafka_metadata_topic_t, err);
_Static_assert(sizeof(CBKafkaTopic) == sizeof(rd_kafka_metadata_topic_t), "rd_kafka_metadata_topic_t");
_Static_assert(sizeof(CBKafkaPartition) == sizeof(rd_kafka_metadata_partition_t), "rd_kafka_metadata_partition_t");
#endif
