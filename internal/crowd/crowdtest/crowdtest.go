// Package crowdtest lets a test binary be the program that it tests, members included:
// see package crowd.
//
//	func TestMain(m *testing.M) { crowdtest.Main(m, run) }
//
//	func TestNothingIsLost(t *testing.T) {
//		if r := crowdtest.LastLine[result](t, run, "-nodes", "3"); r.Lost != 0 {
//			t.Error(r)
//		}
//	}
package crowdtest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/internal/crowd"
)

// Main is TestMain: the tests, after which no goroutine may be left, or a member that
// they have started.
func Main(m *testing.M, program crowd.Program) {
	if _, ok, _ := crowd.Member(os.Args); !ok {
		goleak.VerifyTestMain(m)
		return
	}
	crowd.Main("member", program)
}

// limit is how long a program may take.
const limit = 5 * time.Minute

// LastLine runs a program, whose last line must be the JSON of an R and nothing else.
func LastLine[R any](t *testing.T, program crowd.Program, args ...string) (r R) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out bytes.Buffer
	if err := program(ctx, append([]string{"test"}, args...), nil, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Log(out.String())
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	decoder := json.NewDecoder(bytes.NewReader(lines[len(lines)-1]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		t.Fatalf("the last line: %v", err)
	}
	return r
}
