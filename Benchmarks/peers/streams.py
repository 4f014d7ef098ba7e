#!/usr/bin/env python3
"""Reads a stream with the usual Python client of its broker: the body and the label of each message.

    streams.py CLIENT PORT STREAM MESSAGES BATCH

Prints messages per second, without the time to connect.
"""

import asyncio
import sys
import time


def redis(port, stream, count, batch, hiredis=False):
    import redis
    from redis._parsers import _HiredisParser, _RESP2Parser

    pool = redis.ConnectionPool(port=port, protocol=2, parser_class=_HiredisParser if hiredis else _RESP2Parser)
    server = redis.Redis(connection_pool=pool)
    server.ping()
    yield
    last = "0-0"
    while True:
        for _, entries in server.xread({stream: last}, count=batch, block=1000):
            for last, fields in entries:
                yield fields[b"body"], fields[b"label"]


def kafka(port, stream, count, batch):
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": f"127.0.0.1:{port}", "group.id": "bench", "enable.auto.commit": False})
    consumer.list_topics(stream, 10)
    yield
    consumer.assign([TopicPartition(stream, 0, OFFSET_BEGINNING)])
    while True:
        # It waits until it has as many as requested.
        for message in consumer.consume(min(batch, count), 1.0):
            count -= 1
            if error := message.error():
                sys.exit(f"streams: {error}")
            yield message.value(), dict(message.headers())["label"]


def kafka_python(port, stream, count, batch):
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=f"127.0.0.1:{port}", enable_auto_commit=False, consumer_timeout_ms=5000)
    partition = TopicPartition(stream, 0)
    consumer.partitions_for_topic(stream)
    yield
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    for message in consumer:
        yield message.value, dict(message.headers)["label"]


def rabbitmq(port, stream, count, batch):
    import pika

    channel = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port)).channel()
    channel.basic_qos(prefetch_count=1_000)
    yield
    for number, (method, properties, body) in enumerate(channel.consume(stream, arguments={"x-stream-offset": "first"}), 1):
        yield body, properties.headers["label"]
        if number % 250 == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)


async def nats(port, stream, count, batch):
    import nats
    from nats.js.api import AckPolicy, ConsumerConfig

    connection = await nats.connect(f"nats://127.0.0.1:{port}")
    context = connection.jetstream()
    yield
    config = ConsumerConfig(ack_policy=AckPolicy.NONE)
    subscription = await context.pull_subscribe(stream, stream=stream, config=config)
    while True:
        for message in await subscription.fetch(min(batch, count), timeout=5):
            count -= 1
            yield message.data, message.headers["label"]


def read(messages, count):
    next(messages)
    start, total = time.perf_counter(), 0
    for number, (body, label) in enumerate(messages, 1):
        total += len(body) + 0 * int(label)
        if number == count:
            return count / (time.perf_counter() - start)


async def read_later(messages, count):
    await anext(messages)
    start, total, number = time.perf_counter(), 0, 0
    async for body, label in messages:
        number, total = number + 1, total + len(body) + 0 * int(label)
        if number == count:
            return count / (time.perf_counter() - start)


CLIENTS = {"redis-py": redis, "redis-py with hiredis": lambda *words: redis(*words, hiredis=True), "confluent-kafka": kafka,
           "kafka-python": kafka_python, "pika": rabbitmq}


def main():
    client, port, stream, count, batch = sys.argv[1:]
    words = int(port), stream, int(count), int(batch)
    if client == "nats-py":
        print(asyncio.run(read_later(nats(*words), words[2])))
    else:
        print(read(CLIENTS[client](*words), words[2]))


if __name__ == "__main__":
    main()
