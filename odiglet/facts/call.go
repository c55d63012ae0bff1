package facts

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/odi-dev/odi/internal/nodefacts"
)

const (
	// patience with one address: the whole check has ten seconds.
	patience = 2 * time.Second
	// maxAddresses bounds what one pod calls.
	maxAddresses = 16
)

// call looks every address up and opens a connection, which it closes without a byte.
func call(ctx context.Context, addresses []string) []nodefacts.Look {
	addresses = addresses[:min(len(addresses), maxAddresses)]
	looks := make([]nodefacts.Look, len(addresses))
	var group sync.WaitGroup
	for i, address := range addresses {
		group.Go(func() { looks[i] = callOne(ctx, address) })
	}
	group.Wait()
	return looks
}

func callOne(ctx context.Context, address string) nodefacts.Look {
	look := nodefacts.Look{Address: address}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		look.Error = err.Error()
		return look
	}
	if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
		look.Error = err.Error()
		return look
	}
	look.Resolved = true
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		look.Error = err.Error()
		return look
	}
	look.Connected = true
	_ = connection.Close() // nothing was written
	return look
}
