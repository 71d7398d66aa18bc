package topology

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// Transcripts plays those in testdata/transcripts: protocols of what one node is told
// and does, each on a [Stage]. Their commands:
//
//	new self=a1 [name=value...]   a node: see configured
//	at 1.5s                       lets time pass, with every tick on the way, then
//	                              tells the node what the lines below say
//	state                         prints what the node knows: see view
//
// configured reads a node's configuration and says of what protocol it is.
func Transcripts[C Core](t *testing.T, configured func(*testing.T, *datadriven.TestData) Protocol[C], view func(C) string) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var stage *Stage[C]
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				var self string
				d.ScanArgs(t, "self", &self)
				p := configured(t, d)
				core, err := p.New(0, Node(self), rand.New(rand.NewPCG(1, 1)))
				if err != nil {
					return err.Error()
				}
				var does string
				stage, does = NewStage(t, core, p)
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
