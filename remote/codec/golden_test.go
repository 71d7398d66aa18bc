package codec

import (
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	gogotypes "github.com/gogo/protobuf/types"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/topos-go/topos/actor"
)

// samples are values of each kind, by name. Maps have one element, so that there
// is one way to encode them.
func samples(t *testing.T) map[string]any {
	at := time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	return map[string]any{
		"nil": nil, "bytes": []byte("raw"), "bool": true, "string": "text", "int": -1, "int64": int64(math.MinInt64),
		"uint64": uint64(math.MaxUint64), "uint8": uint8(8), "float64": 2.5, "float32": float32(1.5), "infinity": math.Inf(1),
		"time": at, "duration": time.Minute, "pid": pid(t), "no pid": actor.PID{}, "struct": item{"a", 1}, "text marshaler": colour(3),
		"slice": []item{{"a", 1}, {"b", 2}}, "map": map[string]int{"a": 1}, "pointer": &item{"a", 1}, "error": errRegistered,
		"any":       []any{int64(1), "a", nil, 2.5, true, []byte{1}, map[string]any{"a": int64(-1)}},
		"nested":    order{Items: []item{{"a", 1}}, Prices: map[string]float64{"a": 1.5}, From: pid(t), At: at, For: time.Hour, Raw: []byte{1}, Anything: "x", Next: &order{For: 1}},
		"google pb": wrapperspb.String("google"), "gogo pb": &gogotypes.StringValue{Value: "gogo"},
	}
}

// As with the frames: what version 1 says must be understood for good.
func TestPayloadsOfVersion1AreAsTheyWere(t *testing.T) {
	c, all, seen := newCodec(t), samples(t), make(map[string]bool)
	datadriven.RunTest(t, "testdata/golden/version1", func(t *testing.T, d *datadriven.TestData) string {
		name := strings.TrimSpace(d.Input)
		v, ok := all[name]
		if !ok {
			d.Fatalf(t, "no sample is called %q", name)
		}
		seen[name] = true
		if d.Expected != "" {
			wantDecoded(t, c, name, d.Expected, v)
		}
		enc, err := c.Encode(v)
		if err != nil {
			d.Fatalf(t, "%s: %v", name, err)
		}
		return fmt.Sprintf("%d %q %x\n", enc.Encoding, enc.Type, enc.Data)
	})
	for name := range all {
		if !seen[name] {
			t.Errorf("no golden payload for %q", name)
		}
	}
}

func wantDecoded(t *testing.T, c *Codec, name, golden string, want any) {
	t.Helper()
	var v Value
	var data string
	// Of no data there is nothing to scan.
	if n, err := fmt.Sscanf(golden, "%d %q %s", &v.Encoding, &v.Type, &data); n < 2 {
		t.Fatalf("%s: %v in %q", name, err, golden)
	}
	var err error
	if v.Data, err = hex.DecodeString(data); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got, err := c.Decode(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if diff := cmp.Diff(want, got, equal); diff != "" || reflect.TypeOf(got) != reflect.TypeOf(want) {
		t.Errorf("%s: a %T came back as %T: %s", name, want, got, diff)
	}
}
