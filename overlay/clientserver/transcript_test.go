package clientserver

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/internal/sim/topology"
)

// For the commands see topology.Transcripts.
func TestTranscriptsOfOneNode(t *testing.T) {
	topology.Transcripts(t, func(t *testing.T, d *datadriven.TestData) topology.Protocol[*Core] {
		return protocol(func(int) Config { return config(t, d) })
	}, view)
}
