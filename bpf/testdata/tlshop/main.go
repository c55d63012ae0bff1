// Command tlshop serves HTTPS and asks the next hop for the same path over HTTPS, as many programs
// do: with net/http on both sides. It says its own line and then what the next hop said. The last argument
// is the protocol: h1, h2, or mixed, which serves the one and asks by the other.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	addr, next, cert, key, version, protocol := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	text, err := os.ReadFile(cert)
	if err != nil {
		log.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	config := &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}
	if version == "1.2" {
		config.MaxVersion = tls.VersionTLS12
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128, TLSClientConfig: config.Clone(), ForceAttemptHTTP2: protocol != "h1"}}
	server := &http.Server{Addr: addr, TLSConfig: config.Clone(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %s %d\n", r.Proto, r.URL.Path, sent)
		if size, err := strconv.Atoi(r.URL.Query().Get("size")); err == nil {
			io.Copy(w, strings.NewReader(strings.Repeat("x", size)))
		}
		if next == "-" {
			return
		}
		resp, err := client.Get(next + r.URL.RequestURI())
		if err != nil {
			log.Print(err)
			return
		}
		defer resp.Body.Close()
		io.Copy(w, resp.Body)
	})}
	if protocol != "h2" {
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){} // HTTP/1.1 only
	}
	log.Fatal(server.ListenAndServeTLS(cert, key))
}
