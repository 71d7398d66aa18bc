package sim

import (
	"bytes"
	"strings"
	"testing"
)

// busy has a little of everything.
func busy(seed uint64) Config {
	return Config{
		Nodes: 40, Seed: seed, Cycles: 2, Broadcasts: 8, Kill: 0.3, XBot: true, Seeds: 2, FaultTime: partitionPeriod,
		Faults: Faults{Loss: 0.02, Duplicate: 0.02, Churn: 2, Breaks: 2, Silent: 0.3, Partition: 0.3, Asymmetric: 0.1},
	}
}

func TestSameSeedGivesSameTranscriptByteForByte(t *testing.T) {
	t.Parallel()
	write := func(seed uint64) (string, Report) {
		var text bytes.Buffer
		cfg := busy(seed)
		cfg.Transcript = &text
		r := play(t, cfg)
		return text.String(), r
	}
	one, first := write(1)
	again, second := write(1)
	if one != again || first.Transcript != second.Transcript {
		t.Errorf("the same seed gives transcripts %016x and %016x, equal: %v", first.Transcript, second.Transcript, one == again)
	}
	if other, third := write(2); other == one || third.Transcript == first.Transcript {
		t.Error("another seed gives the same transcript")
	}
}

// That a transcript is written does not change what happens.
func TestHashIsThatOfTheWrittenTranscript(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	cfg := busy(3)
	silent := play(t, cfg)
	cfg.Transcript = &text
	if written := play(t, cfg); written.Transcript != silent.Transcript {
		t.Error("the transcript is another one when it is written")
	}
	for _, what := range []string{" start ", " stop ", " message ", " dialled ", " link-up ", " link-end ", " probed ", " cut ", " deliver ", "hyparview.Shuffle{", "plumtree.Gossip{"} {
		if !strings.Contains(text.String(), what) {
			t.Errorf("nothing in the transcript is %q", what)
		}
	}
}
