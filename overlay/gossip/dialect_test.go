package gossip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/internal/sim/topology"
	"github.com/topos-go/topos/overlay"
)

// config reads a node's configuration: seeds=(b,c), fanout=N and refresh=30s,
// which is an hour if it is not given.
func config(t *testing.T, d *datadriven.TestData) Config {
	cfg := Config{Refresh: time.Hour}
	if arg, ok := d.Arg("seeds"); ok {
		cfg.Seeds = arg.Vals
	}
	d.MaybeScanArgs(t, "fanout", &cfg.Fanout)
	if d.HasArg("refresh") {
		cfg.Refresh = DefaultRefresh
	}
	return cfg
}

func view(c *Core) string {
	var members, gone []overlay.Node
	for _, m := range c.members {
		members = append(members, m.node)
	}
	for _, f := range c.faded {
		gone = append(gone, f.node)
	}
	return fmt.Sprintf("fanout %d, neighbors: %s; members: %s; faded: %s\n", c.Fanout(), topology.Names(c.Neighbors()), topology.Names(members), topology.Names(gone))
}

func describeMessage(m overlay.Message) string {
	switch m := m.(type) {
	case Ask:
		if m.Urgent {
			return "ask urgent"
		}
	case Agree:
		return strings.TrimSpace("agree " + topology.Names(m.Nodes))
	case Refuse:
		return strings.TrimSpace("refuse " + topology.Names(m.Nodes))
	case Sample:
		return strings.TrimSpace("sample " + topology.Names(m.Nodes))
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", m), "gossip."))
}

func message(f []string) (overlay.Message, error) {
	var nodes []overlay.Node
	if f[0] != "ask" {
		for _, s := range f[1:] {
			nodes = append(nodes, topology.Node(s))
		}
	}
	switch f[0] {
	case "ask":
		return Ask{Urgent: len(f) > 1}, nil
	case "agree":
		return Agree{nodes}, nil
	case "refuse":
		return Refuse{nodes}, nil
	case "part":
		return Part{}, nil
	case "sample":
		return Sample{nodes}, nil
	case "leave":
		return Leave{}, nil
	}
	return nil, fmt.Errorf("unknown message %q", f)
}
