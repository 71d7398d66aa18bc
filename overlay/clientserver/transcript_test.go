package clientserver

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/internal/sim/topology"
)

// TestTranscriptsOfOneNode plays protocols of what one node is told and does.
// Commands:
//
//	new self=a1 [name=value...]   a node: see config
//	at 1.5s                       lets time pass, with every tick on the way, then
//	                              tells the node what the lines below say
//	state                         prints what the node knows: see view
func TestTranscriptsOfOneNode(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var stage *topology.Stage[*Core]
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				var self string
				d.ScanArgs(t, "self", &self)
				p := protocol(func(int) Config { return config(t, d) })
				core, err := p.New(0, topology.Node(self), rand.New(rand.NewPCG(1, 1)))
				if err != nil {
					return err.Error()
				}
				var does string
				stage, does = topology.NewStage(t, core, p)
				return does
			case "at":
				after, err := time.ParseDuration(d.CmdArgs[0].Key)
				if err != nil {
					t.Fatal(err)
				}
				return stage.At(after, d.Input)
			case "state":
				return view(stage.Core)
			}
			t.Fatalf("unknown command %q", d.Cmd)
			return ""
		})
	})
}
