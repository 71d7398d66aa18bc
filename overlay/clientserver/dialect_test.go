package clientserver

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/internal/sim/topology"
	"github.com/topos-go/topos/overlay"
)

// config reads a node's configuration: seeds=(b,c), role=server, servers=N,
// max=N, links=N and interval=10s, which is an hour if it is not given.
func config(t *testing.T, d *datadriven.TestData) Config {
	cfg := Config{Interval: time.Hour}
	if arg, ok := d.Arg("seeds"); ok {
		cfg.Seeds = arg.Vals
	}
	var role string
	d.MaybeScanArgs(t, "role", &role)
	cfg.Role = Role(role)
	d.MaybeScanArgs(t, "servers", &cfg.Servers)
	d.MaybeScanArgs(t, "max", &cfg.MaxServers)
	d.MaybeScanArgs(t, "links", &cfg.ClientLinks)
	if d.HasArg("interval") {
		cfg.Interval = DefaultInterval
	}
	return cfg
}

func view(c *Core) string {
	var members []overlay.Node
	for _, m := range c.members {
		members = append(members, m.node)
	}
	return fmt.Sprintf("serving %v, servers: %s; neighbors: %s; members: %s\n",
		c.Serving(), topology.Names(c.Servers()), topology.Names(c.Neighbors()), topology.Names(members))
}

// describeClaims writes "a1=server#3".
func describeClaims(claims []Claim) string {
	out := ""
	for _, cl := range claims {
		out += fmt.Sprintf(" %s=%s#%d", topology.Name(cl.Node), [...]string{"idle", "server", "client"}[cl.Standing], cl.Number)
	}
	return out
}

func describeMessage(m overlay.Message) string {
	switch m := m.(type) {
	case Ask:
		return "ask" + describeClaims(m.Claims)
	case Agree:
		return "agree" + describeClaims(m.Claims)
	case Refuse:
		if m.Busy {
			return "refuse busy" + describeClaims(m.Claims)
		}
		return "refuse" + describeClaims(m.Claims)
	case News:
		return "news" + describeClaims(m.Claims)
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", m), "clientserver."))
}

func message(f []string) (overlay.Message, error) {
	busy := len(f) > 1 && f[1] == "busy"
	var claims []Claim
	for _, s := range f[1:] {
		who, rest, _ := strings.Cut(s, "=")
		what, number, ok := strings.Cut(rest, "#")
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return nil, err
		}
		claims = append(claims, Claim{topology.Node(who), n, map[string]Standing{"idle": Idle, "server": Serving, "client": Never}[what]})
	}
	switch f[0] {
	case "ask":
		return Ask{claims}, nil
	case "agree":
		return Agree{claims}, nil
	case "refuse":
		return Refuse{busy, claims}, nil
	case "news":
		return News{claims}, nil
	case "part":
		return Part{}, nil
	case "leave":
		return Leave{}, nil
	}
	return nil, fmt.Errorf("unknown message %q", f)
}
