"""Sends records and reads each one before the next, and says what it did: trade.py LIBRARY ADDR TIMES [CERTIFICATE]."""

import json
import sys

library, addr, times, trusted = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
if trusted:
    import confluent_kafka  # the library is there before it begins
sys.stdin.readline()
did = {}


def note(what, topic, partition, offset):
    key = f"{what} {topic} partition {partition} offset {offset} by client-1"
    did[key] = did.get(key, 0) + 1


def librdkafka():
    from confluent_kafka import Consumer, Producer, TopicPartition

    conf = {"bootstrap.servers": addr, "client.id": "client-1"}
    if trusted:
        conf |= {"security.protocol": "ssl", "ssl.ca.location": trusted[0]}
    producer = Producer({**conf, "linger.ms": 0})
    consumer = Consumer({**conf, "group.id": "g", "enable.auto.commit": False, "fetch.wait.max.ms": 300})
    consumer.assign([TopicPartition("t1", 0, 0)])

    def sent(failed, record):
        assert failed is None, failed
        note("send", record.topic(), record.partition(), record.offset())

    for _ in range(times):
        producer.produce("t1", key=b"secret", value=b"secret value", callback=sent)
        producer.flush(10)
        record = consumer.poll(10)
        assert record is not None and not record.error(), record
        note("poll", record.topic(), record.partition(), record.offset())
    consumer.close()


def kafka_python():
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    producer = KafkaProducer(bootstrap_servers=addr, client_id="client-1")
    consumer = KafkaConsumer(bootstrap_servers=addr, client_id="client-1", enable_auto_commit=False, fetch_max_wait_ms=300)
    consumer.assign([TopicPartition("t1", 0)])
    consumer.seek(TopicPartition("t1", 0), 0)
    for _ in range(times):
        sent = producer.send("t1", key=b"secret", value=b"secret value").get(10)
        note("send", sent.topic, sent.partition, sent.offset)
        records = []
        while not records:
            for some in consumer.poll(5000).values():
                records += some
        assert len(records) == 1, records
        note("poll", records[0].topic, records[0].partition, records[0].offset)
    consumer.close()
    producer.close()


{"librdkafka": librdkafka, "kafka-python": kafka_python}[library]()
print(json.dumps({"did": did, "asked": {}}))
