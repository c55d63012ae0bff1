package kafka_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// asPeer has this binary be a broker or a client: "broker PORT TOPICS",
// "clients ADDR VERSION CLIENTS TIMES [open]", or "hop ADDR PORT". Clients wait for a line,
// send and read records, and then say what they did.
const asPeer = "ODI_TEST_KAFKA"

func TestMain(m *testing.M) {
	args := strings.Fields(os.Getenv(asPeer))
	if len(args) == 0 {
		os.Exit(m.Run())
	}
	if err := play(args); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func play(args []string) error {
	number := func(at int) int {
		n, err := strconv.Atoi(args[at])
		if err != nil {
			panic(err)
		}
		return n
	}
	switch args[0] {
	case "broker":
		return broker(number(1), number(2))
	case "hop":
		return hop(args[1], args[2])
	}
	c := clients{addr: args[1], version: args[2], did: map[string]int{}, asked: map[int16]int{}}
	return c.run(number(3), number(4), len(args) > 5)
}

// broker has so many topics of one partition. It refuses what is sent to the topic t0.
func broker(port, topics int) error {
	names := make([]string, topics)
	for i := range names {
		names[i] = fmt.Sprint("t", i)
	}
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.Ports(port), kfake.SeedTopics(1, names...)}
	if serves, _ := secured(); serves != nil {
		opts = append(opts, kfake.TLS(serves))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return err
	}
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		if len(produce.Topics) == 0 || produce.Topics[0].Topic != "t0" {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = "t0"
		partition := kmsg.NewProduceResponseTopicPartition()
		partition.ErrorCode = kerr.TopicAuthorizationFailed.Code
		topic.Partitions = append(topic.Partitions, partition)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	select {}
}

// clients send records, and read each one before they send the next.
type clients struct {
	addr, version string

	mu    sync.Mutex
	did   map[string]int // what spans are to say
	asked map[int16]int  // requests that had an answer, by what was asked for
}

// OnBrokerE2E is kgo.HookBrokerE2E.
func (c *clients) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if e2e.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[key]++
}

func (c *clients) open(id, topic string) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.addr), kgo.ClientID(id), kgo.ConsumeTopics(topic), kgo.WithHooks(c), kgo.DisableClientMetrics(),
		kgo.FetchMaxWait(300 * time.Millisecond), kgo.ProducerLinger(0), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	}
	if c.version != "latest" {
		opts = append(opts, kgo.MaxVersions(kversion.FromString(c.version)))
	}
	if _, trusts := secured(); trusts != nil {
		opts = append(opts, kgo.DialTLSConfig(trusts))
	}
	return kgo.NewClient(opts...)
}

func (c *clients) run(size, times int, open bool) error {
	line := bufio.NewReader(os.Stdin)
	begin := func() error { _, err := line.ReadString('\n'); return err }
	if !open {
		if err := begin(); err != nil {
			return err
		}
	}
	all := make([]*kgo.Client, size)
	for i := range all {
		var err error
		if all[i], err = c.open(fmt.Sprint("client-", i+1), fmt.Sprint("t", i+1)); err != nil {
			return err
		}
	}
	if open {
		if err := c.each(all, 1); err != nil {
			return err
		}
		fmt.Println("connected")
		if err := begin(); err != nil {
			return err
		}
		clear(c.did)
		clear(c.asked)
	}
	if err := c.each(all, times); err != nil {
		return err
	}
	for _, client := range all {
		client.Close()
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"did": c.did, "asked": c.asked})
}

func (c *clients) each(all []*kgo.Client, times int) error {
	var (
		work   sync.WaitGroup
		failed error
	)
	for i, client := range all {
		work.Go(func() {
			if err := c.trade(client, i+1, times); err != nil {
				c.mu.Lock()
				failed = err
				c.mu.Unlock()
			}
		})
	}
	work.Wait()
	return failed
}

// trade sends records to a topic and reads them.
func (c *clients) trade(client *kgo.Client, n, times int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for range times {
		sent, err := client.ProduceSync(ctx, &kgo.Record{Topic: fmt.Sprint("t", n), Key: []byte("secret"), Value: []byte("secret value")}).First()
		if err != nil {
			return fmt.Errorf("sending: %w", err)
		}
		c.note("send", sent, n)
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		if fetches.NumRecords() != 1 {
			return fmt.Errorf("%d records came", fetches.NumRecords())
		}
		c.note("poll", fetches.Records()[0], n)
	}
	return nil
}

func (c *clients) note(what string, r *kgo.Record, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did[fmt.Sprintf("%s %s partition %d offset %d by client-%d", what, r.Topic, r.Partition, r.Offset, n)]++
}

// hop sends a record to the topic that a request names.
func hop(broker, port string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ClientID("hop"), kgo.ProducerLinger(0), kgo.DisableClientMetrics(), kgo.MaxVersions(kversion.V3_9_0()))
	if err != nil {
		return err
	}
	http.HandleFunc("/{topic}", func(w http.ResponseWriter, r *http.Request) {
		if err := client.ProduceSync(r.Context(), &kgo.Record{Topic: r.PathValue("topic"), Value: []byte("secret")}).FirstErr(); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	return http.ListenAndServe("127.0.0.1:"+port, nil)
}
