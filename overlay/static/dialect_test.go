package static

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/internal/sim/topology"
	"github.com/topos-go/topos/overlay"
)

// config reads a node's configuration: peers=(b,c@c) and accept=anyone.
func config(t *testing.T, d *datadriven.TestData) Config {
	var cfg Config
	if arg, ok := d.Arg("peers"); ok {
		cfg.Peers = arg.Vals
	}
	var accept string
	d.MaybeScanArgs(t, "accept", &accept)
	cfg.Accept = Accept(accept)
	return cfg
}

func view(c *Core) string { return "neighbors: " + topology.Names(c.Neighbors()) + "\n" }

func describeMessage(m overlay.Message) string {
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", m), "static."))
}

func message(f []string) (overlay.Message, error) {
	switch f[0] {
	case "ask":
		return Ask{}, nil
	case "agree":
		return Agree{}, nil
	case "refuse":
		return Refuse{}, nil
	case "leave":
		return Leave{}, nil
	}
	return nil, fmt.Errorf("unknown message %q", f)
}
