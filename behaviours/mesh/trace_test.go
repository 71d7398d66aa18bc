package mesh

import (
	"bytes"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

func TestOnlySoundTraceparentsAreRead(t *testing.T) {
	const sound = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for header, ok := range map[string]bool{
		sound: true, "01" + sound[2:] + "-more": true,
		"": false, sound[:54]: false, sound + "-": false, "ff" + sound[2:]: false, "0A" + sound[2:]: false,
		"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false,
		"00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01": false,
	} {
		if sc, got := parseTraceparent([]byte(header)); got != ok || ok && !sc.IsSampled() {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func FuzzTraceparent(f *testing.F) {
	f.Add([]byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		sc, ok := parseTraceparent(b)
		if !ok {
			return
		}
		again := traceparent(sc)
		if len(b) == len(again) && b[54]|3 == again[54]|3 && b[0] == '0' && b[1] == '0' && b[53] == '0' && !bytes.Equal(b[:54], again[:54]) {
			t.Errorf("%q became %q", b, again)
		}
		if back, ok := parseTraceparent(again); !ok || !back.Equal(sc) {
			t.Errorf("%q does not come back: %v", again, trace.SpanContext(back))
		}
	})
}
