package dialect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/swim"
)

// lengthy are the lists of the protocols that are older than these bounds: of n
// elements each, and the most there may be.
var lengthy = map[string]struct {
	most int
	of   func(n int) overlay.Message
}{
	"nodes of a shuffle": {maxShuffled, func(n int) overlay.Message {
		nodes, _ := long(n)
		return hyparview.Shuffle{Origin: a, Nodes: nodes}
	}},
	"nodes of its answer": {maxShuffled, func(n int) overlay.Message {
		nodes, _ := long(n)
		return hyparview.ShuffleReply{Nodes: nodes}
	}},
	"announcements": {maxAnnounced, func(n int) overlay.Message {
		return plumtree.IHave{Messages: make([]plumtree.Announcement, n)}
	}},
	"origins of a digest": {maxAnnounced, func(n int) overlay.Message {
		return plumtree.Digest{Origins: make([]plumtree.Have, n)}
	}},
	"spans of one origin": {maxSpans, func(n int) overlay.Message {
		return plumtree.Digest{Origins: []plumtree.Have{{Above: make([]plumtree.Span, n)}}}
	}},
	"spans of two origins": {maxSpans, func(n int) overlay.Message {
		return plumtree.Digest{Origins: []plumtree.Have{{Above: make([]plumtree.Span, n-1)}, {Above: make([]plumtree.Span, 1)}}}
	}},
	"messages of a repair": {maxAnnounced, func(n int) overlay.Message {
		return plumtree.Repair{Messages: make([]plumtree.Gossip, n)}
	}},
	"what is gone": {maxAnnounced, func(n int) overlay.Message {
		return plumtree.Repair{Gone: make([]plumtree.Gone, n)}
	}},
	"rumors": {maxRumors, func(n int) overlay.Message {
		return swim.Message{Body: swim.Gossip{}, Facts: make([]swim.Fact, n)}
	}},
	"sums of a question": {maxRanges, func(n int) overlay.Message {
		return directory.Ask{Sums: make([]directory.Sum, n)}
	}},
	"facts of a question": {maxFacts, func(n int) overlay.Message {
		return directory.Ask{Facts: make([]directory.Fact, n)}
	}},
	"values of a question": {maxValues, func(n int) overlay.Message {
		return directory.Ask{Values: make([]directory.Register, n)}
	}},
	"parts of an answer": {maxRanges, func(n int) overlay.Message {
		return directory.Answer{Parts: make([]directory.Part, n)}
	}},
	"sums of two parts": {maxSums, func(n int) overlay.Message {
		return directory.Answer{Parts: []directory.Part{{Sums: make([]directory.Sum, n-1)}, {Sums: make([]directory.Sum, 1)}}}
	}},
	"facts of two parts": {maxFacts, func(n int) overlay.Message {
		return directory.Answer{Parts: []directory.Part{{Facts: make([]directory.Fact, 1)}, {Facts: make([]directory.Fact, n-1)}}}
	}},
	"values of an answer": {maxValues, func(n int) overlay.Message {
		return directory.Answer{Values: make([]directory.Register, n)}
	}},
	"facts that are told": {maxFacts, func(n int) overlay.Message {
		return directory.Tell{Facts: make([]directory.Fact, n)}
	}},
	"facts of news": {maxFacts, func(n int) overlay.Message {
		return directory.Broadcast{Facts: make([]directory.Fact, n)}
	}},
	"values of news": {maxValues, func(n int) overlay.Message {
		return directory.Broadcast{Values: make([]directory.Register, n)}
	}},
}

func TestEveryListHasItsMostAndNotOneMore(t *testing.T) {
	for what, l := range lengthy {
		m := l.of(l.most)
		enc, err := Append(nil, m)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if got, err := Parse(enc); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: as many as there may be: %v", what, err)
		}
		if enc, err := Append([]byte{1}, l.of(l.most+1)); !errors.Is(err, ErrUnknown) || !errors.Is(err, errLong) || len(enc) != 1 {
			t.Errorf("%s: one more is encoded: %v", what, err)
		}
	}
}

func TestListsHaveRoomForWhatCoresSayByDefault(t *testing.T) {
	most := directory.Config{Self: a, MaxFacts: maxFacts + 1}
	if err := most.Valid(); err == nil {
		t.Error("a directory says more facts than are taken")
	}
	if maxShuffled < 1+hyparview.DefaultShuffleActive+hyparview.DefaultShufflePassive || maxRumors < swim.DefaultMaxFacts ||
		maxAnnounced < plumtree.DefaultMaxIHave || maxAnnounced < plumtree.DefaultMaxDigest || maxAnnounced < plumtree.DefaultMaxRepair ||
		maxSpans < plumtree.DefaultMaxDigest*plumtree.DefaultMaxHoles {
		t.Error("a node that is configured by default cannot say all that it has to")
	}
}

// million returns what a hostile peer may say: of each kind, a list of as many empty
// elements as a megabyte holds, at the top or within an element of another one.
func million(size int) map[string][]byte {
	all := make(map[string][]byte)
	flat := func(what string, k kind, spelling string) {
		all[what] = append([]byte{byte(k)}, bytes.Repeat([]byte(spelling), size/len(spelling))...)
	}
	within := func(what string, k kind, outer byte, spelling string) {
		body := bytes.Repeat([]byte(spelling), size/len(spelling))
		all[what] = append(binary.AppendUvarint([]byte{byte(k), outer}, uint64(len(body))), body...)
	}
	for k := kindJoin; k <= kindSwitchReply; k++ {
		flat("nodes of kind "+string('a'+rune(k)), k, "\x4a\x00")
	}
	flat("nodes, with a redundant tag", kindShuffle, "\xca\x80\x00\x00")
	flat("nodes, with a redundant length", kindShuffle, "\x4a\x80\x00")
	flat("announcements", kindIHave, "\x0a\x00")
	flat("origins", kindDigest, "\x1a\x00")
	within("spans", kindDigest, 0x1a, "\x1a\x00")
	within("spans, with a redundant tag", kindDigest, 0x1a, "\x9a\x00\x00")
	flat("spans of many origins", kindDigest, "\x1a\x20"+string(bytes.Repeat([]byte("\x1a\x00"), 16)))
	flat("messages", kindRepair, "\x0a\x00")
	flat("gone", kindRepair, "\x12\x00")
	flat("rumors", kindSwim, "\x32\x00")
	flat("sums of a question", kindAsk, "\x12\x00")
	flat("facts of a question", kindAsk, "\x1a\x00")
	flat("values of a question", kindAsk, "\x22\x00")
	flat("parts", kindAnswer, "\x1a\x00")
	within("sums of a part", kindAnswer, 0x1a, "\x12\x00")
	within("facts of a part", kindAnswer, 0x1a, "\x1a\x00")
	flat("values of an answer", kindAnswer, "\x22\x00")
	flat("facts that are told", kindTell, "\x0a\x00")
	flat("facts of news", kindNews, "\x0a\x00")
	flat("values of news", kindNews, "\x1a\x00")
	return all
}

func TestAMillionElementsAreRefusedBeforeTheyTakeMemory(t *testing.T) {
	for what, b := range million(2 << 20) {
		var err error
		took := allocated(func() { _, err = Parse(b) })
		if !errors.Is(err, ErrMalformed) || !errors.Is(err, errLong) || took > 16<<10 {
			t.Errorf("%s: %d bytes, %v", what, took, err)
		}
	}
}

// tooLong are seeds for the fuzz test: as short as they may be to be too long, and
// lists that are cut off within another one.
func tooLong() [][]byte {
	seeds := slices.Collect(maps.Values(million(2 * (maxShuffled + 1))))
	return append(seeds,
		[]byte("\x24\x1a\x04\x1a\x00\x1a"), []byte("\x24\x1a\x03\x1a\x09\x08"), []byte("\x24\x18\x01"), []byte("\x24\x1b\x1a\x00\x1c"),
		[]byte("\x41\x1a\x02\x12\xff"), []byte("\x41\x1a\xff\xff\xff\xff\x0f\x12\x00"), []byte("\x41\x1a\x80\x80\x00"),
	)
}
