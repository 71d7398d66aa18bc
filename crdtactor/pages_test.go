package crdtactor_test

import (
	"bytes"
	"testing"

	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

func FuzzRosterOnDisk(f *testing.F) {
	f.Add(crdtactor.AppendRoster(nil, []replica.Member{{Node: "a@h:1", Version: 1, Next: 1 << 60}, {Node: "b@h:2", Version: 300, Next: 5, Lost: 4, Settled: 3}}))
	f.Add([]byte{5, 'a'})
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := crdtactor.ParseRoster(data)
		if err != nil {
			return
		}
		again, err := crdtactor.ParseRoster(crdtactor.AppendRoster(nil, list))
		if err != nil || len(again) != len(list) {
			t.Fatalf("%v and %v, %v", list, again, err)
		}
		if !bytes.Equal(crdtactor.AppendRoster(nil, list), crdtactor.AppendRoster(nil, again)) {
			t.Fatal("what is written again differs")
		}
	})
}
