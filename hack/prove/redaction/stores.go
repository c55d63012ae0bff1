package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

func sorted(all []place) []place {
	slices.SortStableFunc(all, func(a, b place) int { return strings.Compare(a.name, b.name) })
	return all
}

// command has Redis do something; words of %s hold the secret. What it refuses is done, too.
func command(words ...any) func(*world, string) error {
	return func(w *world, secret string) error {
		said := slices.Clone(words)
		for i, word := range said {
			if text, ok := word.(string); ok {
				said[i] = strings.ReplaceAll(text, "%s", secret)
			}
		}
		err := w.redis.Do(context.Background(), said...).Err()
		var refused redis.Error
		if errors.As(err, &refused) {
			return nil
		}
		return err
	}
}

func piped(w *world, secret string) error {
	_, err := w.redis.Pipelined(context.Background(), func(p redis.Pipeliner) error {
		for range 20 {
			p.Set(context.Background(), secret, secret, time.Minute)
			p.Get(context.Background(), secret)
		}
		return nil
	})
	return err
}

func redisPlaces() []place {
	return []place{
		{name: "redis: key", put: command("GET", "%s")},
		{name: "redis: value", put: command("SET", "k", "%s")},
		{name: "redis: value like a command", put: command("SET", "k", "*2\r\n$3\r\nGET\r\n$24\r\n%s\r\n")},
		{name: "redis: value like an error", put: command("ECHO", "-%s x\r\n-ERR %s\r\n")},
		{name: "redis: long value", put: command("SET", "k", strings.Repeat("%s", 5000))},
		{name: "redis: field", put: command("HSET", "h", "%s", "%s")},
		{name: "redis: pipeline", put: piped},
		{name: "redis: password", put: command("AUTH", "%s")},
		{name: "redis: user and password", put: command("AUTH", "alice", "%s")},
		{name: "redis: password with HELLO", put: command("HELLO", "3", "AUTH", "default", "%s")},
		{name: "redis: setting", put: command("CONFIG", "SET", "masterauth", "%s")},
		{name: "redis: script", put: command("EVAL", "return '%s'", "1", "%s", "%s")},
		{name: "redis: error of a script", put: command("EVAL", "return redis.error_reply('%s is wrong')", "0")},
		{name: "redis: message", put: command("PUBLISH", "orders", "%s")},
		{name: "redis: what is no command", put: command("%s", "x")},
		{name: "redis: argument of what is no command", put: command("FOO", "%s")},
	}
}

// send has a record sent and read.
func send(record func(secret string) *kgo.Record, options ...kgo.Opt) func(*world, string) error {
	return func(w *world, secret string) error { return trade(w.kafka, record(secret), options...) }
}

func trade(addr string, record *kgo.Record, options ...kgo.Opt) error {
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(addr), kgo.ClientID("shop"), kgo.ConsumeTopics("orders"), kgo.DisableClientMetrics(),
		kgo.FetchMaxWait(300*time.Millisecond), kgo.ProducerLinger(0), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	record.Topic = "orders"
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return err
	}
	return client.PollFetches(ctx).Err()
}

// login sends to a broker that asks for a password.
func login(_ *world, secret string) error {
	addr, stop, err := guardedBroker(secret)
	if err != nil {
		return err
	}
	defer stop()
	return trade(addr, &kgo.Record{Value: []byte("x")}, kgo.SASL(plain.Auth{User: "alice", Pass: secret}.AsMechanism()))
}

func kafkaPlaces() []place {
	return []place{
		{name: "kafka: key", put: send(func(s string) *kgo.Record { return &kgo.Record{Key: []byte(s), Value: []byte("x")} })},
		{name: "kafka: value", put: send(func(s string) *kgo.Record { return &kgo.Record{Value: []byte(s)} })},
		{name: "kafka: value as it is", put: send(func(s string) *kgo.Record { return &kgo.Record{Value: []byte(s)} }, kgo.ProducerBatchCompression(kgo.NoCompression()))},
		{name: "kafka: header", put: send(func(s string) *kgo.Record {
			return &kgo.Record{Value: []byte("x"), Headers: []kgo.RecordHeader{{Key: "authorization", Value: []byte(s)}}}
		})},
		{name: "kafka: long value", put: send(func(s string) *kgo.Record { return &kgo.Record{Value: []byte(strings.Repeat(s, 5000))} }, kgo.ProducerBatchCompression(kgo.NoCompression()))},
		{name: "kafka: group", put: func(w *world, secret string) error {
			return trade(w.kafka, &kgo.Record{Value: []byte("x")}, kgo.ConsumerGroup("g-"+secret))
		}},
		{name: "kafka: password", put: login},
	}
}
