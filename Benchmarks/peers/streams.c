// Reads a stream with the C client of its broker alone: the length of the body and the label of each message, in place.
//
//   streams BROKER PORT STREAM MESSAGES BATCH     prints messages per second, without the time to connect
//
// live.py compiles it with the files of Sources/CBrokers, which load the libraries.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CBrokers.h"
#include "Loading.h"

static const char *stream;
static int port;
static long count, batch;
static struct timespec start;
// What was read; the compiler cannot omit it.
static volatile size_t bodies, labels;

static void fail(const char *reason) {
  fprintf(stderr, "streams: %s\n", reason ? reason : "unknown error");
  exit(1);
}

static void check(int is_right, const char *what) {
  if (!is_right) fail(what);
}

static void begin(void) { clock_gettime(CLOCK_MONOTONIC, &start); }

static void note(size_t body, const char *label, size_t length) {
  size_t number = 0;
  for (size_t index = 0; index < length; index++) number = 10 * number + (size_t)(label[index] - '0');
  bodies += body;
  labels += number;
}

// MARK: Redis

// What follows in redisReply after the kind and the number; version 1 has a decimal number before it.
typedef struct {
  size_t length;
  const char *text;
  size_t count;
  void **elements;
} Reply;

static size_t reply_offset = 16;

static const Reply *reply(const void *pointer) { return (const Reply *)((const char *)pointer + reply_offset); }

static void redis(void) {
  struct {
    void *(*connect)(const char *host, int port);
    void *(*command)(void *connection, const char *format, ...);
    void (*free)(void *reply);
  } hiredis;
  const char *const files[] = {"libhiredis.so.0.14", "libhiredis.so.1.1.0", "libhiredis.so.1.0.0", NULL};
  const char *const names[] = {"redisConnect", "redisCommand", "freeReplyObject", NULL};
  int file = 0;
  const char *reason = cb_load(files, names, (void **)&hiredis, &file);
  if (reason) fail(reason);
  if (file > 0) reply_offset += sizeof(double);
  void *connection = hiredis.connect("127.0.0.1", port);
  char last[64] = "0-0";
  begin();
  for (long done = 0; done < count;) {
    void *answer = hiredis.command(connection, "XREAD COUNT %d BLOCK 1000 STREAMS %s %s", (int)batch, stream, last);
    check(answer && reply(answer)->count == 1, "XREAD");
    const Reply *entries = reply(reply(reply(answer)->elements[0])->elements[1]);
    for (size_t index = 0; index < entries->count; index++, done++) {
      const Reply *entry = reply(entries->elements[index]), *fields = reply(entry->elements[1]);
      size_t body = 0;
      for (size_t field = 0; field + 1 < fields->count; field += 2) {
        const Reply *name = reply(fields->elements[field]), *value = reply(fields->elements[field + 1]);
        if (!strcmp(name->text, "body")) body = value->length;
        if (!strcmp(name->text, "label")) note(body, value->text, value->length);
      }
      snprintf(last, sizeof last, "%s", reply(entry->elements[0])->text);
    }
    hiredis.free(answer);
  }
}

// MARK: NATS

static void nats(void) {
  const char *reason;
  const CBNATS *f = cb_nats(&reason);
  if (!f) fail(reason);
  void *options, *connection, *answer, *subscription;
  char *inbox, text[512], subject[256];
  snprintf(text, sizeof text, "nats://127.0.0.1:%d", port);
  f->natsOptions_Create(&options);
  f->natsOptions_SetServers(options, (const char *const[]){text}, 1);
  check(!f->natsConnection_Connect(&connection, options), "no connection");
  f->natsInbox_Create(&inbox);
  f->natsConnection_SubscribeSync(&subscription, connection, inbox);
  f->natsSubscription_SetPendingLimits(subscription, -1, -1);
  begin();
  snprintf(subject, sizeof subject, "$JS.API.CONSUMER.CREATE.%s", stream);
  int length = snprintf(text, sizeof text, "{\"stream_name\":\"%s\",\"config\":{\"deliver_policy\":\"all\",\"ack_policy\":\"none\"}}",
                        stream);
  check(!f->natsConnection_Request(&answer, connection, subject, text, length, 5000), "no consumer");
  const char *name = strstr(f->natsMsg_GetData(answer), "\"name\":\"");
  check(name != NULL, "no name of the consumer");
  snprintf(subject, sizeof subject, "$JS.API.CONSUMER.MSG.NEXT.%s.%.*s", stream, (int)strcspn(name + 8, "\""), name + 8);
  for (long done = 0; done < count;) {
    long size = batch < count - done ? batch : count - done;
    length = snprintf(text, sizeof text, "{\"batch\":%ld}", size);
    f->natsConnection_PublishRequest(connection, subject, inbox, text, length);
    for (long end = done + size; done < end; done++) {
      void *message;
      const char *label = "";
      check(!f->natsSubscription_NextMsg(&message, subscription, 5000), "no message");
      f->natsMsgHeader_Get(message, "label", &label);
      note((size_t)f->natsMsg_GetDataLength(message), label, strlen(label));
      f->natsMsg_Destroy(message);
    }
  }
}

// MARK: RabbitMQ

static CBAMQPBytes bytes(const char *text) { return (CBAMQPBytes){strlen(text), (void *)text}; }

static void rabbitmq(void) {
  const char *reason;
  const CBRabbitMQ *f = cb_rabbitmq(&reason);
  if (!f) fail(reason);
  void *connection = f->amqp_new_connection(), *socket = f->amqp_tcp_socket_new(connection);
  const struct timeval limit = {10, 0};
  check(!f->amqp_socket_open_noblock(socket, "127.0.0.1", port, &limit), "no connection");
  check(cb_rabbitmq_login(f, connection, 131072, 0, "guest", "guest").type == cb_amqp_normal, "login");
  f->amqp_channel_open(connection, 1);
  f->amqp_basic_qos(connection, 1, 0, 1000, 0);
  begin();
  CBAMQPEntry first = {bytes("x-stream-offset"), {'S', {.bytes = bytes("first")}}};
  f->amqp_basic_consume(connection, 1, bytes(stream), bytes("bench"), 0, 0, 0, (CBAMQPTable){1, &first});
  for (long done = 1; done <= count; done++) {
    CBAMQPEnvelope envelope;
    f->amqp_maybe_release_buffers(connection);
    check(f->amqp_consume_message(connection, &envelope, &limit, 0).type == cb_amqp_normal, "no message");
    for (int index = 0; index < envelope.properties.headers.count; index++) {
      const CBAMQPEntry *entry = &envelope.properties.headers.entries[index];
      if (entry->name.count != 5 || memcmp(entry->name.start, "label", 5)) continue;
      note(envelope.body.count, entry->value.value.bytes.start, entry->value.value.bytes.count);
    }
    if (done % 250 == 0) f->amqp_basic_ack(connection, 1, envelope.tag, 1);
    f->amqp_destroy_envelope(&envelope);
  }
}

// MARK: Kafka

static void kafka(void) {
  const char *reason;
  const CBKafka *f = cb_kafka(&reason);
  if (!f) fail(reason);
  char text[512];
  void *conf = f->rd_kafka_conf_new();
  snprintf(text, sizeof text, "127.0.0.1:%d", port);
  f->rd_kafka_conf_set(conf, "bootstrap.servers", text, NULL, 0);
  void *client = f->rd_kafka_new(cb_kafka_consumer, conf, text, sizeof text), *topic = f->rd_kafka_topic_new(client, stream, NULL);
  const CBKafkaMetadata *metadata;
  check(!f->rd_kafka_metadata(client, 0, topic, &metadata, 10000), "no metadata");
  begin();
  f->rd_kafka_consume_start(topic, 0, cb_kafka_offset_beginning);
  for (long done = 0; done < count; done++) {
    CBKafkaMessage *message = f->rd_kafka_consume(topic, 0, 10000);
    check(message != NULL, "no message");
    check(message->err == 0, f->rd_kafka_err2str(message->err));
    void *headers;
    const char *name;
    const void *label;
    size_t length;
    check(!f->rd_kafka_message_headers(message, &headers), "no headers");
    for (size_t header = 0; !f->rd_kafka_header_get_all(headers, header, &name, &label, &length); header++) {
      if (!strcmp(name, "label")) note(message->len, label, length);
    }
    f->rd_kafka_message_destroy(message);
  }
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*read)(void);
  } brokers[] = {{"Redis", redis}, {"NATS", nats}, {"RabbitMQ", rabbitmq}, {"Kafka", kafka}};
  check(argc == 6, "usage: streams BROKER PORT STREAM MESSAGES BATCH");
  port = atoi(argv[2]);
  stream = argv[3];
  count = atol(argv[4]);
  batch = atol(argv[5]);
  for (size_t index = 0; index < sizeof brokers / sizeof *brokers; index++) {
    if (strcmp(argv[1], brokers[index].name)) continue;
    brokers[index].read();
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%f\n", (double)count / ((double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec)));
    return bodies == 0;
  }
  fail("unknown broker");
}
