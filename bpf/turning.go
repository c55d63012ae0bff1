package bpf

import (
	"fmt"

	"github.com/odi-dev/odi/bpf/http1"
	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
)

// loadTurning loads the programs that hand a connection of HTTP/1 over to the room to which an
// answer turns it. Where they cannot be had that answer is the last that is seen of it.
func (e *Engine) loadTurning(k *kit, to probe.Protocol) {
	if to.Code != http2.Protocol.Code {
		return
	}
	err := e.goOnWith(k, http1.Protocol, map[string]string{"sent_rooms": "odi_turned_sent", "received_rooms": "odi_turned_received"})
	if err == nil {
		err = e.mayTurn()
	}
	if err != nil {
		e.log.Debug("connections that turn to a protocol are not followed", "protocol", to.Name, "error", err, "verifier", verifierLog(err))
	}
}

// mayTurn says that the programs are there.
func (e *Engine) mayTurn() error {
	if err := e.maps["may_turn"].Put(uint32(0), uint32(1)); err != nil {
		return fmt.Errorf("letting connections turn: %w", err)
	}
	return nil
}
