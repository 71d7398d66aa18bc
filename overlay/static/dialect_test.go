package static

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

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

func view(c *Core) string { return "neighbors: " + nodeNames(c.Neighbors()) + "\n" }

func describeMessage(m overlay.Message) string {
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", m), "static."))
}

func message(t *testing.T, f []string) overlay.Message {
	switch f[0] {
	case "ask":
		return Ask{}
	case "agree":
		return Agree{}
	case "refuse":
		return Refuse{}
	case "leave":
		return Leave{}
	}
	t.Fatalf("unknown message %q", f)
	return nil
}
