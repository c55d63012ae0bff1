package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// bulkBytes is how much is moved at once; bulkRatio what odi may leave of the throughput.
const (
	bulkBytes = 1_500_000_000
	bulkRatio = 0.95
)

// bulk measures a client that moves much, alone and watched, in turns. Each way of moving has a first request that is
// not measured: it opens the connection.
func (b *bench) bulk() error {
	server, addr, err := spawn("bulk-server", "0", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer server.stop()
	client, _, err := spawn("bulk", "1", addr)
	if err != nil {
		return err
	}
	defer client.stop()
	ratios := map[string][]float64{}
	for range rounds {
		alone, err := moveAll(client)
		if err != nil {
			return err
		}
		odi, err := b.watch("--pid", strconv.Itoa(client.pid()), "-o", "none")
		if err != nil {
			return err
		}
		with, err := moveAll(client)
		if err != nil {
			return err
		}
		bk, _, err := odi.end()
		if err != nil {
			return err
		}
		if want := int64(2 * len(moves)); bk.sent != want {
			return fmt.Errorf("odi saw %d transfers, there were %d", bk.sent, want)
		}
		for _, way := range moves {
			ratios[way] = append(ratios[way], alone[way]/with[way])
		}
	}
	for _, way := range moves {
		b.goal(figure{Name: "bulk_" + way + "_throughput_ratio", Unit: "ratio", Limit: bulkRatio, Least: true, Samples: ratios[way]}, "1.5 GB, a traced client: throughput of the "+way, true)
	}
	return nil
}

var moves = []string{"download", "upload"}

// moveAll has the client move in each way, and returns the ns that it took.
func moveAll(client *process) (map[string]float64, error) {
	took := map[string]float64{}
	for _, way := range moves {
		if _, err := client.order(way, 1<<16); err != nil {
			return nil, err
		}
		ns, err := client.order(way, bulkBytes)
		if err != nil {
			return nil, err
		}
		took[way] = float64(ns)
	}
	return took, nil
}

func serveBulk(addr string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{bytes}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.ParseInt(r.PathValue("bytes"), 10, 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		_, _ = io.CopyN(w, zeros{}, n) // The client says what came.
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n)
	})
	return listenAndServe(addr, mux)
}

func listenAndServe(addr string, handler http.Handler) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, handler)
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// driveBulk reads orders, "download BYTES" or "upload BYTES", and answers each with the ns that it took.
func driveBulk(addr string, orders io.Reader, answers io.Writer) error {
	_, _ = fmt.Fprintln(answers, "ready")
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		var way string
		var n int64
		if _, err := fmt.Sscan(lines.Text(), &way, &n); err != nil {
			return err
		}
		began := time.Now()
		if err := move(way, "http://"+addr+"/", n); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(answers, time.Since(began).Nanoseconds())
	}
	return nil
}

func move(way, url string, n int64) error {
	if way == "download" {
		resp, err := http.Get(url + strconv.FormatInt(n, 10))
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		came, err := io.Copy(io.Discard, resp.Body)
		if err == nil && came != n {
			err = fmt.Errorf("%d of %d bytes came", came, n)
		}
		return err
	}
	req, err := http.NewRequest(http.MethodPost, url, io.LimitReader(zeros{}, n))
	if err != nil {
		return err
	}
	req.ContentLength = n
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	came, err := io.ReadAll(resp.Body)
	if err == nil && string(came) != strconv.FormatInt(n, 10) {
		err = fmt.Errorf("%s of %d bytes came", came, n)
	}
	return err
}
