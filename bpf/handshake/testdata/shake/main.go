// Command shake serves or opens TLS connections by crypto/tls, each for a name of its own, and
// says what came of each: the oracle of the live test.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// Said is what a client knows of a connection that it has opened.
type Said struct {
	Name, Version, Cipher, Protocol, Error string
	Resumed                                bool
}

var (
	serve    = flag.Bool("serve", false, "be the server")
	cert     = flag.String("cert", "", "certificate")
	key      = flag.String("key", "", "its key")
	address  = flag.String("to", "", "server to ask")
	version  = flag.String("version", "", "1.2 or 1.3, and no other")
	curve    = flag.Bool("p521", false, "the server takes keys on P-521 only")
	mutual   = flag.Bool("mutual", false, "the server wants a certificate of the client's authority")
	times    = flag.Int("times", 1, "connections")
	parallel = flag.Int("parallel", 1, "... at a time")
	strict   = flag.Bool("strict", false, "the client knows no authority")
	leaves   = flag.Bool("leaves", false, "the client leaves when it has sent its hello")
	pieces   = flag.Int("pieces", 0, "bytes that the client sends at a time, 0: all")
	postgres = flag.Bool("postgres", false, "the server is asked for TLS as one of PostgreSQL is")
	resume   = flag.Bool("resume", false, "sessions are resumed")
)

func main() {
	flag.Parse()
	config := &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	switch *version {
	case "1.2":
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	case "1.3":
		config.MinVersion = tls.VersionTLS13
	}
	var err error
	if *serve {
		err = server(config)
	} else {
		err = clients(config)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func server(config *tls.Config) error {
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		return err
	}
	config.Certificates = []tls.Certificate{pair}
	if *curve {
		config.CurvePreferences = []tls.CurveID{tls.CurveP521}
	}
	if *mutual {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	for {
		raw, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer raw.Close()
			if *postgres && !agree(raw) {
				return
			}
			conn := tls.Server(raw, config)
			if conn.Handshake() == nil {
				_, _ = io.WriteString(conn, "hello")
				_, _ = io.Copy(io.Discard, conn)
			}
		}()
	}
}

// agree reads the request for TLS, and agrees.
func agree(raw net.Conn) bool {
	if _, err := io.ReadFull(raw, make([]byte, 8)); err != nil {
		return false
	}
	_, err := raw.Write([]byte("S"))
	return err == nil
}

func clients(config *tls.Config) error {
	config.InsecureSkipVerify = !*strict
	if *strict {
		config.RootCAs = x509.NewCertPool()
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	numbers := make(chan int, *times)
	for i := range *times {
		numbers <- i
	}
	close(numbers)
	var work sync.WaitGroup
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	for range *parallel {
		work.Go(func() {
			own := config.Clone()
			if *resume {
				own.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			}
			for i := range numbers {
				if !*resume {
					own = own.Clone()
				}
				own.ServerName = fmt.Sprintf("n%d.shop.test", i)
				said := client(own)
				mu.Lock()
				_ = out.Encode(said)
				mu.Unlock()
			}
		})
	}
	work.Wait()
	return nil
}

func client(config *tls.Config) Said {
	said := Said{Name: config.ServerName}
	raw, err := net.Dial("tcp", *address)
	if err != nil {
		said.Error = err.Error()
		return said
	}
	defer raw.Close()
	if *resume { // the same session for all names
		config.ClientSessionCache = oneSession{config.ClientSessionCache}
	}
	conn := tls.Client(&slow{Conn: raw}, config)
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if err := conn.Handshake(); err != nil {
		said.Error = err.Error()
		return said
	}
	hello := make([]byte, 5)
	if _, err := io.ReadFull(conn, hello); err != nil {
		said.Error = err.Error()
	}
	state := conn.ConnectionState()
	said.Version = strings.TrimPrefix(tls.VersionName(state.Version), "TLS ")
	said.Cipher = tls.CipherSuiteName(state.CipherSuite)
	said.Protocol, said.Resumed = state.NegotiatedProtocol, state.DidResume
	_ = conn.Close()
	return said
}

// oneSession gives every server the same.
type oneSession struct{ tls.ClientSessionCache }

func (o oneSession) Get(string) (*tls.ClientSessionState, bool) {
	return o.ClientSessionCache.Get("one")
}
func (o oneSession) Put(_ string, s *tls.ClientSessionState) { o.ClientSessionCache.Put("one", s) }

// slow sends in pieces, and leaves when the first message is out, where it is to.
type slow struct{ net.Conn }

func (s *slow) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		size := len(b)
		if *pieces > 0 {
			size = min(size, *pieces)
		}
		var m int
		m, err = s.Conn.Write(b[:size])
		n, b = n+m, b[m:]
		if err != nil {
			return n, err
		}
	}
	if *leaves {
		return n, s.Conn.Close()
	}
	return n, nil
}
