package codec

import (
	"errors"
	"strings"
	"testing"

	gogo "github.com/gogo/protobuf/proto"
)

// fickle is a message of gogo's that says something else of its size than it writes,
// as one does that somebody changes meanwhile.
type fickle struct{ size, written int }

func (*fickle) Reset()         {}
func (*fickle) String() string { return "fickle" }
func (*fickle) ProtoMessage()  {}

func (m *fickle) Size() int { return m.size }

func (m *fickle) MarshalToSizedBuffer(b []byte) (int, error) {
	for i := len(b) - 1; i >= len(b)-m.written; i-- {
		b[i] = 'x'
	}
	return m.written, nil
}

func TestMessageThatMistakesItsSizeHarmsNobodyElse(t *testing.T) {
	if gogo.MessageType("test.Fickle") == nil {
		gogo.RegisterType((*fickle)(nil), "test.Fickle")
	}
	c := newCodec(t)
	var s Scratch
	good := &fickle{200, 200}
	for name, test := range map[string]struct {
		m    *fickle
		want int // -1 for an error
	}{
		"less than it said":    {&fickle{100, 40}, 40},
		"nothing at all":       {&fickle{100, 0}, 0},
		"more than it said":    {&fickle{40, 41}, -1},
		"more than there is":   {&fickle{40, 100_000}, -1},
		"less than nothing":    {&fickle{40, -1}, -1},
		"a size below zero":    {&fickle{-1, 0}, -1},
		"a size beyond memory": {&fickle{1 << 62, 0}, -1},
	} {
		// The memory has somebody else's bytes in it.
		if v, err := c.EncodeIn(&s, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"); err != nil || len(v.Data) == 0 {
			t.Fatal(err)
		}
		v, err := c.EncodeIn(&s, test.m)
		switch {
		case test.want < 0:
			if !errors.Is(err, ErrEncode) {
				t.Errorf("%s: %q, %v", name, v.Data, err)
			}
		case err != nil || string(v.Data) != strings.Repeat("x", test.want):
			t.Errorf("%s: %q, %v", name, v.Data, err)
		}
		if v, err := c.EncodeIn(&s, good); err != nil || string(v.Data) != strings.Repeat("x", 200) {
			t.Errorf("%s: the next one is %q, %v", name, v.Data, err)
		}
	}
}
